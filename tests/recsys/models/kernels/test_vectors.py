import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.models.kernels.vectors import Vectors


def made(rows, n_items=40, seed=0, spread=1.0):
    random = np.random.default_rng(seed)
    factors = random.normal(size=(rows, 5)) * np.exp(spread * random.normal(size=(rows, 1)))
    items = np.sort(random.choice(n_items, rows, replace=False))
    return Vectors.of(factors.astype(np.float32), items, n_items)


@given(st.integers(1, 40), st.integers(1, 50), st.integers(0, 99), st.floats(0, 3))
def test_the_best_are_named_however_early_the_scan_ends(rows, n, seed, spread):
    found = made(rows, seed=seed, spread=spread)
    X = np.random.default_rng(seed + 1).normal(size=(7, 5))
    named = found.top(X, n)
    for r, x in enumerate(X):
        exact = (found.factors.astype(np.float64) * x).sum(axis=1)
        items, scores = named.row(r)
        assert len(items) == min(n, rows)
        np.testing.assert_allclose(scores, exact[found.place[items]], rtol=1e-5)
        np.testing.assert_allclose(scores, np.sort(exact)[::-1][: len(items)], rtol=1e-5)
        one = found.score(x[np.newaxis], np.array([0, len(items)]), items)
        np.testing.assert_array_equal(one, scores)


def test_equal_scores_stand_in_the_order_of_the_items():
    factors = np.ones((9, 3), np.float32)
    found = Vectors.of(factors, np.arange(9), 9)
    for n in range(1, 10):
        named = found.top(np.array([[1.0, 2.0, 0.3]]), n)
        assert named.item_ix.tolist() == list(range(n))


def test_products_without_a_vector_have_no_score():
    factors = np.array([[1, 0], [0, 0], [0, 2]], np.float32)
    found = Vectors.of(factors, np.array([1, 2, 3]), 5)
    assert found.items.tolist() == [3, 1]
    assert found.place.tolist() == [-1, 1, -1, 0, -1]
    assert (found.norms >= [2, 1]).all()
    X = np.array([[1.0, 0.5], [0.0, 0.0]])
    every = np.tile(np.arange(5, dtype=np.int32), 2)
    assert found.score(X, np.array([0, 5, 10]), every).tolist() == [0, 1, 0, 1, 0] + [0] * 5
    assert found.top(X, 3).indptr.tolist() == [0, 2, 2]
    nothing = Vectors.of(factors[:0], np.empty(0, np.int32), 5)
    assert nothing.top(X, 3).indptr.tolist() == [0, 0, 0]
    assert nothing.top(X[:0], 3).indptr.tolist() == [0]
