"""The blend listens to the model that was right, and promises what then happens."""

import numpy as np
import pytest

from recsys.errors import NotFittedError
from recsys.ranking.blend import Blend
from recsys.ranking.candidates import Candidates

MODELS = ("knows", "guesses", "silent")
N, EACH = 200, 40


@pytest.fixture(scope="module")
def world():
    """A model whose score is the chance of purchase, one that guesses, and one that is silent."""
    rng = np.random.default_rng(0)
    scores = np.zeros((N * EACH, 3), dtype=np.float32)
    scores[:, 0] = rng.uniform(0.01, 0.6, N * EACH)
    scores[:, 1] = rng.uniform(0, 1000, N * EACH)
    places = np.zeros((N * EACH, 3), dtype=np.int32)
    for column in (0, 1):
        by_row = -scores[:, column].reshape(N, EACH)
        places[:, column] = (by_row.argsort(axis=1).argsort(axis=1) + 1).ravel()
    places[scores[:, 0] < 0.1, 0] = 0
    bought = rng.uniform(size=N * EACH) < scores[:, 0]
    scores[places == 0] = 0
    indptr = np.arange(N + 1) * EACH
    items = np.tile(np.arange(EACH, dtype=np.int32), N)
    return Candidates(indptr, items, scores, places), bought


@pytest.fixture(scope="module")
def blend(world):
    return Blend(MODELS).fit(*world, factors=[{"guesses": 3.0}])


def test_the_model_that_was_right_counts(world, blend):
    evidence = blend.evidence(world[0])
    assert evidence.min() >= 0
    assert evidence[:, 0].std() > 10 * evidence[:, 1].std()
    assert not evidence[:, 2].any()


def test_a_better_score_is_never_worse(world, blend):
    candidates, _ = world
    total = blend.total(blend.evidence(candidates), blend.factors({}))
    best = [row.argmax() for row in total.reshape(N, EACH)]
    scores = candidates.scores[:, 0].reshape(N, EACH)
    assert np.mean([scores[r, i] for r, i in enumerate(best)]) > 0.95 * scores.max(axis=1).mean()


def test_chances_come_true(world, blend):
    candidates, bought = world
    for given in ({}, {"guesses": 3.0}):
        chance = blend.chance(blend.evidence(candidates), blend.factors(given))
        assert chance.mean() == pytest.approx(bought.mean(), rel=0.02)
        likely = chance > 0.4
        assert bought[likely].mean() == pytest.approx(chance[likely].mean(), abs=0.05)


def test_factors_without_a_curve_give_the_plain_chance(world, blend):
    evidence = blend.evidence(world[0])
    np.testing.assert_array_equal(
        blend.chance(evidence, blend.factors({"knows": 17.0})),
        blend.chance(evidence, blend.factors({})),
    )


def test_a_second_fit_forgets_the_first(world):
    candidates, bought = world
    twice = Blend(MODELS).fit(candidates, ~bought).fit(candidates, bought)
    once = Blend(MODELS).fit(candidates, bought)
    for name, array in once.arrays().items():
        np.testing.assert_array_equal(array, twice.arrays()[name])


def test_it_comes_back_from_its_arrays(world, blend):
    again = Blend.from_arrays(MODELS, blend.arrays())
    np.testing.assert_array_equal(again.evidence(world[0]), blend.evidence(world[0]))


def test_a_batch_is_its_rows_to_the_last_bit(world, blend):
    candidates, _ = world
    together = blend.evidence(candidates)
    factors = blend.factors({"guesses": 3.0})
    chances = blend.chance(together, factors)
    for row in range(0, N, 37):
        part = slice(row * EACH, (row + 1) * EACH)
        alone = Candidates(
            np.array([0, EACH]), candidates.item_ix[part],
            candidates.scores[part], candidates.places[part],
        )  # fmt: skip
        np.testing.assert_array_equal(blend.evidence(alone), together[part])
        np.testing.assert_array_equal(blend.chance(blend.evidence(alone), factors), chances[part])


def test_a_weight_of_two_is_two_cases(world):
    candidates, bought = world
    double = Candidates(
        np.concatenate([candidates.indptr, candidates.indptr[1:] + N * EACH]),
        *(np.concatenate([a, a]) for a in
          (candidates.item_ix, candidates.scores, candidates.places)),
    )  # fmt: skip
    twice = Blend(MODELS).fit(double, np.concatenate([bought, bought]))
    heavy = Blend(MODELS).fit(candidates, bought, weights=np.full(len(bought), 2.0))
    np.testing.assert_allclose(
        twice.evidence(candidates), heavy.evidence(candidates), rtol=1e-3, atol=1e-3
    )


def test_it_must_learn_first(world):
    with pytest.raises(NotFittedError, match="fit"):
        Blend(MODELS).evidence(world[0])


def test_nobody_buying_anything_is_no_error(world):
    candidates, bought = world
    blend = Blend(MODELS).fit(candidates, np.zeros_like(bought))
    assert blend.chance(blend.evidence(candidates), blend.factors({})).max() < 0.01
