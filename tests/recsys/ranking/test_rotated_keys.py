"""A lowered candidate stands where others of its lowered chance stand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.datasets.ragged import Lists
from recsys.ranking.rank_request import Weighted
from recsys.ranking.rotated_keys import rotated_keys

NONE = np.empty(0, bool)


def lowered(keys, chance, factors, by_margin=NONE):
    rows = Lists.of_rows([np.arange(len(keys), dtype=np.int32)])
    return rotated_keys(np.array(keys), np.array(chance), np.log(factors), rows, by_margin)


def odds(chance):
    return chance / (1 - chance)


def test_a_half_of_the_odds_takes_the_place_of_who_has_a_half():
    chance = [0.5, 0.4, 1 / 3, 0.25]
    keys = [9.0, 6.0, 3.0, 0.0]  # three for each step of the chance
    assert lowered(keys, chance, [0.5, 1, 1, 1]) == pytest.approx([3.0, 6.0, 3.0, 0.0])
    further = lowered(keys, chance, [0.499, 1, 1, 1])
    assert np.argsort(-further).tolist() == [1, 2, 0, 3]
    assert lowered(keys, chance, [0.01, 1, 1, 1])[0] < 0.0  # behind the last


def test_where_chances_do_not_differ_the_logarithm_counts():
    assert lowered([3.0, 2.9, 0.0], [0.1] * 3, [0.5, 1, 1]) == pytest.approx(
        [3.0 + np.log(0.5), 2.9, 0.0]
    )


def test_a_margin_is_lowered_by_the_factor():
    found = lowered([9.0, 6.0], [0.5, 0.4], [0.5, 1], np.array([True]))
    assert found == pytest.approx([9.0 + np.log(0.5), 6.0])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_nothing_rises_nor_moves_without_a_factor_and_less_is_no_higher(data):
    n = data.draw(st.integers(1, 12))
    chance = np.sort(data.draw(st.lists(st.floats(0.001, 0.9), min_size=n, max_size=n)))
    keys = np.sort(data.draw(st.lists(st.floats(-5, 9), min_size=n, max_size=n)))
    factors = np.array(
        data.draw(st.lists(st.sampled_from([1.0, 0.9, 0.5, 0.1]), min_size=n, max_size=n))
    )
    found = lowered(keys, chance, factors)
    assert (found[factors == 1] == keys[factors == 1]).all()
    assert (found <= keys + np.log(factors) + 1e-9).all()
    less = lowered(keys, chance, factors / 2)
    assert (less <= found).all()


def test_of_a_choice_each_candidate_gets_its_number():
    of = np.array([0, 0, 2, 3], np.int32)
    rows = Lists.of_rows([np.array([0, 1, 2], np.int32), np.array([1, 3], np.int32)])
    given_to = Weighted(np.array([0, 1, 2]), np.array([1, 3], np.int32), np.array([-0.5, -0.25]))
    assert given_to.of(rows, of).tolist() == [-0.5, -0.5, 0.0, 0.0, -0.25]
    assert given_to.row(1).of(rows.row(1), of).tolist() == [0.0, -0.25]
