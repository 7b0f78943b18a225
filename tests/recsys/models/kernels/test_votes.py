"""Sums of weighted votes, and who votes strongest."""

import numpy as np

from recsys.models.kernels.votes import (
    item_votes,
    no_votes,
    strongest_voters,
    top_voted,
    votes_for,
)

N = 12


def ragged(lists, dtype):
    indptr = np.cumsum([0, *map(len, lists)])
    return indptr, np.array([each for one in lists for each in one], dtype)


def votes_of(lists, table):
    """Votes of rows of (voter, weight) through a table of {voter: {candidate: vote}}."""
    indptr, voters = ragged([[voter for voter, _ in one] for one in lists], np.int32)
    weights = ragged([[weight for _, weight in one] for one in lists], np.float64)[1]
    starts, candidates = ragged([sorted(table.get(voter, {})) for voter in range(N)], np.int32)
    votes = [table[voter][other] for voter in sorted(table) for other in sorted(table[voter])]
    return item_votes(indptr, voters, weights, (starts, candidates, np.array(votes, np.float32)))


TABLE = {0: {1: 0.5, 2: 0.25}, 1: {2: 1.0, 3: -1.0}, 2: {1: 0.5}, 5: {3: 0.5}}


def test_votes_add_up():
    one = votes_of([[(0, 1.0), (1, 0.5)], [], [(5, 2.0), (1, 1.0)], [(2, 1.0)]], TABLE)
    other = votes_of([[], [], [], [(0, 1.0)]], TABLE)
    found = top_voted(one, other, N, 5)
    assert [dict(zip(*map(np.ndarray.tolist, found.row(r)), strict=True)) for r in range(4)] == [
        {2: 0.75, 1: 0.5},
        {},
        {2: 1.0},
        {1: 1.0, 2: 0.25},
    ]
    assert top_voted(one, other, N, 1).item_ix.tolist() == [2, 2, 1]
    every = np.tile(np.arange(N, dtype=np.int32), 4)
    scores = votes_for(one, other, np.arange(5) * N, every, N).reshape(4, N)
    assert scores[0].tolist() == [0, 0.5, 0.75] + [0] * (N - 3)
    assert scores[3].tolist() == [0, 1.0, 0.25] + [0] * (N - 3)
    assert top_voted(no_votes(2), no_votes(2), N, 3).indptr.tolist() == [0, 0, 0]


def test_the_strongest_voter_is_the_lower_of_equals():
    one = votes_of([[(0, 1.0), (1, 0.5)], [(2, 1.0)]], TABLE)
    other = votes_of([[], [(0, 1.0)]], TABLE)
    candidates = ragged([[2, 3, 9], [1]], np.int32)
    assert strongest_voters(one, other, candidates, N).tolist() == [1, -1, -1, 0]
