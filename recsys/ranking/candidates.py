"""Collects candidates: every product that any model proposes, with the scores of all models.

In: a batch of histories and contexts. Out: their candidates, with one score per column. Called by
``Ranker`` for requests, and by training to learn the blend.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.datasets import (
    Batch,
    Histories,
    IntArray,
    IxArray,
    Lists,
    compiled,
    fixed,
    pointers,
    rows_contain,
    rows_of,
    zeroed,
)
from recsys.models import MODELS as EVERY_MODEL
from recsys.models import Model, Recommendations
from recsys.models.kernels import scores_in_lists
from recsys.ranking.segment_blends import KINDS, NEW, STRANGER, Kinds

BOUGHT_BEFORE: Final = KINDS.index("bought_before")

#: The models, in the order of the columns.
MODEL_COLUMNS: Final = tuple(EVERY_MODEL)
#: One more column: co-purchase with the cart alone, whose effect a long history would hide.
CART_COLUMN: Final = "cart"
EVIDENCE_COLUMNS: Final = (*MODEL_COLUMNS, CART_COLUMN)
#: Columns that score only the candidates that they propose themselves: scoring the others doubles
#: their work and does not improve the metrics.
_BY_NAME: Final = ("copurchase", CART_COLUMN)
#: Column → the model whose factor counts for it.
MODEL_OF_COLUMN: Final = {**{name: name for name in MODEL_COLUMNS}, CART_COLUMN: "copurchase"}


@dataclass(frozen=True)
class Candidates:
    """Products that might be shown to ``n`` customers.

    Attributes
    ----------
    indptr : ndarray of shape (n + 1,), int64
        Row ``i`` lies in ``[indptr[i], indptr[i + 1])`` of the other arrays.
    item_ix : ndarray of shape (m,), int32
        Ascending within a row.
    scores : ndarray of shape (m, len(EVIDENCE_COLUMNS)), float32
        Score of each column; 0 where it has none.
    kind : ndarray of shape (m,), uint8
        Which of ``segment_blends.KINDS`` it is.
    """

    indptr: npt.NDArray[np.int64]
    item_ix: npt.NDArray[np.int32]
    scores: npt.NDArray[np.float32]
    kind: Kinds


def collect_candidates(models: Mapping[str, Model], batch: Batch, n: int) -> Candidates:
    """Collect the best products of every model, then score all of them by every model.

    Parameters
    ----------
    models : mapping
        All of ``MODEL_COLUMNS`` that are not switched off, fitted. A model that is not there has
        nothing to say, and costs nothing.
    batch : Batch
    n : int
        Maximum number of products that each model proposes per customer.

    Returns
    -------
    Candidates
        Whatever stands beside a row, its candidates and scores are the same.
    """
    inputs = _inputs(models, batch)
    proposed = {name: model.candidates_of(given, n) for name, (model, given) in inputs.items()}
    union = _union(list(proposed.values()), batch.histories.n_items)
    scores = np.zeros((len(union.item_ix), len(EVIDENCE_COLUMNS)), np.float32)
    for name, (model, given) in inputs.items():
        column = EVIDENCE_COLUMNS.index(name)
        if name in _BY_NAME:
            items = union.indptr, union.item_ix
            scores[:, column] = scores_in_lists(*proposed[name], items, batch.histories.n_items)
        else:
            scores[:, column] = model.scores_of(given, union)
    return Candidates(union.indptr, union.item_ix, scores, _kinds(batch.histories, union))


def score_given(models: Mapping[str, Model], batch: Batch, items: Lists) -> Candidates:
    """Score given products by every model, whether it would propose them or not.

    Parameters
    ----------
    models, batch
        As in ``collect_candidates``.
    items : Lists
        Products of each row, ascending.
    """
    scores = np.zeros((len(items.item_ix), len(EVIDENCE_COLUMNS)), np.float32)
    for name, (model, given) in _inputs(models, batch).items():
        scores[:, EVIDENCE_COLUMNS.index(name)] = model.scores_of(given, items)
    return Candidates(items.indptr, items.item_ix, scores, _kinds(batch.histories, items))


def with_products(
    models: Mapping[str, Model], batch: Batch, candidates: Candidates, items: Lists
) -> Candidates:
    """Add given products to candidates, scored by every model, where they are not among them.

    Parameters
    ----------
    models, batch
        As in ``collect_candidates``.
    candidates : Candidates
        Of the ``n`` rows of ``batch``.
    items : Lists
        Products of each row, ascending, each once.

    Returns
    -------
    Candidates
        ``candidates`` itself where nothing is missing.
    """
    rows = rows_of(items)
    missing = ~rows_contain(candidates, rows, items.item_ix)
    if not missing.any():
        return candidates
    lists = Lists(pointers(rows[missing], len(batch)), items.item_ix[missing])
    more = score_given(models, batch, lists)
    row = np.concatenate([rows_of(candidates), rows_of(more)])
    item_ix = np.concatenate([candidates.item_ix, more.item_ix])
    order = np.lexsort((item_ix, row))
    return Candidates(
        candidates.indptr + more.indptr,
        item_ix[order],
        np.concatenate([candidates.scores, more.scores])[order],
        np.concatenate([candidates.kind, more.kind])[order],
    )


def _inputs(models: Mapping[str, Model], batch: Batch) -> dict[str, tuple[Model, Batch]]:
    """Return the model and the batch of each column; without carts there is no cart column."""
    if not len(batch.context.cart.item_ix):
        return {name: (models[name], batch) for name in MODEL_COLUMNS if name in models}
    inputs = {
        name: (models[name], batch.without_cart if name == "copurchase" else batch)
        for name in MODEL_COLUMNS
        if name in models
    }
    return {**inputs, CART_COLUMN: (models["copurchase"], batch.cart_alone)}


def _kinds(histories: Histories, items: Lists) -> Kinds:
    """Return the kind of each candidate: bought before, new, or of a stranger."""
    given = items.indptr, items.item_ix, histories.indptr, histories.item_ix
    with zeroed((histories.n_items, np.uint8)) as (mark,):
        kinds: Kinds = _kind_of(STRANGER, NEW, BOUGHT_BEFORE, mark, *map(fixed, given))
    return kinds


@compiled
def _kind_of(
    stranger: int,
    new: int,
    before: int,
    mark: npt.NDArray[np.uint8],
    indptr: IntArray,
    items: IxArray,
    past_indptr: IntArray,
    past: IxArray,
) -> Kinds:
    """Classify candidates row by row, marking the customer's past products in ``mark``.

    Compiled because membership by a catalogue-wide mark costs one read per candidate, where numpy
    would sort both lists.
    """
    out = np.empty(len(items), np.uint8)
    for r in range(len(indptr) - 1):
        for at in range(past_indptr[r], past_indptr[r + 1]):
            mark[past[at]] = 1
        other = new if past_indptr[r + 1] > past_indptr[r] else stranger
        for at in range(indptr[r], indptr[r + 1]):
            out[at] = before if mark[items[at]] == 1 else other
        for at in range(past_indptr[r], past_indptr[r + 1]):
            mark[past[at]] = 0
    return out


def _union(proposed: Sequence[Recommendations], n_items: int) -> Lists:
    """Return the union of the models' candidates: each product once per row, ascending."""
    items = np.concatenate([each.item_ix for each in proposed])
    ends = np.concatenate([each.indptr for each in proposed]).reshape(len(proposed), -1)
    starts = np.array([0, *accumulate(len(each.item_ix) for each in proposed[:-1])], np.int64)
    with zeroed((n_items, np.uint8)) as (mark,):
        return Lists(*_gather(mark, *map(fixed, (items, ends, starts))))


@compiled
def _gather(
    mark: npt.NDArray[np.uint8], items: IxArray, ends: IntArray, starts: IntArray
) -> tuple[IntArray, IxArray]:
    """Merge the models' lists row by row, dropping repeats by ``mark``, and sort each row.

    Compiled because numpy would have to sort the candidates of all rows together.
    """
    n_rows = ends.shape[1] - 1
    # Written whether it counts or not, as in ``votes._add``; so there is room for one more.
    indptr, found = np.zeros(n_rows + 1, np.int64), np.empty(len(items) + 1, np.int32)
    end = 0
    for r in range(n_rows):
        for model in range(len(starts)):
            for at in range(starts[model] + ends[model, r], starts[model] + ends[model, r + 1]):
                item = items[at]
                found[end] = item
                end += mark[item] == 0
                mark[item] = 1
        row = found[indptr[r] : end]
        row.sort()
        for item in row:
            mark[item] = 0
        indptr[r + 1] = end
    return indptr, found[:end].copy()
