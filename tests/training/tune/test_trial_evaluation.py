"""Figures of settings on a window; no model is fitted twice."""

import numpy as np
import pytest

from recsys.config.toml_file import load_config
from recsys.history.versions import History
from training.span import span
from training.train.measurement import plan
from training.tune.outcome import differences
from training.tune.space import applied
from training.tune.trial_evaluation import TrialEvaluator, WindowMetrics, by_customer, gain
from training.tune.windows import folds

NAN = float("nan")


@pytest.mark.parametrize(
    ("means", "base", "reached"),
    [
        ([0.44, 0.04], [0.40, 0.04], 0.05),  # the first rises by a tenth
        ([0.40, 0.05], [0.40, 0.04], 0.125),  # the second rises by a quarter
        ([0.44, 0.036], [0.40, 0.04], 0.0),  # gains equal losses
        ([0.44, 0.05], [0.40, 0.0], 0.1),  # no new product was ever hit
        ([0.44, None], [0.40, None], 0.1),  # nobody bought anything new
        ([None, None], [None, None], 0.0),
    ],
)
def test_the_gain_is_the_mean_of_the_relative_gains(means, base, reached):
    assert gain(means, base) == pytest.approx(reached)


def test_customers_of_several_windows_count_with_their_mean():
    first = WindowMetrics(["ada", "ben"], np.array([[0.2, NAN], [0.6, 0.5]]))
    second = WindowMetrics(["ada"], np.array([[0.4, 0.8]]))
    assert first.means() == [pytest.approx(0.4), 0.5]
    found = by_customer([first, second])
    assert found["ada"].tolist() == pytest.approx([0.3, 0.8])
    assert found["ben"].tolist() == pytest.approx([0.6, 0.5])


def test_differences_are_of_the_same_customers():
    before = WindowMetrics(["ada", "ben", "cai"], np.array([[0.2, NAN], [0.4, NAN], [0.6, NAN]]))
    after = WindowMetrics(["ada", "ben", "cai"], before.values + 0.1)
    one, gained = differences([before], [after], seed=0)  # nobody bought anything new
    assert (one.metric, one.n) == ("ndcg@10", 3)
    assert (one.present, one.best) == (pytest.approx(0.4), pytest.approx(0.5))
    assert (one.low, one.difference, one.high) == pytest.approx((0.1, 0.1, 0.1))
    assert (gained.low, gained.difference, gained.high) == pytest.approx((0.25, 0.25, 0.25))
    assert differences([], [after], seed=0) == []


def test_the_gain_of_all_customers_is_that_of_the_means():
    """Customers without new purchases do not dilute the gain on the others."""
    before = WindowMetrics(["ada", "ben"], np.array([[0.4, 0.1], [0.6, NAN]]))
    after = WindowMetrics(["ada", "ben"], np.array([[0.5, 0.2], [0.6, NAN]]))
    *_, gained = differences([before], [after], seed=0)
    assert gained.difference == pytest.approx(gain(after.means(), before.means()))
    assert gained.difference == pytest.approx((0.1 + 1.0) / 2)


def test_only_what_changed_is_learned_anew(built):
    config, messages = load_config(built), []
    history = History.open(config)
    (fold, *_) = folds(plan(config, span(history)), 1, config.train.test_days)
    evaluator = TrialEvaluator(history, [fold], messages.append)
    first = evaluator.evaluate(config, fold)
    evaluator.keep(config)
    assert (
        messages.count("learning repeat") == messages.count("learning als") == 2
    )  # before each window

    messages.clear()
    other = applied(config, {"models.repeat.doubt": 5.0})
    second = evaluator.evaluate(other, fold)
    assert [
        words for words in messages if words.startswith("learning ") and "rank" not in words
    ] == [
        "learning repeat",
        "learning repeat",
    ]
    assert not np.array_equal(first.values, second.values, equal_nan=True)

    messages.clear()
    again = evaluator.evaluate(config, fold)
    assert messages == ["learning to rank", "judging"]
    np.testing.assert_array_equal(first.values, again.values)
