"""How many customers teach, and what each of them counts."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.evaluation import evaluation_set
from recsys.learning import fit
from tests.recsys.evaluation.test_evaluation_set import INDEX, WINDOW, crowd, line


@pytest.fixture
def people(write_history):
    """Twenty who came back, of forty; and ten of thirty who did not."""
    came = crowd(40)
    away = [line(f"z{n:02}", "apple", 90) for n in range(30)]
    history = write_history(came + away)
    return evaluation_set.read(history, INDEX, WINDOW, active=20, lapsed=10, seed=1)


def test_where_customers_buy_much_fewer_of_them_say_enough(people, monkeypatch):
    monkeypatch.setattr(fit, "ACTIVE", 3)
    monkeypatch.setattr(fit, "MOST", 100)
    monkeypatch.setattr(fit, "PURCHASES", 8)  # of one product each
    found = fit._enough(people, seed=4)
    came = np.diff(found.relevant().indptr) > 0
    assert came.sum() == 8
    assert found.sample_weight[came].tolist() == [2.0 * 20 / 8] * 8
    assert (~came).sum() == 10  # who stayed away is kept
    assert found.sample_weight[~came].tolist() == [3.0] * 10
    assert found.sample_weight.sum() == pytest.approx(people.sample_weight.sum())
    order = [people.customer_ids.index(customer) for customer in found.customer_ids]
    assert order == sorted(order)
    again = fit._enough(people, seed=4)
    assert again.customer_ids == found.customer_ids
    assert fit._enough(people, seed=5).customer_ids != found.customer_ids


@pytest.mark.parametrize(("active", "most", "purchases"), [(20, 100, 1), (3, 100, 20), (3, 20, 1)])
def test_no_fewer_than_are_wanted_at_least(people, monkeypatch, active, most, purchases):
    monkeypatch.setattr(fit, "ACTIVE", active)
    monkeypatch.setattr(fit, "MOST", most)
    monkeypatch.setattr(fit, "PURCHASES", purchases)
    found = fit._enough(people, seed=4)
    n = max(active, min(most, purchases))
    came = np.diff(found.relevant().indptr) > 0
    assert came.sum() == n
    assert found.sample_weight.sum() == pytest.approx(people.sample_weight.sum())
    if n == 20:
        assert found is people


def test_products_count_more_where_customers_buy_several(people, monkeypatch):
    monkeypatch.setattr(fit, "ACTIVE", 1)
    monkeypatch.setattr(fit, "PURCHASES", 12)
    twice = replace(
        people,
        customer_ix=np.concatenate([people.customer_ix, people.customer_ix]),
        item_ix=np.concatenate([people.item_ix, people.item_ix + 1]),
        channel=np.concatenate([people.channel, people.channel]),
    )
    for given, n in ((people, 12), (twice, 6)):
        came = np.diff(fit._enough(given, seed=0).relevant().indptr) > 0
        assert came.sum() == n
