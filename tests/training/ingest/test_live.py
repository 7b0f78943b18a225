"""Events reported to the service enter the history once, and exports take precedence.

One small workspace goes through four ingests. Between them, a web shop and tills report purchases,
refunds and visits, and exports of the same orders arrive. Each person below is one case; the tests
check the history and the ledger at each stage.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import pytest

from recsys.datasets.item_index import item_key
from recsys.ledger.events.event_types import EventItem, Money

from .live_workspace import CUSTOMERS, REPORTED_ON, Loop, Stage, order_line


@dataclass
class Stages:
    reported: Stage
    """Channels have reported events; no ingest yet."""
    first: Stage
    """After an ingest."""
    second: Stage
    """After exports of some of the orders."""
    third: Stage
    """After more events of the same orders, and one more export."""
    outcomes: list[str]
    repeated: str
    unchanged: bool


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    loop = Loop(tmp_path_factory.mktemp("loop"))
    _export_old_orders(loop)
    loop.workspace.ingest()
    _report(loop, ned=str(loop.look().customers["ned"]))
    reported, outcomes = loop.look(), list(loop.outcomes)
    first = loop.ingest()
    unchanged = not loop.workspace.ingest()["changed"]
    _export_new_orders(loop)
    second = loop.ingest()
    repeated = loop.report("purchase", "tea", "scarf", transaction_id="A2", who="ann")
    loop.export(3, order_line("R2", "tea", -1, "3.00", "kim", of="K1"))
    return Stages(reported, first, second, loop.ingest(), outcomes, repeated, unchanged)


def _export_old_orders(loop: Loop) -> None:
    line = order_line
    loop.ticket("1", "s9")
    loop.export(
        1,
        line("A1", "tea", 1, "3.50", "ann"),
        line("G1", "tea", 2, "3.00", "gus"),
        line("G1", "jam", 1, "2.00", "gus"),
        line("H1", "tea", 2, "3.00", "hal"),
        line("H1", "jam", 1, "2.00", "hal"),
        line("K1", "tea", 3, "3.00", "kim"),
        line("N1", "tea", 1, "3.50", "ned"),
        line("Q1", "tea", 1, "3.50", "quin"),
    )


def _report(loop: Loop, ned: str) -> None:
    one_tea = EventItem(item_id="tea")
    two_teas = EventItem(item_id="tea", quantity=2, price=3.25, item_name="Green tea")
    loop.report("purchase", two_teas, "scarf", transaction_id="A2", who="ann")
    in_store = {"channel": "pos", "location_id": "s1"}
    loop.report("purchase", "cup", transaction_id="A2", who="bob", **in_store)
    loop.report("purchase", "tea", transaction_id="C1", who="cleo")
    loop.report("refund", "tea", transaction_id="C1", who="cleo")
    loop.report("purchase", "tea", transaction_id="D1", who="dan")
    for who, store in (("eve", "DE:12"), ("fay", "s2")):
        ticket = {"transaction_id": "17", "channel": "pos", "location_id": store}
        loop.report("purchase", "tea", who=who, **ticket)
    loop.report("refund", one_tea, transaction_id="G1", who="gus")
    loop.report("refund", one_tea, transaction_id="H1", who="hal")
    loop.report("refund", transaction_id="H1", who="hal")
    loop.report("refund", transaction_id="H1", who="hal")
    loop.report("purchase", "tea", "jam", transaction_id="I1", who="ida")
    loop.report("refund", transaction_id="I1")
    loop.report("purchase", "tea", transaction_id="J1", who="jon")
    loop.report("refund", "tea", transaction_id="J1", **in_store)
    loop.report("refund", one_tea, transaction_id="K1", who="kim")
    loop.report("refund", one_tea, transaction_id="K1", who="kim")
    cup = EventItem(item_id="cup", price=Money(amount_minor=900, currency="EUR"))
    loop.report("refund", cup, transaction_id="Z9", who="leo")
    loop.report("refund", transaction_id="Z8", who="leo")
    dollars = EventItem(item_id="tea", price=Money(amount_minor=400, currency="USD"))
    loop.report("purchase", dollars, EventItem(item_id="jam"), transaction_id="M1", who="mia")
    loop.report("purchase", "jam", transaction_id="N2", customer_id=ned)
    loop.report("purchase", "cup", transaction_id="X1")
    loop.report("purchase", "cup", transaction_id="P1", who="pia")
    loop.report("purchase", "tea", transaction_id="Q1", who="quin")
    loop.report("view_item", "tea", "jam", session_id="visit")
    loop.report("login", session_id="visit", who="ann")
    mug = EventItem(item_id="cup", quantity=2, price=9.0)
    loop.report("add_to_cart", mug, session_id="visit")
    loop.report("view_item", "tea", session_id="somebody")
    for item in ("tea", "cup", "tea"):
        loop.report("view_item", item, who="dan")


def _export_new_orders(loop: Loop) -> None:
    line = partial(order_line, day=REPORTED_ON)
    loop.ticket("17", "DE:12", REPORTED_ON)
    loop.export(
        2,
        line("A2", "tea", 3, "3.00", "ann"),
        line("C1", "tea", 1, "3.50", "cleo", void="yes"),
        line("D1", "tea", 1, "3.50"),
        line("I1", "tea", 1, "3.50", "ida"),
        line("I1", "jam", 1, "3.50", "ida"),
        line("P2", "jam", 1, "2.00", "pia"),
        line("R1", "tea", -1, "3.00", "kim", of="K1"),
    )


@pytest.mark.parametrize("who", CUSTOMERS)
def test_ingest_changes_nothing_that_the_service_knew(stages: Stages, who: str) -> None:
    """A purchase counts in the next request, and still once after the next ingest."""
    assert stages.first.rows[who] == stages.reported.rows[who]


@pytest.mark.parametrize("who", CUSTOMERS)
def test_the_ledger_knows_what_the_history_holds(stages: Stages, who: str) -> None:
    for stage in (stages.first, stages.second, stages.third):
        assert stage.rows[who] == stage.lines(who, "item_id", "quantity")


def test_everything_was_accepted_and_nothing_is_new_the_second_time(stages: Stages) -> None:
    assert set(stages.outcomes) == {"accepted"}
    assert stages.unchanged


def test_a_live_purchase_is_in_the_history_under_its_customer(stages: Stages) -> None:
    assert stages.reported.rows["ann"] == [("scarf", 1.0), ("tea", 1.0), ("tea", 2.0)]
    assert stages.first.lines("ann") == [
        ("live:online:A2", "scarf", 1.0, "live"),
        ("live:online:A2", "tea", 2.0, "live"),
        ("shop:A1", "tea", 1.0, "shop"),
    ]
    columns = ("amount_minor", "currency", "channel", "occurred_at")
    moment = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)
    assert stages.first.lines("ann", *columns)[-1] == (650, "EUR", "web", moment)
    rows = stages.first.summary["rows"]
    assert rows["read"] == rows["kept"] == 9  # from exports only


def test_an_export_of_the_order_counts_instead(stages: Stages) -> None:
    expected = [("shop:A1", "tea", 1.0, "shop"), ("shop:A2", "tea", 3.0, "shop")]
    for stage in (stages.second, stages.third):
        assert stage.lines("ann") == expected
        assert "scarf" not in {row["item_id"] for row in stage.tables["products"]}
    assert stages.repeated == "duplicate"


def test_an_order_in_both_is_one_order_of_its_identifier(stages: Stages) -> None:
    for stage, orders in ((stages.first, 2), (stages.second, 2), (stages.third, 2)):
        (email,) = [
            row
            for row in stage.tables["identifiers"]
            if row["customer_id"] == stage.customers["ann"]
        ]
        assert email["orders"] == orders


def test_a_purchase_that_is_told_after_its_export_adds_nothing(stages: Stages) -> None:
    assert stages.first.lines("quin") == [("shop:Q1", "tea", 1.0, "shop")]


def test_an_order_that_the_export_says_was_cancelled_is_gone(stages: Stages) -> None:
    assert stages.first.rows["cleo"] == [("tea", -1.0), ("tea", 1.0)]
    assert stages.second.lines("cleo") == []


def test_who_bought_is_remembered_where_the_export_does_not_say(stages: Stages) -> None:
    assert stages.second.lines("dan") == [("shop:D1", "tea", 1.0, "shop")]


def test_a_ticket_with_the_number_of_a_web_order_is_another_order(stages: Stages) -> None:
    assert stages.second.lines("bob") == [("live:s1:A2", "cup", 1.0, "live")]


def test_tickets_of_one_number_in_two_stores_are_two_orders(stages: Stages) -> None:
    assert stages.first.lines("eve") == [("live:DE:12:17", "tea", 1.0, "live")]
    assert stages.second.lines("eve") == [("tills:17", "tea", 1.0, "tills")]
    assert stages.second.lines("fay") == [("live:s2:17", "tea", 1.0, "live")]


def test_a_live_refund_of_an_exported_order(stages: Stages) -> None:
    columns = ("item_id", "quantity", "amount_minor", "return_of", "source")
    assert stages.first.returns("gus", *columns) == [("tea", -1.0, -300, "shop:G1", "live")]


def test_a_refund_of_everything_takes_back_what_is_left(stages: Stages) -> None:
    assert stages.first.returns("hal", "item_id", "quantity", "amount_minor") == [
        ("jam", -1.0, -200),
        ("tea", -1.0, -300),
        ("tea", -1.0, -300),
    ]
    assert None not in {row["item_id"] for row in stages.first.tables["products"]}


def test_a_refund_follows_its_order_into_the_export(stages: Stages) -> None:
    for stage, order in ((stages.first, "live:online:I1"), (stages.second, "shop:I1")):
        back = stage.returns("ida", "item_id", "quantity", "return_of")
        assert back == [("jam", -1.0, order), ("tea", -1.0, order)]


def test_ordered_online_and_brought_back_to_a_store(stages: Stages) -> None:
    columns = ("item_id", "return_of", "channel", "location_id")
    assert stages.first.returns("jon", *columns) == [("tea", "live:online:J1", "pos", "s1")]


def test_what_an_export_says_came_back_does_not_come_back_again(stages: Stages) -> None:
    """Both returns were reported live; the exports have none, then one, then both."""
    found = [
        stage.returns("kim", "source", "quantity")
        for stage in (stages.first, stages.second, stages.third)
    ]
    assert found == [
        [("live", -1.0), ("live", -1.0)],
        [("live", -1.0), ("shop", -1.0)],
        [("shop", -1.0), ("shop", -1.0)],
    ]


def test_a_refund_of_an_order_that_nobody_knows_is_believed(stages: Stages) -> None:
    columns = ("item_id", "amount_minor", "return_of")
    assert stages.first.returns("leo", *columns) == [("cup", -900, None)]
    assert stages.first.summary["notes"]["return_of_unknown_order"] == 1


def test_returns_told_live_count_as_matched(stages: Stages) -> None:
    summary = stages.first.summary
    assert summary["returns"] - summary["returns_matched"] == 1  # the unknown one


def test_prices_keep_their_currency_and_may_be_missing(stages: Stages) -> None:
    columns = ("item_id", "amount_minor", "currency")
    assert stages.first.lines("mia", *columns) == [("jam", None, "EUR"), ("tea", 400, "USD")]


def test_a_purchase_may_name_an_id_given_out_earlier_or_nobody(stages: Stages) -> None:
    assert ("live:online:N2", "jam", 1.0, "live") in stages.first.lines("ned")
    assert ("live:online:X1", "cup", 1.0, "live") in stages.first.lines(None)


def test_somebody_first_met_live_becomes_a_customer(stages: Stages) -> None:
    assert stages.second.lines("pia") == [
        ("live:online:P1", "cup", 1.0, "live"),
        ("shop:P2", "jam", 1.0, "shop"),
    ]


def test_the_row_that_events_kept_is_the_row_that_ingest_writes(stages: Stages) -> None:
    assert stages.reported.seen == stages.first.seen == stages.third.seen
    # Ann's views before her login are hers; dan identified himself.
    assert {who: len(seen) for who, seen in stages.first.seen.items() if seen} == {
        "ann": 3,
        "dan": 2,
    }
    assert [key for key, *_ in stages.first.seen["dan"]] == [item_key("cup"), item_key("tea")]


def test_views_and_carts_are_events_of_whose_visit_it_was(stages: Stages) -> None:
    found = [
        (row["event"], row["item_id"], row["quantity"], row["customer_id"], row["source"])
        for row in stages.first.tables["events"]
        if row["event"] != "purchase"
    ]
    ann, dan = (stages.first.customers[who] for who in ("ann", "dan"))
    assert found == [
        ("view_item", "jam", 1.0, ann, "live"),
        ("view_item", "tea", 1.0, ann, "live"),
        ("add_to_cart", "cup", 2.0, ann, "live"),
        ("view_item", "tea", 1.0, None, "live"),
        *(("view_item", item, 1.0, dan, "live") for item in ("tea", "cup", "tea")),
    ]
