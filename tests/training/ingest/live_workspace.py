"""A small workspace whose channels report events, with snapshots of its customers."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recsys.datasets.item_index import item_key
from recsys.identity.hashing import KeyedHash
from recsys.ledger.events.event_types import Event, EventItem, Identifier, seal
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
#: Time of the events, a day after the first exports.
REPORTED_ON = "2026-02-01"
RECEIVED_TS = 1_772_000_000
ITEMS = ("tea", "jam", "cup", "scarf")
_CUSTOMERS = "ann bob cleo dan eve fay gus hal ida jon kim leo mia ned pia quin"
CUSTOMERS = tuple(_CUSTOMERS.split())


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
    """A snapshot of history and ledger."""

    summary: dict[str, Any]
    tables: dict[str, list[dict[str, Any]]]
    customers: dict[str, str | None]
    rows: dict[str, list[tuple[str, float]]]
    seen: dict[str, list[tuple[Any, ...]]]

    def lines(self, who: str | None, *columns: str) -> list[tuple[Any, ...]]:
        """Return a customer's lines: order, product, quantity and source by default."""
        names = columns or ("order_id", "item_id", "quantity", "source")
        customer_id = self.customers[who] if who else None
        found = [row for row in self.tables["lines"] if row["customer_id"] == customer_id]
        return sorted(tuple(row[name] for name in names) for row in found)

    def returns(self, who: str, *columns: str) -> list[tuple[Any, ...]]:
        """Return the returns among these lines."""
        return [row[1:] for row in self.lines(who, "kind", *columns) if row[0] == "return"]


class Loop:
    """A workspace, its channels, and a snapshot of each stage."""

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

    def report(self, event: str, *items: EventItem | str, who: str = "", **fields: Any) -> str:
        """Report one event as the service would; return its outcome."""
        if who:
            fields["identifier"] = Identifier(type="email", value=f" {who}@Shop.de")
        number = len(self.outcomes)
        event_ = Event(
            event_id=f"e{number}",
            event=event,  # type: ignore[arg-type]  # callers pass an EventName
            occurred_at=datetime(2026, 2, 1, 12, number, tzinfo=UTC),
            items=[EventItem(item_id=i, price=3.5) if isinstance(i, str) else i for i in items],
            **fields,
        )
        config = self.workspace.config
        ledger = Ledger.open(config.ledger_url, currency=config.workspace.currency)
        (outcome,) = ledger.add_events([seal(event_, KeyedHash.load(config))], RECEIVED_TS)
        ledger.close()
        self.outcomes.append(outcome.status)
        return outcome.status

    def look(self, summary: dict[str, Any] | None = None) -> Stage:
        """Take a snapshot of history and ledger."""
        config = self.workspace.config
        keyed = KeyedHash.load(config)
        names = {item_key(name): name for name in ITEMS}
        ledger = Ledger.open(config.ledger_url)
        ids = {
            p: ledger.resolve("email", keyed.identifier("email", f"{p}@shop.de") or "")
            for p in CUSTOMERS
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
