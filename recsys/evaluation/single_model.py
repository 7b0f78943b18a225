"""Finds the best single model, to measure what the combination of models adds.

In: fitted models and customers of a validation window. Out: the model whose lists are best there,
with the interface of a baseline. Called by training.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from recsys.datasets import Context, Histories, Lists, Ragged, pointers, rows_of
from recsys.evaluation.evaluation_set import EvaluationSet
from recsys.evaluation.metrics import ndcg_at
from recsys.evaluation.top_lists import TopLists
from recsys.models import Model

#: Customers scored at once, to bound memory.
BATCH: Final = 500


@dataclass(frozen=True)
class SingleModel:
    """A single model with the interface of a baseline.

    Attributes
    ----------
    model : Model
        Fitted.
    by_channel : bool
        As in ``Baseline``: models know the channel of a request.
    """

    model: Model
    by_channel: bool = True

    def show(self, histories: Histories, context: Context, k: int) -> TopLists:
        """Return at most ``k`` items of each kind per customer; items without a score are left out.

        Parameters
        ----------
        histories : Histories
        context : Context
            Of the same length.
        k : int
        """
        mixed: list[Ragged] = []
        new: list[Ragged] = []
        own: list[Ragged] = []
        for start in range(0, len(context), BATCH):
            part = histories[start : start + BATCH], context[start : start + BATCH]
            mixed.append(self.model.recommend(part[0], k, part[1]))
            new.append(self.model.recommend(part[0], k, part[1], new_only=True))
            own.append(self._own(*part, k))
        return TopLists(*(_joined(parts) for parts in (mixed, new, own)))

    def _own(self, histories: Histories, context: Context, k: int) -> Lists:
        """Return the best products each customer had bought; ties by position in the catalogue."""
        held = Lists.of_pairs(histories.row, histories.item_ix, len(histories))
        rows, scores = rows_of(held), self.model.score(histories, context, held)
        order = np.lexsort((held.item_ix, -scores, rows))
        order = order[scores[order] > 0]
        place = np.arange(len(order)) - np.searchsorted(rows[order], rows[order])
        order = order[place < k]
        return Lists(pointers(rows[order], len(histories)), held.item_ix[order])


def _joined(parts: Sequence[Ragged]) -> Lists:
    """Concatenate the lists of several batches."""
    sizes = [np.diff(part.indptr) for part in parts]
    indptr = np.append(0, np.cumsum(np.concatenate([[], *sizes]))).astype(np.int64)
    return Lists(indptr, np.concatenate([np.empty(0, np.int32), *(p.item_ix for p in parts)]))


@dataclass(frozen=True)
class BestSingleModel:
    """The best single model.

    Attributes
    ----------
    name : str
        The best model; the first among equals.
    reached : mapping of str to float
        NDCG@k of each model on the validation window.
    """

    name: str
    reached: Mapping[str, float]


def best_single(
    models: Mapping[str, Model], evaluation_set: EvaluationSet, k: int
) -> BestSingleModel:
    """Find the model whose lists alone have the best NDCG@k.

    Parameters
    ----------
    models : mapping
        Fitted on data before the window.
    evaluation_set : EvaluationSet
        Customers of a validation window, so that the model is not chosen on the test window.
    k : int
        Cutoff: number of places evaluated.
    """
    relevant, context = evaluation_set.relevant(), evaluation_set.context()
    reached = {
        name: float(
            np.nanmean(
                ndcg_at(
                    SingleModel(model).show(evaluation_set.histories, context, k).mixed, relevant, k
                )
            )
        )
        for name, model in models.items()
    }
    return BestSingleModel(max(reached, key=lambda name: reached[name]), reached)
