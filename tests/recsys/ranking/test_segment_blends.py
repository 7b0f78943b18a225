"""Blends on one scale: what speaks for a repeat need not speak for something new."""

import numpy as np
import pytest

from recsys.errors import NotFittedError
from recsys.ranking.segment_blends import KINDS, STRANGER, SegmentBlends

COLUMNS = ("habit", "taste")
N, EACH = 400, 40
PLAIN = np.ones(2)
LOUD = np.array([1.0, 3.0])


@pytest.fixture(scope="module")
def world():
    """The first column tells the chance of what is owned, the second that of what is new."""
    rng = np.random.default_rng(0)
    owned = np.arange(N * EACH) % 4 == 0
    scores = rng.uniform(0.01, 1.0, (N * EACH, 2)).astype(np.float32)
    chance = np.where(owned, 0.5 * scores[:, 0], 0.1 * scores[:, 1])
    bought = rng.uniform(size=len(owned)) < chance
    return scores, bought, np.repeat(np.arange(N), EACH), np.where(owned, 0, 1).astype(np.uint8)


@pytest.fixture(scope="module")
def parts(world):
    return SegmentBlends(COLUMNS).fit(*world, factors=[LOUD])


def test_each_half_listens_to_the_column_that_was_right_there(world, parts):
    scores, _, _, kind = world
    owned = kind == 0
    evidence = parts.evidence(scores, kind)
    assert evidence[owned, 0].std() > 3 * evidence[owned, 1].std()
    assert evidence[~owned, 1].std() > 3 * evidence[~owned, 0].std()
    assert evidence.min() >= 0
    assert tuple(parts.weights) == KINDS


def test_both_stand_on_one_scale(world, parts):
    scores, bought, _, kind = world
    owned = kind == 0
    evidence = parts.evidence(scores, kind)
    total, chance = (told(evidence, kind, PLAIN) for told in (parts.total, parts.chance))
    order = np.argsort(-total, kind="stable")
    assert (np.diff(chance[order]) <= 1e-12).all()
    for half in (owned, ~owned):
        assert chance[half].mean() == pytest.approx(bought[half].mean(), rel=0.15)
    assert owned[order[:200]].mean() > 0.95


def test_placements_have_chances_of_their_own(world, parts):
    scores, _, _, kind = world
    evidence = parts.evidence(scores, kind)
    order = np.argsort(-parts.total(evidence, kind, LOUD), kind="stable")
    assert (np.diff(parts.chance(evidence, kind, LOUD)[order]) <= 1e-12).all()


def test_a_kind_with_too_few_customers_is_as_the_whole(world):
    scores, bought, rows, _ = world
    lone = SegmentBlends(COLUMNS).fit(scores, bought, rows, np.ones(len(rows), np.uint8))
    assert lone.weights["stranger"] == lone.weights["bought_before"] == lone.weights["new"]
    one, other = (np.full(len(rows), kind, np.uint8) for kind in (0, STRANGER))
    np.testing.assert_array_equal(lone.evidence(scores, one), lone.evidence(scores, other))


def test_it_comes_back_from_its_arrays_and_a_candidate_alone_is_the_same(world, parts):
    scores, _, _, kind = world
    again = SegmentBlends.from_arrays(COLUMNS, parts.arrays())
    together = parts.evidence(scores, kind)
    np.testing.assert_array_equal(again.evidence(scores, kind), together)
    for at in (0, 1, 17):
        part = slice(at, at + 1)
        alone = again.evidence(scores[part], kind[part])
        np.testing.assert_array_equal(alone, together[part])
        np.testing.assert_array_equal(
            again.chance(alone, kind[part], PLAIN),
            parts.chance(together, kind, PLAIN)[part],
        )


def test_before_fit_there_is_nothing_to_tell(world):
    with pytest.raises(NotFittedError):
        SegmentBlends(COLUMNS).evidence(world[0][:4], world[3][:4])
