"""Customers by the features of what they buy, and products by those features.

What each customer bought and which features products have come in; products that have the
customers' strongest features, scores and explanations come out. Called by ``content``.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.datasets import IntArray, IxArray, compiled, fixed, zeroed
from recsys.models.kernels.top_k import Array, Floats, Scores, top_of_lists
from recsys.models.kernels.votes import ItemVotes

#: Features of each customer's products, as ``naming.spoken`` gives them.
Profile = tuple[IntArray, IxArray, Floats]


def items_of_profiles(
    profile: Profile, most: int, lists: tuple[Array, Array], n_items: int
) -> tuple[IntArray, IxArray]:
    """Gather what each customer's strongest features name.

    Parameters
    ----------
    profile : tuple of ndarray
        Features of each customer's products, as of ``naming.spoken``.
    most : int
        Features that may name products.
    lists : tuple of ndarray
        ``indptr`` and products of what each feature names.
    n_items : int

    Returns
    -------
    indptr, item_ix : ndarray
        One list a customer, each product once.
    """
    indptr, feature, total = profile
    strong = top_of_lists(indptr, feature, total.astype(np.float32), most)
    arrays = map(fixed, (strong.indptr, strong.item_ix, *lists))
    with zeroed((n_items, np.uint8)) as (mark,):
        return _union(mark, *arrays)


def score_profiles(
    profile: Profile,
    features: tuple[Array, Array, Array],
    n_features: int,
    sells: Scores,
    indptr: IntArray,
    item_ix: IxArray,
) -> Scores:
    """Score given products: how alike they are to what a customer buys, times how they sell.

    Parameters
    ----------
    profile : tuple of ndarray
        As of ``named``.
    features : tuple of ndarray
        Where each product's features begin, which, and their weights.
    n_features : int
    sells : ndarray of shape (n_items,), float32
    indptr, item_ix : ndarray
        The given products of each row.
    """
    with zeroed((n_features, np.float64)) as (total,):
        return _scored(total, *map(fixed, (*profile, *features, indptr, item_ix, sells)))


def most_similar_own(
    own: ItemVotes, starts: IntArray, indptr: IntArray, item_ix: IxArray
) -> tuple[IxArray, Scores]:
    """Find what of each customer's products is most like each given one.

    Parameters
    ----------
    own : ItemVotes
        Of features; how loud a product is says what a likeness to it counts.
    starts : ndarray of shape (4,), int64
        First feature of words, categories and brands, and the end.
    indptr, item_ix : ndarray
        The given products of each row.

    Returns
    -------
    source : ndarray of the length of ``item_ix``, int32
        The first of the loudest; -1 where nothing is alike.
    words : ndarray of the same length, float32
        What words add to the likeness.
    """
    with zeroed((int(starts[-1]), np.float64)) as (total,):
        return _likest(total, int(starts[1]), tuple(own), *map(fixed, (indptr, item_ix)))


@compiled
def _union(
    mark: npt.NDArray[np.uint8], indptr: IntArray, lists: IxArray, starts: IntArray, items: IxArray
) -> tuple[IntArray, IxArray]:
    n_rows = len(indptr) - 1
    room = 0
    for of in lists:
        room += starts[of + 1] - starts[of]
    ends, found = np.zeros(n_rows + 1, np.int64), np.empty(room, np.int32)
    end = 0
    for r in range(n_rows):
        for of in lists[indptr[r] : indptr[r + 1]]:
            for item in items[starts[of] : starts[of + 1]]:
                if mark[item] == 0:
                    mark[item] = 1
                    found[end] = item
                    end += 1
        ends[r + 1] = end
        for item in found[ends[r] : end]:
            mark[item] = 0
    return ends, found[:end].copy()


@compiled
def _scored(
    likes: Floats,
    profile_indptr: IntArray,
    profile: IxArray,
    amount: Floats,
    starts: IntArray,
    features: IxArray,
    weights: Scores,
    indptr: IntArray,
    item_ix: IxArray,
    sells: Scores,
) -> Scores:
    scores = np.empty(len(item_ix), np.float32)
    for r in range(len(indptr) - 1):
        if indptr[r] == indptr[r + 1]:
            continue
        for at in range(profile_indptr[r], profile_indptr[r + 1]):
            likes[profile[at]] = amount[at]
        for at in range(indptr[r], indptr[r + 1]):
            item, alike = item_ix[at], 0.0
            for f in range(starts[item], starts[item + 1]):
                alike += likes[features[f]] * weights[f]
            scores[at] = alike * sells[item]
        for at in range(profile_indptr[r], profile_indptr[r + 1]):
            likes[profile[at]] = 0.0
    return scores


@compiled
def _likest(
    given: Floats, words_end: int, own: Any, indptr: IntArray, item_ix: IxArray
) -> tuple[IxArray, Scores]:
    ends, items, loud, starts, features, weights = own
    source, words = np.full(len(item_ix), -1, np.int32), np.zeros(len(item_ix), np.float32)
    for r in range(len(indptr) - 1):
        for at in range(indptr[r], indptr[r + 1]):
            wanted = item_ix[at]
            for f in range(starts[wanted], starts[wanted + 1]):
                given[features[f]] = weights[f]
            most = 0.0
            for one in range(ends[r], ends[r + 1]):
                item = items[one]
                by_words = alike = 0.0
                for f in range(starts[item], starts[item + 1]):
                    shared = weights[f] * given[features[f]]
                    alike += shared
                    if features[f] < words_end:
                        by_words += shared
                if alike * loud[one] > most:
                    most = alike * loud[one]
                    source[at], words[at] = item, by_words
            for f in range(starts[wanted], starts[wanted + 1]):
                given[features[f]] = 0.0
    return source, words
