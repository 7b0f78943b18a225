"""Recommends the customer's own most frequent recent purchases.

In: histories. Out: the customers' own products; nothing is learned. Called through ``tuning``.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from recsys.datasets import Context, Histories, Lists, TrainingSet, pointers, positions_of, rows_of
from recsys.evaluation.top_lists import TopLists
from recsys.units import DAY


class OwnFrequency:
    """The customer's own products by decayed purchase counts.

    Parameters
    ----------
    half_life_days : float
        Days, > 0.
    """

    name: ClassVar[str] = "own_frequency"
    by_channel: ClassVar[bool] = False
    grid: ClassVar[tuple[Mapping[str, Any], ...]] = tuple(
        {"half_life_days": days} for days in (90.0, 30.0, 365.0, 14.0, 60.0, 180.0, 7.0, 3.0)
    )

    def __init__(self, half_life_days: float = 90.0) -> None:
        self.half_life_days = half_life_days

    def fit(self, training: TrainingSet) -> Self:  # noqa: ARG002 - the interface of every baseline
        """Do nothing: the lists depend only on histories.

        Parameters
        ----------
        training : TrainingSet
            Ignored.

        Returns
        -------
        Self
            The baseline itself.
        """
        return self

    def show(self, histories: Histories, context: Context, k: int) -> TopLists:
        """Return products bought before; none are new.

        Parameters
        ----------
        histories : Histories
            What each of n customers had bought.
        context : Context
            Time of each request, from which ages are computed; of the same length.
        k : int
            Maximum length of each list.

        Returns
        -------
        TopLists
            n rows; ``mixed`` and ``own`` are the same, ``new`` is empty.
        """
        lists = own_frequency(histories, context.as_of_ts, self.half_life_days, k)
        nothing = Lists(np.zeros(len(histories) + 1, np.int64), np.empty(0, np.int32))
        return TopLists(lists, nothing, lists)


def own_frequency(
    histories: Histories, as_of_ts: npt.ArrayLike, half_life_days: float, k: int
) -> Lists:
    """Rank each customer's own products by decayed purchase counts.

    Parameters
    ----------
    histories : Histories
    as_of_ts : int, or array_like of shape (n,)
        UTC epoch seconds.
    half_life_days : float
        Age at which a purchase counts half.
    k : int
        Maximum number of items.

    Returns
    -------
    Lists
        Best first; ties by item.
    """
    bought = histories.purchases
    rows = rows_of(bought)
    at = np.broadcast_to(np.asarray(as_of_ts, np.int64), (len(histories),))[rows]
    keys = rows * histories.n_items + bought.item_ix
    pairs, of = np.unique(keys, return_inverse=True)
    age_days = (at - bought.ts) / DAY
    frequency = np.bincount(of, weights=bought.count * np.exp2(-age_days / half_life_days))
    rows, items = np.divmod(pairs, max(1, histories.n_items))
    order = np.lexsort((items, -frequency, rows))
    lists = Lists(pointers(rows, len(histories)), items[order].astype(np.int32))
    first = positions_of(lists) < k
    return Lists(pointers(rows[first], len(histories)), lists.item_ix[first])
