"""Weights move to where the first places are right."""

import numpy as np

from recsys.ranking.refine import MIN_ROWS, refine

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
    found = refine(parts, begun, bought, rows)
    assert found[0] / found[1] > 4 * begun[0] / begun[1]
    assert first_places(parts, found, bought) > 2 * first_places(parts, begun, bought)


def test_a_column_without_weight_stays_without():
    parts, bought, rows = world()
    assert refine(parts, np.array([0.0, 1.0]), bought, rows)[0] == 0


def test_a_few_rows_move_nothing():
    parts, bought, rows = world(MIN_ROWS - 1)
    begun = np.array([0.5, 1.0])
    assert refine(parts, begun, bought, rows) is begun
