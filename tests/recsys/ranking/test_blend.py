"""The blend listens to the column that was right, and promises what then happens."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from recsys.errors import NotFittedError
from recsys.ranking.blend import Blend, _thinned, fit_weights

COLUMNS = ("knows", "guesses", "silent")
N, EACH = 200, 40
PLAIN = np.ones(3)
LOUD = np.array([1.0, 3.0, 1.0])


@pytest.fixture(scope="module")
def world():
    """A column that is the chance of purchase, one that guesses, and one that says nothing."""
    rng = np.random.default_rng(0)
    scores = np.zeros((N * EACH, 3), dtype=np.float32)
    scores[:, 0] = rng.uniform(0.01, 0.6, N * EACH)
    scores[:, 1] = rng.uniform(-500, 500, N * EACH)
    bought = rng.uniform(size=N * EACH) < scores[:, 0]
    return scores, bought, np.repeat(np.arange(N), EACH)


@pytest.fixture(scope="module")
def blend(world):
    return Blend(COLUMNS).fit(*world, factors=[LOUD])


def test_the_column_that_was_right_counts(world, blend):
    evidence = blend.evidence(world[0])
    assert evidence.min() >= 0
    assert evidence[:, 0].std() > 10 * evidence[:, 1].std()
    assert not evidence[:, 2].any()
    assert not evidence[world[0][:, 1] <= 0, 1].any()


def test_the_likely_stand_before_the_unlikely(world, blend):
    scores, *_ = world
    total = blend.total(blend.evidence(scores), PLAIN).reshape(N, EACH)
    known = scores[:, 0].reshape(N, EACH)
    best = np.take_along_axis(known, total.argmax(axis=1)[:, None], axis=1)
    assert best.mean() > 0.95 * known.max(axis=1).mean()


@pytest.mark.parametrize("factors", [PLAIN, LOUD])
def test_chances_come_true(world, blend, factors):
    scores, bought, _ = world
    chance = blend.chance(blend.evidence(scores), factors)
    assert chance.mean() == pytest.approx(bought.mean(), rel=0.02)
    likely = chance > 0.4
    assert bought[likely].mean() == pytest.approx(chance[likely].mean(), abs=0.05)


def test_chances_never_rise_down_the_list(world, blend):
    evidence = blend.evidence(world[0])
    order = np.argsort(-blend.total(evidence, LOUD))
    assert (np.diff(blend.chance(evidence, LOUD)[order]) <= 0).all()


def test_factors_without_a_curve_give_the_plain_chance(world, blend):
    evidence = blend.evidence(world[0])
    np.testing.assert_array_equal(
        blend.chance(evidence, np.array([17.0, 1.0, 1.0])), blend.chance(evidence, PLAIN)
    )


def test_a_second_fit_forgets_the_first(world):
    scores, bought, rows = world
    twice = Blend(COLUMNS).fit(scores, ~bought, rows).fit(scores, bought, rows)
    once = Blend(COLUMNS).fit(scores, bought, rows)
    for name, array in once.arrays().items():
        np.testing.assert_array_equal(array, twice.arrays()[name])


def test_it_comes_back_from_its_arrays(world, blend):
    again = Blend.from_arrays(COLUMNS, blend.arrays())
    np.testing.assert_array_equal(again.evidence(world[0]), blend.evidence(world[0]))


def test_a_batch_is_its_rows_to_the_last_bit(world, blend):
    scores, *_ = world
    together = blend.evidence(scores)
    chances = blend.chance(together, LOUD)
    for start in range(0, N * EACH, 37 * EACH):
        part = slice(start, start + EACH)
        alone = blend.evidence(scores[part])
        np.testing.assert_array_equal(alone, together[part])
        np.testing.assert_array_equal(blend.chance(alone, LOUD), chances[part])


def test_a_mass_of_two_is_two_cases(world):
    scores, bought, rows = world
    twice = Blend(COLUMNS).fit(
        np.concatenate([scores, scores]),
        np.concatenate([bought, bought]),
        np.concatenate([rows, rows + N]),
    )
    heavy = Blend(COLUMNS).fit(scores, bought, rows, sample_weight=np.full(len(bought), 2.0))
    np.testing.assert_allclose(twice.evidence(scores), heavy.evidence(scores), atol=1e-2)


def test_it_must_learn_first(world):
    with pytest.raises(NotFittedError, match="fit"):
        Blend(COLUMNS).evidence(world[0])


def test_nobody_buying_anything_is_no_error(world):
    scores, bought, rows = world
    blend = Blend(COLUMNS).fit(scores, np.zeros_like(bought), rows)
    assert blend.chance(blend.evidence(scores), PLAIN).max() < 0.01


def test_weights_are_those_of_another_library_where_none_is_at_its_bound():
    rng = np.random.default_rng(2)
    parts = rng.random((900, 3))
    chance = 1 / (1 + np.exp(3 - parts @ [2.0, 1.0, 1.5]))
    bought, sample_weight = rng.random(900) < chance, rng.uniform(0.5, 4.0, 900)
    weights, intercept = fit_weights(parts, bought, sample_weight, l2=2.0)
    other = LogisticRegression(C=1 / 2.0, tol=1e-10, max_iter=1000)
    other.fit(parts, bought, sample_weight=sample_weight)
    assert (weights > 0).all()
    np.testing.assert_allclose(weights, other.coef_[0], rtol=2e-3)
    assert intercept == pytest.approx(other.intercept_[0], rel=2e-3)


def test_a_weight_that_would_be_below_zero_is_zero():
    rng = np.random.default_rng(4)
    parts = rng.random((900, 2))
    bought = rng.random(900) < 1 / (1 + np.exp(1 - 2 * parts[:, 0] + 2 * parts[:, 1]))
    weights, intercept = fit_weights(parts, bought, np.ones(900), l2=1.0)
    assert weights[1] == 0
    other = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000).fit(parts[:, :1], bought)
    assert weights[0] == pytest.approx(other.coef_[0, 0], rel=5e-3)
    assert intercept == pytest.approx(other.intercept_[0], rel=5e-3)


def test_a_sample_of_what_was_not_bought_stands_for_all_of_it(monkeypatch):
    monkeypatch.setattr("recsys.ranking.blend._ENOUGH", 10)
    bought = np.arange(100) % 7 == 3
    some, sample_weight = _thinned(bought, np.arange(1.0, 101.0))
    others = np.flatnonzero(~bought)
    step = len(others) // 10
    assert some.tolist() == sorted([*np.flatnonzero(bought), *others[::step]])
    expected = np.where(bought[some], some + 1.0, (some + 1.0) * step)
    np.testing.assert_array_equal(sample_weight, expected)
