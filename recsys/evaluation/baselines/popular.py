"""Recommends the most popular recent products of the requested channel.

In: baskets. Out: one ranking of the catalogue per channel. Called through ``tuning``.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from recsys.datasets import NO_CHANNEL, Context, Histories, TrainingSet
from recsys.evaluation.top_lists import Items, TopLists, cut_to_top


class MostPopular:
    """Products by decayed counts of the baskets that contain them.

    Parameters
    ----------
    half_life_days : float
        Days, > 0.

    Attributes
    ----------
    orders_ : dict of int to ndarray
        Products of each channel, best first; ``NO_CHANNEL`` for all channels. Products bought only
        on other channels follow at the end.
    """

    name: ClassVar[str] = "popular"
    by_channel: ClassVar[bool] = True
    grid: ClassVar[tuple[Mapping[str, Any], ...]] = tuple(
        {"half_life_days": days} for days in (28.0, 7.0, 90.0, 14.0, 3.0, 365.0, 1.0, 2.0)
    )

    def __init__(self, half_life_days: float = 28.0) -> None:
        self.half_life_days = half_life_days

    def fit(self, training: TrainingSet) -> Self:
        """Count baskets.

        Parameters
        ----------
        training : TrainingSet
            Baskets, decayed as of ``training.as_of_ts``.

        Returns
        -------
        Self
            The baseline itself.
        """
        baskets = training.baskets
        weight = baskets.decay(training.as_of_ts, self.half_life_days)
        channels, on = np.unique(baskets.channel, return_inverse=True)
        counts = baskets.summed(on, len(channels), weight).toarray()
        overall = counts.sum(axis=0)
        self.orders_ = {NO_CHANNEL: _falling(overall, overall)}
        for number, channel in enumerate(channels.tolist()):
            self.orders_[channel] = _falling(counts[number], overall)
        return self

    def show(self, histories: Histories, context: Context, k: int) -> TopLists:
        """Return the channel's list for every customer, split by the customer's own purchases.

        Parameters
        ----------
        histories : Histories
            What each of n customers had bought, which separates new from own products.
        context : Context
            Channel of each request, which determines the order; of the same length.
        k : int
            Maximum length of each list.

        Returns
        -------
        TopLists
            n rows of products with purchases.
        """
        return cut_to_top(self._ordered(histories, context, k), histories, k)

    def _ordered(self, histories: Histories, context: Context, k: int) -> Iterator[Items]:
        places = {key: _inverse(order, histories.n_items) for key, order in self.orders_.items()}
        bounds = histories.indptr.tolist()
        for r, channel in enumerate(context.channel.tolist()):
            key = channel if channel in self.orders_ else NO_CHANNEL
            owned = np.unique(histories.item_ix[bounds[r] : bounds[r + 1]])
            order = self.orders_[key]
            first = order[: k + len(owned)]
            rest = owned[~np.isin(owned, first) & (places[key][owned] < len(order))]
            yield np.concatenate([first, rest[np.argsort(places[key][rest])]])


def _falling(counts: npt.NDArray[np.float64], overall: npt.NDArray[np.float64]) -> Items:
    order = np.lexsort((-overall, -counts))
    return order[overall[order] > 0].astype(np.int32)


def _inverse(order: Items, n_items: int) -> npt.NDArray[np.int64]:
    """Return the rank of each item; ``len(order)`` if it has none."""
    places = np.full(n_items, len(order), np.int64)
    places[order] = np.arange(len(order))
    return places
