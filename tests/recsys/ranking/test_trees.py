"""Trees as arrays say what the library that learned them says."""

import lightgbm
import numpy as np
import pytest

from recsys.learning.boosting import flattened
from recsys.ranking.trees import Trees


@pytest.fixture(scope="module")
def learned():
    rng = np.random.default_rng(3)
    features = rng.normal(size=(4_000, 5)).astype(np.float32)
    bought = features[:, 1] + features[:, 2] * features[:, 3] + rng.normal(size=4_000) > 1
    settings = {"objective": "binary", "num_leaves": 9, "verbosity": -1, "num_threads": 1}
    booster = lightgbm.train(settings, lightgbm.Dataset(features, bought.astype(float)), 20)
    return booster, features


def test_they_add_what_the_library_predicts(learned):
    booster, features = learned
    trees = flattened(booster.dump_model())
    assert len(trees) == 20
    expected = booster.predict(features, raw_score=True)
    np.testing.assert_allclose(trees.add(features), expected, rtol=1e-12)


def test_one_candidate_gets_what_it_gets_among_others(learned):
    booster, features = learned
    trees = flattened(booster.dump_model())
    whole = trees.add(features[:50])
    alone = [trees.add(features[i : i + 1])[0] for i in range(50)]
    np.testing.assert_array_equal(whole, alone)


@pytest.mark.parametrize("leaves", [2, 32, 40])
def test_many_leaves_and_features_at_thresholds(leaves):
    rng = np.random.default_rng(leaves)
    features = (rng.integers(-3, 4, size=(3_000, 4)) / 4 + 5).astype(np.float32)
    wanted = np.sin(5 * features[:, 0]) + features[:, 1] * features[:, 2] + features[:, 3]
    settings = {"num_leaves": leaves, "verbosity": -1, "num_threads": 1, "min_data_in_leaf": 5}
    booster = lightgbm.train(settings, lightgbm.Dataset(features, wanted), 5)
    trees = flattened(booster.dump_model())
    at = np.unique(trees.threshold).astype(np.float32)
    around = [np.nextafter(at, np.float32(-9)), at, np.nextafter(at, np.float32(9))]
    asked = rng.choice(np.concatenate(around), (300, 4))
    expected = booster.predict(asked.astype(float), raw_score=True)
    np.testing.assert_allclose(trees.add(asked), expected, rtol=1e-12)


def test_shares_add_up_and_name_the_features_that_count(learned):
    booster, features = learned
    trees = flattened(booster.dump_model())
    group = np.array([0, 1, 2, 2, 0], np.int32)
    shares = trees.shares(features, group, 3)
    mean = trees.value[trees.roots].sum()
    np.testing.assert_allclose(shares.sum(axis=1), trees.add(features) - mean, atol=1e-12)
    weight = np.abs(shares).mean(axis=0)
    assert weight[0] < weight[1]
    assert weight[0] < weight[2]
    loud = features[:, 1] > 1.5
    assert (shares[loud, 1] > 0).all()


def test_arrays_are_everything(learned):
    booster, features = learned
    trees = flattened(booster.dump_model())
    again = Trees.from_arrays(trees.arrays())
    np.testing.assert_array_equal(again.add(features), trees.add(features))


def test_no_trees_add_nothing(learned):
    assert not Trees.none().add(learned[1]).any()
    assert not Trees.none().shares(learned[1], np.zeros(5, np.int32), 1).any()


def test_splits_of_another_kind_are_refused():
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 6, (500, 1)).astype(float)
    settings = {"objective": "binary", "verbosity": -1, "num_threads": 1, "min_data_per_group": 1}
    data = lightgbm.Dataset(kinds, (kinds[:, 0] % 2).astype(float), categorical_feature=[0])
    booster = lightgbm.train(settings, data, 2)
    with pytest.raises(ValueError, match="=="):
        flattened(booster.dump_model())
