"""Learns the blend of the models and the boosted trees over it, on windows the models never saw.

In: models fitted before a window, and the window's evaluation set; for one window or several. Out:
the blends that rank with and without a cart, and the boosted trees over them. Called by training.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recsys.config import RankerSettings as Settings
from recsys.datasets import (
    EMPTY,
    NO_CHANNEL,
    Batch,
    Context,
    Histories,
    Lists,
    rows_contain,
    rows_of,
)
from recsys.evaluation import CartSet, EvaluationSet
from recsys.learning import boosting
from recsys.learning.boosting import RankingExamples
from recsys.models import CoPurchase, Model
from recsys.ranking import (
    CANDIDATES_PER_MODEL,
    CART_COLUMN,
    EVIDENCE_COLUMNS,
    MODEL_COLUMNS,
    BoostedTrees,
    Candidates,
    Kinds,
    SegmentBlends,
    choose_for_trees,
    collect_candidates,
    factors_of,
)
from recsys.ranking.features import ItemStatistics
from recsys.schema import CHANNELS

#: Customers scored at once, to bound memory.
BATCH: Final = 500
#: Customers of each window that the blend is learned from; it has few weights.
BLENDED: Final = 1_500
#: Maximum number of customers per channel: those who bought there, and those who did not.
ON_CHANNEL, OTHERS = 800, 200


@dataclass(frozen=True, eq=False)
class CandidateBatch:
    """Candidates of some customers, with their labels and requests.

    Attributes
    ----------
    candidates : Candidates
    bought : ndarray of shape (m,), bool
        Label: whether the candidate was bought in the window.
    sample_weight : ndarray of shape (m,), float64
        Number of cases that each candidate represents.
    outside_cart : ndarray of shape (m,), bool
        Which candidates are not in the cart.
    histories : Histories
    context : Context
    customer : ndarray of shape (n,), int64
        Customer of each request, as a row of the evaluation set.
    """

    candidates: Candidates
    bought: NDArray[np.bool_]
    sample_weight: NDArray[np.float64]
    outside_cart: NDArray[np.bool_]
    histories: Histories
    context: Context
    customer: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TrainingWindow:
    """Training examples of one window: without a cart, and with one.

    Attributes
    ----------
    plain, strangers, cart : list of CandidateBatch
        Requests of customers without a cart, the same requests as if nothing were known of the
        customer, and requests with a cart. ``cart`` may be empty.
    on_channel : list of CandidateBatch
        Requests on each channel, if there are several. Only the trees learn from them: the blend
        does not depend on the channel.
    statistics : ItemStatistics
        As of the start of the window.
    baskets : tuple
        See ``BoostedTrees``; as of the start of the window.
    """

    plain: list[CandidateBatch]
    strangers: list[CandidateBatch]
    cart: list[CandidateBatch]
    on_channel: list[CandidateBatch]
    statistics: ItemStatistics
    baskets: tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class BlendExamples:
    """Candidates with their labels; see ``SegmentBlends.fit`` for the fields."""

    scores: NDArray[np.float32]
    bought: NDArray[np.bool_]
    rows: NDArray[np.int64]
    sample_weight: NDArray[np.float64]
    kind: Kinds

    @classmethod
    def of(cls, batches: Sequence[CandidateBatch]) -> "BlendExamples":
        """Concatenate batches; each request keeps rows of its own."""
        none = cls(
            np.empty((0, len(EVIDENCE_COLUMNS)), np.float32),
            np.empty(0, bool),
            np.empty(0, np.int64),
            np.empty(0),
            np.empty(0, np.uint8),
        )
        parts, start = [none], 0
        for batch in batches:
            at = np.flatnonzero(batch.outside_cart)
            rows = start + rows_of(batch.candidates)[at]
            start += len(batch.context)
            parts.append(
                cls(
                    batch.candidates.scores[at],
                    batch.bought[at],
                    rows,
                    batch.sample_weight[at],
                    batch.candidates.kind[at],
                )
            )
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))


@dataclass(frozen=True, eq=False)
class LearnedRanking:
    """The learned parts of a ranker, apart from the models.

    Attributes
    ----------
    plain, cart : SegmentBlends
        Blends for requests without and with a cart. They predict the chance of purchase within
        the window, and the chance that a product joins the cart.
    boosted : BoostedTrees or None
        Trees over the blends; None if there were too few purchases to learn them.
    """

    plain: SegmentBlends
    cart: SegmentBlends
    boosted: BoostedTrees | None = None


def training_window(
    models: Mapping[str, Model],
    statistics: ItemStatistics,
    customers: EvaluationSet,
    carts: CartSet,
) -> TrainingWindow:
    """Collect the training examples of a window.

    Parameters
    ----------
    models : mapping
        Fitted on what happened before the window.
    statistics : ItemStatistics
        As of the start of the window.
    customers : EvaluationSet
        Customers who bought in the window, and some who did not.
    carts : CartSet
        Carts of the same window.
    """
    return TrainingWindow(
        plain_candidates(models, customers),
        _strangers(models, customers),
        _from_carts(models, customers, carts),
        _from_channels(models, customers),
        statistics,
        same_order_neighbours(models),
    )


def same_order_neighbours(
    models: Mapping[str, Model],
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """Return the co-purchase neighbours of each product, as ``BoostedTrees`` takes them."""
    copurchase = models["copurchase"]
    if not isinstance(copurchase, CoPurchase):
        raise TypeError("the models are not those of recsys.models")
    return copurchase.indptr_, copurchase.indices_, copurchase.scores_


def learn_ranking(
    windows: Sequence[TrainingWindow],
    weights: Sequence[Mapping[str, float]] = (),
    settings: Settings | None = None,
    *,
    seed: int = 0,
    threads: int = 2,
) -> LearnedRanking:
    """Learn the blends and the boosted trees.

    Parameters
    ----------
    windows : sequence of TrainingWindow
        At least one, the oldest first.
    weights : sequence of mappings
        Factors by model of each of the workspace's placements; each gets its own calibration
        curve.
    settings : RankerSettings, optional
        Those of the defaults if not given.
    seed : int
        Seed of the trees.
    threads : int
        Threads that fit the trees.

    Returns
    -------
    LearnedRanking
        ``boosted`` holds the item statistics of the last window.
    """
    factors = [factors_of(by_model) for by_model in weights]
    enough = BLENDED // BATCH
    examples = BlendExamples.of(
        [batch for one in windows for batch in (*one.plain[:enough], *one.strangers[:enough])]
    )
    n = len(MODEL_COLUMNS)
    plain = SegmentBlends(MODEL_COLUMNS).fit(
        examples.scores[:, :n],
        examples.bought,
        examples.rows,
        examples.kind,
        examples.sample_weight,
        [each[:n] for each in factors],
    )
    carts = BlendExamples.of([batch for one in windows for batch in one.cart])
    if len(carts.rows):
        examples = carts
    else:  # nobody ever bought two products: learn the cart's column from the history's
        from_history = EVIDENCE_COLUMNS.index("copurchase")
        from_cart = EVIDENCE_COLUMNS.index(CART_COLUMN)
        examples.scores[:, from_cart] = examples.scores[:, from_history]
        examples.scores[:, from_history] = 0
    cart = SegmentBlends(EVIDENCE_COLUMNS).fit(
        examples.scores,
        examples.bought,
        examples.rows,
        examples.kind,
        examples.sample_weight,
        factors,
    )
    settings = settings or Settings()
    without = boosting.fit_trees(
        [ranking_examples(one, [*one.plain, *one.on_channel], plain) for one in windows],
        settings,
        seed,
        threads,
    )
    if without is None:
        return LearnedRanking(plain, cart)
    joined = boosting.fit_trees(
        [ranking_examples(one, one.cart, cart) for one in windows], settings, seed, threads
    )
    last = windows[-1]
    ensembles = without, joined or boosting.untrained_trees(cart)
    return LearnedRanking(plain, cart, BoostedTrees(last.statistics, last.baskets, *ensembles))


def ranking_examples(
    window: TrainingWindow, batches: Sequence[CandidateBatch], blend: SegmentBlends
) -> RankingExamples:
    """Compute the features of the candidates that the trees score.

    Parameters
    ----------
    window : TrainingWindow
    batches : sequence of CandidateBatch
        Batches of that window.
    blend : SegmentBlends
        The blend that chooses the candidates and gives the trees their initial score.
    """
    trees = BoostedTrees(window.statistics, window.baskets, boosting.NONE, boosting.NONE)
    width, start = len(blend.columns), 0
    parts = []
    for batch in batches:
        candidates, rows = batch.candidates, rows_of(batch.candidates)
        evidence = blend.evidence(candidates.scores[:, :width], candidates.kind)
        total = blend.total(evidence, candidates.kind, np.ones(width))
        at = choose_for_trees(candidates, total, batch.outside_cart)
        features = trees.features(candidates, at, rows, total, batch.histories, batch.context)
        parts.append(
            (features, batch.bought[at], start + rows[at], batch.sample_weight[at], total[at])
        )
        start += len(batch.context)
    none = RankingExamples.together([])
    columns = [np.concatenate(each) for each in zip(none.columns(), *parts, strict=True)]
    columns.append(np.concatenate([none.customer, *(one.customer for one in batches)]))
    return RankingExamples(*columns)


def plain_candidates(models: Mapping[str, Model], customers: EvaluationSet) -> list[CandidateBatch]:
    """Collect the candidates of each customer, for requests without a channel or a cart."""
    given = customers.histories, customers.context(), customers.relevant(), customers.sample_weight
    return list(_candidate_batches(models, *given, np.arange(len(customers))))


def _strangers(models: Mapping[str, Model], customers: EvaluationSet) -> list[CandidateBatch]:
    """Collect the candidates of each customer as if nothing were known of them."""
    some = customers.only(np.arange(min(len(customers), BLENDED)))
    context = some.context()
    nobody = Histories.from_rows([EMPTY] * len(some), customers.index, context.as_of_ts)
    given = nobody, context, some.relevant(), some.sample_weight
    return list(_candidate_batches(models, *given, np.arange(len(some))))


def _from_channels(models: Mapping[str, Model], customers: EvaluationSet) -> list[CandidateBatch]:
    """Collect candidates for requests on each channel; bought is what was bought there.

    For each channel: customers who bought there, and a weighted sample of those who did not.
    """
    channels = np.unique(customers.channel)
    batches: list[CandidateBatch] = []
    for number in channels.tolist() if len(channels) > 1 else ():
        bought = np.diff(customers.relevant(CHANNELS[number]).indptr) > 0
        sample_weight = np.zeros(len(customers))
        for group, at_most in ((bought, ON_CHANNEL), (~bought, OTHERS)):
            drawn = np.flatnonzero(group)
            drawn = drawn[:: len(drawn) // at_most + 1]
            sample_weight[drawn] = customers.sample_weight[drawn] * group.sum() / max(len(drawn), 1)
        rows = np.flatnonzero(sample_weight)
        part = customers.only(rows)
        context = Context.of(
            len(part), part.as_of_ts, location=_usual_place(part, number), channel=number
        )
        relevant = part.relevant(CHANNELS[number])
        batches += _candidate_batches(
            models, part.histories, context, relevant, sample_weight[rows], rows
        )
    return batches


def _usual_place(customers: EvaluationSet, channel: int) -> NDArray[np.int64]:
    """Return the location where each customer last bought on a channel; 0 for none."""
    past = customers.histories
    place = np.zeros(len(customers), np.int64)
    there = np.flatnonzero(past.channel == channel)
    place[past.row[there]] = past.location[there]  # lines are in time order: the last stays
    return place


def _from_carts(
    models: Mapping[str, Model], customers: EvaluationSet, carts: CartSet
) -> list[CandidateBatch]:
    """Collect the candidates of each cart twice: with its customer's history, and without."""
    theirs = [customers.rows[row] for row in carts.customer_ix]
    n = len(theirs)
    context = Context(
        carts.as_of_ts, np.zeros(n, np.int64), np.full(n, NO_CHANNEL, np.uint8), carts.cart
    )
    batches: list[CandidateBatch] = []
    given = context, carts.rest, np.ones(n), carts.customer_ix
    for known in (theirs, [EMPTY] * n):
        histories = Histories.from_rows(known, customers.index, carts.as_of_ts)
        batches += _candidate_batches(models, histories, *given)
    return batches


def _candidate_batches(
    models: Mapping[str, Model],
    histories: Histories,
    context: Context,
    relevant: Lists,
    sample_weight: NDArray[np.float64],
    customer: NDArray[np.int64],
) -> Iterator[CandidateBatch]:
    for start in range(0, len(context), BATCH):
        part = slice(start, start + BATCH)
        batch = Batch(histories[part], context[part])
        candidates = collect_candidates(models, batch, CANDIDATES_PER_MODEL)
        rows = rows_of(candidates)
        yield CandidateBatch(
            candidates,
            rows_contain(relevant, start + rows, candidates.item_ix),
            sample_weight[start + rows],
            ~rows_contain(batch.context.cart, rows, candidates.item_ix),
            batch.histories,
            batch.context,
            customer[part],
        )
