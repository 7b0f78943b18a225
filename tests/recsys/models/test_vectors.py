import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.models import vectors
from recsys.models.vectors import Vectors


def made(rows, n_items=40, seed=0, spread=1.0):
    random = np.random.default_rng(seed)
    factors = random.normal(size=(rows, 5)) * np.exp(spread * random.normal(size=(rows, 1)))
    items = np.sort(random.choice(n_items, rows, replace=False))
    return Vectors.of(factors.astype(np.float32), items, n_items)


@given(
    st.integers(1, 40), st.integers(1, 50), st.integers(0, 99), st.floats(0, 3), st.integers(1, 40)
)
def test_the_best_are_always_among_the_promising(rows, n, seed, spread, together):
    before = vectors._FIRST, vectors._TOGETHER
    vectors._FIRST, vectors._TOGETHER = 3, together
    try:
        found = made(rows, seed=seed, spread=spread)
        X = np.random.default_rng(seed + 1).normal(size=(7, 5))
        every = np.arange(len(found.items))
        for x, places in zip(X, found.promising(list(X), n), strict=True):
            scores = found.exact(x, every)
            bar = np.sort(scores)[-min(n, rows)]
            assert set(np.flatnonzero(scores >= bar)) <= set(places)
            np.testing.assert_array_equal(found.exact(x, places), scores[places])
    finally:
        vectors._FIRST, vectors._TOGETHER = before


def test_most_of_a_long_catalogue_is_left_unread():
    found = made(20_000, 20_000, spread=1.5)
    (places,) = found.promising([np.ones(5)], 10)
    assert places.max() < 5_000


def test_products_without_a_vector_have_no_score():
    factors = np.array([[1, 0], [0, 0], [0, 2]], np.float32)
    found = Vectors.of(factors, np.array([1, 2, 3]), 5)
    assert found.items.tolist() == [3, 1]
    assert found.place.tolist() == [-1, 1, -1, 0, -1]
    assert (found.norms >= [2, 1]).all()
    x = np.array([1.0, 0.5])
    assert found.score(x, np.arange(5)).tolist() == [0, 1, 0, 1, 0]
    assert found.score(None, np.arange(5)).tolist() == [0] * 5
    nothing = Vectors.of(factors[:0], np.empty(0, np.int32), 5)
    assert [places.tolist() for places in nothing.promising([x, x], 3)] == [[], []]
    assert nothing.promising([], 3) == []
