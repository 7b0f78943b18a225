"""Trees are taught each customer's candidates as that customer's, whatever window they are from."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from recsys.config.model_settings import RankerSettings as Settings
from recsys.learning import boosting
from recsys.learning.boosting import (
    RankingExamples,
    binary_parameters,
    boost,
    fit_trees,
    lambdarank_parameters,
)
from recsys.ranking.boosted_trees import FEATURE_NAMES
from recsys.ranking.trees import Trees
from recsys.ranking.weight_refinement import ndcg_of

#: The feature that decides, in what is made up here.
TOLD = FEATURE_NAMES.index("own_recency")
EAGER = Settings(min_examples=10, trees=2, order_trees=80, min_customers=1, features=1.0)


def window(seed: int, n: int = 160, twice: bool = False) -> RankingExamples:
    """Customers of whom every other one buys much.

    Of one customer's candidates those without the feature that decides are bought first. But who
    buys much has many with it, and buys most of these as well: who compares candidates of
    different customers learns the opposite. ``twice``: each customer is asked two times.
    """
    rng = np.random.default_rng(seed)
    customer = np.tile(np.arange(n), 2 if twice else 1)
    has, bought = [], []
    for number in customer.tolist():
        buys_much, few, many = number % 2 == 1, int(rng.integers(2, 4)), int(rng.integers(7, 10))
        without, of_it = (few, many) if buys_much else (many, few)
        has.append(np.repeat([0.0, 1.0], [without, of_it]))
        bought.append(np.arange(without + of_it) < (without + of_it - 2 if buys_much else 1))
    rows = np.repeat(np.arange(len(customer)), [len(one) for one in has])
    features = np.zeros((len(rows), len(FEATURE_NAMES)), np.float32)
    features[:, TOLD] = np.concatenate(has)
    noise = rng.normal(size=len(rows)) * 0.01
    sample_weight = rng.uniform(0.5, 3.0, len(rows))
    return RankingExamples(features, np.concatenate(bought), rows, sample_weight, noise, customer)


def sheets(windows: list[RankingExamples]) -> dict[tuple[int, int], list[int]]:
    """Positions of each customer's candidates, in each window: a plain loop over all of them."""
    found: dict[tuple[int, int], list[int]] = {}
    at = 0
    for number, one in enumerate(windows):
        for row in one.rows.tolist():
            found.setdefault((number, row), []).append(at)
            at += 1
    return found


def told(dataset: Any) -> dict[str, Any]:
    """What LightGBM holds once it has taken the data over."""
    made = dataset.construct()
    return {
        "group": made.get_group(),
        "label": made.get_label(),
        "weight": made.get_weight(),
        "init": made.get_init_score(),
    }


@pytest.mark.parametrize("n_windows", [1, 2, 3])
def test_groups_labels_and_weights_are_those_of_a_plain_loop(n_windows: int) -> None:
    windows = [window(seed, n=7 + seed) for seed in range(n_windows)]
    every = RankingExamples.together(windows)
    of = sheets(windows)
    label, sample_weight, total = (
        [float(value) for one in windows for value in getattr(one, name)]
        for name in ("bought", "sample_weight", "total")
    )

    order = told(boosting._set(every, lambdarank_parameters(EAGER, 0, 1)))
    assert order["group"].tolist() == [len(at) for at in of.values()]
    assert [at for one in of.values() for at in one] == list(range(len(label)))  # one by one
    assert order["label"].tolist() == label
    assert order["weight"] is None
    np.testing.assert_allclose(order["init"], total)

    chances = told(boosting._set(every, binary_parameters(EAGER, 0, 1)))
    assert chances["group"] is None
    assert chances["label"].tolist() == label
    mean = sum(sample_weight) / len(sample_weight)
    np.testing.assert_allclose(chances["weight"], [one / mean for one in sample_weight], rtol=1e-6)
    np.testing.assert_allclose(chances["init"], total)


@pytest.mark.parametrize("n_windows", [2, 3])
def test_only_who_bought_in_that_window_says_what_stands_first(n_windows: int) -> None:
    windows = [window(seed, n=20) for seed in range(n_windows)]
    for number, one in enumerate(windows):  # every customer stays away from one of the windows
        one.bought[one.rows % n_windows == number] = False
    found = RankingExamples.together(windows).who_bought()
    expected = [
        value
        for number, one in enumerate(windows)
        for row, value in zip(one.rows, one.total, strict=True)
        if row % n_windows != number
    ]
    assert found.total.tolist() == expected
    many = [len(at) for (number, row), at in sheets(windows).items() if row % n_windows != number]
    assert np.unique(found.rows, return_counts=True)[1].tolist() == many


def lead(trees: Trees) -> float:
    """How far trees put a candidate without the feature before one with it."""
    both = np.zeros((2, len(FEATURE_NAMES)), np.float32)
    both[1, TOLD] = 1.0
    without, of_it = trees.add(both)
    return float(without - of_it)


@pytest.mark.parametrize("n_windows", [1, 2, 3])
def test_it_learns_what_only_candidates_of_one_customer_say(n_windows: int) -> None:
    found = fit_trees([window(seed) for seed in range(n_windows)], EAGER, threads=1)
    assert found is not None
    assert lead(found.likely) < 0  # of all candidates, more of those with it are bought
    assert lead(found.order) > 0.1
    one = window(9)
    before, after = (
        ndcg_of(one.bought, one.rows)(one.total + trees.add(one.features))
        for trees in (Trees.none(), found.order)
    )
    assert after > before + 0.02


def test_candidates_of_two_customers_taken_for_ones_teach_the_opposite() -> None:
    """What is made up here can tell right groups from wrong ones."""
    one = window(0)
    assert lead(boost(one, 40, lambdarank_parameters(EAGER, 0, 1))) > 0.5
    assert (
        lead(boost(replace(one, rows=one.rows // 2), 40, lambdarank_parameters(EAGER, 0, 1))) < -0.5
    )


def test_a_customer_who_says_when_to_stop_is_not_learned_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of one window some customers are held out, with every question that they were asked."""
    seen: list[tuple[RankingExamples, RankingExamples]] = []
    honest = boosting.fit_with_early_stopping

    def noted(first: RankingExamples, then: RankingExamples, parameters: dict[str, Any]) -> Trees:
        seen.append((first, then))
        return honest(first, then, parameters)

    monkeypatch.setattr(boosting, "fit_with_early_stopping", noted)
    assert fit_trees([window(0, twice=True)], EAGER, threads=1)
    assert len(seen) == 2
    for first, then in seen:
        learned, held = set(first.customer[first.rows]), set(then.customer[then.rows])
        assert learned
        assert held
        assert not learned & held


def test_those_left_out_are_stood_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosting, "ENOUGH", 0)
    every = RankingExamples.together([window(seed) for seed in range(4)])
    some = every.sampled(seed=1)
    assert some.bought.sum() == every.bought.sum()
    assert len(some.bought) < 0.6 * len(every.bought)
    for kind in (True, False):
        before, after = (one.sample_weight[one.bought == kind].sum() for one in (every, some))
        assert after == pytest.approx(before, rel=1e-9 if kind else 0.1)
    assert set(some.total) <= set(every.total)


def test_chances_of_the_first_places_are_told_and_no_others() -> None:
    one = window(0, n=5)
    at = set(boosting._first_places(one).tolist())
    expected: set[int] = set()
    for row in range(5):
        mine = np.flatnonzero(one.rows == row)
        best = sorted(mine.tolist(), key=lambda case: -one.total[case])
        expected |= set(best[: boosting.CALIBRATED])
    assert at == expected
