"""Samples customers as of the start of a window, with what they bought in it.

In: a history and a window, or one window per customer. Out: a sample of the customers known before
the window, their histories as of its start, and their purchases within it. Called by training,
which passes them to ``learning`` and ``Evaluator``; both use the purchases as labels only.
``cart_sets`` cuts the orders of an evaluation set in two.
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

from recsys.datasets import (
    EMPTY,
    NO_CHANNEL,
    Context,
    CustomerHistory,
    EncodedHistory,
    Histories,
    ItemIndex,
    Lists,
    as_numpy,
    item_key,
    map_distinct,
    read_rows,
    shuffled_customers,
    timestamp_of,
)
from recsys.datasets import rows_until as cut_rows
from recsys.errors import DataError
from recsys.evaluation.customer_splits import Windows
from recsys.evaluation.splits import Window
from recsys.history import History
from recsys.schema import CHANNELS, SALE

#: Minimum number of customers who bought in the window.
MIN_CUSTOMERS: Final = 10


@dataclass(frozen=True, eq=False)
class EvaluationSet:
    """Customers before a window, and their purchases in it.

    Attributes
    ----------
    window : Window
        The window; if customers have windows of their own, one that contains them all.
    index : ItemIndex
        The catalogue known at the window's start.
    customer_ids : list of str, length n
        In random order that does not depend on the workspace's key (``shuffled_customers``), so
        the first ones are a random sample.
    as_of_ts : ndarray of shape (n,), int64
        Start of each customer's window, UTC epoch seconds.
    end_ts : ndarray of shape (n,), int64
        End of each customer's window, UTC epoch seconds.
    rows : list of CustomerHistory, length n
        As of ``as_of_ts``.
    sample_weight : ndarray of shape (n,), float64
        Number of customers that each represents; 1 if nobody was left out.
    customer_ix, item_ix, channel : ndarray of shape (m,)
        Each product that a customer bought on a channel in the window, once, ascending by
        customer, product and channel. Products that the catalogue did not contain yet have numbers
        from ``len(index)`` on: relevant, but no method can recommend them.
    """

    window: Window
    index: ItemIndex
    customer_ids: list[str]
    as_of_ts: NDArray[np.int64]
    end_ts: NDArray[np.int64]
    rows: list[CustomerHistory]
    sample_weight: NDArray[np.float64]
    customer_ix: NDArray[np.int64]
    item_ix: NDArray[np.int64]
    channel: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of customers."""
        return len(self.rows)

    @cached_property
    def histories(self) -> Histories:
        """The customers' histories as a batch."""
        return Histories.from_rows(self.rows, self.index, self.as_of_ts)

    def context(self, channel: str | None = None) -> Context:
        """Return the time and the channel of each customer's request.

        Parameters
        ----------
        channel : str, optional
            One of ``schema.CHANNELS``; by default the requests name no channel.

        Returns
        -------
        Context
            Of length n: at ``as_of_ts``, without locations and carts.
        """
        on = NO_CHANNEL if channel is None else CHANNELS.index(channel)
        return Context.of(len(self), self.as_of_ts, channel=on)

    def relevant(self, channel: str | None = None) -> Lists:
        """Return what each customer bought in the window, on one channel or on any.

        Parameters
        ----------
        channel : str, optional
            One of ``schema.CHANNELS``; by default a purchase on any channel counts.

        Returns
        -------
        Lists
            n rows, each product once, ascending; no method can recommend those from ``len(index)``
            on.
        """
        on = slice(None) if channel is None else self.channel == CHANNELS.index(channel)
        return Lists.of_pairs(self.customer_ix[on], self.item_ix[on], len(self))

    def only(self, rows: NDArray[np.integer]) -> "EvaluationSet":
        """Return the evaluation set of some of the customers; ``rows`` ascending.

        Parameters
        ----------
        rows : ndarray of shape (m,), int
            Positions of the customers to keep, in ``[0, n)``, each once.

        Returns
        -------
        EvaluationSet
            m renumbered customers; window and catalogue stay.
        """
        kept = np.isin(self.customer_ix, rows)
        return EvaluationSet(
            self.window,
            self.index,
            [self.customer_ids[row] for row in rows],
            self.as_of_ts[rows],
            self.end_ts[rows],
            [self.rows[row] for row in rows],
            self.sample_weight[rows],
            np.searchsorted(rows, self.customer_ix[kept]),
            self.item_ix[kept],
            self.channel[kept],
        )


def read(
    history: History | EncodedHistory,
    index: ItemIndex,
    window: Window | Windows,
    *,
    active: int,
    lapsed: int = 0,
    seed: int = 0,
) -> EvaluationSet:
    """Sample customers who were known before a window.

    Parameters
    ----------
    history : History or EncodedHistory
        An ``EncodedHistory`` is read many times faster.
    index : ItemIndex
        The catalogue known at the window's start.
    window : Window or Windows
        One for all customers, or one for each customer who may be sampled.
    active : int
        Maximum number of customers who bought in the window.
    lapsed : int
        Maximum number of customers who did not; without them, predicted chances come out too
        high.
    seed : int
        Seed of the sample.

    Returns
    -------
    EvaluationSet

    Raises
    ------
    DataError
        When fewer than ``MIN_CUSTOMERS`` bought before the window and in it.
    """
    whole = history.history if isinstance(history, EncodedHistory) else history
    con = whole.connect()
    try:
        sales = sales_of(con, window)
        known = sales.filter(sales.occurred_at < sales.start).select("customer_id").distinct()
        within = sales.filter((sales.occurred_at >= sales.start) & (sales.occurred_at < sales.end))
        within = within.semi_join(known, "customer_id")
        bought = con.to_pyarrow(within.select("customer_id", "item_id", "channel").distinct())
        everybody = con.to_pyarrow(known)["customer_id"]
    finally:
        con.disconnect()
    came = pc.unique(bought["customer_id"])
    if len(came) < MIN_CUSTOMERS:
        raise DataError(
            f"{whole.folder}: {len(came)} customers bought both before {window} and in it, and "
            f"the evaluation needs at least {MIN_CUSTOMERS}. Add older exports, link "
            "more orders to customers ([sources.NAME.identifiers]), or set [train] test_days and "
            "validation_days to the time in which customers come back."
        )
    customer_order = (
        history.customer_ids if isinstance(history, EncodedHistory) else shuffled_customers(history)
    )
    customer_order = customer_order.filter(pc.is_in(customer_order, value_set=everybody))
    back = as_numpy(pc.is_in(customer_order, value_set=came))
    rng = np.random.default_rng(seed)
    sample_weights = np.zeros(len(customer_order))
    for group, at_most in ((back, active), (~back, lapsed)):
        _draw(sample_weights, np.flatnonzero(group), at_most, rng)
    drawn = np.flatnonzero(sample_weights)
    customer_ids = customer_order.take(pa.array(drawn)).to_pylist()
    bought = bought.filter(pc.is_in(bought["customer_id"], value_set=pa.array(customer_ids)))
    as_of_ts, end_ts = _bounds(window, customer_ids)
    if isinstance(history, EncodedHistory):
        rows = cut_rows(history, customer_ids, as_of_ts)
    else:
        moments = dict(zip(customer_ids, as_of_ts.tolist(), strict=True))
        at = window.start_ts if isinstance(window, Window) else moments
        found = dict(read_rows(whole, until_ts=at, customer_ids=customer_ids))
        rows = [found.get(customer_id, EMPTY) for customer_id in customer_ids]
    purchases = (
        as_numpy(pc.index_in(bought["customer_id"], value_set=pa.array(customer_ids))).astype("i8"),
        positions(index, bought["item_id"]),
        map_distinct(bought["channel"], CHANNELS.index),
    )
    order = np.lexsort(purchases[::-1])  # the engine gives them in any
    return EvaluationSet(
        window if isinstance(window, Window) else window.hull,
        index,
        customer_ids,
        as_of_ts,
        end_ts,
        rows,
        sample_weights[drawn],
        *(column[order] for column in purchases),
    )


def positions(index: ItemIndex, item_ids: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return the position of each product; from ``len(index)`` on if it is not in the catalogue."""
    keys = map_distinct(item_ids, item_key)
    ix = index.ix(keys).astype(np.int64)
    unknown = np.flatnonzero(ix < 0)
    ix[unknown] = len(index) + np.unique(keys[unknown], return_inverse=True)[1]
    return ix


def sales_of(con: Backend, window: Window | Windows) -> ir.Table:
    """Return sales to known customers, with ``start`` and ``end`` of each customer's window.

    Customers without a window of their own are left out.
    """
    lines = con.table("lines")
    sales = lines.filter(lines.customer_id.notnull() & (lines.kind == SALE))
    if isinstance(window, Window):
        return sales.mutate(start=timestamp_of(window.start_ts), end=timestamp_of(window.end_ts))
    return sales.join(window.of(con), "customer_id")


def _bounds(
    window: Window | Windows, customer_ids: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    n = len(customer_ids)
    if isinstance(window, Window):
        return np.full(n, window.start_ts), np.full(n, window.end_ts)
    positions = pc.index_in(pa.array(customer_ids), value_set=pa.array(window.customer_ids))
    at = as_numpy(positions).astype(np.int64)
    return window.start_ts[at], window.end_ts[at]


def _draw(
    sample_weights: NDArray[np.float64],
    group: NDArray[np.int64],
    at_most: int,
    rng: np.random.Generator,
) -> None:
    """Sample a group, and set the weight of each drawn customer."""
    if len(group) > at_most:
        drawn = group[rng.choice(len(group), at_most, replace=False)]
        sample_weights[drawn] = len(group) / max(at_most, 1)
    else:
        sample_weights[group] = 1.0
