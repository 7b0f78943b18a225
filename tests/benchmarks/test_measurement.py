"""Settings are chosen on what came before, and every method is measured by itself."""

import numpy as np
import pytest

from benchmarks import _measurement
from benchmarks._problem import Problem, Purchases
from benchmarks.baselines.base import Baseline
from benchmarks.baselines.frequency import fit_own, fit_popular
from recsys.datasets.ragged import Lists
from recsys.ranking.choices import Choices
from recsys.units import DAY

OWN = Baseline("own", fit_own, {"half_life_days": (None, 1.0)})


def problem():
    """Everybody bought 0 twice long ago and 1 lately, and wants 1."""
    customer = np.repeat(np.arange(4), 3)
    item = np.tile([0, 0, 1], 4)
    ts = np.tile([0, 1, 50], 4) * DAY
    wanted = Lists.of_rows([np.array([1])] * 4)
    return Problem(Purchases.of(4, 3, customer, item, ts), np.arange(4), wanted)


def fail(_purchases, _seed):
    raise ArithmeticError("singular")


def test_metrics_are_named_by_what_and_how_many():
    assert _measurement.split("new_ndcg@10") == ("new", "ndcg", 10)
    assert _measurement.split("recall@20") == ("all", "recall", 20)
    with pytest.raises(ValueError, match="no metric"):
        _measurement.split("luck@3")


def test_the_setting_that_was_better_is_chosen():
    settings, tried = _measurement.tune(OWN, problem(), {"all": "ndcg@1"}, 0)
    assert settings == {"all": {"half_life_days": 1.0}}
    assert tried == 2


def test_each_kind_of_list_gets_its_own_settings():
    baseline = Baseline("popular", fit_popular, {"half_life_days": (1.0, None)})
    settings, _ = _measurement.tune(baseline, problem(), {"all": "ndcg@1", "new": "new_ndcg@1"}, 0)
    assert set(settings) == {"all", "new"}


def test_a_method_answers_from_a_process_of_its_own(tmp_path):
    path = tmp_path / "problem.npz"
    problem().save(path)
    answer = _measurement.measure(OWN, path, path, {"all": "recall@1"}, 5, 0)
    assert answer.lists["all"].item_ix.tolist() == [1, 0] * 4
    assert answer.settings == {"all": {"half_life_days": 1.0}}
    assert 10 < answer.peak_mb < 2_000
    assert answer.seconds >= 0
    assert answer.tune_seconds > 0
    assert answer.tried == 2


def test_what_goes_wrong_there_is_said_here(tmp_path):
    path = tmp_path / "problem.npz"
    problem().save(path)
    with pytest.raises(RuntimeError, match="singular"):
        _measurement.measure(Baseline("bad", fail), path, path, {"all": "recall@1"}, 5, 0)


def test_by_choice_what_cannot_be_told_apart_is_one():
    """0 and 1 are one choice, and so are 2 and 3: the second of each takes no place."""
    choices = Choices(np.array([0, 0, 2, 2, 4], np.int32), np.zeros(5, np.int64))
    asked = Problem(
        Purchases.of(2, 5, np.array([0, 1]), np.array([4, 4]), np.array([0, 0])),
        np.arange(2),
        Lists.of_rows([np.array([1, 3]), np.array([4])]),
    )
    shown = Lists.of_rows([np.array([0, 1, 2]), np.array([2, 3, 4])])
    assert _measurement.split("choice_ndcg@2") == ("all", "ndcg", 2)
    assert _measurement.value("recall@2", shown, asked).tolist() == [0.5, 0.0]
    by_choice = _measurement.value("choice_recall@2", shown, asked, choices)
    assert by_choice.tolist() == [1.0, 1.0]
    ndcg = _measurement.value("choice_ndcg@2", shown, asked, choices)
    assert ndcg.tolist() == pytest.approx([1.0, 1 / np.log2(3)])
    with pytest.raises(ValueError, match="needs choices"):
        _measurement.value("choice_recall@2", shown, asked)
