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

#: Features of each customer's products, as ``votes.sum_votes`` gives them.
Profile = tuple[IntArray, IxArray, Floats]


def items_of_profiles(
    profile: Profile, most: int, lists: tuple[Array, Array], n_items: int
) -> tuple[IntArray, IxArray]:
    """Gather the products of each customer's strongest features.

    Parameters
    ----------
    profile : tuple of ndarray
        Features of each customer's products, as of ``votes.sum_votes``.
    most : int
        Features that may add products, the strongest first.
    lists : tuple of ndarray
        ``indptr`` and the products of each feature.
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
    """Score given products: similarity to what a customer buys, times how they sell.

    Parameters
    ----------
    profile : tuple of ndarray
        As for ``items_of_profiles``.
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
    """Find the customer's own product that is most similar to each given one.

    Parameters
    ----------
    own : ItemVotes
        Votes of the customer's products for features; the similarity to a product counts with
        its weight.
    starts : ndarray of shape (4,), int64
        First feature of words, categories and brands, and the end.
    indptr, item_ix : ndarray
        The given products of each row.

    Returns
    -------
    source : ndarray of the length of ``item_ix``, int32
        The most similar one, the first of equals; -1 where none is similar.
    words : ndarray of the same length, float32
        What words add to the similarity.
    """
    with zeroed((int(starts[-1]), np.float64)) as (total,):
        return _likest(total, int(starts[1]), tuple(own), *map(fixed, (indptr, item_ix)))


@compiled
def _union(
    mark: npt.NDArray[np.uint8], indptr: IntArray, lists: IxArray, starts: IntArray, items: IxArray
) -> tuple[IntArray, IxArray]:
    """Collect the products listed under each row's features, each product once.

    Walks row by row with a mark for each product collected, and clears the marks of the row.
    Compiled, because numpy would sort all listed products to find repeats.
    """
    n_rows = len(indptr) - 1
    room = 0
    for of in lists:
        room += starts[of + 1] - starts[of]
    # Written whether it counts or not, as in ``votes._add``; so there is room for one more.
    ends, found = np.zeros(n_rows + 1, np.int64), np.empty(room + 1, np.int32)
    end = 0
    for r in range(n_rows):
        for of in lists[indptr[r] : indptr[r + 1]]:
            for item in items[starts[of] : starts[of + 1]]:
                found[end] = item
                end += mark[item] == 0
                mark[item] = 1
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
    """Score each row's products: inner product with the row's profile, times ``sells``.

    Spreads a profile over all features, walks the products' features, and clears it. Compiled,
    because numpy would need the profile of every customer in full.
    """
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
    """Find the own product with the largest weighted inner product for each candidate.

    Spreads a candidate's features over all features, walks the customer's own products, and clears
    them. Compiled, because numpy would hold every pair of an own product and a candidate.
    """
    ends, items, share, starts, features, weights = own
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
                if alike * share[one] > most:
                    most = alike * share[one]
                    source[at], words[at] = item, by_words
            for f in range(starts[wanted], starts[wanted + 1]):
                given[features[f]] = 0.0
    return source, words
