"""Says how good lists are where products that a shopper cannot tell apart count as one.

Ordered products and wanted ones come in, with their choices; figures come out, one a customer. A
list that is joined by choice is what is shown; who bought another milk of the same title was shown
the right thing. Called by ``evaluator``.
"""

from typing import Final

import numpy as np

from recsys.datasets import Floats, Lists, Ragged, pointers, rows_of
from recsys.evaluation import metrics
from recsys.ranking import Choices

#: So many times the places are needed of other methods, whose lists repeat choices.
TIMES: Final = 4


def lists_of_choices(lists: Ragged, choices: Choices) -> Lists:
    """Put the number of its choice in place of each product, each once a row, where it first stood.

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
        Products of each customer, best first; longer than ``k``, as some are joined.
    relevant : Ragged
        Products that each customer bought.
    choices : Choices
    k : int
        Places that count.

    Returns
    -------
    dict
        ``choice_ndcg``, ``choice_recall`` and ``choice_hr``: ndarrays of shape (n,); NaN where
        nothing was wanted.
    """
    lists, relevant = lists_of_choices(shown, choices), lists_of_choices(relevant, choices)
    return {
        "choice_ndcg": metrics.ndcg_at(lists, relevant, k),
        "choice_recall": metrics.recall_at(lists, relevant, k),
        "choice_hr": metrics.hit_rate_at(lists, relevant, k),
    }
