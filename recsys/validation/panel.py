"""Customers as they were at one moment, and what they bought after it.

A history and a window come in; out come a sample of the customers who were known before the
window, their rows as of its start, and what they bought within it. Called by ``learning`` and
``evaluate``, which may look at the second only to compare.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ibis.backends.duckdb import Backend
from numpy.typing import NDArray

from recsys.data.history import History
from recsys.errors import DataError
from recsys.matrices.arrow import column, given, mapped, moment
from recsys.matrices.histories import EMPTY, CustomerHistory, Histories
from recsys.matrices.ids import ItemIndex, item_key
from recsys.matrices.lists import Lists
from recsys.matrices.rows import read as read_rows
from recsys.schema import CHANNELS, SALE
from recsys.validation.splits import Window

#: Fewer customers who came back say nothing.
MIN_CUSTOMERS: Final = 10
#: Fewer orders of several products say nothing of carts.
MIN_ORDERS: Final = 50


@dataclass(frozen=True, eq=False)
class Panel:
    """Customers before a window, and their purchases in it.

    Attributes
    ----------
    window : Window
    index : ItemIndex
        The catalogue known at the window's start.
    customer_ids : list of str, length n
        Sorted.
    rows : list of CustomerHistory, length n
        As of the window's start.
    mass : ndarray of shape (n,), float64
        How many customers each stands for; 1 where nobody was left out.
    customer_ix, item_ix, channel : ndarray of shape (m,)
        Each product that a customer bought on a channel in the window, once. Products that the
        catalogue did not hold yet have numbers from ``len(index)`` on: wanted, but out of reach.
    """

    window: Window
    index: ItemIndex
    customer_ids: list[str]
    rows: list[CustomerHistory]
    mass: NDArray[np.float64]
    customer_ix: NDArray[np.int64]
    item_ix: NDArray[np.int64]
    channel: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of customers."""
        return len(self.rows)

    @cached_property
    def histories(self) -> Histories:
        """The customers' rows as a batch."""
        return Histories.from_rows(self.rows, self.index, self.window.start_ts)

    def wanted(self, channel: str | None = None) -> Lists:
        """What each customer bought in the window, on one channel or on any."""
        on = slice(None) if channel is None else self.channel == CHANNELS.index(channel)
        return Lists.of_pairs(self.customer_ix[on], self.item_ix[on], len(self))

    def only(self, rows: NDArray[np.integer]) -> "Panel":
        """Return a panel of some of the customers; ``rows`` ascending."""
        kept = np.isin(self.customer_ix, rows)
        return Panel(
            self.window,
            self.index,
            [self.customer_ids[row] for row in rows],
            [self.rows[row] for row in rows],
            self.mass[rows],
            np.searchsorted(rows, self.customer_ix[kept]),
            self.item_ix[kept],
            self.channel[kept],
        )


def read(
    history: History,
    index: ItemIndex,
    window: Window,
    *,
    active: int,
    lapsed: int = 0,
    seed: int = 0,
) -> Panel:
    """Draw customers who were known before a window.

    Parameters
    ----------
    history : History
    index : ItemIndex
        The catalogue known at the window's start.
    window : Window
    active : int
        Customers who bought in the window, at most.
    lapsed : int
        Customers who did not, at most; without them chances of purchase come out too high.
    seed : int
        Of the draw.

    Returns
    -------
    Panel

    Raises
    ------
    DataError
        When fewer than ``MIN_CUSTOMERS`` bought before the window and in it.
    """
    con = history.connect()
    try:
        sales = _sales(con)
        known = sales.filter(sales.occurred_at < moment(window.start_ts))
        known = known.select("customer_id").distinct()
        within = _within(sales, window).semi_join(known, "customer_id")
        bought = con.to_pyarrow(within.select("customer_id", "item_id", "channel").distinct())
        everybody = con.to_pyarrow(known)["customer_id"]
    finally:
        con.disconnect()
    came = pc.unique(bought["customer_id"])
    if len(came) < MIN_CUSTOMERS:
        raise DataError(
            f"{history.folder}: {len(came)} customers bought both before {window} and in it, and "
            f"at least {MIN_CUSTOMERS} are needed to measure anything. Add older exports, link "
            "more orders to customers ([sources.NAME.identifiers]), or set [train] test_days and "
            "validation_days to the time in which customers come back."
        )
    away = everybody.filter(pc.invert(pc.is_in(everybody, value_set=came)))
    rng = np.random.default_rng(seed)
    masses = {
        **_draw(came.to_pylist(), active, rng),
        **_draw(away.to_pylist(), lapsed, rng),
    }
    customer_ids = sorted(masses)
    bought = bought.filter(pc.is_in(bought["customer_id"], value_set=pa.array(customer_ids)))
    rows = dict(read_rows(history, until_ts=window.start_ts, customer_ids=customer_ids))
    return Panel(
        window,
        index,
        customer_ids,
        [rows.get(customer_id, EMPTY) for customer_id in customer_ids],
        np.array([masses[customer_id] for customer_id in customer_ids]),
        column(pc.index_in(bought["customer_id"], value_set=pa.array(customer_ids))).astype("i8"),
        positions(index, bought["item_id"]),
        mapped(bought["channel"], CHANNELS.index),
    )


@dataclass(frozen=True, eq=False)
class Carts:
    """Orders of a window, each cut in two: what lay in the cart, and what joined it.

    Attributes
    ----------
    customer_ix : ndarray of shape (n,), int64
        Customer of each order, in the panel.
    as_of_ts : ndarray of shape (n,), int64
        Time of each order.
    cart, rest : Lists
        Over the panel's catalogue.
    """

    customer_ix: NDArray[np.int64]
    as_of_ts: NDArray[np.int64]
    cart: Lists
    rest: Lists


def read_carts(history: History, panel: Panel, *, at_most: int, seed: int = 0) -> Carts:
    """Draw orders of a panel's window and cut each into a cart and the rest.

    Where orders mostly hold one product, all that a customer bought in the window is taken as
    one order.

    Parameters
    ----------
    history : History
    panel : Panel
    at_most : int
        Orders.
    seed : int
        Of the draw and the cuts.

    Returns
    -------
    Carts
        Orders of at least two products; there may be none.
    """
    con = history.connect()
    try:
        ids = pa.table({"customer_id": pa.array(panel.customer_ids, pa.string())})
        theirs = _within(_sales(con), panel.window)
        theirs = theirs.semi_join(given(con, "panel_customers", ids), "customer_id")
        lines = theirs.group_by("order_id", "customer_id", "item_id").agg(
            at=theirs.occurred_at.min()
        )
        table = con.to_pyarrow(lines.order_by("order_id", "item_id"))
    finally:
        con.disconnect()
    item = positions(panel.index, table["item_id"])
    customer = column(
        pc.index_in(table["customer_id"], value_set=pa.array(panel.customer_ids))
    ).astype(np.int64)
    at = column(table["at"].cast(pa.int64())) // 1_000_000
    order = column(pc.rank(table["order_id"], tiebreaker="dense")).astype(np.int64)
    starts = _starts(order)
    if np.count_nonzero(np.diff(starts) > 1) < MIN_ORDERS:
        by_customer = np.lexsort((item, customer))
        item, customer, at = item[by_customer], customer[by_customer], at[by_customer]
        starts = _starts(customer)
    rng = np.random.default_rng(seed)
    large = np.flatnonzero(np.diff(starts) > 1)
    chosen = np.sort(rng.choice(large, min(at_most, len(large)), replace=False))
    first: list[int] = []
    carts: list[NDArray[np.int64]] = []
    rests: list[NDArray[np.int64]] = []
    for number in chosen:
        items = rng.permutation(np.unique(item[starts[number] : starts[number + 1]]))
        held = int(rng.integers(1, max(2, len(items))))
        cart, rest = items[:held], items[held:]
        cart = cart[cart < len(panel.index)]
        if len(cart) and len(rest):
            first.append(int(starts[number]))
            carts.append(cart)
            rests.append(rest)
    return Carts(customer[first], at[first], Lists.of_rows(carts), Lists.of_rows(rests))


def positions(index: ItemIndex, item_ids: pa.ChunkedArray) -> NDArray[np.int64]:
    """Position of each product; from ``len(index)`` on where the catalogue does not hold it."""
    keys = mapped(item_ids, item_key)
    ix = index.ix(keys).astype(np.int64)
    unknown = np.flatnonzero(ix < 0)
    ix[unknown] = len(index) + np.unique(keys[unknown], return_inverse=True)[1]
    return ix


def _starts(group: NDArray[np.integer]) -> NDArray[np.int64]:
    """Where each run of equal numbers begins, and the end of the last."""
    new = np.flatnonzero(np.append(True, group[1:] != group[:-1])[: len(group)])
    return np.append(new, len(group))


def _sales(con: Backend) -> ir.Table:
    lines = con.table("lines")
    return lines.filter(lines.customer_id.notnull() & (lines.kind == SALE))


def _within(sales: ir.Table, window: Window) -> ir.Table:
    at = sales.occurred_at
    return sales.filter((at >= moment(window.start_ts)) & (at < moment(window.end_ts)))


def _draw(customer_ids: Sequence[str], at_most: int, rng: np.random.Generator) -> dict[str, float]:
    """Some of the customers, each with the number of those that it stands for."""
    ordered = sorted(customer_ids)
    if at_most == 0 or not ordered:
        return {}
    if len(ordered) <= at_most:
        return dict.fromkeys(ordered, 1.0)
    drawn = rng.choice(len(ordered), at_most, replace=False)
    return {ordered[ix]: len(ordered) / at_most for ix in drawn}
