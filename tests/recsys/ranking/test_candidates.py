"""Every product that a model names stands once, with what all of them say."""

import numpy as np
import pytest

from recsys.datasets.customer_history import Histories
from recsys.models.base import Batch, Context
from recsys.ranking.candidates import (
    CART_COLUMN,
    EVIDENCE_COLUMNS,
    MODEL_COLUMNS,
    collect_candidates,
)
from tests.recsys.models.worlds import AS_OF
from tests.recsys.ranking.grocer import bought, fitted, training

PEOPLE = [bought("pasta", "item003"), bought(), bought(*(("tea", days) for days in range(1, 9)))]


def collected(people=PEOPLE, cart=None):
    index = training().index
    context = Context.of(
        len(people), AS_OF, cart=None if cart is None else [index.ix_of(items) for items in cart]
    )
    histories = Histories.from_rows(people, index, AS_OF)
    return collect_candidates(fitted(), Batch(histories, context), 10), histories, context


def test_each_model_s_own_products_stand_with_its_own_scores():
    found, histories, context = collected()
    for name, model in fitted().items():
        column, named = EVIDENCE_COLUMNS.index(name), model.candidates(histories, context, 10)
        for r in range(len(PEOPLE)):
            part = slice(found.indptr[r], found.indptr[r + 1])
            scores = dict(zip(found.item_ix[part], found.scores[part, column], strict=True))
            items, own = named.row(r)
            assert [scores[item] for item in items] == pytest.approx(own)


def test_products_stand_once_and_in_order():
    found, *_ = collected()
    for r in range(len(PEOPLE)):
        items = found.item_ix[found.indptr[r] : found.indptr[r + 1]]
        assert (np.diff(items) > 0).all()


def test_nobody_without_a_history_gets_anything_personal():
    found, *_ = collected()
    stranger = found.scores[found.indptr[1] : found.indptr[2]]
    assert len(stranger) == 10
    assert not stranger[:, 1:].any()


def test_the_cart_has_a_column_of_its_own():
    found, *_ = collected(cart=[["bread"], ["bread"], []])
    column = found.scores[:, EVIDENCE_COLUMNS.index(CART_COLUMN)]
    first, second, third = (column[found.indptr[r] : found.indptr[r + 1]] for r in range(3))
    assert sorted(first[first > 0]) == sorted(second[second > 0])
    assert not third.any()
    without, *_ = collected()
    kept = np.isin(found.item_ix[: found.indptr[1]], without.item_ix[: without.indptr[1]])
    history = EVIDENCE_COLUMNS.index("copurchase")
    np.testing.assert_array_equal(
        found.scores[: found.indptr[1]][kept, history], without.scores[: without.indptr[1], history]
    )


def test_a_model_that_is_switched_off_says_nothing():
    every, histories, context = collected(cart=[["bread"], [], []])
    some = {name: model for name, model in fitted().items() if name != "als"}
    found = collect_candidates(some, Batch(histories, context), 10)
    assert not found.scores[:, EVIDENCE_COLUMNS.index("als")].any()
    both = np.isin(every.item_ix[: every.indptr[1]], found.item_ix[: found.indptr[1]])
    others = [column for column, name in enumerate(EVIDENCE_COLUMNS) if name != "als"]
    np.testing.assert_array_equal(
        every.scores[: every.indptr[1]][both][:, others],
        found.scores[: found.indptr[1]][:, others],
    )
    named = {name: model.candidates(histories, context, 10) for name, model in some.items()}
    assert set(named) == set(MODEL_COLUMNS) - {"als", "bpr"}
