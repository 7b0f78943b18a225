"""What is bought most, lately, on the channel that is asked for.

Orders come in, one order of the catalogue a channel comes out. Called through ``tuning``.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from recsys.datasets import NO_CHANNEL, Context, Histories, TrainingSet
from recsys.evaluation.top_lists import Items, TopLists, cut_to_top


class MostPopular:
    """Each basket counts half after a while; what lay in most of them stands first.

    Parameters
    ----------
    half_life_days : float
        Days, > 0.

    Attributes
    ----------
    orders_ : dict of int to ndarray
        Products that were bought on each channel, best first; ``NO_CHANNEL``: anywhere. Below
        those of a channel stand those that are bought elsewhere.
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
            Baskets, which age until ``training.as_of_ts``.

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
        """Show the same to everyone on a channel, but for what each had bought.

        Parameters
        ----------
        histories : Histories
            What each of n customers had bought; it tells what is new to them.
        context : Context
            The channel on which each of them asks decides the order. Of the same length.
        k : int
            Items of each list, at most.

        Returns
        -------
        TopLists
            n rows, of products that anyone bought.
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
    """Place of each item; ``len(order)`` where it has none."""
    places = np.full(n_items, len(order), np.int64)
    places[order] = np.arange(len(order))
    return places
