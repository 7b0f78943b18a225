"""A workspace opened from Python: what a data scientist types, and what comes back."""

from pathlib import Path

import pytest

from recsys.errors import ConfigError, DataError
from recsys.workspace import Workspace


@pytest.fixture(scope="module")
def shop(trained_demo: Path) -> Workspace:
    return Workspace.open(trained_demo)


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
