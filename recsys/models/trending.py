"""What sells more and more: products rising against their own past, and more than chance allows.

Orders × products come in; out come the products whose share of purchases has grown lately,
overall, on each channel and at each location.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from recsys.config import TrendingSettings as Settings
from recsys.datasets import (
    NO_CHANNEL,
    Batch,
    Context,
    IntArray,
    IxArray,
    Lists,
    Ragged,
    rows_contain,
    rows_of,
)
from recsys.models.base import Floats, Model, Recommendations, Scores
from recsys.models.kernels.place_lists import PlaceLists, groups_of, places_of

if TYPE_CHECKING:
    from recsys.datasets import Baskets, TrainingSet

#: Products stored for each location or channel.
MAX_STORED: Final = 500
#: Chance, at least, of what is sold of a product that does not rise.
_NOT_RISEN: Final = 0.3
#: Purchases of doubt added to both sides of a comparison.
DOUBT: Final = 3.0


class RecentCounts(NamedTuple):
    """Decayed purchases of products, shape (n_items,) each.

    Attributes
    ----------
    now, past : ndarray, float64
        With the short half-life and the long one.
    now_squares, past_squares : ndarray, float64
        The same with squared weights, which say how many purchases stand behind the sums.
    """

    now: Floats
    past: Floats
    now_squares: Floats
    past_squares: Floats


def recent_counts(baskets: "Baskets", as_of_ts: int, half_life_days: float) -> Floats:
    """Count how often each product was bought, each purchase half after the half-life."""
    weight = baskets.decay(as_of_ts, half_life_days)
    return np.asarray(baskets.items.T @ weight, np.float64)


def expected(now: Floats, past: Floats) -> Floats:
    """Say how often each product would be bought now, had it kept its share of the past."""
    return np.asarray(past * (now.sum() / max(past.sum(), np.finfo(np.float64).tiny)), np.float64)


def rise_of(now: Floats, past: Floats) -> Floats:
    """Compare how products sell now with how they did, as a logarithm that doubts few purchases.

    Parameters
    ----------
    now, past : ndarray of shape (n_items,), float64
        See ``counted``; with a short half-life and a long one.

    Returns
    -------
    ndarray of shape (n_items,), float64
        0 for a product that keeps its share of all purchases, and near 0 for a rare one.
    """
    return np.asarray(np.log((now + DOUBT) / (expected(now, past) + DOUBT)), np.float64)


def significant(counts: RecentCounts, false_share: float) -> npt.NDArray[np.bool_]:
    """Test which products sell more than their own past and chance explain.

    Parameters
    ----------
    counts : RecentCounts
    false_share : float
        Share of products found that may be no more than chance, in (0, 1).

    Returns
    -------
    ndarray of shape (n_items,), bool

    Notes
    -----
    A product's purchases in its past make a Gamma belief about its pace, under which those of
    late have a negative binomial distribution; its tail is an incomplete beta function. Sums of
    decayed purchases are taken for as many whole ones as have the same relative variance. Of
    all products tested those are kept that Benjamini and Hochberg (1995) keep.
    """
    from scipy.special import betainc  # training only; serving never needs it

    tested = np.flatnonzero(counts.now > 0)
    # Of purchases long ago, the squared weights are too small for a float before the weights are.
    if not len(tested) or not counts.now_squares.any():
        return np.zeros(len(counts.now), bool)
    # Sum of weights over sum of squares: how many whole purchases one decayed purchase stands for.
    now_whole = counts.now.sum() / counts.now_squares.sum()
    past_whole = counts.past.sum() / counts.past_squares.sum()
    recent, before = counts.now.sum() * now_whole, counts.past.sum() * past_whole
    a = counts.now[tested] * now_whole
    b = counts.past[tested] * past_whole + 0.5
    share = recent / (recent + before)
    chance = np.ones(len(tested))
    # A product that sells no more than its share has a chance of .3 at least.
    rose = np.flatnonzero((a > share * (a + b)) | (false_share > _NOT_RISEN))
    chance[rose] = betainc(a[rose], b[rose], share)
    order = np.argsort(chance, kind="stable")
    allowed = false_share * np.arange(1, len(order) + 1) / len(order)
    kept = np.flatnonzero(chance[order] <= allowed)
    found = np.zeros(len(counts.now), bool)
    if len(kept):
        found[tested[order[: kept[-1] + 1]]] = True
    return found


class Trending(Model):
    """What sells more than its own past and chance explain: overall, on a channel, at a location.

    The score is the share of all purchases that a product has gained: ``(c - e) / C``, where
    ``c`` of ``C`` purchases of late are of the product and ``e`` would be, had it kept its share
    of the past. Products whose rise may be chance have none, see ``significant``. Where a
    location with ``min_lines`` lines, or else a channel, has a rising product of its own, its
    gain there counts, ``(c - e) / (C + min_lines)``; for the others it is their gain overall.

    Parameters
    ----------
    settings : recsys.config.model_settings.TrendingSettings

    Attributes
    ----------
    gain_ : ndarray of shape (n_items,), float32
        Overall.
    order_ : ndarray of shape (n_rising,), int32
        Products with a gain, best first.
    group_keys_ : ndarray of shape (n_groups,), int64
        Sorted. A location's ``item_index.location_key``, or the negative of 1 + a channel's number.
    indptr_ : ndarray of shape (n_groups + 1,), int64
    indices_ : ndarray, int32
        Each group's rising products, ascending, the best ``MAX_STORED`` of them.
    gains_ : ndarray, float32
        Their gains there.

    References
    ----------
    .. [1] Benjamini and Hochberg (1995), Controlling the false discovery rate, J. Royal
       Statistical Society B 57.
    """

    name: ClassVar[str] = "trending"
    learned: ClassVar[tuple[str, ...]] = (
        "gain_",
        "order_",
        "group_keys_",
        "indptr_",
        "indices_",
        "gains_",
    )

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()

    def fit(self, training: "TrainingSet") -> Self:
        """Compare recent baskets with older ones by place; see ``Model.fit``.

        Parameters
        ----------
        training : TrainingSet
            Its orders, with their time, location and channel.

        Returns
        -------
        Self
            This model.
        """
        baskets, settings = training.baskets, self.settings
        short, long = settings.half_life_days, settings.past_half_life_days
        weights = [
            baskets.decay(training.as_of_ts, days) for days in (short, long, short / 2, long / 2)
        ]
        overall = RecentCounts(
            *(np.asarray(baskets.items.T @ weight, np.float64) for weight in weights)
        )
        gain = np.where(significant(overall, settings.false_share), _gained(overall, 0.0), 0.0)
        self.gain_ = gain.astype(np.float32)
        order = np.argsort(-self.gain_, kind="stable")
        self.order_ = order[self.gain_[order] > 0].astype(np.int32)
        places, at = np.unique(baskets.location, return_inverse=True)
        channels, on = np.unique(baskets.channel, return_inverse=True)
        found = [
            *self._groups(training, -1 - channels.astype(np.int64), on, weights),
            *self._groups(training, places, at, weights),
        ]
        found.sort(key=lambda group: group[0])
        self.group_keys_ = np.array([key for key, *_ in found], np.int64)
        self.indptr_ = np.cumsum([0, *(len(items) for _, items, _ in found)], dtype=np.int64)
        self.indices_ = np.concatenate([np.empty(0, np.int32), *(items for _, items, _ in found)])
        self.gains_ = np.concatenate([np.empty(0, np.float32), *(gains for *_, gains in found)])
        return self

    def _groups(
        self, training: "TrainingSet", keys: IntArray, group: IntArray, weights: list[Floats]
    ) -> Iterator[tuple[int, IxArray, Scores]]:
        """Key, rising products and their gains of each group with enough lines."""
        baskets, settings = training.baskets, self.settings
        lines = np.bincount(group, np.diff(baskets.items.indptr), len(keys))
        heard = (lines >= settings.min_lines) & (keys != 0)
        numbers = np.where(heard[group], (np.cumsum(heard) - 1)[group], -1)
        # The same orders are summed each time: the four matrices hold the same products.
        summed = [baskets.summed(numbers, int(heard.sum()), weight) for weight in weights]
        for number, key in enumerate(keys[heard].tolist()):
            part = slice(*summed[0].indptr[number : number + 2])
            counts = RecentCounts(*(matrix.data[part] for matrix in summed))
            gain = _gained(counts, settings.min_lines)
            rising = np.flatnonzero(significant(counts, settings.false_share) & (gain > 0))
            rising = np.sort(rising[np.argsort(-gain[rising], kind="stable")[:MAX_STORED]])
            if len(rising):
                items = summed[0].indices[part][rising].astype(np.int32)
                yield key, items, gain[rising].astype(np.float32)

    @property
    def n_items(self) -> int:
        """Size of the catalogue that was learned."""
        return len(self.gain_)

    def rises_there(self, context: Context, items: Ragged) -> npt.NDArray[np.bool_]:
        """Say which products rise at the location of their question, more than overall at least.

        Parameters
        ----------
        context : Context
            Of ``n`` questions.
        items : Ragged
            Products of each.

        Returns
        -------
        ndarray of the length of ``items.item_ix``, bool
        """
        self._check()
        anywhere = np.full(len(context), NO_CHANNEL, np.uint8)
        groups = groups_of(self.group_keys_, context.location, anywhere)
        starts, ends = self.indptr_[groups], self.indptr_[groups + 1]
        own = Lists.of_rows(
            [
                self.indices_[start:end] if group >= 0 else _NONE
                for group, start, end in zip(
                    groups.tolist(), starts.tolist(), ends.tolist(), strict=True
                )
            ]
        )
        return rows_contain(own, rows_of(items), items.item_ix)

    @property
    def _places(self) -> PlaceLists:
        return places_of(self, self.gain_, self._laid_out)

    def _laid_out(self) -> PlaceLists:
        return PlaceLists(
            self.indptr_,
            self.indices_,
            self.gains_,
            np.ones(len(self.group_keys_)),
            self.gain_,
            self.order_,
            doubt=0.0,
            apart=True,
        )

    def _top(self, batch: Batch, n: int) -> Recommendations:
        return self._places.top(self._groups_of(batch), n)

    def _score(self, batch: Batch, items: Lists) -> Scores:
        return self._places.score(self._groups_of(batch), items.indptr, items.item_ix)

    def _groups_of(self, batch: Batch) -> IntArray:
        """Place that each question is answered from."""
        asked = batch.context
        return batch.once(
            self._groups_of, lambda: groups_of(self.group_keys_, asked.location, asked.channel)
        )


_NONE: Final = np.empty(0, np.int32)


def _gained(counts: RecentCounts, doubt: float) -> Floats:
    """Share of purchases that each product gained; 0 where it lost."""
    more = np.maximum(counts.now - expected(counts.now, counts.past), 0.0)
    return np.asarray(more / max(counts.now.sum() + doubt, np.finfo(np.float64).tiny), np.float64)
