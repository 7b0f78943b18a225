"""Stores the back office's updates of products, locations and stock between exports.

Each record is stored with the time of its update; readers get the changes since their last read.
The service applies an update within a second, the ingest adds it to the next history, and an export
newer than a record replaces it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Table

from recsys.ledger.database import Database
from recsys.ledger.schema import LIVE_ITEMS, LIVE_LOCATIONS, LIVE_STOCK, META
from recsys.ledger.statements import insert
from recsys.recommender import CatalogueUpdates, LiveItem, LiveLocation, LiveStock, Record

#: Key in ``META`` of the number of the latest update.
_LATEST: Final = "backoffice"
_MARK: Final = sa.select(META.c.value).where(META.c.key == sa.bindparam("key"))
#: Keys per query; SQLite accepts some thousands of parameters.
_AT_ONCE: Final = 500

Named = TypeVar("Named", LiveItem, LiveLocation)


class Written(msgspec.Struct, frozen=True):
    """The outcome of an update."""

    changed: int
    """Records that changed something."""
    unchanged: int
    """Records that changed nothing."""


@dataclass(frozen=True)
class Since:
    """Changes since an earlier mark, with the time of each update.

    Attributes
    ----------
    mark : int
        Mark for the next call.
    items, locations, stock : list of (record, int)
        Each with the UTC epoch seconds of its update.
    """

    mark: int
    items: Sequence[tuple[LiveItem, int]]
    locations: Sequence[tuple[LiveLocation, int]]
    stock: Sequence[tuple[LiveStock, int]]


class CatalogueStore:
    """The ledger's records of products, locations and stock.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def put_items(self, items: Iterable[LiveItem], now_ts: int) -> Written:
        """Store updates of products; fields missing from a record do not change.

        Parameters
        ----------
        items : iterable of LiveItem
            The last record of a product counts.
        now_ts : int
            UTC epoch seconds.

        Returns
        -------
        Written
            A repeated update changes nothing, not even the record's time.

        Raises
        ------
        LedgerError
            When the ledger cannot be written; then nothing is stored.
        """
        return self._put(LIVE_ITEMS, _by_id(items, "item_id"), now_ts)

    def put_locations(self, locations: Iterable[LiveLocation], now_ts: int) -> Written:
        """Store updates of locations, as ``put_items``."""
        return self._put(LIVE_LOCATIONS, _by_id(locations, "location_id"), now_ts)

    def put_stock(self, stock: Iterable[LiveStock], now_ts: int) -> Written:
        """Store stock levels, as ``put_items``, but a repeated update renews the record's time.

        A record replaces all of the earlier one: without ``reserved`` that is unknown again.
        """
        newest = {(row.location_id, row.item_id): row for row in stock}
        with self._database.writing(alone=True) as connection:
            known = _stock_of(connection, newest)
            changed = sum(
                known.get(key) != (row.on_hand, row.reserved) for key, row in newest.items()
            )
            seq = _next(connection)
            rows = [
                {**msgspec.structs.asdict(row), "seq": seq, "told_ts": now_ts}
                for row in newest.values()
            ]
            _upsert(connection, LIVE_STOCK, rows)
        return Written(changed, len(newest) - changed)

    def mark(self) -> int:
        """Return the number of the latest update; one short statement."""
        row = self._database.one(_MARK, key=_LATEST)
        return 0 if row is None else int(row[0])

    def since(self, mark: int) -> Since:
        """Read the changes after an earlier mark; 0 for everything."""
        latest = self.mark()
        with self._database.reading() as connection:
            query = sa.select(LIVE_STOCK).where(LIVE_STOCK.c.seq > mark)
            stock = [
                (
                    LiveStock(
                        location_id=row.location_id,
                        item_id=row.item_id,
                        on_hand=row.on_hand,
                        reserved=row.reserved,
                        told_ts=int(row.told_ts),
                    ),
                    int(row.told_ts),
                )
                for row in connection.execute(query)
            ]
            items = _read(connection, LIVE_ITEMS, LiveItem, mark)
            locations = _read(connection, LIVE_LOCATIONS, LiveLocation, mark)
        return Since(latest, items, locations, stock)

    def _put(self, table: Table, newest: Mapping[str, Record], now_ts: int) -> Written:
        kinds: dict[Table, type[Record]] = {LIVE_ITEMS: LiveItem, LIVE_LOCATIONS: LiveLocation}
        rows: list[dict[str, Any]] = []
        with self._database.writing(alone=True) as connection:
            known = _bodies_of(connection, table, newest)
            for key, record in newest.items():
                older = msgspec.json.decode(known[key], type=kinds[table]) if key in known else None
                whole = record.over(older)
                if whole != older:
                    body = msgspec.json.encode(whole)
                    rows.append({"id": key, "told_ts": now_ts, "body": body})
            if rows:
                seq = _next(connection)
                _upsert(connection, table, [{**row, "seq": seq} for row in rows])
        return Written(len(rows), len(newest) - len(rows))


class Overlay:
    """A worker's copy of all updates, refreshed with the latest changes.

    Parameters
    ----------
    office : CatalogueStore
    """

    def __init__(self, office: CatalogueStore) -> None:
        self._office = office
        self._mark = 0
        self._items: dict[str, tuple[LiveItem, int]] = {}
        self._locations: dict[str, tuple[LiveLocation, int]] = {}
        self._stock: dict[tuple[str, str], tuple[LiveStock, int]] = {}

    def renew(self) -> bool:
        """Read the latest changes; return whether there were any."""
        if self._office.mark() == self._mark:
            return False
        since = self._office.since(self._mark)
        self._mark = since.mark
        self._items |= {record.item_id: (record, at) for record, at in since.items}
        self._locations |= {record.location_id: (record, at) for record, at in since.locations}
        self._stock |= {(r.location_id, r.item_id): (r, at) for r, at in since.stock}
        return True

    def updates_since(self, exported: Mapping[str, int]) -> CatalogueUpdates:
        """Return the records that are newer than the exports of their kind.

        Parameters
        ----------
        exported : mapping
            ``products``, ``locations``, ``stock`` → time of the newest export, UTC epoch seconds;
            without an export, all records of a kind are returned.
        """
        products, places = exported.get("products", -1), exported.get("locations", -1)
        counted = exported.get("stock", -1)
        return CatalogueUpdates(
            {name: record for name, (record, at) in self._items.items() if at > products},
            {name: record for name, (record, at) in self._locations.items() if at > places},
            {key: record for key, (record, at) in self._stock.items() if at > counted},
            self._mark,
        )


def _by_id(records: Iterable[Named], name: str) -> dict[str, Record]:
    """Merge the records of each id, later over earlier."""
    newest: dict[str, Record] = {}
    for record in records:
        key = getattr(record, name)
        newest[key] = record.over(newest.get(key))
    return newest


def _chunks(keys: Iterable[Any]) -> Iterable[list[Any]]:
    ordered = sorted(keys)
    return (ordered[start : start + _AT_ONCE] for start in range(0, len(ordered), _AT_ONCE))


def _bodies_of(connection: Connection, table: Table, keys: Iterable[str]) -> dict[str, bytes]:
    bodies: dict[str, bytes] = {}
    for part in _chunks(keys):
        query = sa.select(table.c.id, table.c.body).where(table.c.id.in_(part))
        bodies |= {row.id: row.body for row in connection.execute(query)}
    return bodies


def _stock_of(
    connection: Connection, keys: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], tuple[float, float | None]]:
    of = LIVE_STOCK.c
    stock: dict[tuple[str, str], tuple[float, float | None]] = {}
    for part in _chunks(keys):
        query = sa.select(of.location_id, of.item_id, of.on_hand, of.reserved)
        query = query.where(sa.tuple_(of.location_id, of.item_id).in_(part))
        stock |= {
            (row.location_id, row.item_id): (row.on_hand, row.reserved)
            for row in connection.execute(query)
        }
    return stock


def _read(
    connection: Connection, table: Table, kind: type[Named], mark: int
) -> list[tuple[Named, int]]:
    decoder = msgspec.json.Decoder(kind)
    query = sa.select(table.c.body, table.c.told_ts).where(table.c.seq > mark)
    return [(decoder.decode(row.body), int(row.told_ts)) for row in connection.execute(query)]


def _upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    written = insert(connection, table)
    keys = [column.name for column in table.primary_key.columns]
    others = {name: written.excluded[name] for name in rows[0] if name not in keys}
    statement = written.on_conflict_do_update(index_elements=keys, set_=others)
    connection.execute(statement, list(rows))


def _next(connection: Connection) -> int:
    """Number an update; writers are exclusive, so readers of a mark miss no earlier update."""
    latest = connection.execute(_MARK, {"key": _LATEST}).scalar_one_or_none()
    number = 1 if latest is None else int(latest) + 1
    _upsert(connection, META, [{"key": _LATEST, "value": str(number)}])
    return number
