"""Learns the blend of the models and the boosted trees over it, on windows the models never saw.

In: models fitted before a window, and the window's evaluation set; for one window or several. Out:
the blends that rank with and without a cart, and the boosted trees over them. Called by training.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recsys.config import RankerSettings as Settings
from recsys.datasets import (
    rows_of,
)
from recsys.evaluation import CartSet, EvaluationSet
from recsys.learning import boosting
from recsys.learning.boosting import RankingExamples
from recsys.learning.candidate_batches import (
    BATCH,
    CandidateBatch,
    cart_candidates,
    channel_candidates,
    plain_candidates,
    stranger_candidates,
)
from recsys.models import CoPurchase, Model
from recsys.ranking import (
    CART_COLUMN,
    EVIDENCE_COLUMNS,
    MODEL_COLUMNS,
    BoostedTrees,
    Kinds,
    SegmentBlends,
    choose_for_trees,
    factors_of,
)
from recsys.ranking.features import ItemStatistics

#: Customers of each window that the blend is learned from; it has few weights.
BLENDED: Final = 1_500


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
    threads: int = 1,
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
    threads : int
        Batches of candidates collected at once; the result is the same.
    """
    return TrainingWindow(
        plain_candidates(models, customers, threads),
        stranger_candidates(models, customers, BLENDED, threads),
        cart_candidates(models, customers, carts, threads),
        channel_candidates(models, customers, threads),
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
