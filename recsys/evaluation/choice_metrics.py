"""Computes metrics by choice: products that a shopper cannot distinguish count as one.

In: ranked and relevant products, with their choices. Out: one value per customer. Placements show
each choice once; if the customer bought another milk of the same title, the list was right. Called
by ``evaluator``.
"""

from typing import Final

import numpy as np

from recsys.datasets import Floats, Lists, Ragged, pointers, rows_of
from recsys.evaluation import metrics
from recsys.ranking import Choices

#: Factor on list lengths for methods whose lists repeat choices.
TIMES: Final = 4


def lists_of_choices(lists: Ragged, choices: Choices) -> Lists:
    """Replace products by their choices; keep the first occurrence of each choice per row.

    Parameters
    ----------
    lists : Ragged
    choices : Choices
    """
    rows, of = rows_of(lists), choices.of[lists.item_ix]
    first = np.sort(np.unique(rows * max(len(choices), 1) + of, return_index=True)[1])
    return Lists(pointers(rows[first], len(lists.indptr) - 1), of[first])


def choice_figures(shown: Ragged, relevant: Ragged, choices: Choices, k: int) -> dict[str, Floats]:
    """Measure lists by choice.

    Parameters
    ----------
    shown : Ragged
        Products of each customer, best first; longer than ``k``, because choices are merged.
    relevant : Ragged
        Products that each customer bought.
    choices : Choices
    k : int
        Cutoff: number of places evaluated.

    Returns
    -------
    dict
        ``choice_ndcg``, ``choice_recall`` and ``choice_hr``: ndarrays of shape (n,); NaN where
        nothing is relevant.
    """
    lists, relevant = lists_of_choices(shown, choices), lists_of_choices(relevant, choices)
    return {
        "choice_ndcg": metrics.ndcg_at(lists, relevant, k),
        "choice_recall": metrics.recall_at(lists, relevant, k),
        "choice_hr": metrics.hit_rate_at(lists, relevant, k),
    }
