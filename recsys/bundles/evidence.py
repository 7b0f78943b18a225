"""When, through which channels and where the products of bundles were bought together.

Orders × products and the members of bundles come in; the orders that hold all of them come out,
and tables of them by month, channel and location. Called by ``mining``.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from recsys.bundles.bundle_table import MAX_PLACES
from recsys.datasets import Baskets, IntArray, IxArray, compiled
from recsys.schema import CHANNELS


class OrderLists(NamedTuple):
    """Rows of orders, a list for each of several products or bundles.

    Attributes
    ----------
    indptr : ndarray of shape (n + 1,), int64
    order : ndarray, int32
        Ascending within a list.
    """

    indptr: IntArray
    order: IxArray

    def rows(self) -> IntArray:
        """Which list each entry belongs to."""
        return np.repeat(np.arange(len(self.indptr) - 1), np.diff(self.indptr))


class GroupCounts(NamedTuple):
    """Groups of each list's orders, with how many there are.

    Attributes
    ----------
    indptr : ndarray of shape (n + 1,), int64
    group : ndarray, int32
        Ascending within a list.
    times : ndarray, float64
    """

    indptr: IntArray
    group: IxArray
    times: npt.NDArray[np.float64]

    def dense(self, lists: npt.NDArray[np.integer], n_groups: int) -> npt.NDArray[np.float64]:
        """Lay some of the lists out, shape (n, n_groups)."""
        at, kept = pick_lists(OrderLists(self.indptr, self.group), lists)
        found = np.zeros((len(lists), n_groups))
        found[at.rows(), at.order] = self.times[kept]
        return found


class Months(NamedTuple):
    """Calendar months (UTC) of orders.

    Attributes
    ----------
    begin_ts : ndarray of shape (n_months,), int64
    of : ndarray of shape (n_orders,), int32
    """

    begin_ts: IntArray
    of: IxArray


def months(ts: IntArray) -> Months:
    """Number the months from that of the first order to that of the last."""
    month = ts.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    if not len(month):
        return Months(np.zeros(0, np.int64), np.zeros(0, np.int32))
    first, last = int(month.min()), int(month.max())
    begin = np.arange(first, last + 1).astype("datetime64[M]").astype("datetime64[s]")
    return Months(begin.astype(np.int64), (month - first).astype(np.int32))


def postings(
    item_ix: npt.NDArray[np.integer],
    indptr: npt.NDArray[np.integer],
    shape: tuple[int, int],
    kept: npt.NDArray[np.bool_] | None = None,
) -> OrderLists:
    """Orders that hold each product of the catalogue.

    Parameters
    ----------
    item_ix : ndarray, int32
    indptr : ndarray of shape (n_orders + 1,), int64
        Products of order ``i`` lie in ``[indptr[i], indptr[i + 1])``.
    shape : tuple of int
        Orders, and products of the catalogue.
    kept : ndarray of the length of ``item_ix``, bool, optional
        Lines that count; all by default.
    """
    if kept is not None:
        bounds = np.concatenate([[0], np.cumsum(kept)])
        item_ix, indptr = item_ix[kept], bounds[indptr]
    if len(item_ix) <= np.iinfo(np.int32).max:
        indptr = indptr.astype(np.int32)  # half the memory
    lines = sparse.csr_array((np.ones(len(item_ix), np.int8), item_ix, indptr), shape)
    columns = lines.tocsc()
    return OrderLists(columns.indptr.astype(np.int64), columns.indices.astype(np.int32, copy=False))


def only_lists(held: OrderLists, lists: npt.NDArray[np.integer]) -> OrderLists:
    """Take some of the lists."""
    return pick_lists(held, lists)[0]


def pick_lists(held: OrderLists, lists: npt.NDArray[np.integer]) -> tuple[OrderLists, IntArray]:
    """Take some of the lists, and say at which entries they lay."""
    lengths = np.diff(held.indptr)[lists]
    indptr = np.zeros(len(lists) + 1, np.int64)
    np.cumsum(lengths, out=indptr[1:])
    at = np.arange(indptr[-1]) + np.repeat(held.indptr[lists] - indptr[:-1], lengths)
    return OrderLists(indptr, held.order[at]), at


def join_lists(parts: Sequence[OrderLists]) -> OrderLists:
    """Put lists behind each other."""
    lengths = [np.diff(part.indptr) for part in parts]
    indptr = np.concatenate([[0], np.cumsum(np.concatenate(lengths))]).astype(np.int64)
    return OrderLists(indptr, np.concatenate([part.order for part in parts]))


def ragged_sets(sets: IxArray) -> tuple[IntArray, IxArray]:
    """Lay sets of one size out as ``holding`` takes them."""
    n, size = sets.shape
    return np.arange(n + 1, dtype=np.int64) * size, np.ascontiguousarray(sets, np.int32).ravel()


def orders_holding(held: OrderLists, indptr: IntArray, item_ix: IxArray) -> OrderLists:
    """Orders that hold all members of each bundle.

    Parameters
    ----------
    held : OrderLists
        Of each product.
    indptr : ndarray of shape (n + 1,), int64
    item_ix : ndarray, int32
        Members of bundle ``i`` lie in ``[indptr[i], indptr[i + 1])``.
    """
    return OrderLists(*_holding(held.indptr, held.order, indptr, item_ix))


def count_by_group(orders: OrderLists, group: npt.NDArray[np.integer], n_groups: int) -> IxArray:
    """Count the orders of each list by group, shape (n, n_groups); -1 is no group."""
    n, of = len(orders.indptr) - 1, group[orders.order]
    some = np.flatnonzero(of >= 0)
    cell = orders.rows()[some] * n_groups + of[some]
    return np.bincount(cell, minlength=n * n_groups).reshape(n, n_groups).astype(np.int32)


def weight_by_group(
    orders: OrderLists,
    weight: npt.NDArray[np.float64],
    group: npt.NDArray[np.integer],
    n_groups: int,
) -> npt.NDArray[np.float64]:
    """Add up weights of the orders of each list by group; as ``table``."""
    n, of = len(orders.indptr) - 1, group[orders.order]
    some = np.flatnonzero(of >= 0)
    cell = orders.rows()[some] * n_groups + of[some]
    flat = np.bincount(cell, weight[some], minlength=n * n_groups)
    return flat.astype(np.float64, copy=False).reshape(n, n_groups)


def sparse_by_group(
    orders: OrderLists, group: npt.NDArray[np.integer], n_groups: int
) -> GroupCounts:
    """Count the orders of each list by group, where there are many; -1 is no group."""
    return GroupCounts(*_grouped(orders.indptr, orders.order, group.astype(np.int32), n_groups))


def by_channel(orders: OrderLists, baskets: Baskets) -> IxArray:
    """Count the orders of each list by channel, shape (n, n_channels)."""
    return count_by_group(orders, baskets.channel, len(CHANNELS))


def customers(orders: OrderLists, baskets: Baskets) -> IntArray:
    """Count the known customers of each list."""
    whose = baskets.customer[orders.order].astype(np.int64)
    known = np.flatnonzero(whose >= 0)
    n_customers = max(len(baskets.customer_ids), 1)
    row = np.unique(orders.rows()[known] * n_customers + whose[known]) // n_customers
    return np.bincount(row, minlength=len(orders.indptr) - 1)


def places(orders: OrderLists, baskets: Baskets) -> tuple[IntArray, IntArray, IxArray]:
    """Locations with the most orders of each list, best first.

    Returns
    -------
    indptr : ndarray of shape (n + 1,), int64
    key : ndarray, int64
        ``location_key``.
    support : ndarray, int32
    """
    n = len(orders.indptr) - 1
    keys, of = np.unique(baskets.location, return_inverse=True)
    at = of.ravel()[orders.order]
    somewhere = keys[at] != 0
    cell = orders.rows()[somewhere] * len(keys) + at[somewhere]
    cells, support = np.unique(cell, return_counts=True)
    row, place = np.divmod(cells, max(len(keys), 1))
    order = np.lexsort((keys[place], -support, row))
    row, place, support = row[order], place[order], support[order]
    rank = np.arange(len(row)) - np.searchsorted(row, row)
    best = rank < MAX_PLACES
    row, place, support = row[best], place[best], support[best]
    indptr = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(row, minlength=n), out=indptr[1:])
    return indptr, keys[place], support.astype(np.int32)


@compiled
def _holding(
    indptr: IntArray, order: IxArray, bundles: IntArray, item_ix: IxArray
) -> tuple[IntArray, IxArray]:
    """Intersect the lists of each bundle's members: the lists of ``orders_holding``.

    Bundle by bundle: begins with the shortest list and keeps what the other members' lists hold
    too, each walked once in ascending order. Compiled because lists are ragged and shrink as they
    are walked; numpy would sort or search for each bundle anew.
    """
    n = len(bundles) - 1
    found = np.zeros(n + 1, np.int64)
    room = 1024
    out = np.empty(room, np.int32)
    size = 0
    for bundle in range(n):
        members = item_ix[bundles[bundle] : bundles[bundle + 1]]
        rarest = members[0]
        for member in members:
            if indptr[member + 1] - indptr[member] < indptr[rarest + 1] - indptr[rarest]:
                rarest = member
        left = order[indptr[rarest] : indptr[rarest + 1]].copy()
        n_left = len(left)
        for member in members:
            if member == rarest:
                continue
            others = order[indptr[member] : indptr[member + 1]]
            kept, at = 0, 0
            for place in range(n_left):
                while at < len(others) and others[at] < left[place]:
                    at += 1
                if at < len(others) and others[at] == left[place]:
                    left[kept] = left[place]
                    kept += 1
            n_left = kept
        if size + n_left > room:
            room = 2 * (size + n_left)
            larger = np.empty(room, np.int32)
            larger[:size] = out[:size]
            out = larger
        out[size : size + n_left] = left[:n_left]
        size += n_left
        found[bundle + 1] = size
    return found, out[:size].copy()


@compiled
def _grouped(
    indptr: IntArray, order: IxArray, group: IxArray, n_groups: int
) -> tuple[IntArray, IxArray, npt.NDArray[np.float64]]:
    """Count the orders of each list by group, groups ascending: the fields of ``GroupCounts``.

    List by list, in one array of all groups of which only what a list touched is cleared. Compiled
    because groups may be customers: a table of lists × groups would not fit into memory.
    """
    bounds = np.zeros(len(indptr), np.int64)
    found, times = np.empty(len(order), np.int32), np.empty(len(order), np.float64)
    count, seen = np.zeros(n_groups, np.int64), np.empty(n_groups, np.int32)
    size = 0
    for row in range(len(indptr) - 1):
        n_seen = 0
        for at in range(indptr[row], indptr[row + 1]):
            of = group[order[at]]
            if of < 0:
                continue
            if count[of] == 0:
                seen[n_seen] = of
                n_seen += 1
            count[of] += 1
        for of in np.sort(seen[:n_seen]):
            found[size], times[size] = of, count[of]
            count[of] = 0
            size += 1
        bounds[row + 1] = size
    return bounds, found[:size].copy(), times[:size].copy()
