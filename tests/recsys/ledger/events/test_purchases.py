"""Events can be applied any number of times, in any pieces: twice is once."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from recsys.datasets.customer_history import EMPTY, CustomerHistory
from recsys.ledger.events import purchases
from recsys.ledger.events.event_types import Event, EventItem, Money
from tests.recsys.ledger.conftest import NOW

prices = st.one_of(st.none(), st.floats(0, 1e9), st.just(Money(amount_minor=5, currency="JPY")))
items = st.lists(
    st.builds(
        EventItem,
        item_id=st.sampled_from(["a", "b", "c"]),
        quantity=st.sampled_from([1.0, 2.0, 0.35]),
        price=st.one_of(
            st.none(), st.floats(0, 1e9), st.just(Money(amount_minor=5, currency="JPY"))
        ),
    ),
    min_size=1,
    max_size=4,
)


@st.composite
def orders(draw: st.DrawFn) -> list[Event]:
    """Purchases, each with refunds of some of it, in the order in which they happened."""
    events = []
    for number in range(draw(st.integers(1, 4))):
        kinds = ["purchase", *draw(st.lists(st.just("refund"), max_size=2))]
        for step, kind in enumerate(kinds):
            whole = kind == "refund" and draw(st.booleans())
            events.append(
                Event(
                    event_id=f"{number}/{step}",
                    event=kind,  # type: ignore[arg-type]
                    occurred_at=datetime.fromtimestamp(NOW + 10 * number + step, UTC),
                    transaction_id=f"T{number}",
                    items=[] if whole else draw(items),
                )
            )
    return events


def apply(events: list[Event], history: CustomerHistory = EMPTY) -> CustomerHistory:
    for event in events:
        history = purchases.history_after(history, event, systems=["shop"], currency="EUR")
    return history


@given(orders())
def test_nothing_more_comes_back_than_was_bought(events: list[Event]) -> None:
    lines = apply(events).lines
    for order in set(lines["order"].tolist()):
        for key in set(lines["item_key"].tolist()):
            mine = lines[(lines["order"] == order) & (lines["item_key"] == key)]
            assert mine["quantity"].sum() >= -1e-3


@given(orders())
def test_purchases_are_recognised(events: list[Event]) -> None:
    bought = [event for event in events if event.event == "purchase"]
    once = apply(bought)
    assert apply(bought, once) is once
    assert apply(bought + bought) == once


@given(orders())
def test_a_whole_refund_can_be_repeated(events: list[Event]) -> None:
    back = [
        Event(
            event_id=f"back {event.event_id}",
            event="refund",
            occurred_at=datetime.fromtimestamp(NOW + 1000, UTC),
            transaction_id=event.transaction_id,
        )
        for event in events
        if event.event == "purchase"
    ]
    returned = apply(back, apply(events))
    assert apply(back, returned) is returned
    for key in set(returned.lines["item_key"].tolist()):
        net = returned.lines["quantity"][returned.lines["item_key"] == key].sum()
        assert abs(net) < 1e-2


def test_prices_are_understood_in_their_currency() -> None:
    def minor(price: object, currency: str) -> int:
        return purchases.minor(EventItem(item_id="a", price=price), currency)  # type: ignore[arg-type]

    assert minor(12.99, "EUR") == 1299
    assert minor(1299, "JPY") == 1299
    assert minor(1.234, "KWD") == 1234
    assert minor(Money(amount_minor=7, currency="USD"), "JPY") == 7
    assert minor(None, "EUR") == 0


def refund(step: int, quantity: float, item: str = "a") -> Event:
    return Event(
        event_id=f"old/{step}",
        event="refund",
        occurred_at=datetime.fromtimestamp(NOW + step, UTC),
        transaction_id="OLD",
        items=[EventItem(item_id=item, quantity=quantity, price=Money(500, "EUR"))],
    )


def test_every_refund_of_an_order_that_the_row_lacks_counts_once() -> None:
    events = [refund(1, 1.0), refund(2, 2.0), refund(2, 1.0, "b"), refund(3, 1.0)]
    lines = apply([*events, *reversed(events)]).lines
    assert sorted(lines["quantity"].tolist()) == [-2.0, -1.0, -1.0, -1.0]
    assert lines["amount_minor"].sum() == -2500
