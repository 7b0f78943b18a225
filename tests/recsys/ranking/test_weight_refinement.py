"""Weights move to where the first places are right."""

import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from recsys.ranking.weight_refinement import MIN_ROWS, ndcg_of, refine_weights, some_rows

N, EACH = 300, 30


def world(n=N):
    """The first column knows which single product is bought, the second shouts about others."""
    rng = np.random.default_rng(0)
    parts = rng.uniform(0, 1, (n * EACH, 2))
    best = parts[:, 0].reshape(n, EACH).argmax(axis=1) + np.arange(n) * EACH
    bought = np.zeros(n * EACH, dtype=bool)
    bought[best] = True
    return parts, bought, np.repeat(np.arange(n), EACH)


def first_places(parts, weights, bought):
    top = (parts @ weights).reshape(-1, EACH).argmax(axis=1)
    return bought.reshape(-1, EACH)[np.arange(len(top)), top].mean()


def test_the_column_that_knows_gets_louder():
    parts, bought, rows = world()
    begun = np.array([0.5, 1.0])
    found = refine_weights(parts, begun, bought, rows)
    assert found[0] / found[1] > 4 * begun[0] / begun[1]
    assert first_places(parts, found, bought) > 2 * first_places(parts, begun, bought)


def test_a_column_without_weight_stays_without():
    parts, bought, rows = world()
    assert refine_weights(parts, np.array([0.0, 1.0]), bought, rows)[0] == 0


def test_a_few_rows_move_nothing():
    parts, bought, rows = world(MIN_ROWS - 1)
    begun = np.array([0.5, 1.0])
    assert refine_weights(parts, begun, bought, rows) is begun


def test_goodness_is_the_mean_of_another_library():
    rng = np.random.default_rng(3)
    rows = np.repeat(np.arange(40), rng.integers(2, 30, 40))
    bought = rng.random(len(rows)) < 0.15
    totals = rng.normal(size=len(rows))
    each = [
        ndcg_score([bought[rows == row]], [totals[rows == row]], k=10)
        for row in range(40)
        if bought[rows == row].any()
    ]
    assert ndcg_of(bought, rows)(totals) == pytest.approx(np.mean(each))


def test_rows_that_are_looked_at_are_spread_over_all_of_them(monkeypatch):
    """Rows of several windows stand behind one another: none of them decides alone."""
    monkeypatch.setattr("recsys.ranking.weight_refinement.MAX_ROWS", 8)
    rows = np.repeat(np.arange(60), 3)
    bought = np.tile([True, False, False], 60) & (rows % 2 == 0)
    at = some_rows(bought, rows)
    seen = np.unique(rows[at])
    assert len(seen) == 8
    assert (seen % 2 == 0).all()
    assert seen[0] == 0
    assert seen[-1] == 58
    assert np.diff(seen).max() <= 10
    np.testing.assert_array_equal(at, np.flatnonzero(np.isin(rows, seen)))
    few = some_rows(bought[:9], rows[:9])
    assert np.unique(rows[few]).tolist() == [0, 2]
