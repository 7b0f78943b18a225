"""A currency's minor unit is the same wherever an amount is read or written."""

import pytest
from babel.numbers import get_currency_precision

from recsys.ledger.events.event_types import EventItem
from recsys.ledger.events.purchases import minor
from recsys.values import currency_codes, currency_digits, unusual_units, write_amount
from training.console import money


@pytest.mark.parametrize(("code", "digits"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("???", 2)])
def test_a_currency_has_its_digits(code, digits):
    assert currency_digits(code) == digits
    item = EventItem(item_id="a", price=7.0)
    assert minor(item, code) == 7 * 10**digits


def test_digits_are_those_that_amounts_are_written_with():
    assert all(currency_digits(code) == get_currency_precision(code) for code in currency_codes())


def test_currencies_that_are_not_of_hundredths_are_known():
    units = unusual_units()
    assert (units["JPY"], units["KWD"]) == (1, 1000)
    assert "EUR" not in units
    assert list(units) == sorted(units)
    assert all(units.get(code, 100) == 10 ** currency_digits(code) for code in currency_codes())


@pytest.mark.parametrize(
    ("amount", "code", "written"), [(207, "USD", "$2.07"), (300, "JPY", "¥300")]
)
def test_amounts_are_written_alike_for_everybody(amount, code, written):
    assert write_amount(amount, code) == written
    assert money({"amount_minor": amount, "currency": code}) == written
    assert money(None) is None
