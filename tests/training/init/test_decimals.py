"""The decimal sign, derived from prices, quantities and amounts together."""

import pytest

from recsys.config.toml_file import Column
from tests.training.init.conftest import Propose

HEAD = "Basket;Sold at;SKU;Qty;Price;Amount\n"


def rows(*triples: str) -> str:
    lines = [f"{n};2024-03-0{n} 10:00;A{n % 2};{three}" for n, three in enumerate(triples, 1)]
    return HEAD + "\n".join(lines) + "\n"


def test_litres_and_their_price_are_told_by_what_they_make(proposed: Propose) -> None:
    found = proposed(rows("40,123;1,859;74,59", "38,501;1,879;72,34", "52,010;1,759;91,49"))
    assert found.columns["quantity"] == Column(column="Qty", decimal=",")
    assert found.columns["unit_price"] == Column(column="Price", decimal=",")
    assert not found.questions


def test_a_column_is_told_by_the_others(proposed: Propose) -> None:
    """0.450 makes a column of dinars unambiguous, and that column the other."""
    dinars = rows("2;1.250;2.500", "1;12.750;12.750", "3;0.450;1.350")
    found = proposed(dinars, currency="KWD")
    assert found.columns["unit_price"] == "Price"
    assert found.columns["amount"] == Column(column="Amount", decimal=".")
    assert not found.questions
    grouped = proposed(rows("1,000;0.05;50.00", "2,500;0.10;250.00", "1;3.00;3.00"))
    assert grouped.columns["quantity"] == Column(column="Qty", decimal=".")
    assert not grouped.questions


@pytest.mark.parametrize(
    "triples", [("2;1.250;2.500", "1;2.500;2.500"), ("1.500;2;3.000", "2.500;2;5.000")]
)
def test_what_fits_both_ways_is_asked(proposed: Propose, triples: tuple[str, ...]) -> None:
    assert proposed(rows(*triples), currency="KWD").questions


def test_a_price_with_a_point_says_that_points_group_nothing(proposed: Propose) -> None:
    found = proposed(rows("1.500;2.00;3.000", "2.500;2.00;5.000"), currency="KWD")
    assert found.columns["quantity"] == Column(column="Qty", decimal=".")


def test_pieces_are_not_told_by_the_currency(proposed: Propose) -> None:
    """The ingest would reject ``1,000`` beside ``480``; yen do not decide about grams."""
    found = proposed(rows("1,100;12;", "480;9;", "2,000;5;"), currency="JPY")
    assert "columns.quantity.decimal" in [q.settings[0] for q in found.questions]
