"""Adds up what a customer's products say of others: weighted votes, through a table of products.

In: the voters of each customer with their weights, and a sparse table of votes. Out: the sum of the
votes for each product, the products with the highest sums, or the strongest voter for each. Called
by the models that score products by others: ``copurchase``, ``transitions``, ``neighbours`` and
``content``.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from recsys.datasets import IntArray, IxArray, compiled, fixed, zeroed
from recsys.models.kernels.top_k import (
    Array,
    Floats,
    Recommendations,
    Scores,
    scores_in_lists,
    top_of_lists,
)


class ItemVotes(NamedTuple):
    """Votes of each customer's products for other products.

    Attributes
    ----------
    indptr : ndarray of shape (n + 1,), int64
        Row ``r`` is ``indptr[r]:indptr[r + 1]`` of the next two.
    voter : ndarray, int32
        Rows of the table.
    weight : ndarray, float64
        Weight of each voter; votes with a weight of zero or less do not count.
    starts : ndarray of shape (n_rows + 1,), int64
        The table: row ``i`` is ``starts[i]:starts[i + 1]`` of the next two.
    candidate : ndarray, int32
        Products that row ``i`` votes for, ascending.
    vote : ndarray, float32
        How strongly it votes for each.
    """

    indptr: IntArray
    voter: IxArray
    weight: Floats
    starts: IntArray
    candidate: IxArray
    vote: Scores


def item_votes(
    indptr: Array, voter: Array, weight: Array, table: tuple[Array, Array, Array]
) -> ItemVotes:
    """Make ``ItemVotes`` of read-only arrays, for which compiled functions are compiled once.

    Parameters
    ----------
    indptr, voter, weight : ndarray
        As the attributes of ``ItemVotes``.
    table : tuple of ndarray
        Its ``starts``, ``candidate`` and ``vote``.
    """
    return ItemVotes(*map(fixed, (indptr, voter, weight, *table)))


@lru_cache(maxsize=64)
def no_votes(n: int) -> ItemVotes:
    """Return the votes of ``n`` customers without voters."""
    table = np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32)
    return item_votes(np.zeros(n + 1, np.int64), table[1], np.empty(0), table)


def sum_votes(one: ItemVotes, other: ItemVotes, n_items: int) -> tuple[IntArray, IxArray, Floats]:
    """Add up the weighted votes for every product that has any.

    Parameters
    ----------
    one, other : ItemVotes
        Of the same ``n`` customers, for the same products. Their sum counts, ``one`` added first.
    n_items : int
        Number of products that can be voted for.

    Returns
    -------
    indptr : ndarray of shape (n + 1,), int64
    item_ix : ndarray, int32
        Each product once a row, in no order.
    total : ndarray, float64
        Above zero, in single precision too.
    """
    with zeroed((n_items, np.float64)) as (total,):
        sums: tuple[IntArray, IxArray, Floats] = _sum(tuple(one), tuple(other), total)
    return sums


def top_voted(one: ItemVotes, other: ItemVotes, n_items: int, n: int) -> Recommendations:
    """Return the products with the highest sums of votes.

    Parameters
    ----------
    one, other, n_items
        As of ``sum_votes``.
    n : int
        Products to return for each customer, at most.

    Returns
    -------
    Recommendations
        Of sums above zero, rounded to single precision.
    """
    indptr, item_ix, total = sum_votes(one, other, n_items)
    return top_of_lists(indptr, item_ix, total.astype(np.float32), n)


def votes_for(
    one: ItemVotes, other: ItemVotes, indptr: Array, item_ix: Array, n_items: int
) -> Scores:
    """Return the sum of votes for given products, as ``top_voted`` gives it; 0 without any.

    Parameters
    ----------
    one, other, n_items
        As of ``sum_votes``.
    indptr, item_ix : ndarray
        The products of each row.
    """
    ends, items, total = sum_votes(one, other, n_items)
    return scores_in_lists(ends, items, total.astype(np.float32), (indptr, item_ix), n_items)


def strongest_voters(
    one: ItemVotes, other: ItemVotes, candidates: tuple[Array, Array], n_items: int
) -> IxArray:
    """Return the voter with the largest weighted vote for each product; the lowest of equals.

    Parameters
    ----------
    one, other, n_items
        As of ``sum_votes``.
    candidates : tuple of ndarray
        ``indptr`` and ``item_ix`` of the products of each row.

    Returns
    -------
    ndarray of the length of ``candidates[1]``, int32
        -1 for a product without votes.
    """
    with zeroed((n_items, np.int32)) as (position,):
        return _strongest(position, tuple(one), tuple(other), *map(fixed, candidates))


@compiled
def _count(votes: Any, r: int) -> int:
    """Count the votes in one row: an upper bound for the number of products voted for.

    Compiled into ``_sum``, which allocates its output by it.
    """
    indptr, voter, weight, starts, _, _ = votes
    size = 0
    for at in range(indptr[r], indptr[r + 1]):
        if weight[at] > 0:
            size += starts[voter[at] + 1] - starts[voter[at]]
    return size


@compiled
def _add(votes: Any, r: int, total: Floats, touched: IxArray, size: int) -> int:
    """Add one row's votes to ``total``, voter by voter; note in ``touched`` whose sum they change.

    Returns the number of notes. A product whose sum returns to zero may be noted again. Every vote
    writes a note, which the next one overwrites unless it counts: a branch that the processor
    guesses wrong every third time costs more than all the rest. So ``touched`` needs room for one
    note more than there are votes.
    """
    indptr, voter, weight, starts, candidate, vote = votes
    for at in range(indptr[r], indptr[r + 1]):
        item, share = voter[at], weight[at]
        if share <= 0:
            continue
        for to in range(starts[item], starts[item + 1]):
            other = np.uint32(candidate[to])
            before = total[other]
            touched[size] = other
            size += before == 0.0
            total[other] = before + share * vote[to]
    return size


@compiled
def _sum(one: Any, other: Any, total: Floats) -> tuple[IntArray, IxArray, Floats]:
    """Sum votes row by row in ``total``, of which only the touched entries are read and cleared.

    Compiled: numpy would need the whole catalogue for each customer, or a sort of all votes.
    """
    n_rows = len(one[0]) - 1
    indptr = np.zeros(n_rows + 1, np.int64)
    room = 0
    for r in range(n_rows):
        room += _count(one, r) + _count(other, r)
    items, totals = np.empty(room + 1, np.int32), np.empty(room, np.float64)
    end = 0
    for r in range(n_rows):
        count = _add(one, r, total, items[end:], 0)
        count = _add(other, r, total, items[end:], count)
        last = end + count
        for at in range(end, last):  # what is kept is written over what was read
            item = items[at]
            if np.float32(total[item]) > 0:
                items[end], totals[end] = item, total[item]
                end += 1
            total[item] = 0.0
        indptr[r + 1] = end
    return indptr, items[:end].copy(), totals[:end].copy()


@compiled
def _strongest(
    position: IxArray, one: Any, other: Any, indptr: IntArray, candidates: IxArray
) -> IxArray:
    """Note each row's candidates in ``position``, from 1, and walk all votes for the largest.

    Compiled: numpy would hold every vote of every customer to compare them.
    """
    strongest = np.full(len(candidates), -1, np.int32)
    largest = np.zeros(len(candidates), np.float64)
    for r in range(len(indptr) - 1):
        for at in range(indptr[r], indptr[r + 1]):
            position[candidates[at]] = at - indptr[r] + 1
        if indptr[r] < indptr[r + 1]:
            for ends, voter, weight, starts, candidate, vote in (one, other):
                for at in range(ends[r], ends[r + 1]):
                    item = voter[at]
                    if weight[at] <= 0:
                        continue
                    for j in range(starts[item], starts[item + 1]):
                        if position[candidate[j]] == 0:
                            continue
                        to = indptr[r] + position[candidate[j]] - 1
                        amount = weight[at] * vote[j]
                        if amount > largest[to] or (amount == largest[to] and item < strongest[to]):
                            strongest[to], largest[to] = item, amount
        for at in range(indptr[r], indptr[r + 1]):  # a product may be given twice
            strongest[at] = strongest[indptr[r] + position[candidates[at]] - 1]
        for at in range(indptr[r], indptr[r + 1]):
            position[candidates[at]] = 0
    return strongest
