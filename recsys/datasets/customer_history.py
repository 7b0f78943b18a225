"""A customer's history as one compact row, and many rows as one batch.

Purchase lines, views and carts come in, from ingest or from live events; out comes a bounded row
of the newest lines with a summary of the older ones and the newest events, as bytes for the
ledger, and a ``Histories`` batch over one catalogue for the models. The ledger packs, appends and
unpacks; models and features read batches; a request is a batch of one.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from recsys.datasets.batch_layout import lay_out_events, lay_out_lines
from recsys.datasets.compilation import fixed
from recsys.datasets.history_summary import LINES, MAX_OLDER, OLDER, Structured, summarise_lines
from recsys.datasets.interactions import (
    EVENTS,
    MAX_EVENTS,
    NO_EVENTS,
    Interactions,
    lasting_interactions_of,
    merge_events,
)
from recsys.datasets.item_index import IntArray, ItemIndex, IxArray
from recsys.datasets.return_netting import UNITS, KeptPurchases, kept_purchases, to_units
from recsys.errors import DataError

__all__ = [
    "EMPTY",
    "EVENTS",
    "LINES",
    "MAX_EVENTS",
    "MAX_LINES",
    "MAX_OLDER",
    "NO_CHANNEL",
    "OLDER",
    "CustomerHistory",
    "Histories",
    "Structured",
    "add_events",
    "add_lines",
    "pack_history",
    "unpack_history",
]

#: Lines that a row holds; older ones are summarised.
MAX_LINES: Final = 512

_HEADER: Final = struct.Struct("<4sBxHHH")
_MAGIC: Final = b"OBCH"
_FORMAT: Final = 2
#: Rows without events, as they were written before there were any, can be read still.
_OLD_HEADER: Final = struct.Struct("<4sBxHH")
_OLD_FORMAT: Final = 1


@dataclass(frozen=True, eq=False)
class CustomerHistory:
    """What one customer bought: the newest lines, and a summary of the rest; what they looked at.

    Attributes
    ----------
    lines : ndarray of LINES, at most ``MAX_LINES``
        Sorted by ``ts``; lines of the same second in order of arrival.
    older : ndarray of OLDER, at most ``MAX_OLDER``, one a product
        Lines that fell out of ``lines``, sorted by ``last_ts``, then ``item_key``.
    events : ndarray of EVENTS, at most ``MAX_EVENTS``
        The newest views and carts, see ``interactions.merge_events``. They have room of their
        own, so that no number of views pushes a purchase out.
    """

    lines: Structured
    older: Structured
    events: Structured = field(default_factory=lambda: NO_EVENTS)

    def __eq__(self, other: object) -> bool:
        """Two histories are equal when their packed rows are."""
        return isinstance(other, CustomerHistory) and pack_history(self) == pack_history(other)

    def __hash__(self) -> int:
        return hash(pack_history(self))


EMPTY: Final = CustomerHistory(np.empty(0, LINES), np.empty(0, OLDER))


def add_lines(history: CustomerHistory, lines: Structured) -> CustomerHistory:
    """Add lines to a history and keep it ordered and bounded.

    Parameters
    ----------
    history : CustomerHistory
        Left as it is.
    lines : ndarray of LINES
        In order of arrival; late ones are sorted in by ``ts``, after lines of the same second
        that were there before. Nothing is recognised as a repeat: the caller sends a line once.

    Returns
    -------
    CustomerHistory

    Raises
    ------
    TypeError
        When ``lines`` are not of dtype ``LINES``.

    Notes
    -----
    The same as adding the lines one by one, so that any way of cutting a sequence into pieces
    gives the same row. When a line is one too many, the oldest line moves into ``older``. When
    ``older`` has a product too many, the one bought longest ago is forgotten (the smallest key
    among those of the same second); if it is bought again, its count begins anew.
    """
    if lines.dtype != LINES:
        raise TypeError(f"lines must be an array of dtype LINES, got {lines.dtype}.")
    both = np.concatenate([history.lines, lines])
    ts = both["ts"]
    if np.any(ts[1:] < ts[:-1]):
        both = both[np.argsort(ts, kind="stable")]
    if len(both) <= MAX_LINES:
        return replace(history, lines=both)
    kept, out = both[-MAX_LINES:].copy(), both[:-MAX_LINES]
    older = summarise_lines(history.older, history.lines, lines, out)
    return replace(history, lines=kept, older=older)


def add_events(history: CustomerHistory, events: Structured) -> CustomerHistory:
    """Add views and carts to a history; one that it holds already changes nothing.

    Parameters
    ----------
    history : CustomerHistory
        Left as it is.
    events : ndarray of EVENTS
        In any order.

    Returns
    -------
    CustomerHistory
        The same object where nothing is new.

    Raises
    ------
    TypeError
        When ``events`` are not of dtype ``EVENTS``.
    """
    after = merge_events(history.events, events)
    return history if np.array_equal(after, history.events) else replace(history, events=after)


def pack_history(history: CustomerHistory) -> bytes:
    """Return the row that the ledger stores: a versioned header, then the arrays as they are.

    Parameters
    ----------
    history : CustomerHistory
        Ordered and bounded, as ``add_lines`` and ``add_events`` leave it.

    Returns
    -------
    bytes
        What ``unpack_history`` reads.
    """
    parts = (history.lines, history.older, history.events)
    header = _HEADER.pack(_MAGIC, _FORMAT, *(len(part) for part in parts))
    return header + b"".join(part.tobytes() for part in parts)


def unpack_history(blob: bytes) -> CustomerHistory:
    """Read a row that ``pack_history`` wrote, without copying it.

    Parameters
    ----------
    blob : bytes
        The whole row; rows of the format before events are read too.

    Returns
    -------
    CustomerHistory
        Its arrays are views of the bytes.

    Raises
    ------
    DataError
        When the row is damaged, or of a format that this version does not read.
    """
    try:
        magic, version, *counts = _HEADER.unpack_from(blob)
        start = _HEADER.size
        if version == _OLD_FORMAT:
            counts = [*_OLD_HEADER.unpack_from(blob)[2:], 0]
            start = _OLD_HEADER.size
    except struct.error:
        raise DataError("a stored history is damaged: its header is cut short.") from None
    if magic != _MAGIC or version not in (_FORMAT, _OLD_FORMAT):
        raise DataError(
            f"a stored history has format {magic!r} {version}, this version reads "
            f"{_MAGIC!r} {_FORMAT}: run `omnibasket ingest` to write the histories again."
        )
    kinds = (LINES, OLDER, EVENTS)
    sizes = (n * kind.itemsize for n, kind in zip(counts, kinds, strict=True))
    ends = [*accumulate(sizes, initial=start)]
    if len(blob) != ends[-1]:
        raise DataError(f"a stored history is damaged: {len(blob)} bytes instead of {ends[-1]}.")
    return CustomerHistory(
        *(
            np.frombuffer(blob, kind, n, at)
            for n, kind, at in zip(counts, kinds, ends[:-1], strict=True)
        )
    )


@dataclass(frozen=True)
class Histories:
    """The histories of ``n`` customers as flat arrays over one catalogue.

    Row ``r`` is ``indptr[r]:indptr[r + 1]`` of every other array, in time order. What a customer
    bought before their stored lines begin comes first, as one line a product with the time of
    its last purchase, ``count`` where it stands for several, and no order, channel or location.

    Attributes
    ----------
    n_items : int
        Size of the catalogue.
    indptr : ndarray of shape (n + 1,), int64
    item_ix : ndarray of shape (n_lines,), int32
    ts : ndarray of shape (n_lines,), int64
        UTC epoch seconds.
    quantity : ndarray of shape (n_lines,), float32
        Negative for a return.
    count : ndarray of shape (n_lines,), int32
        Purchases that a line stands for, at least 1.
    order : ndarray of shape (n_lines,), int64
        ``item_index.order_key``; 0 in a summary.
    channel : ndarray of shape (n_lines,), uint8
        Index into ``schema.CHANNELS``; ``NO_CHANNEL`` in a summary.
    location : ndarray of shape (n_lines,), int64
        ``item_index.location_key``; 0 for none.
    amount_minor : ndarray of shape (n_lines,), int32
        Paid for the line; 0 in a summary.
    events : Interactions
        Views and carts, whatever was bought since; ``interactions`` is what models look at.
    """

    n_items: int
    indptr: IntArray
    item_ix: IxArray
    ts: IntArray
    quantity: npt.NDArray[np.float32]
    count: IxArray
    order: IntArray
    channel: npt.NDArray[np.uint8]
    location: IntArray
    amount_minor: IxArray
    events: Interactions

    @classmethod
    def from_rows(
        cls, rows: Sequence[CustomerHistory], index: ItemIndex, as_of_ts: npt.ArrayLike
    ) -> "Histories":
        """Lay customers' rows out over a catalogue, as they were at one time.

        Parameters
        ----------
        rows : sequence of CustomerHistory, length n
        index : ItemIndex
            The catalogue. Lines of products that it does not hold are left out.
        as_of_ts : int, or array_like of shape (n,)
            UTC epoch seconds. Only lines and events before it count. A summary counts as a
            whole, when its last purchase was before.

        Returns
        -------
        Histories
        """
        n = len(rows)
        as_of = np.asarray(as_of_ts, np.int64)
        if as_of.shape != (max(n, 1),):
            as_of = np.array(np.broadcast_to(as_of, (max(n, 1),)))
        lines, older = [history.lines for history in rows], [history.older for history in rows]
        indptr, *columns = lay_out_lines(
            lines or [EMPTY.lines], older or [EMPTY.older], index, as_of, NO_CHANNEL
        )
        given = {name: fixed(part) for name, part in zip(_COLUMNS, columns, strict=True)}
        events = Interactions.none(n)
        if any(len(history.events) for history in rows):
            events = Interactions(
                *lay_out_events([history.events for history in rows], index, as_of)
            )
        return cls(len(index), fixed(indptr[: n + 1]), **given, events=events)

    @classmethod
    def nobody(cls, n: int, n_items: int) -> "Histories":
        """Return the histories of ``n`` customers of whom nothing is known.

        Parameters
        ----------
        n : int
            Customers.
        n_items : int
            Size of the catalogue.

        Returns
        -------
        Histories
            ``n`` empty rows.
        """
        kinds = (np.int32, np.int64, np.float32, np.int32, np.int64, np.uint8, np.int64, np.int32)
        columns: dict[str, Any] = {
            name: fixed(np.empty(0, kind)) for name, kind in zip(_COLUMNS, kinds, strict=True)
        }
        indptr = fixed(np.zeros(n + 1, np.int64))
        return cls(n_items, indptr, **columns, events=Interactions.none(n))

    @property
    def n(self) -> int:
        """Number of customers."""
        return len(self.indptr) - 1

    @cached_property
    def row(self) -> IntArray:
        """Row of each line, int64."""
        return np.repeat(np.arange(self.n), np.diff(self.indptr))

    def __len__(self) -> int:
        """Return the number of customers."""
        return self.n

    def __getitem__(self, rows: slice) -> "Histories":
        """Return a range of rows, as views of the same arrays."""
        start, stop, step = rows.indices(self.n)
        if step != 1:
            raise ValueError(f"rows are cut in ranges with step 1, got {step}.")
        stop = max(start, stop)
        first, last = self.indptr[start], self.indptr[stop]
        columns = {name: getattr(self, name)[first:last] for name in _COLUMNS}
        columns["events"] = self.events[rows]
        return Histories(self.n_items, self.indptr[start : stop + 1] - first, **columns)

    @cached_property
    def purchases(self) -> "Histories":
        """What was bought and kept: one line a product and order, no returns.

        A line counts when its order's net quantity of the product and the customer's net
        quantity of it are both positive; its quantity is what the order kept, its time and
        place those of the order's first line of the product. Fit uses the same rule.
        """
        units = np.zeros(len(self.item_ix), np.int64)
        units[self.bought.line] = self.bought.units
        keep = np.flatnonzero(units)
        if len(keep) == len(units):
            quantity = (units / UNITS).astype(np.float32)
            return replace(self, quantity=quantity)
        columns = {name: getattr(self, name)[keep] for name in _COLUMNS}
        columns["quantity"] = (units[keep] / UNITS).astype(np.float32)
        columns["events"] = self.events
        return Histories(self.n_items, _pointers(self.row[keep], self.n), **columns)

    @cached_property
    def bought(self) -> KeptPurchases:
        """Lines of ``purchases``, product by product."""
        return kept_purchases(self.indptr, self.item_ix, self.order, to_units(self.quantity))

    @cached_property
    def interactions(self) -> Interactions:
        """What customers did with products besides buying them, as far as it says something."""
        if not len(self.events.item_ix) and not (self.quantity < 0).any():
            return self.events
        lines = self.indptr, self.item_ix, self.ts, self.quantity
        return lasting_interactions_of(
            self.events, lines, (self.bought.indptr, self.bought.item_ix), self.n_items
        )


NO_CHANNEL: Final = 255

#: In the order in which ``batch_layout`` gives them.
_COLUMNS: Final = (
    "item_ix",
    "ts",
    "quantity",
    "count",
    "order",
    "channel",
    "location",
    "amount_minor",
)


def _pointers(row: IntArray, n: int) -> IntArray:
    indptr = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(row, minlength=n), out=indptr[1:])
    return indptr
