"""What is learned from: whose candidate each is, what came of it, and how much it counts."""

from typing import Any

import numpy as np
import pytest

from recsys.evaluation import cart_sets, evaluation_set
from recsys.learning import boosting, candidate_batches, examples
from recsys.learning.examples import BlendExamples, learn_ranking, ranking_examples, training_window
from recsys.ranking.candidates import EVIDENCE_COLUMNS
from recsys.ranking.features.item_statistics import ItemStatistics
from recsys.schema import CHANNELS
from tests.recsys.conftest import write
from tests.recsys.evaluation.test_evaluator import EAGER, FIRST, SECOND, fitted, lines

#: Customers of a channel who bought there, and who did not.
MOST = {"came": 25, "away": 10}


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """Two windows, in batches of a few customers each."""
    history, found = write(lines(), tmp_path_factory.mktemp("history")), []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(examples, "BATCH", 30)
        patched.setattr(candidate_batches, "BATCH", 30)
        patched.setattr(candidate_batches, "ON_CHANNEL", MOST["came"])
        patched.setattr(candidate_batches, "OTHERS", MOST["away"])
        for window in (FIRST, SECOND):
            training, models = fitted(history, window.start_ts)
            people = evaluation_set.read(history, training.index, window, active=60, lapsed=20)
            orders = cart_sets.read(history, people, at_most=40)
            one = training_window(models, ItemStatistics.fit(training), people, orders)
            other = training_window(models, one.statistics, people, orders, threads=3)
            assert arrays(other) == arrays(one)  # on however many threads, in this order
            found.append((people, one, orders))
    return found


def arrays(window):
    """Everything of a window that is learned from."""
    batches = [*window.plain, *window.strangers, *window.cart, *window.on_channel]
    return [
        part.tobytes()
        for batch in batches
        for part in (
            batch.candidates.item_ix,
            batch.candidates.scores,
            batch.bought,
            batch.sample_weight,
            batch.customer,
        )
    ]


def asked(batch):
    """Every candidate of a batch: request, item, label, sample weight, customer."""
    found, bounds = batch.candidates, batch.candidates.indptr
    for question in range(len(bounds) - 1):
        for at in range(bounds[question], bounds[question + 1]):
            yield (
                question,
                int(found.item_ix[at]),
                bool(batch.bought[at]),
                float(batch.sample_weight[at]),
                int(batch.customer[question]),
                bool(batch.outside_cart[at]),
                at,
            )


def test_each_candidate_is_labelled_by_what_its_customer_bought(taught):
    for people, one, _ in taught:
        relevant = people.relevant()
        bought = [set(relevant.row(r).item_ix.tolist()) for r in range(len(people))]
        seen = set()
        for batch in [*one.plain, *one.strangers]:
            for _, item, came, sample_weight, customer, outside_cart, _ in asked(batch):
                assert came == (item in bought[customer])
                assert sample_weight == people.sample_weight[customer]
                assert outside_cart
                seen.add(customer)
        assert seen == set(range(len(people)))


def test_on_a_channel_only_what_was_bought_there_counts(taught):
    for people, one, _ in taught:
        told: dict[str, dict[int, float]] = {"pos": {}, "web": {}}
        for batch in one.on_channel:
            (number,) = set(batch.context.channel.tolist())
            name = CHANNELS[number]
            relevant = people.relevant(name)
            for _, item, came, sample_weight, customer, _, _ in asked(batch):
                assert came == (item in set(relevant.row(customer).item_ix.tolist()))
                told[name][customer] = sample_weight
        for name, sample_weights in told.items():
            bought = np.diff(people.relevant(name).indptr) > 0
            for kind, most in ((True, MOST["came"]), (False, MOST["away"])):
                drawn = [customer for customer in sample_weights if bought[customer] == kind]
                assert 0 < len(drawn) <= most
                each = (bought == kind).sum() / len(drawn)  # how many each of them stands for
                for customer in drawn:
                    assert sample_weights[customer] == pytest.approx(
                        people.sample_weight[customer] * each
                    )


def test_carts_are_their_customers_and_what_lies_in_them_is_not_learned(taught):
    for _, one, orders in taught:
        n, seen = len(orders.customer_ix), 0
        for batch in one.cart:
            for question, item, came, _, customer, outside_cart, _ in asked(batch):
                order = (seen + question) % n  # once as the customer's, once as a stranger's
                assert customer == orders.customer_ix[order]
                assert came == (item in orders.rest.row(order).item_ix)
                assert outside_cart == (item not in orders.cart.row(order).item_ix)
            seen += len(batch.context)
        assert seen == 2 * n


def test_examples_of_all_batches_have_rows_of_their_own(taught):
    batches = [batch for _, one, _ in taught for batch in (*one.plain, *one.strangers, *one.cart)]
    found = BlendExamples.of(batches)
    expected, start = [], 0
    for batch in batches:
        for question, _, came, sample_weight, _, outside_cart, at in asked(batch):
            if outside_cart:
                scores = batch.candidates.scores[at]
                expected.append(
                    (start + question, came, sample_weight, batch.candidates.kind[at], scores)
                )
        start += len(batch.context)
    rows, came, sample_weight, kind, scores = zip(*expected, strict=True)
    assert found.rows.tolist() == list(rows)
    assert found.bought.tolist() == list(came)
    assert found.sample_weight.tolist() == list(sample_weight)
    assert found.kind.tolist() == list(kind)
    np.testing.assert_array_equal(found.scores, scores)
    assert found.scores.shape[1] == len(EVIDENCE_COLUMNS)


def test_trees_get_each_question_of_each_window_as_one_group(taught, monkeypatch):
    """What LightGBM holds is compared with a loop over windows, batches and questions."""
    monkeypatch.setattr(boosting, "MIN_BOUGHT", 50)
    plain = learn_ranking([one for _, one, _ in taught], settings=EAGER).plain
    whole = [ranking_examples(one, [*one.plain, *one.on_channel], plain) for _, one, _ in taught]
    sizes: list[int] = []
    labels: list[float] = []
    for (_, one, _), of in zip(taught, whole, strict=True):
        at = 0
        batches = [*one.plain, *one.on_channel]
        questions = [(batch, q) for batch in batches for q in range(len(batch.context))]
        assert len(of.customer) == len(questions)
        for number, (batch, question) in enumerate(questions):
            mine = np.flatnonzero(of.rows == number)
            assert mine.tolist() == list(range(at, at + len(mine)))
            assert of.customer[number] == batch.customer[question]
            at += len(mine)
            if of.bought[mine].any():
                sizes.append(len(mine))
                labels += of.bought[mine].astype(float).tolist()
        assert at == len(of.bought)
    given: list[Any] = []
    honest = boosting._set

    def noted(of: Any, parameters: dict[str, Any], reference: Any = None) -> Any:
        made = honest(of, parameters, reference)
        if parameters["objective"] == "lambdarank":
            given.append(made)
        return made

    monkeypatch.setattr(boosting, "_set", noted)
    assert boosting.fit_trees(whole, EAGER, threads=1) is not None
    held = [(made.get_group().tolist(), made.get_label().tolist()) for made in given]
    assert (sizes, labels) in held  # all windows together
