"""Events are checked, hashed before they are stored, and read back as they were."""

from datetime import UTC, datetime, timedelta, timezone
from typing import get_args

import msgspec
import pytest

from recsys.config.toml_file import IdentitySettings
from recsys.identity.hashing import KeyedHash
from recsys.ledger.events import event_types
from recsys.ledger.events.event_types import Event, EventItem, Identifier
from recsys.ledger.events.limits import limit_faults
from recsys.schema import CHANNELS

KEYED = KeyedHash("0123456789abcdef" * 4)
AT = datetime(2024, 3, 1, 12, tzinfo=UTC)


def event(name: str = "view_item", **fields: object) -> Event:
    given = {"items": [EventItem(item_id="a")], "occurred_at": AT, **fields}
    return Event(event_id="e", event=name, **given)  # type: ignore[arg-type]


def test_nothing_personal_is_stored() -> None:
    who = Identifier(type="email", value=" Ada@Example.org ")
    sealed = event_types.seal(event(identifier=who, session_id="GA1.2.33"), KEYED)
    stored = event_types.encode(sealed)
    assert b"ada" not in stored.lower()
    assert b"GA1" not in stored
    same = Identifier(type="email", value="ada@example.org")
    assert event_types.seal(event(identifier=same, session_id="GA1.2.33"), KEYED) == sealed
    assert event_types.decode(stored) == sealed


def test_the_same_moment_in_another_zone_is_the_same_event() -> None:
    there = AT.astimezone(timezone(timedelta(hours=9)))
    one, other = event_types.seal(event(), KEYED), event_types.seal(event(occurred_at=there), KEYED)
    assert event_types.encode(one) == event_types.encode(other)


def test_an_identifier_of_blanks_names_nobody() -> None:
    blank = event(identifier=Identifier(type="email", value="  "), session_id=" ")
    sealed = event_types.seal(blank, KEYED)
    assert sealed.identifier is None
    assert sealed.session_id is None


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("account", "0"),
        ("account", "guest"),
        ("loyalty_card", "2.10001E+11"),
        ("phone", "4.47701E+11"),
        ("email", "(not set)"),
        ("device", "undefined"),
        ("loyalty_card", "2900000017"),
    ],
)
def test_an_identifier_that_names_nobody_is_not_stored(kind: str, value: str) -> None:
    own = IdentitySettings(blocked={"loyalty_card": ["29*"]})
    given = event("login", identifier=Identifier(type=kind, value=value), session_id="undefined")
    sealed = event_types.seal(given, KEYED, own)
    assert sealed.identifier is None
    assert sealed.session_id is None


def test_a_phone_is_one_however_it_is_typed() -> None:
    british = KeyedHash(KEYED.key, country="GB")
    typed = ["+44 7700 900001", "07700 900001", "0044 7700 900001", "+44 (0)7700 900001"]
    whos = [Identifier(type="phone", value=phone) for phone in typed]
    assert len({event_types.seal_identifier(who, british) for who in whos}) == 1


NO_NUMBERS = ["(not set)", "undefined", "null", "0", " ", "NaN", "#N/A", "5.01235E+12", "-1"]


@pytest.mark.parametrize("number", NO_NUMBERS)
@pytest.mark.parametrize("name", ["purchase", "refund"])
def test_a_placeholder_is_no_number_of_an_order(name: str, number: str) -> None:
    ((pointer, detail),) = event_types.faults(event(name, transaction_id=number))
    assert pointer == "/transaction_id"
    assert f"`{number}`" in detail
    assert not list(event_types.faults(event("begin_checkout", transaction_id=number)))


def test_what_may_be_an_id_is_one() -> None:
    items = [EventItem(item_id=item_id) for item_id in ("0", "NA", "TEST", "X", "00123")]
    for number in ("1", "#1001", "NA", "X0", "0A"):
        assert not list(event_types.faults(event("purchase", transaction_id=number, items=items)))


@pytest.mark.parametrize(
    ("faulty", "pointer"),
    [
        (event(items=[EventItem(item_id="a"), EventItem(item_id="null")]), "/items/1/item_id"),
        (event("view_item_list", items=[EventItem(item_id="(not set)")]), "/items/0/item_id"),
        (msgspec.structs.replace(event(), event_id="undefined"), "/event_id"),
        (event("purchase"), "/transaction_id"),
        (event("refund"), "/transaction_id"),
        (event("purchase", transaction_id="T", items=[]), "/items"),
        (event("login", customer_id="c"), "/session_id"),
        (event("login", session_id="s"), "/identifier"),
        (event(customer_id="c", identifier=Identifier(type="email", value="a")), "/customer_id"),
        (event(occurred_at=AT.replace(year=1999)), "/occurred_at"),
        (event(occurred_at=AT.replace(year=3000)), "/occurred_at"),
    ],
)
def test_what_types_cannot_say_is_checked(faulty: Event, pointer: str) -> None:
    found = [at for at, _ in event_types.faults(faulty)]
    assert pointer in [*found, *(misfit.pointer for misfit in limit_faults(faulty, "EUR"))]


def test_an_ordinary_event_has_no_faults() -> None:
    assert not list(event_types.faults(event()))
    assert not list(event_types.faults(event("refund", transaction_id="T", items=[])))


def test_its_channels_are_those_of_the_history() -> None:
    assert get_args(event_types.Channel) == CHANNELS


def test_an_order_may_have_the_name_of_each_system_or_its_live_one() -> None:
    names = event_types.order_ids("online", "17", ["erp", "shop"])
    assert names == ["erp:17", "shop:17", event_types.order_id("online", "17")]
