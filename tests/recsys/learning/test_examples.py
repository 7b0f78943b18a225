"""What is learned from: whose candidate each is, what came of it, and how much it counts."""

from typing import Any

import numpy as np
import pytest

from recsys.evaluation import cart_sets, evaluation_set
from recsys.learning import boosting, examples
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
    """Two windows, in sheets of a few customers each."""
    history, found = write(lines(), tmp_path_factory.mktemp("history")), []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(examples, "BATCH", 30)
        patched.setattr(examples, "ON_CHANNEL", MOST["came"])
        patched.setattr(examples, "OTHERS", MOST["away"])
        for window in (FIRST, SECOND):
            training, models = fitted(history, window.start_ts)
            people = evaluation_set.read(history, training.index, window, active=60, lapsed=20)
            orders = cart_sets.read(history, people, at_most=40)
            one = training_window(models, ItemStatistics.fit(training), people, orders)
            found.append((people, one, orders))
    return found


def asked(sheet):
    """Every candidate of a sheet: question, item, whether it was bought, mass and customer."""
    found, bounds = sheet.found, sheet.found.indptr
    for question in range(len(bounds) - 1):
        for at in range(bounds[question], bounds[question + 1]):
            yield (
                question,
                int(found.item_ix[at]),
                bool(sheet.bought[at]),
                float(sheet.mass[at]),
                int(sheet.customer[question]),
                bool(sheet.free[at]),
                at,
            )


def test_each_candidate_is_labelled_by_what_its_customer_bought(taught):
    for people, one, _ in taught:
        wanted = people.wanted()
        bought = [set(wanted.row(r).item_ix.tolist()) for r in range(len(people))]
        seen = set()
        for sheet in [*one.plain, *one.strangers]:
            for _, item, came, mass, customer, free, _ in asked(sheet):
                assert came == (item in bought[customer])
                assert mass == people.mass[customer]
                assert free
                seen.add(customer)
        assert seen == set(range(len(people)))


def test_on_a_channel_only_what_was_bought_there_counts(taught):
    for people, one, _ in taught:
        told: dict[str, dict[int, float]] = {"pos": {}, "web": {}}
        for sheet in one.on_channel:
            (number,) = set(sheet.context.channel.tolist())
            name = CHANNELS[number]
            wanted = people.wanted(name)
            for _, item, came, mass, customer, _, _ in asked(sheet):
                assert came == (item in set(wanted.row(customer).item_ix.tolist()))
                told[name][customer] = mass
        for name, masses in told.items():
            bought = np.diff(people.wanted(name).indptr) > 0
            for kind, most in ((True, MOST["came"]), (False, MOST["away"])):
                drawn = [customer for customer in masses if bought[customer] == kind]
                assert 0 < len(drawn) <= most
                each = (bought == kind).sum() / len(drawn)  # how many each of them stands for
                for customer in drawn:
                    assert masses[customer] == pytest.approx(people.mass[customer] * each)


def test_carts_are_their_customers_and_what_lies_in_them_is_not_learned(taught):
    for _, one, orders in taught:
        n, seen = len(orders.customer_ix), 0
        for sheet in one.cart:
            for question, item, came, _, customer, free, _ in asked(sheet):
                order = (seen + question) % n  # once as the customer's, once as a stranger's
                assert customer == orders.customer_ix[order]
                assert came == (item in orders.rest.row(order).item_ix)
                assert free == (item not in orders.cart.row(order).item_ix)
            seen += len(sheet.context)
        assert seen == 2 * n


def test_examples_of_all_sheets_have_rows_of_their_own(taught):
    sheets = [sheet for _, one, _ in taught for sheet in (*one.plain, *one.strangers, *one.cart)]
    found = BlendExamples.of(sheets)
    expected, start = [], 0
    for sheet in sheets:
        for question, _, came, mass, _, free, at in asked(sheet):
            if free:
                scores = sheet.found.scores[at]
                expected.append((start + question, came, mass, sheet.found.kind[at], scores))
        start += len(sheet.context)
    rows, came, mass, kind, scores = zip(*expected, strict=True)
    assert found.rows.tolist() == list(rows)
    assert found.bought.tolist() == list(came)
    assert found.mass.tolist() == list(mass)
    assert found.kind.tolist() == list(kind)
    np.testing.assert_array_equal(found.scores, scores)
    assert found.scores.shape[1] == len(EVIDENCE_COLUMNS)


def test_trees_get_each_question_of_each_window_as_one_group(taught, monkeypatch):
    """What LightGBM holds is compared with a loop over windows, sheets and questions."""
    monkeypatch.setattr(boosting, "MIN_BOUGHT", 50)
    plain = learn_ranking([one for _, one, _ in taught], settings=EAGER).plain
    whole = [ranking_examples(one, [*one.plain, *one.on_channel], plain) for _, one, _ in taught]
    sizes: list[int] = []
    labels: list[float] = []
    for (_, one, _), of in zip(taught, whole, strict=True):
        at = 0
        sheets = [*one.plain, *one.on_channel]
        questions = [(sheet, q) for sheet in sheets for q in range(len(sheet.context))]
        assert len(of.customer) == len(questions)
        for number, (sheet, question) in enumerate(questions):
            mine = np.flatnonzero(of.rows == number)
            assert mine.tolist() == list(range(at, at + len(mine)))
            assert of.customer[number] == sheet.customer[question]
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
