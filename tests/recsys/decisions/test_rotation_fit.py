"""The planted decay is learned, whoever likes what; little data changes little."""

import numpy as np
import pytest
from scipy.optimize import check_grad

from benchmarks import rotation as shop
from recsys.decisions.past_showings import PastShowings
from recsys.decisions.rotation_fit import _INTEREST, _loss, fit_rotation


@pytest.mark.parametrize("planted", [1.0, 0.5])
def test_a_planted_decay_is_learned_within_its_error(planted):
    visits, _ = shop.show(np.random.default_rng(7), planted, 1.0, 250, 14.0)
    found = fit_rotation(shop.showings(visits), 0.85)
    assert abs(np.log(found.decay / planted)) < 3 * found.log_decay_error
    assert found.log_decay_error < 0.05
    assert found.showings == 250 * shop.VISITS * shop.PLACES


def test_what_was_never_liked_is_not_taken_for_what_tires():
    """Nobody tires, and half of the series are of no interest: they are ignored again and again."""
    rng = np.random.default_rng(3)
    n, times = 1_500, 8
    chance = np.repeat(np.where(np.arange(n) % 2, 0.005, 0.3), times)
    clicked = (rng.random(n * times) < chance).reshape(n, times)
    tired = np.zeros(clicked.shape)
    for visit in range(1, times):
        tired[:, visit] = np.where(clicked[:, visit - 1], 0.0, 0.8 * (tired[:, visit - 1] + 1))
    found = fit_rotation(
        PastShowings(
            np.repeat(np.arange(n), times),
            tired.ravel(),
            np.ones(n * times, np.int64),
            clicked.ravel(),
        ),
        0.85,
    )
    assert found.decay > 0.95


def test_few_showings_leave_what_was_believed():
    nothing = PastShowings(
        np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64), np.empty(0, bool)
    )
    assert fit_rotation(nothing, 0.85).decay == pytest.approx(0.85)
    few = PastShowings(
        np.array([1, 1, 2]), np.array([0.0, 1.0, 0.0]), np.ones(3, int), np.ones(3) < 0
    )
    assert fit_rotation(few, 0.85).decay == pytest.approx(0.85, abs=0.05)


def test_the_slope_is_that_of_the_likelihood():
    """And the likelihood is the sum over kinds of interest, by a plain loop."""
    rng = np.random.default_rng(1)
    design = np.column_stack([rng.random(9), rng.random(9), rng.random(9)])
    clicked, starts = rng.random(9) < 0.4, np.array([0, 2, 5])
    at = rng.normal(size=3 + len(_INTEREST)) / 3

    def loss(parameters):
        return _loss(parameters, design, clicked, starts, np.log(0.8))[0]

    def slope(parameters):
        return _loss(parameters, design, clicked, starts, np.log(0.8))[1]

    assert check_grad(loss, slope, at) < 1e-4
    share = np.exp(at[3:]) / np.exp(at[3:]).sum()
    likely = 0.5 * np.log(share).sum()
    for rows in (range(2), range(2, 5), range(5, 9)):
        whole = 0.0
        for kind, base in enumerate(_INTEREST):
            chances = [1 / (1 + np.exp(-(base + design[i] @ at[:3]))) for i in rows]
            seen = [p if clicked[i] else 1 - p for i, p in zip(rows, chances, strict=True)]
            whole += share[kind] * np.prod(seen)
        likely += np.log(whole)
    believed = ((at[0] - np.log(0.8)) / 0.7) ** 2 + at[1] ** 2 + at[2] ** 2
    assert loss(at) == pytest.approx(0.5 * believed - likely)
