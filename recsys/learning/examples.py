"""Learns how much each model's opinion counts, and what trees add, on windows not seen before.

Models fitted before a window and a panel of it come in, for one window or for several; out come
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

#: Customers scored at once, which bounds the memory.
BATCH: Final = 500
#: Customers of each window whom the blend is learned from; it has few weights.
BLENDED: Final = 1_500
#: Customers who bought on a channel and who did not, at most, who are asked about there.
ON_CHANNEL, OTHERS = 800, 200


@dataclass(frozen=True, eq=False)
class CandidateBatch:
    """Candidates of some customers, with what they were found for.

    Attributes
    ----------
    found : Candidates
    bought : ndarray of shape (m,), bool
    mass : ndarray of shape (m,), float64
        How many cases each stands for.
    free : ndarray of shape (m,), bool
        What is not in the cart.
    histories : Histories
    context : Context
    customer : ndarray of shape (n,), int64
        Who asks each question, as a row of the panel.
    """

    found: Candidates
    bought: NDArray[np.bool_]
    mass: NDArray[np.float64]
    free: NDArray[np.bool_]
    histories: Histories
    context: Context
    customer: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TrainingWindow:
    """What one window teaches: without a cart, and with one.

    Attributes
    ----------
    plain, strangers, cart : list of CandidateBatch
        Customers without a cart, the same as if nothing were known of them, and carts; the last
        may be empty.
    on_channel : list of CandidateBatch
        Asked and answered on each channel, where there are several: for trees, which know the
        channel; the blend has one chance for all.
    statistics : ItemStatistics
    baskets : tuple
        See ``BoostedTrees``; both of the time when the window begins.
    """

    plain: list[CandidateBatch]
    strangers: list[CandidateBatch]
    cart: list[CandidateBatch]
    on_channel: list[CandidateBatch]
    statistics: ItemStatistics
    baskets: tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class BlendExamples:
    """Candidates with what came of them; see ``SegmentBlends.fit``."""

    scores: NDArray[np.float32]
    bought: NDArray[np.bool_]
    rows: NDArray[np.int64]
    mass: NDArray[np.float64]
    kind: Kinds

    @classmethod
    def of(cls, sheets: Sequence[CandidateBatch]) -> "BlendExamples":
        """Put sheets behind one another; each question has rows of its own."""
        none = cls(
            np.empty((0, len(EVIDENCE_COLUMNS)), np.float32),
            np.empty(0, bool),
            np.empty(0, np.int64),
            np.empty(0),
            np.empty(0, np.uint8),
        )
        parts, start = [none], 0
        for sheet in sheets:
            at = np.flatnonzero(sheet.free)
            rows = start + rows_of(sheet.found)[at]
            start += len(sheet.context)
            parts.append(
                cls(
                    sheet.found.scores[at],
                    sheet.bought[at],
                    rows,
                    sheet.mass[at],
                    sheet.found.kind[at],
                )
            )
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))


@dataclass(frozen=True, eq=False)
class LearnedRanking:
    """Everything that ranks but the models.

    Attributes
    ----------
    plain, cart : SegmentBlends
        Blends for requests without and with a cart: the chance of purchase within the window,
        and the chance of joining the cart.
    boosted : BoostedTrees or None
        Trees over them; none where too few purchases were seen.
    """

    plain: SegmentBlends
    cart: SegmentBlends
    boosted: BoostedTrees | None = None


def training_window(
    models: Mapping[str, Model], statistics: ItemStatistics, panel: EvaluationSet, carts: CartSet
) -> TrainingWindow:
    """Collect what a window teaches.

    Parameters
    ----------
    models : mapping
        Fitted on what was before the panel's window.
    statistics : ItemStatistics
        Of the same time.
    panel : EvaluationSet
        Customers who came back, and some who did not.
    carts : CartSet
        Of the same window.
    """
    return TrainingWindow(
        plain_candidates(models, panel),
        _strangers(models, panel),
        _from_carts(models, panel, carts),
        _from_channels(models, panel),
        statistics,
        same_order_neighbours(models),
    )


def same_order_neighbours(
    models: Mapping[str, Model],
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """Neighbours of each product in one order, for ``BoostedTrees``."""
    found = models["copurchase"]
    if not isinstance(found, CoPurchase):
        raise TypeError("the models are not those of recsys.models")
    return found.indptr_, found.indices_, found.scores_


def learn_ranking(
    lessons: Sequence[TrainingWindow],
    weights: Sequence[Mapping[str, float]] = (),
    settings: Settings | None = None,
    *,
    seed: int = 0,
    threads: int = 2,
) -> LearnedRanking:
    """Learn blends and trees.

    Parameters
    ----------
    lessons : sequence of TrainingWindow
        One a window, at least one, the oldest first.
    weights : sequence of mappings
        Factors by model of the workspace's placements; each gets a curve of chances.
    settings : RankerSettings, optional
    seed, threads : int

    Returns
    -------
    LearnedRanking
        ``boosted`` holds the statistics of the last lesson.
    """
    factors = [factors_of(given) for given in weights]
    enough = BLENDED // BATCH
    found = BlendExamples.of(
        [sheet for one in lessons for sheet in (*one.plain[:enough], *one.strangers[:enough])]
    )
    n = len(MODEL_COLUMNS)
    plain = SegmentBlends(MODEL_COLUMNS).fit(
        found.scores[:, :n],
        found.bought,
        found.rows,
        found.kind,
        found.mass,
        [given[:n] for given in factors],
    )
    carts = BlendExamples.of([sheet for one in lessons for sheet in one.cart])
    if len(carts.rows):
        found = carts
    else:  # nobody ever bought two things: what speaks for the history speaks for the cart
        found.scores[:, EVIDENCE_COLUMNS.index(CART_COLUMN)] = found.scores[
            :, EVIDENCE_COLUMNS.index("copurchase")
        ]
        found.scores[:, EVIDENCE_COLUMNS.index("copurchase")] = 0
    cart = SegmentBlends(EVIDENCE_COLUMNS).fit(
        found.scores, found.bought, found.rows, found.kind, found.mass, factors
    )
    given = settings or Settings()
    without = boosting.fit_trees(
        [ranking_examples(one, [*one.plain, *one.on_channel], plain) for one in lessons],
        given,
        seed,
        threads,
    )
    if without is None:
        return LearnedRanking(plain, cart)
    joined = boosting.fit_trees(
        [ranking_examples(one, one.cart, cart) for one in lessons], given, seed, threads
    )
    last = lessons[-1]
    ensembles = without, joined or boosting.untrained_trees(cart)
    return LearnedRanking(plain, cart, BoostedTrees(last.statistics, last.baskets, *ensembles))


def ranking_examples(
    lesson: TrainingWindow, sheets: Sequence[CandidateBatch], blend: SegmentBlends
) -> RankingExamples:
    """Work out the features of the candidates that trees look at.

    Parameters
    ----------
    lesson : TrainingWindow
    sheets : sequence of CandidateBatch
        Of that lesson.
    blend : SegmentBlends
        Whose best candidates they are.
    """
    made = BoostedTrees(lesson.statistics, lesson.baskets, boosting.NONE, boosting.NONE)
    width, start = len(blend.columns), 0
    parts = []
    for sheet in sheets:
        found, rows = sheet.found, rows_of(sheet.found)
        evidence = blend.evidence(found.scores[:, :width], found.kind)
        total = blend.total(evidence, found.kind, np.ones(width))
        at = choose_for_trees(found, total, sheet.free)
        of = made.features(found, at, rows, total, sheet.histories, sheet.context)
        parts.append((of, sheet.bought[at], start + rows[at], sheet.mass[at], total[at]))
        start += len(sheet.context)
    none = RankingExamples.together([])
    columns = [np.concatenate(each) for each in zip(none.columns(), *parts, strict=True)]
    columns.append(np.concatenate([none.customer, *(one.customer for one in sheets)]))
    return RankingExamples(*columns)


def plain_candidates(models: Mapping[str, Model], panel: EvaluationSet) -> list[CandidateBatch]:
    """Collect the candidates of each customer, whatever the channel."""
    given = panel.histories, panel.context(), panel.wanted(), panel.mass
    return list(_sheets(models, *given, np.arange(len(panel))))


def _strangers(models: Mapping[str, Model], panel: EvaluationSet) -> list[CandidateBatch]:
    """Collect the candidates of each customer as of somebody of whom nothing is known."""
    some = panel.only(np.arange(min(len(panel), BLENDED)))
    context = some.context()
    nobody = Histories.from_rows([EMPTY] * len(some), panel.index, context.as_of_ts)
    given = nobody, context, some.wanted(), some.mass
    return list(_sheets(models, *given, np.arange(len(some))))


def _from_channels(models: Mapping[str, Model], panel: EvaluationSet) -> list[CandidateBatch]:
    """Collect candidates on each channel on which somebody bought: what was bought there.

    Those who bought there, and some of the others, who stand for all others.
    """
    channels = np.unique(panel.channel)
    sheets: list[CandidateBatch] = []
    for number in channels.tolist() if len(channels) > 1 else ():
        bought = np.diff(panel.wanted(CHANNELS[number]).indptr) > 0
        mass = np.zeros(len(panel))
        for group, most in ((bought, ON_CHANNEL), (~bought, OTHERS)):
            some = np.flatnonzero(group)
            some = some[:: len(some) // most + 1]
            mass[some] = panel.mass[some] * group.sum() / max(len(some), 1)
        rows = np.flatnonzero(mass)
        part = panel.only(rows)
        asked = Context.of(
            len(part), part.as_of_ts, location=_usual_place(part, number), channel=number
        )
        wanted = part.wanted(CHANNELS[number])
        sheets += _sheets(models, part.histories, asked, wanted, mass[rows], rows)
    return sheets


def _usual_place(panel: EvaluationSet, channel: int) -> NDArray[np.int64]:
    """Where each customer was last on a channel; 0 for nowhere."""
    past = panel.histories
    place = np.zeros(len(panel), np.int64)
    there = np.flatnonzero(past.channel == channel)
    place[past.row[there]] = past.location[there]  # lines are in time order: the last stays
    return place


def _from_carts(
    models: Mapping[str, Model], panel: EvaluationSet, carts: CartSet
) -> list[CandidateBatch]:
    """Each cart twice: as its customer's, and as that of somebody unknown."""
    theirs = [panel.rows[row] for row in carts.customer_ix]
    n = len(theirs)
    context = Context(
        carts.as_of_ts, np.zeros(n, np.int64), np.full(n, NO_CHANNEL, np.uint8), carts.cart
    )
    sheets: list[CandidateBatch] = []
    given = context, carts.rest, np.ones(n), carts.customer_ix
    for known in (theirs, [EMPTY] * n):
        histories = Histories.from_rows(known, panel.index, carts.as_of_ts)
        sheets += _sheets(models, histories, *given)
    return sheets


def _sheets(
    models: Mapping[str, Model],
    histories: Histories,
    context: Context,
    wanted: Lists,
    mass: NDArray[np.float64],
    customer: NDArray[np.int64],
) -> Iterator[CandidateBatch]:
    for start in range(0, len(context), BATCH):
        part = slice(start, start + BATCH)
        given, asked = histories[part], context[part]
        found = collect_candidates(models, Batch(given, asked), CANDIDATES_PER_MODEL)
        rows = rows_of(found)
        yield CandidateBatch(
            found,
            rows_contain(wanted, start + rows, found.item_ix),
            mass[start + rows],
            ~rows_contain(asked.cart, rows, found.item_ix),
            given,
            asked,
            customer[part],
        )
