"""An ingest replaces what the ledger holds, and nothing a channel was told is lost or doubled."""

import itertools

import numpy as np
import pytest

from recsys.datasets.customer_history import EMPTY, LINES, CustomerHistory, pack_history
from recsys.datasets.item_index import item_key, order_key
from recsys.errors import LedgerError
from recsys.identity.hashing import customer_id_of
from recsys.ledger.events.event_types import Identifier
from recsys.ledger.ledger import Ledger
from tests.recsys.ledger.conftest import NOW, MakeEvent

ADA = Identifier(type="email", value="ada")
CARD = Identifier(type="loyalty_card", value="77")
ADA_ID = customer_id_of("email", "ada")
CARD_ID = customer_id_of("loyalty_card", "77")
Row = tuple[str, bytes]


def row(customer_id: str, *lines: tuple[str, str], ts: int = NOW - 86_400) -> Row:
    """Row of a customer who bought (item, order) lines."""
    array = np.zeros(len(lines), LINES)
    for ix, (item, order) in enumerate(lines):
        array[ix] = (item_key(item), ts, 1.0, order_key(order), 0, 0, 100)
    return customer_id, pack_history(CustomerHistory(array, EMPTY.older))


def known(identifier: Identifier, customer_id: str | None) -> tuple[str, str, str, str | None]:
    own_id = customer_id_of(identifier.type, identifier.value)
    return identifier.type, identifier.value, own_id, customer_id


def items(ledger: Ledger, customer_id: str) -> list[int]:
    return [int(key) for key in ledger.history(customer_id).lines["item_key"]]


def keys(*names: str) -> list[int]:
    return [item_key(name) for name in names]


def test_only_what_differs_is_written(ledger: Ledger) -> None:
    rows = [row(f"c{n:03}", ("milk", "o")) for n in range(100)]
    first = ledger.replace_histories("v1", rows, [known(ADA, "c001")])
    assert (first.customers, first.written, first.removed) == (100, 100, 0)
    assert ledger.replace_histories("v2", rows, [known(ADA, "c001")]).written == 0
    rows[7] = row("c007", ("tea", "o"))
    del rows[50], rows[99 - 1]
    third = ledger.replace_histories("v3", rows, [])
    assert (third.written, third.removed) == (1, 2)
    assert items(ledger, "c007") == keys("tea")
    assert items(ledger, "c050") == []
    assert ledger.resolve("email", "ada") is None
    assert ledger.meta()["history_version"] == "v3"


def test_linked_identifiers_lead_to_one_customer_and_apart_again(
    ledger: Ledger, make_event: MakeEvent
) -> None:
    ledger.add_events([make_event("login", session_id="s", identifier="ada")], NOW)
    rows = [row(CARD_ID, ("milk", "o1"), ("tea", "o2"))]
    ledger.replace_histories("v1", rows, [known(ADA, CARD_ID), known(CARD, CARD_ID)])
    for customer in (
        ledger.customer(identifier=ADA, as_of_ts=NOW),
        ledger.customer(identifier=CARD, as_of_ts=NOW),
        ledger.customer(customer_id=ADA_ID, as_of_ts=NOW),  # given out before they were linked
        ledger.customer(session_id="s", as_of_ts=NOW),
    ):
        assert customer.customer_id == CARD_ID
        assert len(customer.history.lines) == 2
    assert ledger.resolve_id(ADA_ID) == CARD_ID
    apart = sorted([row(CARD_ID, ("milk", "o1")), row(ADA_ID, ("tea", "o2"))])
    ledger.replace_histories("v2", apart, [known(ADA, ADA_ID), known(CARD, CARD_ID)])
    customer = ledger.customer(customer_id=ADA_ID, as_of_ts=NOW)
    assert customer.customer_id == ADA_ID
    assert items(ledger, ADA_ID) == keys("tea")


def test_a_blocked_identifier_names_nobody(ledger: Ledger, make_event: MakeEvent) -> None:
    ledger.replace_histories("v1", [], [known(CARD, None)])
    event = make_event("purchase", "milk", identifier=CARD)
    assert ledger.add_events([event], NOW)[0].status == "accepted"
    assert ledger.customer(identifier=CARD, as_of_ts=NOW).customer_id is None
    assert ledger.customer(customer_id=CARD_ID, as_of_ts=NOW).history == EMPTY
    assert [event.own_id for event in ledger.live_events()] == [None]


def test_a_purchase_during_an_ingest_is_not_lost(ledger: Ledger, make_event: MakeEvent) -> None:
    ledger.add_events([make_event("purchase", "milk", identifier="ada", transaction_id="1")], NOW)
    mark = ledger.mark()
    read = list(ledger.live_events(until=mark))
    ledger.add_events([make_event("purchase", "tea", identifier="ada", transaction_id="2")], NOW)
    ledger.add_events([make_event("purchase", "jam", identifier="bob", transaction_id="3")], NOW)
    assert [event.event.transaction_id for event in read] == ["1"]
    # Ingest made of the first event what it makes of live orders; bob it has not seen.
    rows = [row(ADA_ID, ("milk", "live:online:1"))]
    done = ledger.replace_histories("v1", rows, [known(ADA, ADA_ID)], contained=mark)
    assert done.reapplied == 2
    assert items(ledger, ADA_ID) == keys("milk", "tea")
    bob = ledger.customer(identifier=Identifier(type="email", value="bob"), as_of_ts=NOW)
    assert [int(key) for key in bob.history.lines["item_key"]] == keys("jam")
    # What is contained and gone from the history (the order was cancelled) stays gone.
    mark = ledger.mark()
    ledger.replace_histories(
        "v2", [row(ADA_ID, ("milk", "x:9"))], [known(ADA, ADA_ID)], contained=mark
    )
    assert items(ledger, ADA_ID) == keys("milk")


def test_a_view_during_an_ingest_is_not_lost(ledger: Ledger, make_event: MakeEvent) -> None:
    mark = ledger.mark()
    ledger.add_events(
        [
            make_event("view_item", "oil", session_id="s", at=NOW - 9),
            make_event("view_item", "jam", session_id="nobody", at=NOW - 8),
            make_event("login", session_id="s", identifier="ada", at=NOW - 7),
            make_event("add_to_cart", "tea", identifier="ada", at=NOW - 6),
        ],
        NOW,
    )
    before = ledger.history(ADA_ID).events.tolist()
    assert [key for key, *_ in before] == keys("oil", "tea")
    rows = [row(ADA_ID, ("milk", "till:1"))]
    done = ledger.replace_histories("v1", rows, [known(ADA, ADA_ID)], contained=mark)
    assert (done.reapplied, done.customers) == (0, 1)
    assert items(ledger, ADA_ID) == keys("milk")
    assert ledger.history(ADA_ID).events.tolist() == before


def test_an_exported_order_that_was_also_live_counts_once(
    ledger: Ledger, make_event: MakeEvent
) -> None:
    before = make_event("purchase", "milk", identifier="ada", transaction_id="1001")
    ledger.add_events([before], NOW)
    rows = [row(ADA_ID, ("milk", "shop:1001"), ("tea", "shop:1002"))]
    for _ in range(2):
        ledger.replace_histories("v1", rows, [known(ADA, ADA_ID)], systems=["shop", "till"])
        assert items(ledger, ADA_ID) == keys("milk", "tea")
    # Its event may also come late, after the export.
    late = make_event("purchase", "tea", identifier="ada", transaction_id="1002")
    assert ledger.add_events([late], NOW)[0].status == "accepted"
    assert items(ledger, ADA_ID) == keys("milk", "tea")
    refund = make_event("refund", "tea", transaction_id="1002")
    ledger.add_events([refund], NOW)
    assert sum(ledger.history(ADA_ID).lines["quantity"]) == 1
    ledger.replace_histories("v2", rows, [known(ADA, ADA_ID)], systems=["shop", "till"])
    assert sum(ledger.history(ADA_ID).lines["quantity"]) == 1


def test_channels_go_on_while_rows_are_compared(ledger: Ledger, make_event: MakeEvent) -> None:
    mark = ledger.mark()
    happened = itertools.chain.from_iterable(
        ledger.add_events([make_event("purchase", "tea", identifier="ada")], NOW) and []
        for _ in range(1)
    )
    rows = itertools.chain(happened, [row(ADA_ID, ("milk", "o1"))])
    ledger.replace_histories("v1", rows, [known(ADA, ADA_ID)], contained=mark)
    assert items(ledger, ADA_ID) == keys("milk", "tea")


@pytest.mark.parametrize("names", [("b", "a"), ("a", "a")])
def test_rows_that_are_not_sorted_change_nothing(ledger: Ledger, names: tuple[str, str]) -> None:
    ledger.replace_histories("v1", [row("z", ("milk", "o"))], [])
    with pytest.raises(LedgerError, match="sorted by customer_id"):
        ledger.replace_histories("v2", [row(name, ("tea", "o")) for name in names], [])
    assert items(ledger, "z") == keys("milk")
    assert ledger.meta()["history_version"] == "v1"
    with pytest.raises(LedgerError, match="sorted by type, value"):
        ledger.replace_histories("v2", [], [known(CARD, "a"), known(ADA, "a")])


def test_an_ingest_that_breaks_off_changes_nothing(ledger: Ledger) -> None:
    ledger.replace_histories("v1", [row("a", ("milk", "o"))], [known(ADA, "a")])

    def broken() -> itertools.chain[Row]:
        def end() -> Row:
            raise OSError("the disk is gone")

        return itertools.chain([row("a", ("tea", "o"))], (end() for _ in range(1)))

    with pytest.raises(OSError, match="disk"):
        ledger.replace_histories("v2", broken(), [])
    assert items(ledger, "a") == keys("milk")
    assert ledger.replace_histories("v2", [row("b", ("tea", "o"))], []).removed == 1
