"""What customers looked at, put into carts and gave back, beside what they bought.

Events come in, from ingest or live; out come the bounded array that a customer's row holds, and
what of it still says something once purchases are known, for a batch of histories. Called by
``customer_history`` and by ``training_set``, so that fit and scoring follow one rule.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from recsys.config import InteractionWeights
from recsys.datasets.buffers import zeroed
from recsys.datasets.compilation import compiled, fixed
from recsys.datasets.item_index import IntArray, IxArray
from recsys.units import DAY

Structured = npt.NDArray[np.void]
Kinds = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]


#: Kinds of interaction besides a purchase. A row stores the first two; returns are lines.
VIEW: Final = 0
CART: Final = 1
RETURN: Final = 2
KINDS: Final = ("view", "cart", "return")

#: GA4 event → the kind that it is. Lists and whole carts that are shown again say nothing new.
KIND_OF: Final = {
    "view_item": VIEW,
    "select_item": VIEW,
    "add_to_cart": CART,
    "add_to_wishlist": CART,
}

#: One event of a row.
EVENTS: Final = np.dtype(
    [
        ("item_key", "<i8"),  # item_index.item_key
        ("ts", "<i8"),  # UTC epoch seconds
        ("kind", "u1"),  # VIEW or CART
        ("channel", "u1"),  # index into schema.CHANNELS
    ]
)

#: Events that a row holds.
MAX_EVENTS: Final = 256

NO_EVENTS: Final[Structured] = np.empty(0, EVENTS)


def merge_events(held: Structured, arrived: Structured) -> Structured:
    """Bring events into a row's.

    Parameters
    ----------
    held, arrived : ndarray of EVENTS
        Left as they are.

    Returns
    -------
    ndarray of EVENTS, at most ``MAX_EVENTS``, sorted by ``ts``, ``kind``, ``item_key``
        The latest event of each kind and product, and of these the newest.

    Raises
    ------
    TypeError
        When ``arrived`` are not of dtype ``EVENTS``.

    Notes
    -----
    Neither the order of arrival nor how it is cut into pieces matters, and an event that arrives
    again changes nothing.
    """
    if arrived.dtype != EVENTS:
        raise TypeError(f"events must be an array of interactions.EVENTS, got {arrived.dtype}.")
    both = np.concatenate([held, arrived])
    order = np.lexsort((both["channel"], both["ts"], both["kind"], both["item_key"]))
    both = both[order]
    last = np.ones(len(both), bool)
    key, kind = both["item_key"], both["kind"]
    last[:-1] = (key[1:] != key[:-1]) | (kind[1:] != kind[:-1])
    both = both[last]
    return both[np.lexsort((both["item_key"], both["kind"], both["ts"]))][-MAX_EVENTS:]


@dataclass(frozen=True)
class Interactions:
    """What ``n`` customers did with products besides buying them, as flat arrays.

    A product counts once a customer and kind, at its latest time. A view or a cart counts until
    the customer buys or returns the product: then that speaks. A return counts where nothing of
    the product was kept.

    Attributes
    ----------
    indptr : ndarray of shape (n + 1,), int64
        Row ``r`` is ``indptr[r]:indptr[r + 1]`` of the other arrays.
    item_ix : ndarray, int32
    ts : ndarray, int64
        UTC epoch seconds.
    kind : ndarray, uint8
        Index into ``KINDS``.
    """

    indptr: IntArray
    item_ix: IxArray
    ts: IntArray
    kind: Kinds

    @classmethod
    def none(cls, n: int) -> "Interactions":
        """Those of ``n`` customers who only ever bought and kept."""
        return cls(np.zeros(n + 1, np.int64), np.empty(0, np.int32), *_NOTHING)

    @classmethod
    def of(
        cls, row: IntArray, item_ix: IxArray, ts: IntArray, kind: Kinds, n: int
    ) -> "Interactions":
        """Gather interactions in any order, each product once a row and kind.

        Parameters
        ----------
        row : ndarray of integer
            Of each interaction, in ``[0, n)``.
        item_ix, ts, kind : ndarray of the same length
        n : int
            Number of customers.
        """
        order = np.lexsort((item_ix, kind, ts, row))
        indptr = np.zeros(n + 1, np.int64)
        np.cumsum(np.bincount(row, minlength=n), out=indptr[1:])
        return cls(
            indptr,
            item_ix[order].astype(np.int32),
            ts[order].astype(np.int64),
            kind[order].astype(np.uint8),
        )

    @property
    def row(self) -> IntArray:
        """Row of each interaction, int64."""
        return np.repeat(np.arange(len(self.indptr) - 1), np.diff(self.indptr))

    def __len__(self) -> int:
        """Return the number of customers."""
        return len(self.indptr) - 1

    def __getitem__(self, rows: slice) -> "Interactions":
        """Return a range of rows (step 1), as views of the same arrays."""
        start, stop, _ = rows.indices(len(self))
        stop = max(start, stop)
        first, last = self.indptr[start], self.indptr[stop]
        return Interactions(
            self.indptr[start : stop + 1] - first,
            self.item_ix[first:last],
            self.ts[first:last],
            self.kind[first:last],
        )


def decay(ts: IntArray, as_of_ts: int | IntArray, half_life_days: float) -> Floats:
    """Return what something at each time counts now: 1 when new, half after the half-life.

    Parameters
    ----------
    ts : ndarray of shape (n,), int64
        When each thing happened. UTC epoch seconds.
    as_of_ts : int, or ndarray of shape (n,)
        Now, for all or for each. UTC epoch seconds; what happened after it counts 1.
    half_life_days : float
        Age at which a thing counts half. Days, > 0.

    Returns
    -------
    ndarray of shape (n,), float64
        In [0, 1].
    """
    age_days = np.maximum(as_of_ts - ts, 0) / DAY
    return np.asarray(np.exp2(-age_days / half_life_days), np.float64)


def strength(
    ts: IntArray,
    kind: Kinds,
    as_of_ts: int | IntArray,
    half_life_days: float,
    weights: InteractionWeights,
) -> Floats:
    """Say what interactions count beside a purchase of today; below zero for returns.

    Parameters
    ----------
    ts, kind : ndarray of the same length
        As in ``Interactions``.
    as_of_ts : int, or ndarray of the same length
        UTC epoch seconds.
    half_life_days : float
        Age at which one counts half. Days, > 0.
    weights : InteractionWeights
    """
    worth = np.array([weights.view, weights.cart, -weights.returned])
    return np.asarray(worth[kind] * decay(ts, as_of_ts, half_life_days), np.float64)


_NOTHING: Final[tuple[Any, Any]] = (np.empty(0, np.int64), np.empty(0, np.uint8))


def lasting_interactions(
    events: Interactions,
    lines: tuple[IntArray, IntArray, npt.NDArray[np.floating]],
    kept: IntArray,
    n_items: int,
) -> Interactions:
    """Find what still says something once purchases and returns are known.

    Parameters
    ----------
    events : Interactions
        Views and carts of ``n`` customers, each product once a row and kind.
    lines : tuple of ndarrays of shape (n_lines,)
        One number for each customer and product, ``row * n_items + item_ix``; time; signed
        quantity.
    kept : ndarray, int64
        That number of every purchase that returns left over.
    n_items : int

    Returns
    -------
    Interactions
    """
    key, ts, quantity = lines
    back = quantity < 0
    n_events = len(events.item_ix)
    if not n_events and not back.any():
        return events
    mine = events.row * n_items + events.item_ix
    follow = np.isin(key, mine) if n_events else np.zeros(len(key), bool)
    latest = _latest(key[follow], ts[follow])
    at = np.minimum(np.searchsorted(latest[0], mine), max(len(latest[0]) - 1, 0))
    spoken = np.zeros(n_events, bool)
    if len(latest[0]):
        spoken = (latest[0][at] == mine) & (latest[1][at] >= events.ts)
    gone, when = _latest(key[back], ts[back])
    given_back = ~np.isin(gone, kept)
    gone, when = gone[given_back], when[given_back]
    return Interactions.of(
        np.concatenate([events.row[~spoken], gone // n_items]),
        np.concatenate([events.item_ix[~spoken], gone % n_items]),
        np.concatenate([events.ts[~spoken], when]),
        np.concatenate([events.kind[~spoken], np.full(len(gone), RETURN, np.uint8)]),
        len(events),
    )


def _latest(key: IntArray, ts: IntArray) -> tuple[IntArray, IntArray]:
    """Each key once, ascending, and its latest time."""
    order = np.lexsort((ts, key))
    key, ts = key[order], ts[order]
    last = np.ones(len(key), bool)
    last[:-1] = key[1:] != key[:-1]
    return key[last], ts[last]


def lasting_interactions_of(
    events: Interactions,
    lines: tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]],
    kept: tuple[npt.NDArray[Any], npt.NDArray[Any]],
    n_items: int,
) -> Interactions:
    """Find what ``lasting_interactions`` finds, for customers whose lines stand together.

    Parameters
    ----------
    events : Interactions
        By ``ts``, ``kind``, ``item_ix`` within a row.
    lines : tuple of ndarray
        ``indptr``, ``item_ix``, ``ts`` and signed ``quantity`` of the customers' lines.
    kept : tuple of ndarray
        ``indptr`` and ``item_ix`` of what they kept.
    n_items : int
    """
    given = events.indptr, events.item_ix, events.ts, events.kind, *lines, *kept
    with zeroed((n_items, np.int64), (n_items, np.int64), (n_items, np.uint8)) as scratch:
        return Interactions(*_standing(RETURN, *scratch, *map(fixed, given)))


@compiled
def _standing(
    returned: Any,
    latest: Any,
    given_back: Any,
    is_kept: Any,
    indptr: Any,
    item_ix: Any,
    ts: Any,
    kind: Any,
    line_indptr: Any,
    line_item: Any,
    line_ts: Any,
    quantity: Any,
    kept_indptr: Any,
    kept: Any,
) -> Any:
    """Keep the events that no later line of the product follows, and add lasting returns.

    Walks each row's lines to find the last of every product, then its events; returns are inserted
    by time. Compiled, because numpy would sort lines, events and purchases of all customers
    together.
    """
    n, room = len(indptr) - 1, len(item_ix) + np.sum(quantity < 0)
    ends, items = np.zeros(n + 1, np.int64), np.empty(room, np.int32)
    times, kinds = np.empty(room, np.int64), np.empty(room, np.uint8)
    k = 0
    for r in range(n):
        for at in range(line_indptr[r], line_indptr[r + 1]):
            item = line_item[at]
            latest[item] = max(latest[item], line_ts[at] + 1)  # 0 is for none
            if quantity[at] < 0:
                given_back[item] = max(given_back[item], line_ts[at] + 1)
        for at in range(kept_indptr[r], kept_indptr[r + 1]):
            is_kept[kept[at]] = 1
        for at in range(indptr[r], indptr[r + 1]):
            if latest[item_ix[at]] <= ts[at]:
                items[k], times[k], kinds[k] = item_ix[at], ts[at], kind[at]
                k += 1
        for at in range(line_indptr[r], line_indptr[r + 1]):
            item = line_item[at]
            if given_back[item] > 0 and is_kept[item] == 0:
                to, when = k, given_back[item] - 1
                while to > ends[r] and (
                    times[to - 1] > when
                    or (
                        times[to - 1] == when and kinds[to - 1] == returned and items[to - 1] > item
                    )
                ):
                    items[to], times[to], kinds[to] = items[to - 1], times[to - 1], kinds[to - 1]
                    to -= 1
                items[to], times[to], kinds[to] = item, when, returned
                k += 1
            given_back[item] = 0
        for at in range(line_indptr[r], line_indptr[r + 1]):
            latest[line_item[at]] = 0
        for at in range(kept_indptr[r], kept_indptr[r + 1]):
            is_kept[kept[at]] = 0
        ends[r + 1] = k
    return ends, items[:k].copy(), times[:k].copy(), kinds[:k].copy()
