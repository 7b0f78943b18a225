"""A model alone shows what it scores best, cut as every method is."""

import numpy as np
import pytest

from recsys.evaluation import evaluation_set, single_model
from recsys.evaluation.single_model import SingleModel, best_single
from tests.recsys.evaluation.test_evaluator import FIRST, fitted, history  # noqa: F401


@pytest.fixture
def world(history):  # noqa: F811
    training, models = fitted(history, FIRST.start_ts)
    return models, evaluation_set.read(history, training.index, FIRST, active=200)


@pytest.mark.parametrize("name", ["repeat", "popular", "als", "copurchase"])
def test_lists_are_those_of_a_plain_loop_over_scores(world, monkeypatch, name):
    monkeypatch.setattr(single_model, "BATCH", 7)
    models, customers = world
    context, k = customers.context(), 3
    shown = SingleModel(models[name]).show(customers.histories, context, k)
    for r in range(len(customers)):
        past, asked = customers.histories[r : r + 1], context[r : r + 1]
        items, scores = models[name].recommend(past, past.n_items, asked).row(0)
        best = [ix for _, ix in sorted(zip((-scores).tolist(), items.tolist(), strict=True))]
        owned = set(past.item_ix.tolist())
        assert shown.mixed.row(r).item_ix.tolist() == best[:k]
        assert shown.new.row(r).item_ix.tolist() == [ix for ix in best if ix not in owned][:k]
        assert shown.own.row(r).item_ix.tolist() == [ix for ix in best if ix in owned][:k]


def test_the_best_alone_is_the_one_whose_lists_hold_what_was_bought(world):
    models, customers = world
    found = best_single({name: models[name] for name in ("popular", "repeat", "als")}, customers, 3)
    assert found.name == "repeat"  # everybody buys their pair again
    assert found.reached["repeat"] == max(found.reached.values())
    relevant = customers.relevant()
    lists = SingleModel(models["popular"]).show(customers.histories, customers.context(), 3).mixed
    gains = []
    for r in range(len(customers)):
        bought = set(relevant.row(r).item_ix.tolist())
        hits = [ix in bought for ix in lists.row(r).item_ix.tolist()]
        ideal = sum(1 / np.log2(2 + place) for place in range(min(3, len(bought))))
        reached = sum(1 / np.log2(2 + place) for place, hit in enumerate(hits) if hit)
        if bought:
            gains.append(reached / ideal)
    assert found.reached["popular"] == pytest.approx(np.mean(gains))
