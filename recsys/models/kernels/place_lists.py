"""What is the same for everyone at a place: its location, else its channel, else everything.

Numbers of products, overall and for each place that has its own, come in; the best products and
scores of a batch of questions come out. Called by the models that know several places, ``popular``
and ``trending``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from recsys.datasets import IntArray, IxArray, compiled, fixed, zeroed
from recsys.models.kernels.top_k import Floats, Recommendations, Scores, top_of_lists

#: Lists of best products that are kept; beyond, they are made anew.
MOST_KEPT: Final = 1_024


@dataclass(frozen=True, eq=False)
class PlaceLists:
    """What products score at places.

    At a place with its own numbers the score is ``(own + doubt base) / (lines + doubt)``.

    Attributes
    ----------
    indptr : ndarray of shape (n_groups + 1,), int64
        Place ``g`` has ``indptr[g]:indptr[g + 1]`` of the next two.
    item_ix : ndarray, int32
        Each place's own products, ascending.
    own : ndarray, float32
        Their numbers there.
    lines : ndarray of shape (n_groups,), float64
        What each place's numbers are measured by.
    base : ndarray of shape (n_items,), float32
        Overall: what counts where no place is known.
    order : ndarray, int32
        Products with a number overall, best first.
    doubt : float
    apart : bool
        A product that is not a place's own has its score overall, rather than one with ``own``
        0, which has the same order.
    """

    indptr: IntArray
    item_ix: IxArray
    own: Scores
    lines: Floats
    base: Scores
    order: IxArray
    doubt: float
    apart: bool
    _best: dict[tuple[int, int], tuple[IxArray, Scores]] = field(default_factory=dict)

    @property
    def _arrays(self) -> tuple[npt.NDArray[Any], ...]:
        return self.indptr, self.item_ix, self.own, self.lines, self.base

    def top(self, groups: IntArray, n: int) -> Recommendations:
        """Return the best products of each request.

        Parameters
        ----------
        groups : ndarray of int64
            As of ``groups_of``.
        n : int
        """
        n = min(n, len(self.base))
        lists = [self._best_of(group, n) for group in groups.tolist()]
        indptr = np.array([0, *accumulate(len(items) for items, _ in lists)], np.int64)
        if len(lists) == 1:
            return Recommendations(indptr, *lists[0])
        items, scores = ([np.empty(0, kind)] for kind in (np.int32, np.float32))
        for one in lists:
            items.append(one[0])
            scores.append(one[1])
        return Recommendations(indptr, np.concatenate(items), np.concatenate(scores))

    def _best_of(self, group: int, n: int) -> tuple[IxArray, Scores]:
        """The best products of a place and their scores: the same for everyone who asks there."""
        found = self._best.get((group, n))
        if found is None:
            arrays = map(fixed, (np.array([group]), self.order, *self._arrays))
            with zeroed((len(self.base), np.uint8)) as (mark,):
                best = top_of_lists(
                    *_candidates(n, float(self.doubt), self.apart, mark, *arrays), n
                )
            if len(self._best) >= MOST_KEPT:
                self._best.clear()
            found = self._best[group, n] = fixed(best.item_ix), fixed(best.scores)
        return found

    def score(self, groups: IntArray, indptr: IntArray, item_ix: IxArray) -> Scores:
        """Score given products of each request, in ``item_ix[indptr[r]:indptr[r + 1]]``."""
        arrays = map(fixed, (groups, indptr, item_ix, *self._arrays))
        with zeroed((len(self.base), np.int32)) as (place,):
            return _scored(float(self.doubt), self.apart, place, *arrays)


def places_of(model: Any, learned: npt.NDArray[Any], make: Callable[[], PlaceLists]) -> PlaceLists:
    """Return a model's places, made once for what it has learned."""
    of, known = model.__dict__.get("_places_of", (None, None))
    if known is None or of is not learned:
        known = make()
        model.__dict__["_places_of"] = learned, known
    found: PlaceLists = known
    return found


def groups_of(
    keys: IntArray, location: IntArray, channel: npt.NDArray[np.integer]
) -> npt.NDArray[np.int64]:
    """Find the place that each request is answered from.

    Parameters
    ----------
    keys : ndarray of shape (n_groups,), int64
        Sorted. A location's ``item_index.location_key``, or the negative of 1 + a channel's number.
    location, channel : ndarray of shape (n,)
        See ``Context``.

    Returns
    -------
    ndarray of shape (n,), int64
        Position in ``keys``: the location's, or else the channel's; -1 for neither.
    """
    return _groups_of(*map(fixed, (keys, location, np.asarray(channel, np.uint8))))


@compiled
def _groups_of(
    keys: IntArray, location: IntArray, channel: npt.NDArray[np.uint8]
) -> npt.NDArray[np.int64]:
    """Look each row's location up in the sorted ``keys``, then its channel.

    Compiled, because a request asks for one row, for which numpy's calls cost more than the
    search.
    """
    group = np.full(len(location), -1, np.int64)
    for r in range(len(location)):
        for key in (location[r], -1 - np.int64(channel[r])):
            at = np.searchsorted(keys, key)
            if key != 0 and at < len(keys) and keys[at] == key:
                group[r] = at
                break
    return group


@compiled
def _scored(
    doubt: float,
    apart: bool,
    place: IxArray,
    groups: IntArray,
    item_indptr: IntArray,
    items: IxArray,
    indptr: IntArray,
    item_ix: IxArray,
    own: Scores,
    lines: Floats,
    base: Scores,
) -> Scores:
    """Score each row's products: ``(own + shrinkage base) / (lines + shrinkage)``.

    Notes the positions of a place's products, keeps them while rows of the same place follow, and
    clears them. Compiled, because numpy would search for every product in every row.
    """
    scores = np.empty(len(items), np.float32)
    held = np.int64(-1)
    for r in range(len(groups)):
        g = groups[r]
        if g != held:  # questions of one place mostly stand together
            if held >= 0:
                for at in range(indptr[held], indptr[held + 1]):
                    place[item_ix[at]] = 0
            if g >= 0:
                for at in range(indptr[g], indptr[g + 1]):
                    place[item_ix[at]] = at + 1
            held = g
        for at in range(item_indptr[r], item_indptr[r + 1]):
            item = items[at]
            if g < 0 or (apart and place[item] == 0):
                scores[at] = base[item]
                continue
            mine = np.float64(own[place[item] - 1]) if place[item] else 0.0
            scores[at] = (mine + doubt * base[item]) / (lines[g] + doubt)
    if held >= 0:
        for at in range(indptr[held], indptr[held + 1]):
            place[item_ix[at]] = 0
    return scores


@compiled
def _candidates(
    n: int,
    doubt: float,
    apart: bool,
    mark: npt.NDArray[np.uint8],
    groups: IntArray,
    order: IxArray,
    indptr: IntArray,
    item_ix: IxArray,
    own: Scores,
    lines: Floats,
    base: Scores,
) -> tuple[IntArray, IxArray, Scores]:
    """Collect each place's own products, and the best ``n`` of the others in overall order.

    The score of a product that the place never sold rises with the overall one, so ``n`` are
    enough. Compiled, because numpy would score the whole catalogue for each place.
    """
    ends = np.zeros(len(groups) + 1, np.int64)
    room = len(groups) * n
    for g in groups:
        if g >= 0:
            room += indptr[g + 1] - indptr[g]
    items, scores = np.empty(room, np.int32), np.empty(room, np.float32)
    end = 0
    for r in range(len(groups)):
        g = groups[r]
        if g >= 0:
            for at in range(indptr[g], indptr[g + 1]):
                item = item_ix[at]
                mark[item] = 1
                items[end] = item
                scores[end] = (np.float64(own[at]) + doubt * base[item]) / (lines[g] + doubt)
                end += 1
        others = 0
        for item in order:
            if others == n:
                break
            if mark[item] == 0:
                items[end] = item
                if g < 0 or apart:
                    scores[end] = base[item]
                else:
                    scores[end] = (0.0 + doubt * base[item]) / (lines[g] + doubt)
                end += 1
                others += 1
        if g >= 0:
            for at in range(indptr[g], indptr[g + 1]):
                mark[item_ix[at]] = 0
        ends[r + 1] = end
    return ends, items[:end].copy(), scores[:end].copy()
