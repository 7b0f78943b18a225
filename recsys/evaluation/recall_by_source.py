"""Measures the recall of each model's candidates: products that no model proposes cannot be ranked.

In: a ranker and an evaluation set. Out: the share of purchases among the candidates of each model,
of all models, and of those that the trees score. Called by training, for its report.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recsys.datasets import Batch, Lists, pointers, rows_contain, rows_of, without_items
from recsys.evaluation.evaluation_set import EvaluationSet
from recsys.models import Model
from recsys.ranking import Ranker, choose_for_trees, collect_candidates

ALL_MODELS: Final = "all together"
SEEN_BY_TREES: Final = "seen by trees"

#: Customers whose candidates are collected at once, to bound memory.
BATCH: Final = 500


@dataclass(frozen=True)
class SourceRecall:
    """The recall of one model's candidates.

    Attributes
    ----------
    source : str
        The model; ``ALL_MODELS``, or ``SEEN_BY_TREES``: the candidates that the trees score.
    recall, new_recall : float
        Share of bought products among its candidates: of all, and of those that were new to
        their customer; NaN where there were none.
    alone, new_alone : float
        The same for bought products that no other model proposes.
    candidates : float
        Mean number of its candidates per customer.
    """

    source: str
    recall: float
    new_recall: float
    alone: float
    new_alone: float
    candidates: float


def candidate_recall(ranker: Ranker, customers: EvaluationSet, n: int) -> list[SourceRecall]:
    """Measure the recall of each model's candidates.

    Parameters
    ----------
    ranker : Ranker
        Learned on data before the window.
    customers : EvaluationSet
    n : int
        Maximum number of candidates per model and customer.

    Returns
    -------
    list of SourceRecall
        One per model, one for all models together, and, if the ranker has trees, one for the
        candidates that the trees score.
    """
    relevant = customers.relevant()
    rows = rows_of(relevant)
    is_new = rows_contain(without_items(relevant, customers.histories), rows, relevant.item_ix)
    candidates = _named(ranker.models, customers, n)
    found_by = np.array(
        [rows_contain(lists, rows, relevant.item_ix) for lists in candidates.values()], dtype=bool
    )
    times = found_by.sum(axis=0)

    def recall_of(
        source: str, found: NDArray[np.bool_], alone: NDArray[np.bool_], many: int
    ) -> SourceRecall:
        return SourceRecall(
            source,
            _share(found),
            _share(found[is_new]),
            _share(alone),
            _share(alone[is_new]),
            many / max(1, len(customers)),
        )

    each = [
        recall_of(name, found_by[m], found_by[m] & (times == 1), len(lists.item_ix))
        for m, (name, lists) in enumerate(candidates.items())
    ]
    pairs = [rows_of(lists) * len(customers.index) + lists.item_ix for lists in candidates.values()]
    union, nobody = len(np.unique(np.concatenate(pairs))), np.zeros(len(rows), bool)
    each.append(recall_of(ALL_MODELS, times > 0, nobody, union))
    if ranker.boosted is not None:
        left = _chosen(ranker, customers, n)
        each.append(
            recall_of(
                SEEN_BY_TREES, rows_contain(left, rows, relevant.item_ix), nobody, len(left.item_ix)
            )
        )
    return each


def _named(models: Mapping[str, Model], customers: EvaluationSet, n: int) -> dict[str, Lists]:
    """Return the candidates of each model."""
    context = customers.context()
    by_model = {
        name: model.candidates(customers.histories, context, n) for name, model in models.items()
    }
    return {name: Lists(one.indptr, one.item_ix) for name, one in by_model.items()}


def _chosen(ranker: Ranker, customers: EvaluationSet, n: int) -> Lists:
    """Return the candidates that the trees score: the best by the blend."""
    blend, context = ranker.plain, customers.context()
    width = len(blend.columns)
    rows, items = [np.empty(0, np.int64)], [np.empty(0, np.int32)]
    for start in range(0, len(customers), BATCH):
        part = slice(start, start + BATCH)
        collected = collect_candidates(
            ranker.models, Batch(customers.histories[part], context[part]), n
        )
        evidence = blend.evidence(collected.scores[:, :width], collected.kind)
        total = blend.total(evidence, collected.kind, np.ones(width))
        at = choose_for_trees(collected, total, np.ones(len(total), bool))
        rows.append(start + rows_of(collected)[at])
        items.append(collected.item_ix[at])
    return Lists(pointers(np.concatenate(rows), len(customers)), np.concatenate(items))


def _share(of: NDArray[np.bool_]) -> float:
    return float(of.mean()) if len(of) else float("nan")
