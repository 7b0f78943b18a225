"""Keeps variants of one product and its near-duplicates from crowding a list.

Candidates in their order, with the key they are ordered by, come in; the ones that are shown, in
the order in which they are shown, come out. Called by ``Ranker`` behind the rules.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.datasets import Histories, IntArray, IxArray, compiled, fixed
from recsys.ranking.item_similarity import ItemSimilarity, similarity_of

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Weights = npt.NDArray[np.float32]

#: Lower bound of the factor on the odds: such a product ranks behind all others.
_LEAST: Final = 1e-9
#: Candidates per list: ``_TIMES`` its length plus ``_MORE``.
_TIMES: Final = 4
_MORE: Final = 60
#: Longest list that the pool grows with.
_MANY: Final = 10_000
#: Marks of candidates: chosen, and exempt from the penalty.
_CHOSEN: Final = -1
_EXEMPT: Final = -2


def pool_sizes(counts: IntArray, diversity: Floats) -> IntArray:
    """Say how many of the best to choose each list from: enough for others to take places.

    Parameters
    ----------
    counts : ndarray of shape (n,), int64
        Length of the lists.
    diversity : ndarray of shape (n,), float64
        As of ``diversify``.

    Returns
    -------
    ndarray of shape (n,), int64
        ``counts`` where there is no diversity.
    """
    if not diversity.any():
        return counts
    more = np.minimum(counts, _MANY) * _TIMES + _MORE
    return np.where(diversity > 0, np.maximum(counts, more), counts)


def diversify(
    indptr: IntArray,
    item_ix: IxArray,
    keys: Floats,
    counts: IntArray,
    diversity: Floats,
    bought: Histories,
    similarity: ItemSimilarity | None,
    needed: IntArray | None = None,
    new: Bools | None = None,
) -> tuple[IntArray, IntArray]:
    """Choose what each request is shown, so that like products do not crowd its list.

    One product after the other, always the one with the best key. Each product that is like one
    that was chosen loses odds: they are multiplied by one minus ``diversity`` times how alike the
    two are, once for each such product. What the customer bought more than once loses nothing:
    who buys two kinds of one thing again and again wants both.

    Where a list needs new products, a place goes to the best of them as soon as the places so far
    would hold too few, see ``discovery``.

    Parameters
    ----------
    indptr : ndarray of shape (n + 1,), int64
        Row ``i`` lies in ``[indptr[i], indptr[i + 1])`` of the next two.
    item_ix : ndarray of shape (m,), int32
        What may be shown, best first.
    keys : ndarray of shape (m,), float64
        What it is ordered by, never rising within a row: log-odds, or the logarithm of what is
        expected of it.
    counts : ndarray of shape (n,), int64
        How many are shown, at most.
    diversity : ndarray of shape (n,), float64
        In [0, 1], or empty for 0. 0 leaves the order as it is; at 1 a second one of the same
        stands behind everything else.
    bought : Histories
        Purchases of the ``n`` customers; empty where they must not matter.
    similarity : ItemSimilarity or None
        None: no two products are alike.
    needed : ndarray of shape (n,), int64, optional
        New products that each list shall have at least; none by default.
    new : ndarray of shape (m,), bool, optional
        Which are new to their customer.

    Returns
    -------
    indptr : ndarray of shape (n + 1,), int64
    at : ndarray of shape (k,), int64
        Positions of what is shown, in the order in which it is shown: as many as without
        ``diversity``. Equal keys stay in their order.

    Notes
    -----
    A key can only fall, so a product is compared with what was chosen only while its key is still
    better than the best one found: the work is that of the places to be filled, not of the
    candidates.

    References
    ----------
    .. [1] Carbonell, Goldstein (1998), The use of MMR, diversity-based reranking for reordering
       documents and producing summaries, SIGIR.
    """
    shown = np.minimum(np.diff(indptr), counts)
    bounds = np.zeros(len(shown) + 1, np.int64)
    np.cumsum(shown, out=bounds[1:])
    if new is None and (similarity is None or not diversity.any()):
        before = np.repeat(indptr[:-1] - bounds[:-1], shown)
        return bounds, np.arange(bounds[-1]) + before
    if similarity is None:
        similarity = ItemSimilarity.nothing(bought.n_items)
    n = len(shown)
    at = np.empty(bounds[-1], np.int64)
    _choose(
        fixed(indptr),
        fixed(item_ix),
        fixed(keys),
        fixed(bounds),
        fixed(diversity if len(diversity) else np.zeros(n)),
        fixed(np.asarray(counts, np.int64)),
        fixed(np.zeros(n, np.int64) if needed is None else needed),
        fixed(np.zeros(len(item_ix), bool) if new is None else new),
        fixed(bought.indptr),
        fixed(bought.item_ix),
        fixed(bought.count),
        at,
        *similarity.arrays,
    )
    return bounds, at


@compiled
def _choose(
    indptr: IntArray,
    item_ix: IxArray,
    keys: Floats,
    bounds: IntArray,
    diversity: Floats,
    counts: IntArray,
    needed: IntArray,
    new: Bools,
    rows: IntArray,
    bought: IxArray,
    times: IxArray,
    at: IntArray,
    starts: IntArray,
    features: IxArray,
    weights: Weights,
    variant: IxArray,
    common: Weights,
    words: int,
    categories: int,
    share: float,
) -> None:
    """Fill the places of each row greedily (MMR); writes the chosen positions to ``at``.

    Walks rows, places, then candidates by falling key, and stops at the first whose key cannot win.
    Compiled because each place depends on those before; numpy would compute all pairs.
    """
    for r in range(len(bounds) - 1):
        first, n = indptr[r], indptr[r + 1] - indptr[r]
        key = keys[first : first + n].copy()
        compared = np.zeros(n, np.int64)  # with so many of the chosen; _CHOSEN: is one of them
        head = 0
        lacking = 0  # new ones that were not chosen yet
        for c in range(n):
            lacking += 1 if new[first + c] else 0
        fresh = 0  # and those that were
        for place in range(bounds[r + 1] - bounds[r]):
            while compared[head] == _CHOSEN:
                head += 1
            best = -1
            only_new = lacking > 0 and fresh < needed[r] * (place + 1) // counts[r]
            for c in range(head, n):
                if best >= 0 and keys[first + c] <= key[best]:
                    break
                if compared[c] == _CHOSEN or (only_new and not new[first + c]):
                    continue
                item = item_ix[first + c]
                while 0 <= compared[c] < place and (best < 0 or key[c] > key[best]):
                    other = item_ix[at[bounds[r] + compared[c]]]
                    similarity = similarity_of(
                        item,
                        other,
                        starts,
                        features,
                        weights,
                        variant,
                        common,
                        words,
                        categories,
                        share,
                    )
                    compared[c] += 1
                    if similarity > 0.0:
                        if _bought_repeatedly(
                            item, bought[rows[r] : rows[r + 1]], times[rows[r] : rows[r + 1]]
                        ):
                            compared[c] = _EXEMPT
                        else:
                            key[c] += np.log(max(1.0 - diversity[r] * similarity, _LEAST))
                if best < 0 or key[c] > key[best]:
                    best = c
            compared[best] = _CHOSEN
            if new[first + best]:
                fresh, lacking = fresh + 1, lacking - 1
            at[bounds[r] + place] = first + best


@compiled
def _bought_repeatedly(item: int, bought: IxArray, times: IxArray) -> bool:
    """Return whether the customer bought an item more than once."""
    found = 0
    for line in range(len(bought)):
        if bought[line] == item:
            found += times[line]
            if found > 1:
                return True
    return False
