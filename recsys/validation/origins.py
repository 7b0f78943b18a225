"""Which model names what is then bought: nothing can be ranked that no model named.

Fitted models and a panel come in; the share of bought products among each model's candidates
comes out. Called by training, for its report.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recsys.matrices.lists import Lists, contains, rows_of, without
from recsys.models import Model
from recsys.validation.panel import Panel

TOGETHER = "all together"


@dataclass(frozen=True)
class Origin:
    """What one model's candidates hold of what was bought.

    Attributes
    ----------
    source : str
        The model, or ``TOGETHER``.
    recall, new_recall : float
        Share of bought products among its candidates: of all, and of those that were new to
        their customer; NaN where there were none.
    alone : float
        Share of bought products that no other model names.
    candidates : float
        Mean number that it names for a customer.
    """

    source: str
    recall: float
    new_recall: float
    alone: float
    candidates: float


def origins(models: Mapping[str, Model], panel: Panel, n: int) -> list[Origin]:
    """Ask each model for candidates and look what of them was bought.

    Parameters
    ----------
    models : mapping
        Fitted on what was before the panel's window.
    panel : Panel
    n : int
        Candidates of each model for each customer, at most.

    Returns
    -------
    list of Origin
        One a model, and one for all of them together.
    """
    wanted, context = panel.wanted(), panel.context()
    rows = rows_of(wanted)
    is_new = contains(without(wanted, panel.histories), rows, wanted.item_ix)
    named: dict[str, Lists] = {}
    for name, model in models.items():
        found = model.candidates(panel.histories, context, n)
        named[name] = Lists(found.indptr, found.item_ix)
    found_by = np.array(
        [contains(lists, rows, wanted.item_ix) for lists in named.values()], dtype=bool
    )
    times = found_by.sum(axis=0)
    told = [
        Origin(
            name,
            _share(found_by[m]),
            _share(found_by[m][is_new]),
            _share(found_by[m] & (times == 1)),
            len(lists.item_ix) / max(1, len(panel)),
        )
        for m, (name, lists) in enumerate(named.items())
    ]
    pairs = [rows_of(lists) * len(panel.index) + lists.item_ix for lists in named.values()]
    union = len(np.unique(np.concatenate(pairs))) / max(1, len(panel))
    whole = Origin(TOGETHER, _share(times > 0), _share((times > 0)[is_new]), 0.0, union)
    return [*told, whole]


def _share(of: np.ndarray) -> float:
    return float(of.mean()) if len(of) else float("nan")
