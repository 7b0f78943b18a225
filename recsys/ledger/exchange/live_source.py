"""Provides the events reported to the service as a source of the next ingest.

Accepted events are read from the ledger page by page and written as staged Parquet files: purchases
and refunds as order lines, other events as events, and customers' identifiers as observations.
Events beyond the limits of a history are counted and left out, and so are purchases that only a
page reported, until another channel reports the same order. Called by ``training.ingest``;
``recsys.ingest.unify`` prefers an export of the same order.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.identity import links
from recsys.ingest import Live, staged
from recsys.ledger.catalogue_updates import Overlay
from recsys.ledger.events.event_types import (
    REFUSALS,
    Event,
    EventItem,
    Money,
    order_id,
    stored_id,
)
from recsys.ledger.events.limits import LimitFault, limit_faults
from recsys.ledger.events.purchases import minor
from recsys.ledger.ledger import Ledger, LiveEvent
from recsys.recommender import LiveItem, LiveLocation

_PAGE: Final = 5_000
_SCHEMAS: Final = {
    "lines": staged.LIVE_LINES,
    "observations": links.OBSERVATIONS,
    "events": staged.EVENTS,
    "pages": staged.PAGES,
}
#: Maximum number of rejected events that are listed.
_LISTED: Final = 1_000
_UNREADABLE: Final = LimitFault("unreadable", "", "This version cannot read it.")


def read_live(ledger: Ledger, until: int, folder: Path, currency: str) -> Live | None:
    """Write the ledger's events as staged tables.

    Parameters
    ----------
    ledger : Ledger
    until : int
        Number of the last event to read, from ``Ledger.mark``.
    folder : Path
        Folder for the tables, which stay until the ingest ends.
    currency : str
        Currency of prices without one.

    Returns
    -------
    Live or None
        None if there are no events.
    """
    if not until:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    lines, seen, events, pages = (folder / f"live-{name}.parquet" for name in _SCHEMAS)
    live = Live(lines, seen, events, pages)
    writers = {name: pq.ParquetWriter(getattr(live, name), s) for name, s in _SCHEMAS.items()}
    try:
        rows: dict[str, list[dict[str, Any]]] = {name: [] for name in _SCHEMAS}
        for live_event in ledger.live_events(until):
            event = _fitting(live, live_event, currency)
            if event is None:
                continue
            for name, row in _rows(live_event, event, currency):
                rows[name].append(row)
            for name, pending in rows.items():
                if len(pending) >= _PAGE:
                    _flush(writers[name], pending, name)
        for name, pending in rows.items():
            _flush(writers[name], pending, name)
    finally:
        for writer in writers.values():
            writer.close()
    return live


def _fitting(live: Live, live_event: LiveEvent, currency: str) -> Event | None:
    """Count an event, and return it if it fits into a history."""
    live.counts["read"] += 1
    event = live_event.event
    wrong = None if event is None else next(limit_faults(event, currency), None)
    if event is None or wrong is not None:
        wrong = wrong or _UNREADABLE
        live.rejected[wrong.reason] += 1
        if len(live.rejects) < _LISTED:
            live.rejects.append(
                {
                    "source": staged.LIVE,
                    "file": "events",
                    "line": live_event.seq,
                    "reason": wrong.reason,
                    "detail": f"{wrong.pointer} {wrong.detail}".strip(),
                    "row": "(hidden)",
                }
            )
        return None
    if event.event == "login":
        what = "logins"
    elif event.event not in ("purchase", "refund"):
        what = "others"
    elif live_event.counted:
        what = "orders"
    else:
        what = "of_pages" if live_event.page else "repeated"
    live.counts[what] += 1
    return event


def read_updates(ledger: Ledger, exported: Mapping[str, int]) -> dict[str, pa.Table]:
    """Return the back office's updates of products and locations since their last export.

    Parameters
    ----------
    ledger : Ledger
    exported : mapping
        Kind → time of its newest export, UTC epoch seconds.

    Returns
    -------
    dict
        ``products`` and ``locations``, if there are updates, with the columns of
        ``recsys.ingest.staged``; null where a field was not reported.
    """
    overlay = Overlay(ledger.backoffice)
    overlay.renew()
    updates = overlay.updates_since(exported)
    records = {"products": updates.items.values(), "locations": updates.locations.values()}
    schemas = {
        "products": _names(staged.PRODUCTS, LiveItem),
        "locations": _names(staged.LOCATIONS, LiveLocation),
    }
    return {
        kind: pa.Table.from_pylist([_update_row(row) for row in rows], schemas[kind])
        for kind, rows in records.items()
        if rows
    }


def _names(schema: pa.Schema, record: type[msgspec.Struct]) -> pa.Schema:
    return pa.schema([field for field in schema if field.name in record.__struct_fields__])


def _update_row(record: msgspec.Struct) -> dict[str, Any]:
    row = msgspec.structs.asdict(record)
    if row.get("attributes") is not None:
        row["attributes"] = msgspec.json.encode(row["attributes"]).decode()
    return row


def _flush(writer: pq.ParquetWriter, rows: list[dict[str, Any]], name: str) -> None:
    writer.write_table(pa.Table.from_pylist(rows, schema=_SCHEMAS[name]))
    rows.clear()


def _rows(
    live_event: LiveEvent, event: Event, currency: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    number = event.transaction_id or event.event_id
    order = order_id(event.scope, number)
    at = event.occurred_at.astimezone(UTC)
    items: list[EventItem | None] = [*event.items] or [None]
    if event.event in ("purchase", "refund") and live_event.counted:
        group = order if event.event == "purchase" else f"{order}:{event.event_id}"
        for place, item in enumerate(items, 1):
            line = _line(event, group, order, item, at, currency)
            yield (
                "lines",
                line | {"_row": live_event.seq, "own_id": live_event.own_id, "line_no": place},
            )
        yield from _observed(event, group, links.SAME_ORDER, at)
    if event.event not in ("login", "refund", *REFUSALS):
        for item in items:
            yield "events", _event(live_event, event, item, at, currency)
    if live_event.page:
        yield (
            "pages",
            {
                "event_id": stored_id(event.event_id, page=True),
                "told_id": event.event_id,
                "purchase": event.event == "purchase",
                "order_id": order,
                "transaction_id": number,
                "scope": event.scope,
            },
        )
    yield from _observed(event, event.session_id or event.event_id, links.LOGIN, at)


def _observed(
    event: Event, group: str, evidence: str, at: datetime
) -> Iterator[tuple[str, dict[str, Any]]]:
    if event.identifier is not None:
        observation = {"type": event.identifier.type, "value": event.identifier.value}
        place = {"group_id": group, "evidence": evidence, "source": staged.LIVE, "at": at}
        yield "observations", observation | place


def _line(
    event: Event,
    group: str,
    order: str,
    item: EventItem | None,
    at: datetime,
    currency: str,
) -> dict[str, Any]:
    """Build one line of a purchase or refund; a refund without items is of the whole order."""
    back = event.event == "refund"
    line: dict[str, Any] = {
        "order_id": group,
        "occurred_at": at.replace(tzinfo=None),
        "channel": event.channel,
        "location_id": event.location_id,
        "line_type": "return" if back else "sale",
        "return_of": order if back else None,
        "cancelled": False,
        "added": False,
        "discount_minor": 0,
        "currency": event.currency or currency,
        "quantity": -1.0 if back else 1.0,
        "transaction_id": event.transaction_id or event.event_id,
        "scope": event.scope,
    }
    if item is not None:
        money = event.currency or currency
        price = minor(item, money) if item.price is not None else None
        sign = -1 if back else 1
        line |= {
            "item_id": item.item_id,
            "currency": _currency(item, money),
            "location_id": item.location_id or event.location_id,
            "title": item.item_name,
            "quantity": sign * item.quantity,
            "unit_price_minor": price,
            "amount_minor": None if price is None else sign * round(price * item.quantity),
        }
    return line


def _event(
    live_event: LiveEvent, event: Event, item: EventItem | None, at: datetime, currency: str
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "_row": live_event.seq,
        "event_id": stored_id(event.event_id, live_event.page),
        "event": event.event,
        "occurred_at": at.replace(tzinfo=None),
        "session_id": event.session_id,
        "channel": event.channel,
        "location_id": event.location_id,
        "currency": event.currency or currency,
        "transaction_id": event.transaction_id,
        "own_id": live_event.own_id,
    }
    if item is not None:
        priced = item.price is not None
        price = minor(item, event.currency or currency) if priced else None
        row |= {"item_id": item.item_id, "quantity": item.quantity, "price_minor": price}
        row["currency"] = _currency(item, row["currency"])
    return row


def _currency(item: EventItem, otherwise: str) -> str:
    return item.price.currency if isinstance(item.price, Money) else otherwise
