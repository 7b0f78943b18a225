"""Questions as models see them: one row a customer, cut out of a batch once for all models.

Histories and the context of each request come in; rows come out, each with a place in which
models keep what they have worked out of it, so that asking for the best products and then for
the scores of others does no work twice. Called by ``base`` and by ``ranking``.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from recsys.matrices.compiled import compiled, fixed
from recsys.matrices.histories import NO_CHANNEL, Histories
from recsys.matrices.ids import IntArray, IxArray
from recsys.matrices.interactions import DAY, decay, strength
from recsys.matrices.lists import Lists, pointers, rows_of
from recsys.model_settings import Weights

__all__ = ["DAY", "Batch", "Context", "Floats", "Row", "Weighed", "rows"]

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
        ``ids.location_key``; 0 for none.
    channel : ndarray of shape (n,), uint8
        Index into ``schema.CHANNELS``; ``histories.NO_CHANNEL`` for none.
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


class Weighed(NamedTuple):
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


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One customer's question, as a model's own code sees it.

    Attributes
    ----------
    item_ix, ts, count : ndarray of shape (n_purchases,)
        What was bought and kept, see ``Histories.purchases``.
    as_of_ts, location, channel : int
        See ``Context``.
    cart : ndarray, int32
    done_ix, done_ts, done_kind : ndarray of shape (n_interactions,)
        What was done with products besides buying them, see ``Histories.interactions``.
    scratch : dict
        What was worked out of the row so far; see ``once``.
    """

    item_ix: IxArray
    ts: IntArray
    count: IxArray
    as_of_ts: int
    location: int
    channel: int
    cart: IxArray
    done_ix: IxArray
    done_ts: IntArray
    done_kind: npt.NDArray[np.uint8]
    scratch: dict[Any, Any] = field(default_factory=dict)

    def decay(self, half_life_days: float) -> Floats:
        """Return what each purchase counts now: 1 when new, half after ``half_life_days``."""
        return decay(self.ts, self.as_of_ts, half_life_days)

    def once(self, work: Callable[["Row"], T]) -> T:
        """Return ``work(self)``, worked out at the first call only.

        Parameters
        ----------
        work : callable
            A function, or a method of a fitted model, that looks at nothing else.
        """
        if work not in self.scratch:
            self.scratch[work] = work(self)
        found: T = self.scratch[work]
        return found

    def frequency(self, half_life_days: float) -> tuple[IxArray, Floats]:
        """Count how often each product was bought.

        Parameters
        ----------
        half_life_days : float
            Age at which a purchase counts half. Days, > 0.

        Returns
        -------
        item_ix : ndarray of shape (n_bought,), int32
            Each product once, ascending.
        times : ndarray of shape (n_bought,), float64
            Decayed number of purchases.
        """
        key = ("frequency", half_life_days)
        if key not in self.scratch:
            items, own = self.once(_distinct)
            weight = self.count * self.decay(half_life_days)
            self.scratch[key] = items, np.bincount(own, weight, minlength=len(items))
        found: tuple[IxArray, Floats] = self.scratch[key]
        return found

    def interest(self, half_life_days: float, weights: Weights) -> tuple[IxArray, Floats]:
        """Say how much the customer likes each product they did anything with.

        Parameters
        ----------
        half_life_days : float
            Age at which a purchase or another interaction counts half. Days, > 0.
        weights : Weights
            What each kind counts.

        Returns
        -------
        item_ix : ndarray of shape (n_products,), int32
            Each product once, ascending.
        liking : ndarray of shape (n_products,), float64
            Below zero where returns outweigh the rest.
        """
        items, times = self.frequency(half_life_days)
        liking = weights.purchase * times
        if not len(self.done_ix):
            return items, liking
        key = ("interest", half_life_days, weights)
        if key not in self.scratch:
            worth = strength(self.done_ts, self.done_kind, self.as_of_ts, half_life_days, weights)
            every, at = np.unique(np.concatenate([items, self.done_ix]), return_inverse=True)
            self.scratch[key] = every, np.bincount(at, np.concatenate([liking, worth]))
        found: tuple[IxArray, Floats] = self.scratch[key]
        return found


def _distinct(row: Row) -> tuple[IxArray, IntArray]:
    """Products of a row, each once and ascending, and which of them each purchase is of."""
    items, own = np.unique(row.item_ix, return_inverse=True)
    return items, own


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

    def frequency(self, half_life_days: float) -> "Weighed":
        """Count how often each customer bought each product and kept it.

        Parameters
        ----------
        half_life_days : float
            Age at which a purchase counts half. Days, > 0.

        Returns
        -------
        Weighed
            Decayed number of purchases.
        """
        return self.once(("frequency", half_life_days), lambda: self._frequency(half_life_days))

    def _frequency(self, half_life_days: float) -> "Weighed":
        found, past = self.histories.bought, self.histories
        lines = found.indptr, found.starts, found.line, past.ts, past.count
        as_of_ts = self.context.as_of_ts
        times = _times(float(half_life_days), DAY, *map(fixed, (*lines, as_of_ts)))
        return Weighed(found.indptr, found.item_ix, times)

    def interest(self, half_life_days: float, weights: Weights) -> "Weighed":
        """Say how much each customer likes each product they did anything with.

        Parameters
        ----------
        half_life_days : float
            Age at which a purchase or another interaction counts half. Days, > 0.
        weights : Weights
            What each kind counts.

        Returns
        -------
        Weighed
            Below zero where returns outweigh the rest.
        """
        key = ("interest", half_life_days, weights)
        return self.once(key, lambda: self._interest(half_life_days, weights))

    def _interest(self, half_life_days: float, weights: Weights) -> "Weighed":
        bought, done = self.frequency(half_life_days), self.histories.interactions
        liking = weights.purchase * bought.weight
        if not len(done.item_ix):
            return Weighed(bought.indptr, bought.item_ix, liking)
        as_of_ts = np.repeat(self.context.as_of_ts, np.diff(done.indptr))
        worth = strength(done.ts, done.kind, as_of_ts, half_life_days, weights)
        # In the order of the evidence: purchases first, then the rest by time.
        rows = np.concatenate([rows_of(bought), done.row])
        items = np.concatenate([bought.item_ix, done.item_ix])
        amount = np.concatenate([liking, worth])
        order = np.lexsort((items, rows))
        rows, items = rows[order], items[order]
        new = np.ones(len(items), bool)
        new[1:] = (rows[1:] != rows[:-1]) | (items[1:] != items[:-1])
        first = np.flatnonzero(new)
        total = np.bincount(np.cumsum(new) - 1, amount[order])
        return Weighed(
            pointers(rows[first], len(self)), items[first], np.asarray(total, np.float64)
        )

    @cached_property
    def rows(self) -> list[Row]:
        """One row a question, with what each customer bought and kept."""
        bought, context = self.histories.purchases, self.context
        done = self.histories.interactions
        bounds, carts = bought.indptr.tolist(), context.cart.indptr.tolist()
        doings = done.indptr.tolist()
        asked = zip(
            context.as_of_ts.tolist(),
            context.location.tolist(),
            context.channel.tolist(),
            strict=True,
        )
        return [
            Row(
                bought.item_ix[bounds[r] : bounds[r + 1]],
                bought.ts[bounds[r] : bounds[r + 1]],
                bought.count[bounds[r] : bounds[r + 1]],
                as_of_ts,
                location,
                channel,
                context.cart.item_ix[carts[r] : carts[r + 1]],
                done.item_ix[doings[r] : doings[r + 1]],
                done.ts[doings[r] : doings[r + 1]],
                done.kind[doings[r] : doings[r + 1]],
            )
            for r, (as_of_ts, location, channel) in enumerate(asked)
        ]


def rows(histories: Histories, context: Context) -> Sequence[Row]:
    """Cut a batch into one question a customer, with what each bought and kept."""
    return Batch(histories, context).rows


@compiled
def _times(
    half_life_days: float, day: int,
    indptr: IntArray, starts: IntArray, line: IntArray, ts: IntArray, count: IxArray,
    as_of_ts: IntArray,
) -> Floats:  # fmt: skip
    times = np.zeros(len(starts) - 1, np.float64)
    for r in range(len(indptr) - 1):
        for product in range(indptr[r], indptr[r + 1]):
            for at in range(starts[product], starts[product + 1]):
                age_days = max(as_of_ts[r] - ts[line[at]], 0) / day
                times[product] += count[line[at]] * np.exp2(-age_days / half_life_days)
    return times
