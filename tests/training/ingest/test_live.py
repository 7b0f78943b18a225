"""What channels told the service comes back through ingest: once, and the export's way.

One small workspace goes through four ingests. Between them a web shop and tills tell the service
of purchases, refunds and visits, and exports of the same orders come in. Each person below is one
story; the tests look at what the history and the ledger know of them at each stage.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from recsys.datasets.item_index import item_key
from recsys.identity.hashing import KeyedHash
from recsys.ledger.events.event_types import Event, EventItem, Identifier, Money, seal
from recsys.ledger.ledger import Ledger

from .conftest import LINES, Workspace

SETTINGS = """
[sources.tills]
kind = "till_tickets"
path = "tills"
[sources.tills.columns]
order_id = "order"
location_id = "store"
occurred_at = "time"
item_id = "sku"
quantity = "qty"
unit_price = "price"
[sources.tills.identifiers]
email = "email"
"""
MAPPED = 'unit_price = "price"\ncancelled = "void"\nreturn_of = "of"\n'
SHOP_HEADER = "order,time,sku,qty,price,email,void,of\n"
TILL_HEADER = "order,time,sku,qty,price,email,store\n"
#: When the service was told, a day after the first exports.
TOLD_ON = "2026-02-01"
RECEIVED_TS = 1_772_000_000
ITEMS = ("tea", "jam", "cup", "scarf")
PEOPLE = (
    "ann",
    "bob",
    "cleo",
    "dan",
    "eve",
    "fay",
    "gus",
    "hal",
    "ida",
    "jon",
    "kim",
    "leo",
    "mia",
    "ned",
    "pia",
    "quin",
)


def order_line(
    order: str,
    sku: str,
    quantity: int,
    price: str,
    who: str = "",
    void: str = "",
    of: str = "",
    day: str = "2026-01-31",
) -> str:
    """One row of the shop's export."""
    email = f"{who}@shop.de" if who else ""
    return f"{order},{day} 13:00:00,{sku},{quantity},{price},{email},{void},{of}\n"


@dataclass
class Stage:
    """What is known at one moment."""

    summary: dict[str, Any]
    tables: dict[str, list[dict[str, Any]]]
    customers: dict[str, str | None]
    rows: dict[str, list[tuple[str, float]]]
    seen: dict[str, list[tuple[Any, ...]]]

    def lines(self, who: str | None, *columns: str) -> list[tuple[Any, ...]]:
        """Lines of somebody in the history: order, product, quantity and source, or others."""
        wanted = columns or ("order_id", "item_id", "quantity", "source")
        customer_id = self.customers[who] if who else None
        found = [row for row in self.tables["lines"] if row["customer_id"] == customer_id]
        return sorted(tuple(row[name] for name in wanted) for row in found)

    def returns(self, who: str, *columns: str) -> list[tuple[Any, ...]]:
        """Of these, what came back."""
        return [row[1:] for row in self.lines(who, "kind", *columns) if row[0] == "return"]


class Loop:
    """A workspace, its channels, and what was known at each stage."""

    def __init__(self, folder: Path) -> None:
        self.workspace = Workspace(folder)
        toml = LINES.replace('unit_price = "price"\n', MAPPED) + SETTINGS
        self.workspace.write(omnibasket_toml=toml)
        self.outcomes: list[str] = []

    def export(self, number: int, *lines: str) -> None:
        self.workspace.write(**{f"shop__{number}_csv": SHOP_HEADER + "".join(lines)})

    def ticket(self, number: str, store: str, day: str = "2026-01-31") -> None:
        row = f"{number},{day} 13:00:00,tea,1,3.50,,{store}\n"
        self.workspace.write(**{f"tills__{number}_csv": TILL_HEADER + row})

    def tell(self, event: str, *items: EventItem | str, who: str = "", **fields: Any) -> str:
        """Report one event, as the service would; say what became of it."""
        if who:
            fields["identifier"] = Identifier(type="email", value=f" {who}@Shop.de")
        number = len(self.outcomes)
        told = Event(
            event_id=f"e{number}",
            event=event,  # type: ignore[arg-type]  # one of EventName, by the caller's care
            occurred_at=datetime(2026, 2, 1, 12, number, tzinfo=UTC),
            items=[EventItem(item_id=i, price=3.5) if isinstance(i, str) else i for i in items],
            **fields,
        )
        config = self.workspace.config
        ledger = Ledger.open(config.ledger_url, currency=config.workspace.currency)
        (outcome,) = ledger.add_events([seal(told, KeyedHash.load(config))], RECEIVED_TS)
        ledger.close()
        self.outcomes.append(outcome.status)
        return outcome.status

    def look(self, summary: dict[str, Any] | None = None) -> Stage:
        """Note what history and ledger know."""
        config = self.workspace.config
        keyed = KeyedHash.load(config)
        names = {item_key(name): name for name in ITEMS}
        ledger = Ledger.open(config.ledger_url)
        ids = {
            p: ledger.resolve("email", keyed.identifier("email", f"{p}@shop.de") or "")
            for p in PEOPLE
        }
        rows = {
            who: sorted(
                (names[int(x["item_key"])], float(x["quantity"]))
                for x in ledger.history(customer_id or "").lines
            )
            for who, customer_id in ids.items()
        }
        seen = {who: ledger.history(found or "").events.tolist() for who, found in ids.items()}
        ledger.close()
        tables = ("lines", "events", "products", "identifiers")
        return Stage(
            summary or {}, {name: self.workspace.table(name) for name in tables}, ids, rows, seen
        )

    def ingest(self) -> Stage:
        return self.look(self.workspace.ingest())


@dataclass
class Stages:
    told: Stage
    """Channels have told the service; no ingest yet."""
    first: Stage
    """An ingest later."""
    second: Stage
    """Exports of some of the orders came in."""
    third: Stage
    """More was told of the same orders, and one more export came in."""
    outcomes: list[str]
    repeated: str
    unchanged: bool


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    loop = Loop(tmp_path_factory.mktemp("loop"))
    _export_old_orders(loop)
    loop.workspace.ingest()
    _tell(loop, ned=str(loop.look().customers["ned"]))
    told, outcomes = loop.look(), list(loop.outcomes)
    first = loop.ingest()
    unchanged = not loop.workspace.ingest()["changed"]
    _export_new_orders(loop)
    second = loop.ingest()
    repeated = loop.tell("purchase", "tea", "scarf", transaction_id="A2", who="ann")
    loop.export(3, order_line("R2", "tea", -1, "3.00", "kim", of="K1"))
    return Stages(told, first, second, loop.ingest(), outcomes, repeated, unchanged)


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


def _tell(loop: Loop, ned: str) -> None:
    one_tea = EventItem(item_id="tea")
    two_teas = EventItem(item_id="tea", quantity=2, price=3.25, item_name="Green tea")
    loop.tell("purchase", two_teas, "scarf", transaction_id="A2", who="ann")
    in_store = {"channel": "pos", "location_id": "s1"}
    loop.tell("purchase", "cup", transaction_id="A2", who="bob", **in_store)
    loop.tell("purchase", "tea", transaction_id="C1", who="cleo")
    loop.tell("refund", "tea", transaction_id="C1", who="cleo")
    loop.tell("purchase", "tea", transaction_id="D1", who="dan")
    for who, store in (("eve", "DE:12"), ("fay", "s2")):
        told = {"transaction_id": "17", "channel": "pos", "location_id": store}
        loop.tell("purchase", "tea", who=who, **told)
    loop.tell("refund", one_tea, transaction_id="G1", who="gus")
    loop.tell("refund", one_tea, transaction_id="H1", who="hal")
    loop.tell("refund", transaction_id="H1", who="hal")
    loop.tell("refund", transaction_id="H1", who="hal")
    loop.tell("purchase", "tea", "jam", transaction_id="I1", who="ida")
    loop.tell("refund", transaction_id="I1")
    loop.tell("purchase", "tea", transaction_id="J1", who="jon")
    loop.tell("refund", "tea", transaction_id="J1", **in_store)
    loop.tell("refund", one_tea, transaction_id="K1", who="kim")
    loop.tell("refund", one_tea, transaction_id="K1", who="kim")
    cup = EventItem(item_id="cup", price=Money(amount_minor=900, currency="EUR"))
    loop.tell("refund", cup, transaction_id="Z9", who="leo")
    loop.tell("refund", transaction_id="Z8", who="leo")
    dollars = EventItem(item_id="tea", price=Money(amount_minor=400, currency="USD"))
    loop.tell("purchase", dollars, EventItem(item_id="jam"), transaction_id="M1", who="mia")
    loop.tell("purchase", "jam", transaction_id="N2", customer_id=ned)
    loop.tell("purchase", "cup", transaction_id="X1")
    loop.tell("purchase", "cup", transaction_id="P1", who="pia")
    loop.tell("purchase", "tea", transaction_id="Q1", who="quin")
    loop.tell("view_item", "tea", "jam", session_id="visit")
    loop.tell("login", session_id="visit", who="ann")
    mug = EventItem(item_id="cup", quantity=2, price=9.0)
    loop.tell("add_to_cart", mug, session_id="visit")
    loop.tell("view_item", "tea", session_id="somebody")
    for item in ("tea", "cup", "tea"):
        loop.tell("view_item", item, who="dan")


def _export_new_orders(loop: Loop) -> None:
    line = partial(order_line, day=TOLD_ON)
    loop.ticket("17", "DE:12", TOLD_ON)
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


@pytest.mark.parametrize("who", PEOPLE)
def test_ingest_changes_nothing_that_the_service_knew(stages: Stages, who: str) -> None:
    """A purchase counts in the next question, and still once after the next ingest."""
    assert stages.first.rows[who] == stages.told.rows[who]


@pytest.mark.parametrize("who", PEOPLE)
def test_the_ledger_knows_what_the_history_holds(stages: Stages, who: str) -> None:
    for stage in (stages.first, stages.second, stages.third):
        assert stage.rows[who] == stage.lines(who, "item_id", "quantity")


def test_everything_was_accepted_and_nothing_is_new_the_second_time(stages: Stages) -> None:
    assert set(stages.outcomes) == {"accepted"}
    assert stages.unchanged


def test_a_live_purchase_is_in_the_history_under_its_customer(stages: Stages) -> None:
    assert stages.told.rows["ann"] == [("scarf", 1.0), ("tea", 1.0), ("tea", 2.0)]
    assert stages.first.lines("ann") == [
        ("live:online:A2", "scarf", 1.0, "live"),
        ("live:online:A2", "tea", 2.0, "live"),
        ("shop:A1", "tea", 1.0, "shop"),
    ]
    columns = ("amount_minor", "currency", "channel", "occurred_at")
    moment = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)
    assert stages.first.lines("ann", *columns)[-1] == (650, "EUR", "web", moment)
    rows = stages.first.summary["rows"]
    assert rows["read"] == rows["kept"] == 9  # of exports only


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
    """Both returns were told live; the exports know of none, then of one, then of both."""
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
    assert summary["returns"] - summary["returns_matched"] == 1  # the one that nobody knows


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
    assert stages.told.seen == stages.first.seen == stages.third.seen
    # What ann looked at before she logged in is hers; dan named himself.
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
