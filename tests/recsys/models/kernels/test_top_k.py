import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.models.kernels.top_k import (
    Recommendations,
    scores_in_lists,
    top_of_lists,
    top_of_new,
)

N = 12
numbers = st.sampled_from([-2.5, -1.0, 0.0, 0.25, 1.0, 1.0, 3.0])
rows = st.lists(st.lists(numbers, max_size=N), max_size=5)


def ragged(lists, dtype):
    indptr = np.cumsum([0, *map(len, lists)])
    return indptr, np.array([each for one in lists for each in one], dtype)


@given(rows, st.integers(1, N + 2), st.randoms())
def test_the_first_are_those_of_sorting_all(lists, n, random):
    items = [random.sample(range(N), len(one)) for one in lists]
    indptr, scores = ragged(lists, np.float32)
    found = top_of_lists(indptr, ragged(items, np.int32)[1], scores, n)
    for r, (own, given_) in enumerate(zip(items, lists, strict=True)):
        expected = sorted(zip((-score for score in given_), own, strict=True))[:n]
        ours = [
            (-score, ix) for ix, score in zip(*map(np.ndarray.tolist, found.row(r)), strict=True)
        ]
        assert ours == expected


@given(rows, st.randoms())
def test_scores_are_looked_up(lists, random):
    items = [random.sample(range(N), len(one)) for one in lists]
    indptr, scores = ragged(lists, np.float32)
    wanted = [random.sample(range(N), 4) for _ in lists]
    found = scores_in_lists(indptr, ragged(items, np.int32)[1], scores, ragged(wanted, np.int32), N)
    expected = [
        dict(zip(own, one, strict=True)).get(ix, 0.0)
        for own, one, some in zip(items, lists, wanted, strict=True)
        for ix in some
    ]
    assert found.tolist() == expected


def test_what_was_had_is_taken_out():
    found = Recommendations(
        np.array([0, 3, 5]), np.array([4, 2, 0, 1, 2], np.int32), np.arange(5, 0, -1, np.float32)
    )
    had = ragged([[2, 2, 7], []], np.int32)
    left = top_of_new(found, had, 8, 1)
    assert left.indptr.tolist() == [0, 1, 2]
    assert left.item_ix.tolist() == [4, 1]
    assert top_of_new(found, had, 8, 9).item_ix.tolist() == [4, 0, 1, 2]
