"""Trees over the blend: the same features for learning and answering, and reasons that are true."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from recsys.artefacts import registry
from recsys.config.toml_file import load_config
from recsys.datasets.customer_history import EMPTY, Histories, pack_history, unpack_history
from recsys.datasets.history_rows import read_rows
from recsys.datasets.ragged import Lists, rows_contain, rows_of
from recsys.evaluation import cart_sets, evaluation_set
from recsys.evaluation.top_lists import rank_in_batches
from recsys.history.versions import History
from recsys.learning.examples import (
    learn_ranking,
    ranking_examples,
    same_order_neighbours,
    training_window,
)
from recsys.models.base import Batch, Context
from recsys.ranking.boosted_trees import FEATURE_NAMES, BoostedTrees, Ensemble
from recsys.ranking.candidates import EVIDENCE_COLUMNS, collect_candidates, with_products
from recsys.ranking.features.item_statistics import ItemStatistics
from recsys.ranking.rank_request import factors_of
from recsys.ranking.ranker import Ranker
from recsys.ranking.scoring import Scorer
from recsys.ranking.tree_scores import add_trees
from recsys.ranking.trees import Trees
from recsys.recommender.engine import Engine
from recsys.recommender.placements import Question, all_placements
from tests.recsys.evaluation.test_evaluator import EAGER, FIRST, fitted, lines, shelf_of
from tests.recsys.ranking import grocer

PEOPLE = [
    grocer.bought("pasta", "sauce", "item003"),
    grocer.bought(("tea", 9.0)),
    EMPTY,
    grocer.bought("beer", ("beer", 8.0), ("beer", 15.0)),
]


def split(feature: str, threshold: float, less: float, more: float) -> Trees:
    """One tree of one question; what it adds is 0 on average."""
    return Trees(
        np.array([0], np.int32),
        np.array([FEATURE_NAMES.index(feature), 0, 0], np.int32),
        np.array([threshold, 0.0, 0.0]),
        np.array([1, -1, -1], np.int32),
        np.array([0.0, less, more]),
    )


def ranker_with(order: Trees) -> Ranker:
    """The grocer's, with one tree for the order, and nothing added to chances."""
    ensemble = Ensemble(Trees.none(), order, np.array([-9.0, 9.0]), np.array([0.0, 1.0]))
    models = grocer.fitted()
    statistics = ItemStatistics.fit(grocer.training())
    boosted = BoostedTrees(statistics, same_order_neighbours(models), ensemble, ensemble)
    return replace(grocer.ranker(), boosted=boosted)


def asked(rows, cart=None):
    index = grocer.training().index
    histories = Histories.from_rows(rows, index, grocer.AS_OF)
    held = [index.ix_of(items) for items in cart or [()] * len(rows)]
    return histories, Context.of(len(rows), grocer.AS_OF, cart=held)


def evidence_of(ranker: Ranker, rows):
    """What each column counts for, by product, of the first of the rows."""
    (found,) = rank_in_batches(ranker, *asked(rows), credit=True)
    part = slice(*found.indptr[:2])
    return dict(zip(found.item_ix[part].tolist(), found.evidence[part], strict=True))


def test_the_reason_is_what_moved_a_product_most():
    """A tree that lifts what many bought gives its lift to the popularity of the product."""
    buyers = ItemStatistics.fit(grocer.training()).columns[:, 4]
    bar = float(np.quantile(buyers, 0.9))
    lifted = ranker_with(split("item_log_buyers", bar, -1.0, 9.0))
    before, after = evidence_of(grocer.ranker(), PEOPLE), evidence_of(lifted, PEOPLE)
    popular = EVIDENCE_COLUMNS.index("popular")
    moved = {item: after[item] - before[item] for item in before}
    moved = {item: by for item, by in moved.items() if by.any()}
    assert moved
    for item, by in moved.items():
        assert by[popular] == pytest.approx(9.0 if buyers[item] > bar else -1.0)
        assert not by[np.arange(len(EVIDENCE_COLUMNS)) != popular].any()
        if buyers[item] > bar:
            assert after[item].argmax() == popular
    (found,) = rank_in_batches(lifted, *asked(PEOPLE))
    first = found.item_ix[found.indptr[0]]
    assert buyers[first] > bar


def test_what_a_tree_says_of_the_customer_alone_is_no_reason():
    everyone = ranker_with(split("customer_n_orders", -1.0, 0.0, 9.0))
    before, after = evidence_of(grocer.ranker(), PEOPLE), evidence_of(everyone, PEOPLE)
    for item, evidence in before.items():
        np.testing.assert_array_equal(after[item], evidence)


def test_only_the_evidence_depends_on_the_trees_being_credited():
    lifted = ranker_with(split("own_recency", 1.0, -1.0, 2.0))
    (credited,), (plain,) = (
        rank_in_batches(lifted, *asked(PEOPLE), credit=credit) for credit in (True, False)
    )
    for name in ("indptr", "item_ix", "chance", "scores", "left_out", "leader_ix"):
        np.testing.assert_array_equal(getattr(credited, name), getattr(plain, name))
    assert (credited.evidence != plain.evidence).any()


@pytest.mark.parametrize("cart", [None, [["pasta"], (), ["bread"], ["tea"]]])
def test_one_gets_what_they_get_among_others(cart):
    lifted = ranker_with(split("own_recency", 1.0, -1.0, 2.0))
    (whole,) = rank_in_batches(lifted, *asked(PEOPLE, cart), credit=True)
    for r, row in enumerate(PEOPLE):
        (alone,) = rank_in_batches(lifted, *asked([row], cart and [cart[r]]), credit=True)
        part = slice(*whole.indptr[r : r + 2])
        for name in ("item_ix", "chance", "scores", "evidence"):
            np.testing.assert_array_equal(getattr(whole, name)[part], getattr(alone, name))


def test_who_is_unknown_is_not_looked_at_by_trees():
    lifted = ranker_with(split("item_log_buyers", 0.0, 50.0, 99.0))
    with_trees = rank_in_batches(lifted, *asked([EMPTY]))
    without = rank_in_batches(grocer.ranker(), *asked([EMPTY]))
    for by_trees, plain in zip(with_trees, without, strict=True):
        for field in fields(plain):
            np.testing.assert_array_equal(getattr(by_trees, field.name), getattr(plain, field.name))


def test_learning_and_answering_work_out_the_same_features(write_history, monkeypatch):
    """Customers of a validation window, and the same asked alone, from their stored rows."""
    monkeypatch.setattr("recsys.learning.boosting.MIN_BOUGHT", 50)
    history = write_history(lines())
    training, models = fitted(history, FIRST.start_ts)
    people = evaluation_set.read(history, training.index, FIRST, active=200, lapsed=50)
    taught = training_window(
        models, ItemStatistics.fit(training), people, cart_sets.read(history, people, at_most=60)
    )
    learned = learn_ranking([taught], settings=EAGER)
    studied = ranking_examples(taught, taught.plain, learned.plain)
    ranker = Ranker(
        training.index,
        models,
        learned.plain,
        learned.cart,
        shelf_of(training),
        boosted=learned.boosted,
    )
    seen = []
    honest = BoostedTrees.features

    def noted(*given):
        seen.append(honest(*given))
        return seen[-1]

    monkeypatch.setattr(BoostedTrees, "features", noted)
    context = people.context()
    for r in range(0, len(people), 9):
        stored = unpack_history(pack_history(people.rows[r]))
        alone = Histories.from_rows([stored], training.index, people.as_of_ts[r : r + 1])
        rank_in_batches(ranker, alone, context[r : r + 1])
        expected = studied.features[studied.rows == r]
        assert len(expected)
        np.testing.assert_array_equal(seen[-1], expected)


def test_a_public_screen_shows_nothing_of_a_history(trained_demo: Path) -> None:
    config = load_config(trained_demo)
    engine = Engine.load(registry.current(config))
    as_of_ts = int(engine.manifest.as_of.timestamp())
    rows = [row for _, row in read_rows(History.open(config), until_ts=as_of_ts)]
    most = sorted(rows, key=lambda row: -len(row.lines))[:5]
    public = {name: one for name, one in all_placements(config).items() if not one.personal}
    assert public
    for name, settings in public.items():
        question = Question(
            placement=name, settings=settings, as_of_ts=as_of_ts, customer_known=True
        )
        answers = [engine.recommend([question], [row])[0] for row in (EMPTY, *most)]
        assert answers[0]["items"]
        assert not answers[0]["customer_known"]
        shown = [
            [(item["item_id"], item["score"], item["reason"]) for item in answer["items"]]
            for answer in answers
        ]
        assert all(one == shown[0] for one in shown)
        codes = {item["reason"]["code"] for item in answers[0]["items"]}
        assert not codes & {"repeat", "bought_next", "similar_taste", "similar_item"}


def test_what_rules_add_to_the_candidates_changes_no_score_of_the_others():
    """Trees look at a candidate's place in the blend, and what is added may stand before it."""
    placed = split("blend_place", np.log1p(12), 1.0, -1.0)
    ensemble = Ensemble(placed, Trees.none(), np.array([-40.0, 40.0]), np.array([0.0, 1.0]))
    boosted = replace(ranker_with(Trees.none()).boosted, plain=ensemble, cart=ensemble)
    models, (plain, cart) = grocer.fitted(), grocer.blends()
    batch = Batch(*asked(PEOPLE[:1]))
    usual = collect_candidates(models, batch, 4)
    every = Lists.of_rows([np.arange(len(grocer.training().index), dtype=np.int32)])
    wide = with_products(models, batch, usual, every)
    scorer = Scorer.of(plain, cart)
    blends = scorer.choose_blends(np.zeros(1, bool), factors_of({})[None])

    def chances(candidates, steered=None):
        rows = rows_of(candidates)
        scored = scorer.score(candidates, candidates.scores, candidates.kind, blends)
        if steered is not None:
            steered = steered, scored.total + 100.0 * ~steered
        allowed = np.ones(len(rows), bool)
        add_trees(boosted, candidates, rows, scored, steered, allowed, batch)
        return dict(zip(candidates.item_ix.tolist(), scored.chance.tolist(), strict=True))

    alone = chances(usual)
    ruled = chances(wide, rows_contain(usual, rows_of(wide), wide.item_ix))
    assert {item: ruled[item] for item in alone} == alone
    unruled = chances(wide)
    assert {item: unruled[item] for item in alone} != alone
