"""Collects the candidates that ranking is learned from, for requests of each kind.

In: models fitted before a window, and the window's evaluation set. Out: batches of candidates with
their labels. Called by ``examples`` and by ``insight``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

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
from recsys.models import Model
from recsys.ranking import CANDIDATES_PER_MODEL, Candidates, collect_candidates
from recsys.schema import CHANNELS

#: Customers scored at once, to bound memory.
BATCH: Final = 500
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


def plain_candidates(
    models: Mapping[str, Model], customers: EvaluationSet, threads: int = 1
) -> list[CandidateBatch]:
    """Collect the candidates of each customer, for requests without a channel or a cart."""
    given = customers.histories, customers.context(), customers.relevant(), customers.sample_weight
    return _candidate_batches(models, *given, np.arange(len(customers)), threads)


def stranger_candidates(
    models: Mapping[str, Model], customers: EvaluationSet, most: int, threads: int = 1
) -> list[CandidateBatch]:
    """Collect the candidates of each customer as if nothing were known of them."""
    some = customers.only(np.arange(min(len(customers), most)))
    context = some.context()
    nobody = Histories.from_rows([EMPTY] * len(some), customers.index, context.as_of_ts)
    given = nobody, context, some.relevant(), some.sample_weight
    return _candidate_batches(models, *given, np.arange(len(some)), threads)


def channel_candidates(
    models: Mapping[str, Model], customers: EvaluationSet, threads: int = 1
) -> list[CandidateBatch]:
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
            models, part.histories, context, relevant, sample_weight[rows], rows, threads
        )
    return batches


def _usual_place(customers: EvaluationSet, channel: int) -> NDArray[np.int64]:
    """Return the location where each customer last bought on a channel; 0 for none."""
    past = customers.histories
    place = np.zeros(len(customers), np.int64)
    there = np.flatnonzero(past.channel == channel)
    place[past.row[there]] = past.location[there]  # lines are in time order: the last stays
    return place


def cart_candidates(
    models: Mapping[str, Model], customers: EvaluationSet, carts: CartSet, threads: int = 1
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
        batches += _candidate_batches(models, histories, *given, threads)
    return batches


def _candidate_batches(
    models: Mapping[str, Model],
    histories: Histories,
    context: Context,
    relevant: Lists,
    sample_weight: NDArray[np.float64],
    customer: NDArray[np.int64],
    threads: int,
) -> list[CandidateBatch]:
    def collect(start: int) -> CandidateBatch:
        part = slice(start, start + BATCH)
        batch = Batch(histories[part], context[part])
        candidates = collect_candidates(models, batch, CANDIDATES_PER_MODEL)
        rows = rows_of(candidates)
        return CandidateBatch(
            candidates,
            rows_contain(relevant, start + rows, candidates.item_ix),
            sample_weight[start + rows],
            ~rows_contain(batch.context.cart, rows, candidates.item_ix),
            batch.histories,
            batch.context,
            customer[part],
        )

    side_by_side = Parallel(threads, backend="threading")
    return list(side_by_side(delayed(collect)(at) for at in range(0, len(context), BATCH)))
