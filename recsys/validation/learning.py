"""Learns how much each model's opinion counts, on a window that the models have not seen.

Models fitted before a window and a panel of it come in; out come the blends that rank with and
without a cart. Called by training.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recsys.matrices.histories import EMPTY, Histories
from recsys.matrices.lists import contains, rows_of
from recsys.models import Model
from recsys.models.base import Context
from recsys.ranking.blend import Blend
from recsys.ranking.candidates import CART, COLUMNS, MODELS, Candidates, collect
from recsys.ranking.rank import PER_MODEL, factors_of
from recsys.validation.carts import Carts
from recsys.validation.panel import Panel

#: Customers scored at once, which bounds the memory.
BATCH: Final = 500

#: Scores, what was bought, whose candidate each is, and what it counts.
Examples = tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.int64], NDArray[np.float64]]


def learn(
    models: Mapping[str, Model],
    panel: Panel,
    carts: Carts,
    weights: Sequence[Mapping[str, float]] = (),
) -> tuple[Blend, Blend]:
    """Learn both blends.

    Parameters
    ----------
    models : mapping
        Fitted on what was before the panel's window.
    panel : Panel
        Customers who came back, and some who did not.
    carts : Carts
        Of the same window.
    weights : sequence of mappings
        Factors by model of the workspace's placements; each gets a curve of chances.

    Returns
    -------
    plain : Blend
        For requests without a cart: the chance of purchase within the window.
    cart : Blend
        For requests with a cart: the chance of joining it.
    """
    factors = [factors_of(given) for given in weights]
    scores, bought, rows, mass = _from_panel(models, panel)
    n = len(MODELS)
    plain = Blend(MODELS).fit(scores[:, :n], bought, rows, mass, [given[:n] for given in factors])
    if len(carts.customer_ix):
        scores, bought, rows, mass = _from_carts(models, panel, carts)
    else:  # nobody ever bought two things: what speaks for the history speaks for the cart
        scores[:, COLUMNS.index(CART)] = scores[:, COLUMNS.index("copurchase")]
        scores[:, COLUMNS.index("copurchase")] = 0
    return plain, Blend(COLUMNS).fit(scores, bought, rows, mass, factors)


def _from_panel(models: Mapping[str, Model], panel: Panel) -> Examples:
    wanted = panel.wanted()
    context = Context.of(len(panel), panel.as_of_ts)
    examples = []
    for start, found in _collected(models, panel, panel.histories, context):
        rows = start + rows_of(found)
        bought = contains(wanted, rows, found.item_ix)
        examples.append((found.scores, bought, rows, panel.mass[rows]))
    return _stacked(examples)


def _from_carts(models: Mapping[str, Model], panel: Panel, carts: Carts) -> Examples:
    """Each cart twice: as its customer's, and as that of somebody unknown."""
    theirs = [panel.rows[row] for row in carts.customer_ix]
    context = Context(
        carts.as_of_ts,
        np.zeros(len(theirs), np.int64),
        Context.of(len(theirs), 0).channel,
        carts.cart,
    )
    examples = []
    for turn, known in enumerate((theirs, [EMPTY] * len(theirs))):
        histories = Histories.from_rows(known, panel.index, carts.as_of_ts)
        for start, found in _collected(models, panel, histories, context):
            rows = start + rows_of(found)
            joined = contains(carts.rest, rows, found.item_ix)
            free = ~contains(carts.cart, rows, found.item_ix)
            case = (turn * len(theirs) + rows)[free]
            examples.append((found.scores[free], joined[free], case, np.ones(len(case))))
    return _stacked(examples)


def _collected(
    models: Mapping[str, Model], panel: Panel, histories: Histories, context: Context
) -> Iterator[tuple[int, Candidates]]:
    for start in range(0, len(context), BATCH):
        part = slice(start, start + BATCH)
        yield start, collect(models, panel.index, histories[part], context[part], PER_MODEL)


def _stacked(examples: list[Examples]) -> Examples:
    scores, bought, rows, mass = (np.concatenate(part) for part in zip(*examples, strict=True))
    return scores, bought, rows, mass
