"""Unconfirmed events have no effect, stop nothing, and are counted."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from recsys.config.settings import CheckSettings
from recsys.evaluation.data_checks import check_data
from recsys.history.versions import History
from recsys.identity.hashing import KeyedHash
from recsys.ingest.orders.set_aside import in_bulk
from recsys.ledger.events.event_types import Event, EventItem, Identifier, Money, encode, seal
from recsys.ledger.ledger import Ledger
from recsys.ledger.schema import EVENTS

from .conftest import Workspace, shop_in

#: The last exported day of the shop.
TODAY = datetime(2026, 2, 10, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten orders a day for seventy days, of four products and ten customers, ingested."""
    rows = [
        f"o{day}-{n},{TODAY - timedelta(days=69 - day):%Y-%m-%d} 10:00:00,"
        f"{('tea', 'jam', 'cup', 'milk')[(n + day) % 4]},1,2.00,c{n}@shop.de\n"
        for day in range(70)
        for n in range(10)
    ]
    workspace = shop_in(tmp_path_factory.mktemp("traded"))("".join(rows))
    workspace.ingest()
    return workspace.folder


@pytest.fixture
def trading(traded: Path, tmp_path: Path) -> Workspace:
    """A copy of it."""
    return Workspace(Path(shutil.copytree(traded, tmp_path / "shop")))


class Teller:
    """Reports events to a workspace's ledger as the service does."""

    def __init__(self, workspace: Workspace) -> None:
        self.config = workspace.config
        self._keyed = KeyedHash.load(self.config, create=True)
        self._count = 0

    def tell(self, *events: dict[str, Any], page: bool = False) -> list[str]:
        told = [seal(self.event(**fields), self._keyed) for fields in events]
        ledger = Ledger.open(self.config.ledger_url, currency="EUR")
        outcomes = ledger.add_events(told, int(TODAY.timestamp()), page=page)
        ledger.close()
        return [outcome.status for outcome in outcomes]

    def event(self, event: str = "purchase", *items: str, who: str = "", **fields: Any) -> Event:
        self._count += 1
        number = f"n{self._count}"
        if who:
            fields["identifier"] = Identifier(type="email", value=f"{who}@shop.de")
        given = {
            "event_id": number,
            "occurred_at": TODAY,
            "transaction_id": number,
            "items": [EventItem(item_id="tea", price=2.0)],
            **fields,
        }
        return Event(event=event, **given)  # type: ignore[arg-type]  # callers pass valid names


def adds_up(live: dict[str, Any]) -> bool:
    parts = {name: n for name, n in live.items() if name not in ("read", "confirmed")}
    return live["read"] == sum(
        sum(n.values()) if isinstance(n, dict) else n for n in parts.values()
    )


def failed(workspace: Workspace) -> list[str]:
    history = History.open(workspace.config)
    found = check_data(history, TODAY + timedelta(hours=6), CheckSettings())
    return [finding.name for finding in found if finding.level == "failed"]


def live_orders(workspace: Workspace) -> set[str]:
    return {row["order_id"] for row in workspace.table() if row["source"] == "live"}


FLOODS = {
    "currency": [{"currency": "QQQ"}] * 300,
    "product": [{"items": [EventItem(item_id=f"junk{n}")]} for n in range(300)],
    "bulk": [{}] * 300,
}


@pytest.mark.parametrize("reason", FLOODS)
def test_a_flood_of_nobodys_orders_is_set_aside(trading: Workspace, reason: str) -> None:
    teller = Teller(trading)
    named = {"who": "c1", "items": [EventItem(item_id="new")]}
    teller.tell({}, {"items": [EventItem(item_id="jam")]}, named)
    before = trading.ingest()
    assert before["live"]["kept"] == 3
    teller.tell(*FLOODS[reason])
    summary = trading.ingest()
    live = summary["live"]
    aside = live["set_aside"]
    # On the day of a flood, earlier genuine orders cannot be distinguished.
    assert aside == {reason: 302 if reason == "bulk" else 300}
    assert live["read"] == 303
    assert adds_up(live)
    assert len(live_orders(trading)) == (1 if reason == "bulk" else 3)
    assert summary["currencies"] == ["EUR"]
    assert not [row for row in trading.table("products") if row["item_id"].startswith("junk")]
    assert failed(trading) == []


def test_an_export_brings_in_what_was_set_aside(trading: Workspace) -> None:
    teller = Teller(trading)
    teller.tell({"transaction_id": "late", "currency": "QQQ"})
    assert trading.ingest()["live"]["set_aside"] == {"currency": 1}
    trading.write(
        shop__2_csv=(
            f"order,time,sku,qty,price,email\nlate,{TODAY:%Y-%m-%d %H:%M}:00,tea,1,2.00,\n"
        )
    )
    live = trading.ingest()["live"]
    assert (live["exported"], live["set_aside"]) == (1, {})
    assert "shop:late" in {row["order_id"] for row in trading.table()}


def test_the_refund_of_what_is_set_aside_is_too(trading: Workspace) -> None:
    teller = Teller(trading)
    teller.tell({"transaction_id": "odd", "currency": "QQQ"})
    teller.tell({"event": "refund", "transaction_id": "odd"})
    live = trading.ingest()["live"]
    assert live["set_aside"] == {"currency": 2}
    assert adds_up(live)
    assert not live_orders(trading)


def test_what_pages_buy_waits_for_somebody_else(trading: Workspace) -> None:
    teller = Teller(trading)
    bought = {"transaction_id": "p1", "session_id": "visit"}
    assert teller.tell(bought, {**bought, "transaction_id": "p2"}, page=True) == ["accepted"] * 2
    live = trading.ingest()["live"]
    assert (live["read"], live["unconfirmed"], live["confirmed"]) == (2, 2, 0)
    assert adds_up(live)
    assert not live_orders(trading)
    assert not trading.table("events")
    # The shop's server reports one of them, an export the other.
    teller.tell({"transaction_id": "p1", "who": "c1"})
    trading.write(
        shop__2_csv=(f"order,time,sku,qty,price,email\np2,{TODAY:%Y-%m-%d %H:%M}:00,jam,1,2.00,\n")
    )
    live = trading.ingest()["live"]
    assert (live["unconfirmed"], live["confirmed"], live["kept"]) == (0, 2, 3)
    assert adds_up(live)
    assert live_orders(trading) == {"live:online:p1"}
    assert [row["item_id"] for row in trading.table() if row["order_id"] == "shop:p2"] == ["jam"]


def test_what_pages_look_at_is_nothing_new_under_the_sun(trading: Workspace) -> None:
    """A product unknown to other sources does not become known through views."""
    teller = Teller(trading)
    teller.tell({"event": "login", "session_id": "visit", "who": "c1", "items": []})
    looks = [{"event": "view_item", "items": [EventItem(item_id=i)]} for i in ("tea", "junk")]
    looks = [{**look, "session_id": "visit", "transaction_id": None} for look in looks]
    teller.tell(*looks, page=True)
    live = trading.ingest()["live"]
    assert live["set_aside"] == {"product": 1}
    assert adds_up(live)
    (seen,) = trading.table("events")
    assert (seen["item_id"], seen["customer_id"] is not None) == ("tea", True)


def test_a_page_takes_no_events_id(trading: Workspace) -> None:
    teller = Teller(trading)
    taken = {"event_id": "shop-1001", "session_id": "v"}
    assert teller.tell({**taken, "items": [EventItem(item_id="jam")]}, page=True) == ["accepted"]
    own = {**taken, "who": "c1", "transaction_id": "1001"}
    assert teller.tell(own) == ["accepted"]
    assert teller.tell(own) == ["duplicate"]


def test_what_no_history_can_hold_is_a_counted_reject(trading: Workspace) -> None:
    """Older ledgers have such events; the service now limits what it accepts."""
    teller = Teller(trading)
    huge = Money(amount_minor=2**53, currency="EUR")
    teller.tell(
        {"items": [EventItem(item_id="tea", quantity=1025, price=huge)], "who": "c1"},
        {"items": [EventItem(item_id="tea", quantity=1e6, price=huge)] * 3, "who": "c1"},
        {"items": [EventItem(item_id="tea", quantity=5e-324, price=1.0)], "who": "c1"},
        {"event": "view_item", "items": [EventItem(item_id="tea", price=huge)]},
        {"who": "c1"},
        {"who": "c1", "event_id": "broken"},
    )
    ledger = Ledger.open(teller.config.ledger_url)
    with ledger._database.writing() as connection:
        here = EVENTS.c.event_id == "broken"
        connection.execute(sa.update(EVENTS).where(here).values(body=encode(teller.event())[:-9]))
    ledger.close()
    live = trading.ingest()["live"]
    assert live["rejected"] == {"amount": 3, "quantity": 1, "unreadable": 1}
    assert (live["read"], live["kept"]) == (6, 1)
    assert adds_up(live)
    rejects = trading.rejects()
    assert {row["source"] for row in rejects} == {"live"}
    assert sorted(row["reason"] for row in rejects) == ["amount"] * 3 + ["quantity", "unreadable"]
    assert not trading.ingest()["changed"]


def test_orders_of_nobody_excuse_silence_and_cause_none(trading: Workspace) -> None:
    """Late exports are not a gap, however few anonymous orders follow."""
    assert trading.ingest()["live"] is None
    Teller(trading).tell({"occurred_at": TODAY + timedelta(days=20)})
    trading.ingest()
    history = History.open(trading.config)
    found = check_data(history, TODAY + timedelta(days=20, hours=1), CheckSettings())
    assert [finding.name for finding in found if finding.level == "failed"] == []


def test_bulk_is_told_by_what_is_usual() -> None:
    day = date(2026, 1, 1)
    steady = {day + timedelta(days=n): 300 for n in range(90)}
    assert in_bulk(steady, None, 4.0) == set()  # too little is known to decide
    assert in_bulk({day: 60}, 20.0, 4.0) == set()
    assert in_bulk({day: 81}, 20.0, 4.0) == {day}
    assert in_bulk({day: 50}, 0.1, 4.0) == set()  # a handful
    # Tills that start to report guests are trusted after a month.
    begun = in_bulk(steady, 20.0, 4.0)
    assert begun == {day + timedelta(days=n) for n in range(28)}
    assert in_bulk(steady | {day + timedelta(days=90): 1300}, 20.0, 4.0) - begun == {
        day + timedelta(days=90)
    }
