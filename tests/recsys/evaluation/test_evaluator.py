"""A world in which the right answer is known: evaluation finds who gives it."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.config.model_settings import AlsSettings, CoPurchaseSettings, ModelSettings
from recsys.config.model_settings import RankerSettings as Settings
from recsys.datasets.baskets import TrainingSet
from recsys.evaluation import cart_sets, evaluation_set
from recsys.evaluation.baselines import BASELINES, MostPopular, OwnFrequency, tune_baseline
from recsys.evaluation.evaluator import (
    BEST_SINGLE,
    OURS,
    CustomerMetrics,
    Evaluator,
    ItemPopularity,
    summarise,
)
from recsys.evaluation.splits import Window
from recsys.evaluation.top_lists import rank_in_batches, show_ranked
from recsys.learning.examples import learn_ranking, training_window
from recsys.models import MODELS, from_settings
from recsys.models.base import Batch
from recsys.ranking.availability import Availability
from recsys.ranking.candidates import collect_candidates
from recsys.ranking.choices import Choices
from recsys.ranking.features.item_statistics import ItemStatistics
from recsys.ranking.ranker import Ranker
from recsys.units import DAY

PAIRS = [(f"a{n}", f"b{n}") for n in range(8)]
FIRST, SECOND = Window(60 * DAY, 80 * DAY), Window(80 * DAY, 100 * DAY)
CUSTOMERS = 80


def lines():
    """Everybody buys one pair for life; before the windows some bought half of another one.

    In each window they buy their pair again, and the other half of what they had tried before.
    """
    rows = []

    def buy(customer, day, channel, *items):
        order = f"{customer}-{day}"
        rows.extend(
            {
                "order_id": order,
                "customer_id": f"c{customer:02}",
                "ts": day * DAY + customer,
                "item_id": item,
                "channel": channel,
                "line_no": number + 1,
            }
            for number, item in enumerate(items)
        )

    for customer in range(CUSTOMERS):
        own, other = PAIRS[customer % 8], PAIRS[(customer + 1 + customer // 8) % 8]
        channel = "web" if customer % 4 == 0 else "pos"
        for day in (10, 30, 50, 70, 90):
            buy(customer, day, channel, *own)
        buy(customer, 55, channel, other[0])
        buy(customer, 65, channel, other[1])
        buy(customer, 75, channel, PAIRS[(customer + 3) % 8][0])
        buy(customer, 85, channel, PAIRS[(customer + 3) % 8][1])
    return rows


@pytest.fixture
def history(write_history):
    return write_history(lines())


def fitted(history, at):
    training = TrainingSet.read(history, at)
    settings = ModelSettings(
        als=AlsSettings(factors=4, iterations=3),
        copurchase=CoPurchaseSettings(min_support=2, shrinkage=0.0),
    )
    return training, {name: m.fit(training) for name, m in from_settings(settings).items()}


@pytest.fixture
def ranker(history):
    training, models = fitted(history, FIRST.start_ts)
    people = evaluation_set.read(history, training.index, FIRST, active=200, lapsed=50)
    orders = cart_sets.read(history, people, at_most=60)
    taught = training_window(models, ItemStatistics.fit(training), people, orders)
    found = learn_ranking([taught], [{"copurchase": 3.0}])
    plain, cart = found.plain, found.cart
    training, models = fitted(history, SECOND.start_ts)
    return training, Ranker(training.index, models, plain, cart, shelf_of(training))


def shelf_of(training):
    none = np.empty(0, np.int64)
    active = np.ones(len(training.index), bool)
    return Availability.build(active, none, none.astype(np.int32), none.astype(float))


def judged(ranks, training, people, k=3):
    evaluator = Evaluator(people, ItemPopularity.of(training), k)
    found = evaluator.evaluate(OURS, ranks)
    for peer in (MostPopular(14.0), OwnFrequency(30.0)):
        found |= evaluator.evaluate(peer.name, peer.fit(training))
    return found


def test_it_finds_what_is_bought_again_and_what_is_new(history, ranker):
    training, ranks = ranker
    people = evaluation_set.read(history, training.index, SECOND, active=200)
    one = judged(ranks, training, people)
    found = summarise([one], seed=1)
    assert found.value("omnibasket", "ndcg@3") > found.value("own_frequency", "ndcg@3")
    assert found.value("omnibasket", "recall@3") > found.value("own_frequency", "recall@3")
    assert found.value("omnibasket", "new_ndcg@3") > 2 * found.value("popular", "new_ndcg@3")
    assert found.value("own_frequency", "new_hr@3") == 0.0
    assert found.value("own_frequency", "repeat_share@3") == 1.0
    assert found.value("own_frequency", "repeat_recall@3") > 0.9
    ahead = {(row.segment, row.metric): row for row in found.differences}
    assert ahead["all", "ndcg@3"].other == "own_frequency"
    assert ahead["all", "ndcg@3"].low > 0
    assert not [metric for _, metric in ahead if metric.startswith(("novelty", "repeat_share"))]
    assert found == summarise([judged(ranks, training, people)], seed=1)
    counted = {row.segment: row.n for row in found.figures if row.metric == "ndcg@3"}
    assert counted == {"all": 80, "pos": 60, "web": 20}
    assert len(one.predicted.chance) == 80 * 3


def test_customers_of_several_windows_count_once_with_their_mean():
    def window(number, figures):
        customers = sorted(figures)
        each = np.array([figures[name] for name in customers])
        values = {("all", "x", "ndcg@3"): each, ("all", OURS, "ndcg@3"): each + 0.5}
        shares = {("all", method, "coverage@3"): number / 4 for method in (OURS, "x")}
        return CustomerMetrics(Window(number * DAY, (number + 1) * DAY), customers, values, shares)

    found = summarise([window(1, {"a": 0.0, "b": 0.4}), window(2, {"b": 0.2, "c": np.nan})], 0)
    # a: 0, b: (0.4 + 0.2) / 2, c counts in neither
    assert found.value("x", "ndcg@3") == pytest.approx((0 + 0.3) / 2)
    assert found.value("x", "coverage@3") == pytest.approx((1 / 4 + 2 / 4) / 2)
    assert found.value("x", "ndcg@3", "1970-01-02 to 1970-01-02") == pytest.approx(0.2)
    assert found.value("x", "ndcg@3", "1970-01-03 to 1970-01-03") == pytest.approx(0.2)
    for row in found.differences:
        assert (row.other, row.value, row.low) == ("x", pytest.approx(0.5), pytest.approx(0.5))


def test_our_best_model_alone_is_measured_by_itself():
    each = np.linspace(0, 1, 20)
    customers = [f"c{n:02}" for n in range(20)]
    values = {
        ("all", OURS, "ndcg@3"): each,
        ("all", BEST_SINGLE, "ndcg@3"): each - 0.1,
        ("all", "x", "ndcg@3"): each - 0.3,
    }
    found = summarise([CustomerMetrics(FIRST, customers, values, {})], 0)
    assert [(row.other, row.value) for row in found.differences] == [("x", pytest.approx(0.3))]
    assert [(row.other, row.value) for row in found.over_single] == [
        (BEST_SINGLE, pytest.approx(0.1))
    ]


def test_who_was_drawn_is_told(history, ranker):
    training, ranks = ranker
    people = evaluation_set.read(history, training.index, SECOND, active=40)
    evaluator = Evaluator(people, ItemPopularity.of(training), 3, in_channel=20)
    found = summarise([evaluator.evaluate(OURS, ranks)], seed=1)
    told = {one.segment: (one.drawn, one.of) for one in found.samples}
    counted = {row.segment: row.n for row in found.figures if row.metric == "ndcg@3"}
    assert told["all"] == (40, 80)
    stores = int((np.diff(people.relevant("pos").indptr) > 0).sum())
    assert counted["pos"] == told["pos"][0] == 20 < stores
    assert told["pos"][1] == 2 * stores  # each of the panel stands for two
    everybody = evaluation_set.read(history, training.index, SECOND, active=200)
    evaluator = Evaluator(everybody, ItemPopularity.of(training), 3)
    assert summarise([evaluator.evaluate(OURS, ranks)], seed=1).samples == []


#: Trees in a world too small for them.
EAGER = Settings(min_examples=5, trees=5, min_customers=1)


def ranked_by(found, training, models, people):
    """What trees were learned, and what they make of customers' features."""
    assert found.boosted is not None
    assert len(found.boosted.plain.order) + len(found.boosted.plain.likely)
    ranks = Ranker(training.index, models, found.plain, found.cart, shelf_of(training))
    ranks = replace(ranks, boosted=found.boosted)
    order = rank_in_batches(ranks, people.histories, people.context())
    arrays = [*found.boosted.plain.arrays().values(), *found.boosted.cart.arrays().values()]
    return [*arrays, *(np.asarray(each) for part in order for each in vars(part).values())]


def plain_of(found):
    """Arrays and figures of anything that is compared."""
    if isinstance(found, list):
        return [figure for _, figure in found]
    return list(vars(found).values())


def test_the_future_changes_nothing_that_was_learned(write_history, monkeypatch):
    """Whatever happens in the test window and after it: what is fitted, tuned, counted, named,
    scored, blended, and what peers show stays as it was."""
    ends = [row for row in lines() if row["ts"] < SECOND.start_ts]
    after = [
        {**row, "item_id": "a0", "order_id": f"later-{row['order_id']}", "ts": row["ts"] + 30 * DAY}
        for row in lines()
        if row["ts"] >= FIRST.start_ts
    ]
    monkeypatch.setattr("recsys.learning.boosting.MIN_BOUGHT", 50)
    shown = []
    for known in (lines(), ends + after):
        history = write_history(known)
        training, models = fitted(history, SECOND.start_ts)
        arrays = {name: model.arrays() for name, model in models.items()}
        people = evaluation_set.read(history, training.index, SECOND, active=200)
        learning = evaluation_set.read(history, training.index, FIRST, active=200, lapsed=50)
        orders = cart_sets.read(history, learning, at_most=60)
        statistics = ItemStatistics.fit(training)
        found = learn_ranking(
            [training_window(models, statistics, learning, orders)], settings=EAGER
        )
        plain, cart = found.plain, found.cart
        tuned = [tune_baseline(name, training, learning, 2, 3) for name in BASELINES]
        peers = [one.fit(training).show(people.histories, people.context(), 5) for one in tuned]
        candidates = collect_candidates(models, Batch(people.histories, people.context()), 20)
        buyers = ItemPopularity.of(training).buyers
        told = [
            *(lists for shown in peers for lists in (shown.mixed, shown.new, shown.own)),
            candidates,
            *(one.tried for one in tuned),
        ]
        boosted = ranked_by(found, training, models, people)
        more = [
            buyers,
            *statistics.arrays().values(),
            *boosted,
            *(np.asarray(value) for one in told for value in plain_of(one)),
        ]
        shown.append((arrays, plain.arrays(), cart.arrays(), people.rows, learning.item_ix, more))
    first, second = shown
    for name, model in first[0].items():
        for array, values in model.items():
            np.testing.assert_array_equal(values, second[0][name][array])
    for one, other in zip(first[1:3], second[1:3], strict=True):
        for name, values in one.items():
            np.testing.assert_array_equal(values, other[name])
    assert first[3] == second[3]
    np.testing.assert_array_equal(first[4], second[4])
    for one, other in zip(first[5], second[5], strict=True):
        np.testing.assert_array_equal(one, other)


def test_many_are_shown_what_each_is_shown(history, ranker, monkeypatch):
    training, ranks = ranker
    people = evaluation_set.read(history, training.index, SECOND, active=200)
    whole = show_ranked(ranks, people.histories, people.context(), 5)
    monkeypatch.setattr("recsys.evaluation.top_lists.BATCH", 7)
    parts = show_ranked(ranks, people.histories, people.context(), 5)
    for name in ("mixed", "new", "own"):
        one, other = getattr(whole, name), getattr(parts, name)
        np.testing.assert_array_equal(one.indptr, other.indptr)
        np.testing.assert_array_equal(one.item_ix, other.item_ix)


def test_chances_are_those_of_everybody_not_only_of_who_came_back(history, write_history):
    training, models = fitted(history, FIRST.start_ts)
    gone = [
        {**row, "customer_id": "gone" + row["customer_id"], "order_id": "x" + row["order_id"]}
        for row in lines()
        if row["ts"] < FIRST.start_ts
    ]
    far = [
        {**row, "customer_id": "far" + row["customer_id"], "order_id": "y" + row["order_id"]}
        for row in gone
    ]

    def chance(known):
        people = evaluation_set.read(known, training.index, FIRST, active=200, lapsed=200)
        orders = cart_sets.read(known, people, at_most=10)
        plain = learn_ranking(
            [training_window(models, ItemStatistics.fit(training), people, orders)]
        ).plain
        scores = np.full((1, len(MODELS)), 100.0)
        new = np.ones(1, np.uint8)
        return plain.chance(plain.evidence(scores, new), new, np.ones(len(MODELS)))[0]

    of_those_who_came = chance(history)
    of_everybody = chance(write_history(lines() + gone + far))
    assert of_everybody == pytest.approx(of_those_who_came / 3, rel=0.1)


def test_by_choice_every_other_figure_stays_what_it_is(history, ranker):
    training, ranks = ranker
    people = evaluation_set.read(history, training.index, SECOND, active=200)
    alone = Choices.alone(len(training.index))
    evaluator = Evaluator(people, ItemPopularity.of(training), 3, choices=alone)
    found = evaluator.evaluate(OURS, ranks)
    for peer in (MostPopular(14.0), OwnFrequency(30.0)):
        found |= evaluator.evaluate(peer.name, peer.fit(training))
    for (segment, method, metric), each in judged(ranks, training, people).values.items():
        np.testing.assert_array_equal(found.values[segment, method, metric], each)
        if metric == "ndcg@3":  # every product is its own choice
            by_choice = found.values[segment, method, "choice_ndcg@3"]
            np.testing.assert_array_equal(by_choice, each)
