"""A workspace opened from Python: what a data scientist types, and what comes back."""

import json
from pathlib import Path

import pytest

from recsys.analysis.ranker import RankerStudy
from recsys.analysis.workspace import Workspace
from recsys.errors import ConfigError, DataError
from recsys.evaluation.recall_by_source import ALL_MODELS, SEEN_BY_TREES, candidate_recall
from recsys.ranking import boosted_trees
from recsys.ranking.ranker import CANDIDATES_PER_MODEL


@pytest.fixture(scope="module")
def shop(trained_demo: Path) -> Workspace:
    return Workspace.open(trained_demo)


@pytest.fixture(scope="module")
def ranker(shop: Workspace) -> RankerStudy:
    return shop.fit_ranker()


def test_two_models_are_judged_on_the_same_customers_in_a_few_lines(shop: Workspace) -> None:
    als, repeat = shop.fit("als", factors=8), shop.fit("repeat")
    figures = shop.evaluate(als, repeat)
    assert list(figures.index) == ["als (factors=8)", "repeat"]
    assert (figures["low"] <= figures["ndcg@10"]).all()
    assert figures.loc["repeat", "new_ndcg@10"] == 0.0
    assert figures.loc["repeat", "ndcg@10"] > figures.loc["als (factors=8)", "ndcg@10"] > 0


def test_a_customer_sees_titles_best_first(shop: Workspace) -> None:
    (customer,) = shop.customers(1)
    repeat = shop.fit("repeat")
    shown = repeat.recommend(customer, 5)
    assert len(shown) == 5
    assert shown["bought_before"].all()
    assert shown["score"].is_monotonic_decreasing
    bought = shop.purchases(customer)
    assert set(shown["item_id"]) <= set(bought["item_id"])
    assert set(shown["title"]) <= set(bought["title"])
    assert not shop.fit("popular").recommend(customer, 5, new_only=True)["bought_before"].any()


def test_models_know_nothing_of_the_window_that_they_are_judged_on(shop: Workspace) -> None:
    popular = shop.fit("popular")
    assert popular.training.as_of_ts == shop.split.test.start_ts
    assert popular.training.baskets.ts.max() < shop.split.test.start_ts
    late = shop.fit("popular", before_ts=shop.split.test.end_ts)
    with pytest.raises(ValueError, match="later than the window's start"):
        shop.evaluate(late)


def test_settings_are_chosen_on_the_window_before(shop: Workspace) -> None:
    window = shop.split.validation
    before = shop.fit("popular", before_ts=window.start_ts)
    on_validation, on_test = shop.evaluate(before, window=window), shop.evaluate(before)
    assert on_validation.loc["popular", "ndcg@10"] != on_test.loc["popular", "ndcg@10"]


def test_the_artefact_answers_with_reasons(shop: Workspace) -> None:
    (customer,) = shop.customers(1)
    shown = shop.ask("web_home", customer)
    assert len(shown) == 10
    assert shown["reason"].str.len().gt(0).all()
    assert shown["score"].between(0, 1).all()
    cart = shop.ask("web_cart", cart=[shown["item_id"].iloc[0]])
    assert shown["item_id"].iloc[0] not in set(cart["item_id"])
    with pytest.raises(ConfigError, match="Did you mean `web_home`"):
        shop.ask("web_hom")


def test_names_that_are_not_known_name_the_nearest(shop: Workspace) -> None:
    with pytest.raises(ConfigError, match="Did you mean `als`"):
        shop.fit("asl")
    with pytest.raises(ConfigError, match=r"models\.als\.factor: .* Did you mean `factors`"):
        shop.fit("als", factor=3)
    with pytest.raises(ConfigError, match="at least 1"):
        shop.fit("als", factors=0)
    with pytest.raises(DataError, match="no purchase of a customer `nobody`"):
        shop.fit("popular").recommend("nobody")


def test_the_ranker_is_the_one_that_a_training_judges(
    shop: Workspace, ranker: RankerStudy, trained_demo: Path
) -> None:
    (record,) = trained_demo.glob(".omnibasket/runs/*/record.json")
    told = {
        (row["segment"], row["method"], row["metric"]): row["value"]
        for row in json.loads(record.read_text())["metrics"]["figures"]
    }
    figures = shop.evaluate(ranker).loc["ranker"]
    for metric in ("ndcg@10", "recall@10", "hr@10", "new_ndcg@10", "coverage@10"):
        assert figures[metric] == pytest.approx(told["all", "omnibasket", metric], abs=1e-12)
    beside = ranker.by_segment()
    assert beside.loc[("everybody", "all"), "theirs"] == pytest.approx(
        told["all", "own_frequency", "ndcg@10"], abs=0.05
    )


def test_the_ranker_says_what_it_learned(ranker: RankerStudy) -> None:
    weights = ranker.importance()
    assert weights["share"].sum() == pytest.approx(1)
    assert weights["share"].is_monotonic_decreasing
    assert ranker.importance_of_groups()["share"].sum() == pytest.approx(1)
    moved = ranker.dependence("own_recency", among="bought before", points=8)
    assert 2 <= len(moved) <= 8
    assert moved["chance"].between(0, 1).all()
    assert moved.index.is_monotonic_increasing
    with pytest.raises(ValueError, match="bought before, new"):
        ranker.dependence("own_recency", among="old")
    beside = ranker.by_segment()
    assert {"orders before", "channels before", "products"} <= set(beside.index.unique("by"))
    assert beside.loc[("products", "new to them"), "theirs"] == 0
    assert (beside["low"] <= beside["lead"]).all()


def test_trees_see_most_of_what_models_name(ranker: RankerStudy) -> None:
    found = {
        one.source: one
        for one in candidate_recall(ranker.ranker, ranker.customers, CANDIDATES_PER_MODEL)
    }
    every, seen = found[ALL_MODELS], found[SEEN_BY_TREES]
    assert 0.5 * every.recall < seen.recall <= every.recall
    assert seen.new_recall <= every.new_recall
    assert boosted_trees.CHOSEN / 2 < seen.candidates < every.candidates
    asked = len(ranker.candidates.total) / len(ranker.customers)
    assert seen.candidates == pytest.approx(asked)
