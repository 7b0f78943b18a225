"""The history's lines and events as numbers: read once, cut at any moment.

The history's Parquet comes in; out come its texts, each once, and columns of numbers that stand for
them, in time order. ``training_set`` cuts a ``TrainingSet`` out of it.
A training of several moments reads the history once.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.datasets.arrow import Rows, as_numpy, codes
from recsys.datasets.customer_order import shuffled_customers
from recsys.datasets.interactions import KIND_OF
from recsys.datasets.item_index import IntArray, ItemIndex, IxArray
from recsys.history import History
from recsys.schema import CHANNELS, CORRECTION

Floats = npt.NDArray[np.float64]
Small = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class EncodedLines:
    """Order lines in time order, then as the history has them; corrections are left out.

    Attributes
    ----------
    order : ndarray of shape (n_lines,), int32
        Rank of the order's id; of the returned order, where a return names one.
    item : ndarray, int32
        Position in ``EncodedHistory.index``.
    customer : ndarray, int32
        Position in ``EncodedHistory.customer_ids``; -1 where nobody could be named.
    ts : ndarray, int64
        UTC epoch seconds.
    channel : ndarray, uint8
        Index into ``schema.CHANNELS``.
    location : ndarray, int32
        Position in ``EncodedHistory.location_ids``; -1 for none.
    quantity : ndarray, float64
        Negative for a return.
    unit_price_minor, discount_minor, amount_minor : ndarray, integer
        0 where nothing is said.
    """

    order: IxArray
    item: IxArray
    customer: IxArray
    ts: IntArray
    channel: Small
    location: IxArray
    quantity: Floats
    unit_price_minor: npt.NDArray[np.integer]
    discount_minor: npt.NDArray[np.integer]
    amount_minor: npt.NDArray[np.integer]

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.ts)

    def between(self, since_ts: int | None, until_ts: int) -> "EncodedLines":
        """Return those of a time, as views."""
        return _between(self, since_ts, until_ts)

    def renumbered(self, place: IxArray) -> "EncodedLines":
        """Give products other positions."""
        return replace(self, item=place[self.item])


@dataclass(frozen=True, eq=False)
class EncodedEvents:
    """Views and carts by known customers, in time order.

    Attributes
    ----------
    item, customer, ts, channel : ndarray of shape (n_events,)
        As in ``EncodedLines``.
    kind : ndarray, uint8
        Index into ``interactions.KINDS``.
    """

    item: IxArray
    customer: IxArray
    ts: IntArray
    channel: Small
    kind: Small

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.ts)

    def between(self, since_ts: int | None, until_ts: int) -> "EncodedEvents":
        """Return those of a time, as views."""
        return _between(self, since_ts, until_ts)

    def renumbered(self, place: IxArray) -> "EncodedEvents":
        """Give products other positions; -1 for those that are not known then."""
        return replace(self, item=place[self.item])


@dataclass(frozen=True, eq=False)
class EncodedHistory:
    """A history in numbers.

    Attributes
    ----------
    history : History
    index : ItemIndex
        Every product of the catalogue, and every one ever sold or looked at.
    first_ts : ndarray of shape (n_items,), int64
        Since when each is known: the smallest number for what the catalogue lists, the largest
        for what was never sold.
    customer_ids : StringArray
        Of lines and of events, in the order of ``shuffled_customers``.
    order_ids, location_ids : StringArray
        Sorted.
    lines : EncodedLines
    events : EncodedEvents
    products : Table
        The history's products, with their ``item`` beside.
    """

    history: History
    index: ItemIndex
    first_ts: IntArray
    customer_ids: pa.StringArray
    order_ids: pa.StringArray
    location_ids: pa.StringArray
    lines: EncodedLines
    events: EncodedEvents
    products: pa.Table

    @classmethod
    def read(cls, history: History) -> "EncodedHistory":
        """Read lines, events and products of a history.

        Parameters
        ----------
        history : History
            One version of the history; its Parquet files are read once.

        Returns
        -------
        EncodedHistory
        """
        path, seen = history.path("lines"), history.path("events")
        products = history.table("products")
        kept = _kept_events(seen)
        goods = _goods(path)
        item, sold_ids = codes(path, "item_id", goods)
        customer, buyers = codes(path, "customer_id", goods)
        looked, looked_ids = codes(seen, "item_id", kept)
        visitor, visitors = codes(seen, "customer_id", kept)
        listed = products["item_id"].filter(products["in_catalogue"])
        index = ItemIndex([*listed.to_pylist(), *sold_ids.to_pylist(), *looked_ids.to_pylist()])
        item_ids = pa.array(index.item_ids, pa.string())
        known = pc.unique(pa.chunked_array([buyers, visitors], pa.string()))
        customer_ids = shuffled_customers(history)
        customer_ids = customer_ids.filter(pc.is_in(customer_ids, value_set=known))
        order, order_ids = _orders(path, goods)
        location, location_ids = codes(path, "location_id", goods)
        location_rank, location_ids = _ranked(location_ids)
        lines = _lines(
            path,
            goods,
            order=order,
            item=_among(sold_ids, item_ids)[item],
            customer=_or_none(_among(buyers, customer_ids), customer),
            channel=_channels(*codes(path, "channel", goods)),
            location=_or_none(location_rank, location),
        )
        first_ts = np.full(len(index), np.iinfo(np.int64).max)
        np.minimum.at(first_ts, lines.item, lines.ts)
        first_ts[_among(listed.combine_chunks(), item_ids)] = np.iinfo(np.int64).min
        events = _events(
            seen,
            kept,
            item=_among(looked_ids, item_ids)[looked],
            customer=_among(visitors, customer_ids)[visitor],
            channel=_channels(*codes(seen, "channel", kept)),
        )
        place = pa.array(_among(products["item_id"].combine_chunks(), item_ids))
        products = products.append_column("item", place).filter(pc.greater_equal(place, 0))
        return cls(
            history,
            index,
            first_ts,
            customer_ids,
            order_ids,
            location_ids,
            lines,
            events,
            products,
        )


Columns = TypeVar("Columns", EncodedLines, EncodedEvents)


def _between(columns: Columns, since_ts: int | None, until_ts: int) -> Columns:
    start = 0 if since_ts is None else int(np.searchsorted(columns.ts, since_ts))
    stop = max(start, int(np.searchsorted(columns.ts, until_ts)))
    part = {name: getattr(columns, name)[start:stop] for name in columns.__dataclass_fields__}
    return type(columns)(**part)


def _ranked(texts: pa.StringArray) -> tuple[IxArray, pa.StringArray]:
    """Place of each text among the sorted ones, and those."""
    order = pc.sort_indices(texts)
    ranks = np.empty(len(texts), np.int32)
    ranks[as_numpy(order)] = np.arange(len(texts), dtype=np.int32)
    return ranks, texts.take(order)


def _among(texts: pa.StringArray, known: pa.StringArray) -> IxArray:
    """Position of each text; -1 where it is not among the known."""
    return as_numpy(pc.fill_null(pc.index_in(texts, value_set=known), -1)).astype(np.int32)


def _or_none(numbers: IxArray, code: IxArray) -> IxArray:
    """Look codes up, -1 staying -1."""
    return np.append(numbers, np.int32(-1))[code]


def _channels(code: IxArray, names: pa.StringArray) -> Small:
    numbers = np.array([CHANNELS.index(name) for name in names.to_pylist()], np.uint8)
    return numbers[code]


def _orders(path: Path, rows: Rows) -> tuple[IxArray, pa.StringArray]:
    """Order of each line: of a return the one it belongs to, where that is known."""
    own, own_ids = codes(path, "order_id", rows)
    of, of_ids = codes(path, "return_of", rows)
    everything = pc.unique(pa.chunked_array([own_ids, of_ids], pa.string()))
    ranks, order_ids = _ranked(everything)
    own = ranks[_among(own_ids, everything)][own]
    named = np.flatnonzero(of >= 0)
    own[named] = ranks[_among(of_ids, everything)][of[named]]
    return own, order_ids


def _goods(path: Path) -> Rows:
    """Rows of the lines that are a product's; None where all are. Corrections are money only."""
    kinds = pq.read_table(path, columns=["kind"], read_dictionary=["kind"])["kind"]
    goods = pc.not_equal(kinds.cast(pa.string()), CORRECTION)
    return None if pc.all(goods).as_py() else np.flatnonzero(as_numpy(goods))


def _lines(path: Path, rows: Rows, **columns: npt.NDArray[Any]) -> EncodedLines:
    ts = _seconds(path, rows)
    names = ("unit_price_minor", "discount_minor", "amount_minor")
    money = {name: _narrow(_column(path, name, rows)) for name in names}
    columns |= {"ts": ts, "quantity": _column(path, "quantity", rows), **money}
    if np.any(ts[1:] < ts[:-1]):
        by_time = np.argsort(ts, kind="stable")
        columns = {name: values[by_time] for name, values in columns.items()}
    return EncodedLines(**columns)


def _kept_events(path: Path) -> npt.NDArray[np.int64]:
    """Rows of the events that say something of a customer and a product."""
    names = ["event", "customer_id", "item_id"]
    read = pq.read_table(path, columns=names, read_dictionary=names)
    known = pc.and_(read["customer_id"].is_valid(), read["item_id"].is_valid())
    said = pc.is_in(read["event"].cast(pa.string()), value_set=pa.array([*KIND_OF]))
    return np.flatnonzero(as_numpy(pc.and_(known, said)))


def _events(path: Path, rows: npt.NDArray[np.int64], **columns: npt.NDArray[Any]) -> EncodedEvents:
    code, names = codes(path, "event", rows)
    kinds = np.array([KIND_OF[name] for name in names.to_pylist()], np.uint8)
    columns |= {"kind": kinds[code], "ts": _seconds(path, rows)}
    by_time = np.argsort(columns["ts"], kind="stable")
    return EncodedEvents(**{name: values[by_time] for name, values in columns.items()})


def _seconds(path: Path, rows: Rows) -> IntArray:
    at = pq.read_table(path, columns=["occurred_at"])["occurred_at"]
    seconds = as_numpy(at.cast(pa.int64())).astype(np.int64) // 1_000_000
    return seconds if rows is None else seconds[rows]


def _column(path: Path, name: str, rows: Rows) -> npt.NDArray[Any]:
    values = as_numpy(pc.fill_null(pq.read_table(path, columns=[name])[name], 0))
    return values if rows is None else values[rows]


def _narrow(amounts: npt.NDArray[np.int64]) -> npt.NDArray[np.integer]:
    """Hold amounts in 32 bits, where they fit."""
    bounds = np.iinfo(np.int32)
    if amounts.max(initial=0) <= bounds.max and amounts.min(initial=0) >= bounds.min:
        return amounts.astype(np.int32)
    return amounts
