"""Questions as models see them: a batch of customers, and what each of them likes.

Histories and the context of each request come in; out come numbers of the products that each
customer did anything with, worked out once for all models that are asked, and kept with whatever
else a model works out. Called by ``base``, by the models and by ``ranking``.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from recsys.config import InteractionWeights
from recsys.datasets.buffers import zeroed
from recsys.datasets.compilation import compiled, fixed
from recsys.datasets.customer_history import NO_CHANNEL, Histories
from recsys.datasets.item_index import IntArray, IxArray
from recsys.datasets.ragged import Lists
from recsys.units import DAY

__all__ = ["Batch", "Context", "Floats", "ItemWeights"]

T = TypeVar("T")
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Context:
    """When and where each of ``n`` questions is asked, and what lies in the cart.

    Attributes
    ----------
    as_of_ts : ndarray of shape (n,), int64
        UTC epoch seconds.
    location : ndarray of shape (n,), int64
        ``item_index.location_key``; 0 for none.
    channel : ndarray of shape (n,), uint8
        Index into ``schema.CHANNELS``; ``customer_history.NO_CHANNEL`` for none.
    cart : Lists
        Products in the cart, or being looked at.
    """

    as_of_ts: IntArray
    location: IntArray
    channel: npt.NDArray[np.uint8]
    cart: Lists

    @classmethod
    def of(
        cls,
        n: int,
        as_of_ts: npt.ArrayLike,
        *,
        location: npt.ArrayLike = 0,
        channel: npt.ArrayLike = NO_CHANNEL,
        cart: Sequence[npt.ArrayLike] | None = None,
    ) -> "Context":
        """Make the context of ``n`` questions; one value stands for all.

        Parameters
        ----------
        n : int
        as_of_ts, location, channel : scalar, or array_like of shape (n,)
        cart : sequence of array_like, length n, optional
            Item indices of each cart, -1 for a product that is not in the catalogue; empty
            carts by default.

        Raises
        ------
        ValueError
            When there is not one cart for each question.
        """
        carts = [np.asarray(items, np.int32) for items in cart or [()] * n]
        if len(carts) != n:
            raise ValueError(f"{len(carts)} carts for {n} questions.")
        carts = [items[items >= 0] for items in carts]
        return cls(
            np.array(np.broadcast_to(np.asarray(as_of_ts, np.int64), (n,))),
            np.array(np.broadcast_to(np.asarray(location, np.int64), (n,))),
            np.array(np.broadcast_to(np.asarray(channel, np.uint8), (n,))),
            Lists.of_rows(carts),
        )

    def __len__(self) -> int:
        """Return the number of questions."""
        return len(self.as_of_ts)

    def __getitem__(self, rows: slice) -> "Context":
        """Return a range of questions."""
        start, stop, step = rows.indices(len(self))
        if step != 1:
            raise ValueError(f"rows are cut in ranges with step 1, got {step}.")
        stop = max(start, stop)
        indptr = self.cart.indptr
        cart = Lists(
            indptr[start : stop + 1] - indptr[start],
            self.cart.item_ix[indptr[start] : indptr[stop]],
        )
        return Context(self.as_of_ts[rows], self.location[rows], self.channel[rows], cart)


class ItemWeights(NamedTuple):
    """One number for each of some products of ``n`` customers.

    Attributes
    ----------
    indptr : ndarray of shape (n + 1,), int64
        Row ``r`` is ``indptr[r]:indptr[r + 1]`` of the other arrays.
    item_ix : ndarray, int32
        Each product once a row, ascending.
    weight : ndarray, float64
    """

    indptr: IntArray
    item_ix: IxArray
    weight: Floats


class Batch:
    """Questions that are asked together.

    Parameters
    ----------
    histories : Histories
        Of the customers who ask.
    context : Context
        Of the same length.

    Raises
    ------
    ValueError
        When they differ in length.
    """

    def __init__(self, histories: Histories, context: Context) -> None:
        if len(histories) != len(context):
            raise ValueError(f"{len(histories)} histories, but the context of {len(context)}.")
        self.histories = histories
        self.context = context
        self._worked_out: dict[Hashable, Any] = {}

    def __len__(self) -> int:
        """Return the number of questions."""
        return len(self.context)

    def __getitem__(self, rows: slice) -> "Batch":
        """Return a range of questions, of which nothing is worked out yet."""
        return Batch(self.histories[rows], self.context[rows])

    @cached_property
    def without_cart(self) -> "Batch":
        """The same questions with nothing in the cart."""
        nothing = Lists(np.zeros(len(self) + 1, np.int64), np.empty(0, np.int32))
        return Batch(self.histories, replace(self.context, cart=nothing))

    @cached_property
    def cart_alone(self) -> "Batch":
        """The same questions of customers of whom nothing is known but the cart."""
        return Batch(Histories.nobody(len(self), self.histories.n_items), self.context)

    def once(self, key: Hashable, work: Callable[[], T]) -> T:
        """Return ``work()``, worked out at the first call with this key only.

        Parameters
        ----------
        key : hashable
            For example a bound method of a fitted model.
        work : callable
            Looks at nothing but the batch and what the key names.
        """
        if key not in self._worked_out:
            self._worked_out[key] = work()
        found: T = self._worked_out[key]
        return found

    def frequency(self, half_life_days: float) -> "ItemWeights":
        """Count how often each customer bought each product and kept it.

        Parameters
        ----------
        half_life_days : float
            Age at which a purchase counts half. Days, > 0.

        Returns
        -------
        ItemWeights
            Decayed number of purchases.
        """
        return self.once(("frequency", half_life_days), lambda: self._frequency(half_life_days))

    def _frequency(self, half_life_days: float) -> "ItemWeights":
        found, past = self.histories.bought, self.histories
        lines = found.indptr, found.starts, found.line, past.ts, past.count
        as_of_ts = self.context.as_of_ts
        times = _times(float(half_life_days), DAY, *map(fixed, (*lines, as_of_ts)))
        return ItemWeights(found.indptr, found.item_ix, fixed(times))

    def interest(self, half_life_days: float, weights: InteractionWeights) -> "ItemWeights":
        """Say how much each customer likes each product they did anything with.

        Parameters
        ----------
        half_life_days : float
            Age at which a purchase or another interaction counts half. Days, > 0.
        weights : InteractionWeights
            What each kind counts.

        Returns
        -------
        ItemWeights
            Below zero where returns outweigh the rest.
        """
        key = ("interest", half_life_days, weights)
        return self.once(key, lambda: self._interest(half_life_days, weights))

    def _interest(self, half_life_days: float, weights: InteractionWeights) -> "ItemWeights":
        bought, done = self.frequency(half_life_days), self.histories.interactions
        liking = weights.purchase * bought.weight
        if not len(done.item_ix):
            return ItemWeights(bought.indptr, bought.item_ix, liking)
        n_items = self.histories.n_items
        worth = np.array([weights.view, weights.cart, -weights.returned])
        given = bought.indptr, bought.item_ix, liking, done.indptr, done.item_ix, done.ts, done.kind
        rest = self.context.as_of_ts, worth
        fixed_days = float(half_life_days)
        with zeroed((n_items, np.float64), (n_items, np.uint8)) as scratch:
            return ItemWeights(*_liking(fixed_days, DAY, *scratch, *map(fixed, (*given, *rest))))


@compiled
def _liking(
    half_life_days: float,
    day: int,
    total: Any,
    mark: Any,
    indptr: Any,
    item_ix: Any,
    liking: Any,
    done_indptr: Any,
    done: Any,
    ts: Any,
    kind: Any,
    as_of_ts: Any,
    worth: Any,
) -> Any:
    """Add decayed views, carts and returns to the liking of purchases, customer by customer.

    Sums stand in one array over the catalogue, cleared after each row. Compiled, because numpy
    would sort all pairs of customer and product.
    """
    n, room = len(indptr) - 1, len(item_ix) + len(done)
    ends, items = np.zeros(n + 1, np.int64), np.empty(room, np.int32)
    weight = np.empty(room, np.float64)
    for r in range(n):
        end = ends[r]
        for at in range(indptr[r], indptr[r + 1]):
            items[end] = item_ix[at]
            total[item_ix[at]], mark[item_ix[at]] = liking[at], 1
            end += 1
        known = end
        for at in range(done_indptr[r], done_indptr[r + 1]):
            age_days = max(as_of_ts[r] - ts[at], 0) / day
            item = done[at]
            total[item] += worth[kind[at]] * np.exp2(-age_days / half_life_days)
            if mark[item] == 0:
                mark[item] = 1
                items[end] = item
                end += 1
        if end > known:
            items[ends[r] : end].sort()
        for at in range(ends[r], end):
            weight[at] = total[items[at]]
            total[items[at]], mark[items[at]] = 0.0, 0
        ends[r + 1] = end
    return ends, items[: ends[n]].copy(), weight[: ends[n]].copy()


@compiled
def _times(
    half_life_days: float,
    day: int,
    indptr: IntArray,
    starts: IntArray,
    line: IntArray,
    ts: IntArray,
    count: IxArray,
    as_of_ts: IntArray,
) -> Floats:
    """Add up each product's purchases, each half after the half-life, in the order of its lines.

    Compiled, so that a row's sum has the same bits in any batch.
    """
    times = np.zeros(len(starts) - 1, np.float64)
    for r in range(len(indptr) - 1):
        for product in range(indptr[r], indptr[r + 1]):
            for at in range(starts[product], starts[product + 1]):
                age_days = max(as_of_ts[r] - ts[line[at]], 0) / day
                times[product] += count[line[at]] * np.exp2(-age_days / half_life_days)
    return times
