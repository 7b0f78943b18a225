"""Most bought lately: at the location, on the channel, overall.

Orders × products come in, decayed counts of baskets come out. The fallback of every answer, and
a feature of the ranker.
"""

from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

import numpy as np
import numpy.typing as npt

from recsys.config import PopularSettings as Settings
from recsys.datasets import Batch, IntArray, IxArray, Lists
from recsys.models.base import Floats, Model, Recommendations, Scores
from recsys.models.kernels.place_lists import PlaceLists, groups_of, places_of

if TYPE_CHECKING:
    from scipy import sparse

    from recsys.datasets import TrainingSet

#: Products stored for each location or channel; those below have their overall share there.
MAX_STORED: Final = 500

#: What a score was taken from, by number.
POPULAR_LEVELS: Final = ("popular", "popular_on_channel", "popular_at_location")


class Popular(Model):
    """Share of recent baskets that hold a product.

    Each basket counts half after ``half_life_days``. A location's share is
    ``(c + m p) / (C + m)``, where ``c`` of its ``C`` (decayed) lines are of the product, ``p``
    is the product's share overall and ``m`` is ``min_lines``: a place with little of its own
    sells like the rest, without a step. A question is answered from its location, where that
    has enough lines, else from its channel, else from everything.

    Parameters
    ----------
    settings : recsys.config.model_settings.PopularSettings

    Attributes
    ----------
    group_keys_ : ndarray of shape (n_groups,), int64
        Sorted. A location's ``item_index.location_key``, or the negative of 1 + a channel's number.
    group_lines_ : ndarray of shape (n_groups,), float64
        Decayed lines of each.
    indptr_ : ndarray of shape (n_groups + 1,), int64
    indices_ : ndarray, int32
        Each group's best products, ascending, at most ``MAX_STORED``.
    counts_ : ndarray, float32
        Their decayed lines there.
    share_ : ndarray of shape (n_items,), float32
        Overall.
    order_ : ndarray of shape (n_sold,), int32
        Products with a share, best first.
    """

    name: ClassVar[str] = "popular"
    learned: ClassVar[tuple[str, ...]] = (
        "group_keys_",
        "group_lines_",
        "indptr_",
        "indices_",
        "counts_",
        "share_",
        "order_",
    )

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()

    def fit(self, training: "TrainingSet") -> Self:
        """Count recent baskets by place; see ``Model.fit``.

        Parameters
        ----------
        training : TrainingSet
            Its orders, with their time, location and channel.

        Returns
        -------
        Self
            This model.
        """
        baskets = training.baskets
        weight = baskets.decay(training.as_of_ts, self.settings.half_life_days)
        places, at = np.unique(baskets.location, return_inverse=True)
        by_place = baskets.summed(np.where(baskets.location == 0, -1, at), len(places), weight)
        channels, on = np.unique(baskets.channel, return_inverse=True)
        by_channel = baskets.summed(on, len(channels), weight)
        total = np.asarray(by_channel.sum(axis=0), np.float64)
        lines = np.diff(baskets.items.indptr).astype(np.float64)
        found = [
            *self._groups(-1 - channels.astype(np.int64), by_channel, np.bincount(on, lines)),
            *self._groups(places, by_place, np.bincount(at, lines)),
        ]
        found.sort(key=lambda group: group[0])
        self.group_keys_ = np.array([key for key, *_ in found], np.int64)
        self.group_lines_ = np.array([counted for _, counted, *_ in found], np.float64)
        self.indptr_ = np.cumsum([0, *(len(items) for *_, items, _ in found)], dtype=np.int64)
        self.indices_ = np.concatenate([np.empty(0, np.int32), *(items for *_, items, _ in found)])
        counts = np.concatenate([np.empty(0), *(counts for *_, counts in found)])
        self.counts_ = counts.astype(np.float32)
        share = total / max(total.sum(), np.finfo(np.float64).tiny)
        self.share_ = share.astype(np.float32)
        order = np.argsort(-self.share_, kind="stable")
        self.order_ = order[self.share_[order] > 0].astype(np.int32)
        return self

    def _groups(
        self, keys: IntArray, sums: "sparse.csr_array", lines: npt.NDArray[Any]
    ) -> list[tuple[int, float, IxArray, Floats]]:
        """Key, decayed lines and best products of each group with enough lines."""
        found = []
        for number in np.flatnonzero(lines >= self.settings.min_lines):
            part = slice(sums.indptr[number], sums.indptr[number + 1])
            items, counts = sums.indices[part], sums.data[part]
            if keys[number] == 0 or not len(items):
                continue
            top = np.sort(np.lexsort((items, -counts))[:MAX_STORED])
            found.append(
                (int(keys[number]), float(counts.sum()), items[top].astype(np.int32), counts[top])
            )
        return found

    @property
    def n_items(self) -> int:
        """Size of the catalogue that was learned."""
        return len(self.share_)

    def level(self, batch: Batch) -> npt.NDArray[np.uint8]:
        """Say what each question is answered from.

        Parameters
        ----------
        batch : Batch
            Of ``n`` questions; their contexts alone matter.

        Returns
        -------
        ndarray of shape (n,), uint8
            Indices into ``POPULAR_LEVELS``.
        """
        self._check()
        return batch.once(self.level, lambda: self._level(self._groups_of(batch)))

    def _level(self, groups: IntArray) -> npt.NDArray[np.uint8]:
        keys = np.append(self.group_keys_, 0)[groups]  # the last for -1, of no place
        return np.where(keys == 0, 0, 1 + (keys > 0)).astype(np.uint8)

    @property
    def _places(self) -> PlaceLists:
        return places_of(self, self.share_, self._laid_out)

    def _laid_out(self) -> PlaceLists:
        return PlaceLists(
            self.indptr_,
            self.indices_,
            self.counts_,
            self.group_lines_,
            self.share_,
            self.order_,
            doubt=self.settings.min_lines,
            apart=False,
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
