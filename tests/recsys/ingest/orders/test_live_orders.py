"""The next ingest leaves of an order what the ledger has left of it meanwhile."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ibis.backends.duckdb import Backend

from recsys.datasets import customer_history, item_key, order_key
from recsys.ingest.orders import live_orders
from recsys.ingest.orders.set_aside import Trusted
from recsys.ingest.staged import LIVE
from recsys.ledger.events.event_types import Event, EventItem, Money, order_id, order_ids
from recsys.ledger.events.purchases import history_after
from recsys.query_engine import connect, rows, scratch
from recsys.schema import CHANNELS, LINES, RETURN, SALE

AT = datetime(2024, 3, 1, 12, tzinfo=UTC)
PRICES = {"a": 250, "b": 99, "c": 1000}
SYSTEMS = ["shop"]

Items = dict[str, int]
#: What an export says of an order, what a channel told of it, and refunds: of all without items.
Order = tuple[Items | None, Items | None, list[Items]]
#: Quantity and amount left of each product of each order.
Left = dict[tuple[str, str], tuple[float, int]]

contents = st.dictionaries(st.sampled_from([*PRICES]), st.integers(1, 3), min_size=1)
refunds = st.lists(st.just({}) | contents, max_size=3)
known = st.tuples(contents, st.none(), refunds) | st.tuples(st.none() | contents, contents, refunds)
unknown = st.tuples(st.none(), st.none(), st.lists(contents, max_size=3))
orders = st.lists(known | unknown, max_size=4)


@pytest.fixture(scope="module")
def con() -> Iterator[Backend]:
    engine = connect(memory_mb=256, threads=1)
    yield engine
    engine.disconnect()


def events_of(drawn: list[Order]) -> list[Event]:
    """What channels told, in order of time: of each order its purchase, then its refunds."""
    found: list[Event] = []
    for number, (_, bought, returned) in enumerate(drawn):
        happened = [("purchase", bought)] if bought else []
        for name, items in [*happened, *(("refund", back) for back in returned)]:
            event = Event(
                event_id=f"e{len(found)}",
                event=name,  # type: ignore[arg-type]
                occurred_at=AT + timedelta(minutes=len(found)),
                transaction_id=str(number),
                items=[
                    EventItem(item_id=item, quantity=n, price=Money(PRICES[item], "EUR"))
                    for item, n in items.items()
                ],
            )
            found.append(event)
    return found


def added(lines: Iterable[tuple[str, str, float, int]]) -> Left:
    quantity: Counter[tuple[str, str]] = Counter()
    amount: Counter[tuple[str, str]] = Counter()
    for number, item, n, paid in lines:
        quantity[number, item] += n  # type: ignore[assignment]
        amount[number, item] += paid
    return {key: (n, amount[key]) for key, n in quantity.items() if n or amount[key]}


def left_by_ledger(drawn: list[Order]) -> Left:
    """Bring the events into a customer's row, one by one."""
    exported = [
        (item_key(item), AT.timestamp(), n, order_key(f"shop:{number}"), 1, 0, n * PRICES[item])
        for number, (held, _, _) in enumerate(drawn)
        for item, n in (held or {}).items()
    ]
    lines = np.array(exported, customer_history.LINES)
    history = customer_history.add_lines(customer_history.EMPTY, lines)
    for event in events_of(drawn):
        history = history_after(history, event, systems=SYSTEMS, currency="EUR")
    numbers = {
        order_key(name): str(number)
        for number in range(len(drawn))
        for name in order_ids("online", str(number), SYSTEMS)
    }
    names = {item_key(item): item for item in PRICES}
    return added(
        (numbers[int(order)], names[int(key)], float(quantity), int(amount))
        for key, _, quantity, order, _, _, amount in history.lines.tolist()
    )


def left_by_ingest(con: Backend, drawn: list[Order]) -> Left:
    """Unify the events with the exported orders."""
    exported = [
        line(f"shop:{number}", AT, item, n)
        for number, (held, _, _) in enumerate(drawn)
        for item, n in (held or {}).items()
    ]
    live, reported = [], []
    for event in events_of(drawn):
        number, back = str(event.transaction_id), event.event == "refund"
        order = order_id(event.scope, number)
        group = f"{order}:{event.event_id}" if back else order
        more = {"source": LIVE, "return_of": order if back else None}
        more |= {"kind": RETURN if back else SALE}
        items = {item.item_id: item.quantity for item in event.items} or {None: 1.0}
        for item, n in items.items():
            sold = line(group, event.occurred_at, item, -n if back else n)
            live.append(sold | more | {"line_no": len(live)})
        reported.append({"order_id": group, "transaction_id": number, "scope": event.scope})
    told = [pa.field(name, pa.string()) for name in ("order_id", "transaction_id", "scope")]
    numbers = ibis.memtable(pa.Table.from_pylist(reported, pa.schema(told)))
    live_numbers, candidates = live_orders.numbers(numbers, SYSTEMS)
    theirs = ibis.memtable(pa.Table.from_pylist(exported, LINES))
    of = theirs.join(candidates, theirs.order_id == candidates.exported)
    nothing = ibis.memtable(pa.table({"item_id": pa.array([], pa.string())}))
    with scratch(con):
        lines, _ = live_orders.without_exported(
            con,
            ibis.memtable(pa.Table.from_pylist(exported + live, LINES)),
            of,
            live_numbers,
            Trusted(nothing, ["EUR"], 10.0),
        )
        found = rows(con, lines)
    return added(
        (
            str(row["return_of"] or row["order_id"]).split(":")[-1],
            row["item_id"],
            row["quantity"],
            row["amount_minor"],
        )
        for row in found
    )


def line(order: str, at: datetime, item: str | None, quantity: float) -> dict[str, Any]:
    price = PRICES.get(item or "", 0)
    return {
        "order_id": order,
        "line_no": 1,
        "occurred_at": at,
        "customer_id": "ann",
        "channel": CHANNELS[1],
        "item_id": item,
        "quantity": quantity,
        "unit_price_minor": price,
        "discount_minor": 0,
        "amount_minor": round(price * quantity),
        "currency": "EUR",
        "kind": SALE,
        "source": "shop",
    }


@settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(orders)
def test_ingest_leaves_of_an_order_what_the_ledger_left(con: Backend, drawn: list[Order]) -> None:
    assert left_by_ingest(con, drawn) == left_by_ledger(drawn)
