"""What a channel reports is there at once, once, and under the right customer."""

from recsys.datasets.customer_history import EMPTY
from recsys.datasets.interactions import CART, VIEW
from recsys.datasets.item_index import item_key, location_key
from recsys.identity.hashing import customer_id_of
from recsys.ledger.customers.identity_lookup import session_own_id
from recsys.ledger.events.event_types import EventItem, Identifier, Money
from recsys.ledger.events.visit_state import VisitState
from recsys.ledger.ledger import Exposure, Ledger
from recsys.ledger.schema import SCHEMA_VERSION
from recsys.units import DAY

from .conftest import NOW, MakeEvent

ADA = Identifier(type="email", value="ada")
ADA_ID = customer_id_of("email", "ada")


def bought(ledger: Ledger, customer_id: str) -> list[tuple[int, float]]:
    lines = ledger.history(customer_id).lines
    return [(int(line["item_key"]), float(line["quantity"])) for line in lines]


def viewed(visit: VisitState) -> list[str]:
    """Items that a visit looked at, the latest first."""
    return [look.item_id for look in visit.looks if look.kind == VIEW]


def statuses(ledger: Ledger, *events: object) -> list[str]:
    return [outcome.status for outcome in ledger.add_events(events, NOW)]  # type: ignore[arg-type]


def test_a_purchase_counts_in_the_next_question(ledger: Ledger, make_event: MakeEvent) -> None:
    event = make_event(
        "purchase",
        identifier="ada",
        channel="pos",
        location_id="S1",
        lines=[
            EventItem(item_id="milk", quantity=2, price=Money(amount_minor=119, currency="EUR"))
        ],
    )
    assert statuses(ledger, event) == ["accepted"]
    customer = ledger.customer(identifier=ADA, as_of_ts=NOW)
    assert customer.customer_id == ADA_ID
    (line,) = customer.history.lines
    assert line["item_key"] == item_key("milk")
    assert line["quantity"] == 2
    assert line["ts"] == NOW
    assert line["amount_minor"] == 238
    assert line["location"] == location_key("S1")
    assert ledger.customer(customer_id=ADA_ID, as_of_ts=NOW).history == customer.history


def test_nobody_and_strangers_have_no_history(ledger: Ledger) -> None:
    assert ledger.customer(as_of_ts=NOW).customer_id is None
    for stranger in (
        ledger.customer(identifier=ADA, as_of_ts=NOW),
        ledger.customer(customer_id="c0", as_of_ts=NOW),
        ledger.customer(session_id="s", as_of_ts=NOW),
    ):
        assert stranger.customer_id is None
        assert stranger.history == EMPTY
    assert ledger.resolve("email", "ada") is None
    assert ledger.resolve_id("c0") is None


def test_the_same_event_twice_is_a_duplicate(ledger: Ledger, make_event: MakeEvent) -> None:
    event = make_event("purchase", "milk", identifier="ada")
    assert statuses(ledger, event, event) == ["accepted", "duplicate"]
    assert statuses(ledger, event) == ["duplicate"]
    assert len(bought(ledger, ADA_ID)) == 1


def test_another_event_under_the_same_id_is_refused(ledger: Ledger, make_event: MakeEvent) -> None:
    first = make_event("purchase", "milk", identifier="ada", event_id="e")
    other = make_event("purchase", "bread", identifier="ada", event_id="e")
    assert statuses(ledger, first) == ["accepted"]
    (outcome,) = ledger.add_events([other], NOW)
    assert outcome.status == "conflict"
    assert "event_id" in outcome.detail
    views = [make_event("view_item", item, event_id="x") for item in ("milk", "tea")]
    assert statuses(ledger, *views) == ["accepted", "conflict"]
    assert bought(ledger, ADA_ID) == [(item_key("milk"), 1.0)]


def test_one_order_told_of_twice_counts_once(ledger: Ledger, make_event: MakeEvent) -> None:
    page = make_event("purchase", "milk", identifier="ada", transaction_id="T")
    server = make_event("purchase", "milk", identifier="ada", transaction_id="T")
    assert statuses(ledger, page) == ["accepted"]
    (outcome,) = ledger.add_events([server], NOW)
    assert outcome.status == "duplicate"
    assert "`T`" in outcome.detail
    assert len(bought(ledger, ADA_ID)) == 1
    assert [event.counted for event in ledger.live_events()] == [True, False]


def test_the_telling_that_names_the_customer_wins(ledger: Ledger, make_event: MakeEvent) -> None:
    """A web page that does not know who buys, and the shop's server that does."""
    page = make_event("purchase", "milk", session_id="s", transaction_id="T")
    server = make_event("purchase", "milk", identifier="ada", transaction_id="T")
    assert statuses(ledger, page, server) == ["duplicate", "accepted"]
    late = make_event("purchase", "tea", transaction_id="U")
    assert statuses(ledger, late) == ["accepted"]
    assert statuses(
        ledger, make_event("purchase", "tea", identifier="ada", transaction_id="U")
    ) == ["accepted"]
    assert [key for key, _ in bought(ledger, ADA_ID)] == [item_key("milk"), item_key("tea")]
    assert sum(event.counted for event in ledger.live_events()) == 2


def test_receipts_of_two_stores_may_have_the_same_number(
    ledger: Ledger, make_event: MakeEvent
) -> None:
    here, there = (
        make_event(
            "purchase", "milk", identifier="ada", transaction_id="17", channel="pos", location_id=s
        )
        for s in ("S1", "S2")
    )
    assert statuses(ledger, here, there) == ["accepted", "accepted"]
    assert len(bought(ledger, ADA_ID)) == 2


def test_a_refund_takes_back_what_was_bought(ledger: Ledger, make_event: MakeEvent) -> None:
    ledger.add_events(
        [make_event("purchase", "milk", "tea", identifier="ada", transaction_id="T")], NOW
    )
    part = make_event("refund", "tea", transaction_id="T", at=NOW + 60)
    rest = make_event("refund", transaction_id="T", at=NOW + 120, channel="pos", location_id="S9")
    again = make_event("refund", "tea", transaction_id="T", at=NOW + 180)
    assert statuses(ledger, part) == ["accepted"]
    assert bought(ledger, ADA_ID)[-1] == (item_key("tea"), -1.0)
    assert statuses(ledger, rest, again) == ["accepted", "accepted"]
    net: dict[int, float] = {}
    for key, quantity in bought(ledger, ADA_ID):
        net[key] = net.get(key, 0.0) + quantity
    assert net == {item_key("milk"): 0.0, item_key("tea"): 0.0}
    amounts = ledger.history(ADA_ID).lines["amount_minor"]
    assert amounts.sum() == 0


def test_a_refund_may_come_before_its_purchase(ledger: Ledger, make_event: MakeEvent) -> None:
    refund = make_event("refund", "tea", identifier="ada", transaction_id="T", at=NOW + 60)
    ledger.add_events([refund], NOW)
    ledger.add_events([make_event("purchase", "tea", identifier="ada", transaction_id="T")], NOW)
    assert sorted(bought(ledger, ADA_ID)) == [(item_key("tea"), -1.0), (item_key("tea"), 1.0)]


def test_a_visit_has_a_cart(ledger: Ledger, make_event: MakeEvent) -> None:
    def happen(name: str, *items: str, at: int) -> None:
        ledger.add_events([make_event(name, *items, session_id="s", at=NOW + at)], NOW)

    happen("view_item", "milk", at=0)
    happen("add_to_cart", "milk", at=1)
    happen("add_to_cart", "tea", at=2)
    happen("add_to_cart", "milk", at=3)
    visit = ledger.customer(session_id="s", as_of_ts=NOW).visit
    assert visit.cart == {"tea": 1.0, "milk": 2.0}
    assert viewed(visit) == ["milk"]
    happen("remove_from_cart", "milk", at=4)
    happen("purchase", "tea", at=5)
    customer = ledger.customer(session_id="s", as_of_ts=NOW)
    assert customer.visit.cart == {"milk": 1.0}
    assert customer.customer_id is None
    assert len(customer.history.lines) == 1  # bought in this visit, so not offered again in it
    happen("begin_checkout", "bread", at=6)
    assert ledger.customer(session_id="s", as_of_ts=NOW).visit.cart == {"bread": 1.0}
    after = NOW + 31 * DAY
    assert not ledger.customer(session_id="s", as_of_ts=after).visit.cart


def looked(ledger: Ledger, customer_id: str) -> list[tuple[int, int, int]]:
    """Product, time since NOW and kind of what a customer looked at."""
    events = ledger.history(customer_id).events
    return [(int(key), int(ts) - NOW, int(kind)) for key, ts, kind, _ in events.tolist()]


def test_a_view_counts_in_the_next_question(ledger: Ledger, make_event: MakeEvent) -> None:
    seen = make_event("view_item", "milk", "tea", identifier="ada", at=NOW - 9)
    put = make_event("add_to_cart", "milk", identifier="ada", at=NOW - 5)
    earlier = make_event("select_item", "milk", identifier="ada", at=NOW - 20)
    listed = make_event("view_item_list", "jam", identifier="ada", at=NOW - 3)
    ledger.add_events([put, seen], NOW)
    ledger.add_events([earlier, listed, seen], NOW)
    views = sorted([(item_key("milk"), -9, VIEW), (item_key("tea"), -9, VIEW)])
    assert looked(ledger, ADA_ID) == [*views, (item_key("milk"), -5, CART)]
    assert ledger.history(ADA_ID).lines.tolist() == []
    # Beside a purchase in the same batch.
    again = make_event("view_item", "tea", identifier="ada", at=NOW - 1)
    ledger.add_events([make_event("purchase", "tea", identifier="ada"), again], NOW)
    assert (item_key("tea"), -1, VIEW) in looked(ledger, ADA_ID)
    assert len(ledger.history(ADA_ID).lines) == 1


def test_what_a_visit_looked_at_counts_in_it(ledger: Ledger, make_event: MakeEvent) -> None:
    seen = make_event("view_item", "milk", session_id="s", at=NOW - 60)
    put = make_event("add_to_cart", "tea", session_id="s", at=NOW - 50)
    ledger.add_events([put, seen], NOW)
    stranger = ledger.customer(session_id="s", as_of_ts=NOW)
    assert stranger.customer_id is None
    events = [(item_key("milk"), NOW - 60), (item_key("tea"), NOW - 50)]
    assert [(key, ts) for key, ts, *_ in stranger.history.events.tolist()] == events
    assert ledger.history(session_own_id("s")) == EMPTY  # no row for every passer-by
    # Somebody who is named beside the visit is in it, and keeps what they looked at before.
    ledger.add_events([make_event("view_item", "jam", identifier="ada", at=NOW - 99)], NOW)
    named = ledger.customer(identifier=ADA, session_id="s", as_of_ts=NOW)
    assert named.customer_id == ADA_ID
    assert named.history.events["item_key"].tolist() == [item_key("jam"), *(k for k, _ in events)]
    assert looked(ledger, ADA_ID) == [(item_key("jam"), -99, VIEW)]
    # Whoever logs in takes it along; who logs in later does not.
    ledger.add_events([make_event("login", session_id="s", identifier="ada", at=NOW - 9)], NOW)
    ledger.add_events([make_event("view_item", "oil", session_id="s", at=NOW - 8)], NOW)
    ledger.add_events([make_event("login", session_id="s", identifier="bob", at=NOW - 5)], NOW)
    assert [key for key, *_ in looked(ledger, ADA_ID)] == [
        item_key(name) for name in ("jam", "milk", "tea", "oil")
    ]
    assert looked(ledger, customer_id_of("email", "bob")) == []
    bobs = ledger.customer(session_id="s", as_of_ts=NOW)
    assert len(bobs.history.events) == 0


def test_a_visit_remembers_the_newest_looks(ledger: Ledger, make_event: MakeEvent) -> None:
    events = [make_event("view_item", f"p{n}", session_id="s", at=NOW + n) for n in (*range(70), 3)]
    ledger.add_events(events, NOW + 70)
    visit = ledger.customer(session_id="s", as_of_ts=NOW).visit
    assert viewed(visit) == [f"p{n}" for n in range(69, 19, -1)]


def test_who_logs_in_owns_the_visit_from_then_on(ledger: Ledger, make_event: MakeEvent) -> None:
    before = make_event("purchase", "milk", session_id="s", at=NOW - 60)
    login = make_event("login", session_id="s", identifier="ada")
    after = make_event("purchase", "tea", session_id="s", at=NOW + 60)
    ledger.add_events([after, login, before], NOW)  # in whatever order they arrive
    customer = ledger.customer(session_id="s", as_of_ts=NOW)
    assert customer.customer_id == ADA_ID
    assert bought(ledger, ADA_ID) == [(item_key("tea"), 1.0)]
    assert bought(ledger, session_own_id("s")) == [(item_key("milk"), 1.0)]
    ledger.add_events([make_event("login", session_id="s", identifier="bob", at=NOW + 90)], NOW)
    ledger.add_events([make_event("purchase", "jam", session_id="s", at=NOW + 99)], NOW)
    assert [key for key, _ in bought(ledger, ADA_ID)] == [item_key("tea")]
    assert bought(ledger, customer_id_of("email", "bob")) == [(item_key("jam"), 1.0)]


def test_a_customer_is_named_by_id_once_they_are_known(
    ledger: Ledger, make_event: MakeEvent
) -> None:
    (outcome,) = ledger.add_events([make_event("purchase", "milk", customer_id=ADA_ID)], NOW)
    assert outcome.status == "unknown_customer"
    assert ADA_ID in outcome.detail
    assert list(ledger.live_events()) == []
    ledger.add_events([make_event("view_item", "milk", identifier="ada")], NOW)
    assert statuses(ledger, make_event("purchase", "tea", customer_id=ADA_ID)) == ["accepted"]
    assert bought(ledger, ADA_ID) == [(item_key("tea"), 1.0)]


def test_what_one_batch_refuses_does_not_touch_the_rest(
    ledger: Ledger, make_event: MakeEvent
) -> None:
    good = make_event("purchase", "milk", identifier="ada")
    bad = make_event("purchase", "milk", customer_id="c0")
    assert statuses(ledger, bad, good, good) == ["unknown_customer", "accepted", "duplicate"]
    assert ledger.add_events([], NOW) == []


def test_a_thousand_events_in_one_batch(ledger: Ledger, make_event: MakeEvent) -> None:
    events = [make_event("purchase", f"i{n}", identifier=f"u{n % 50}") for n in range(1000)]
    assert set(statuses(ledger, *events)) == {"accepted"}
    assert set(statuses(ledger, *events)) == {"duplicate"}
    ids = [customer_id_of("email", f"u{n}") for n in range(50)]
    assert [len(history.lines) for history in ledger.histories([*ids, "c0"])] == [20] * 50 + [0]


def test_exposures_are_kept_once(ledger: Ledger) -> None:
    shown = Exposure(
        recommendation_id="r", shown_ts=NOW, placement="web_home", model_version="m", items=["a"]
    )
    ledger.exposures.record([shown, shown])
    ledger.exposures.record([])


def test_it_says_what_it_is(ledger: Ledger) -> None:
    ledger.ping()
    assert ledger.meta()["schema_version"] == str(SCHEMA_VERSION)
