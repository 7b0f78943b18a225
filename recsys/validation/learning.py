"""Learns how much each model's opinion counts, on windows that the models have not seen.

Models fitted before a window and a panel of it come in, for one window or for several; out come
the blends that rank with and without a cart. Called by training.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recsys.matrices.histories import EMPTY, Histories
from recsys.matrices.lists import contains, rows_of
from recsys.models import Model
from recsys.models.base import Context
from recsys.ranking.candidates import CART, COLUMNS, MODELS, Candidates, collect
from recsys.ranking.parts import Kinds, Parts
from recsys.ranking.rank import PER_MODEL, factors_of
from recsys.validation.carts import Carts
from recsys.validation.panel import Panel

#: Customers scored at once, which bounds the memory.
BATCH: Final = 500


@dataclass(frozen=True, eq=False)
class Examples:
    """Candidates of one window with what came of them.

    Attributes
    ----------
    scores : ndarray of shape (m, len(COLUMNS)), float32
    bought : ndarray of shape (m,), bool
    rows : ndarray of shape (m,), int64
        Whose candidate each is, ascending.
    mass : ndarray of shape (m,), float64
        How many cases it stands for.
    kind : ndarray of shape (m,), uint8
        Which of ``parts.KINDS`` each is.
    """

    scores: NDArray[np.float32]
    bought: NDArray[np.bool_]
    rows: NDArray[np.int64]
    mass: NDArray[np.float64]
    kind: Kinds

    @classmethod
    def together(cls, parts: Sequence["Examples"]) -> "Examples":
        """Put several windows behind one another; a customer's rows in each stay apart."""
        starts = np.cumsum([0, *(part.rows.max(initial=-1) + 1 for part in parts)])
        return cls(
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.bought for part in parts]),
            np.concatenate(
                [part.rows + start for part, start in zip(parts, starts[:-1], strict=True)]
            ),
            np.concatenate([part.mass for part in parts]),
            np.concatenate([part.kind for part in parts]),
        )


@dataclass(frozen=True, eq=False)
class Lesson:
    """What one window teaches: without a cart, and with one.

    Attributes
    ----------
    plain, cart : Examples
        ``cart`` may be empty.
    """

    plain: Examples
    cart: Examples


def lesson(models: Mapping[str, Model], panel: Panel, carts: Carts) -> Lesson:
    """Collect what a window teaches.

    Parameters
    ----------
    models : mapping
        Fitted on what was before the panel's window.
    panel : Panel
        Customers who came back, and some who did not.
    carts : Carts
        Of the same window.
    """
    return Lesson(_from_panel(models, panel), _from_carts(models, panel, carts))


def learn(
    lessons: Sequence[Lesson], weights: Sequence[Mapping[str, float]] = ()
) -> tuple[Parts, Parts]:
    """Learn both blends.

    Parameters
    ----------
    lessons : sequence of Lesson
        One a window, at least one.
    weights : sequence of mappings
        Factors by model of the workspace's placements; each gets a curve of chances.

    Returns
    -------
    plain : Parts
        For requests without a cart: the chance of purchase within the window.
    cart : Parts
        For requests with a cart: the chance of joining it.
    """
    factors = [factors_of(given) for given in weights]
    found = Examples.together([one.plain for one in lessons])
    n = len(MODELS)
    plain = Parts(MODELS).fit(
        found.scores[:, :n], found.bought, found.rows, found.kind, found.mass,
        [given[:n] for given in factors],
    )  # fmt: skip
    carts = Examples.together([one.cart for one in lessons])
    if len(carts.rows):
        found = carts
    else:  # nobody ever bought two things: what speaks for the history speaks for the cart
        found.scores[:, COLUMNS.index(CART)] = found.scores[:, COLUMNS.index("copurchase")]
        found.scores[:, COLUMNS.index("copurchase")] = 0
    cart = Parts(COLUMNS).fit(
        found.scores, found.bought, found.rows, found.kind, found.mass, factors
    )
    return plain, cart


def _from_panel(models: Mapping[str, Model], panel: Panel) -> Examples:
    """Each customer twice: as themselves, and as somebody of whom nothing is known."""
    wanted, context, n = panel.wanted(), panel.context(), len(panel)
    nobody = Histories.from_rows([EMPTY] * n, panel.index, context.as_of_ts)
    examples: list[Examples] = []
    for turn, histories in enumerate((panel.histories, nobody)):
        for start, found in _collected(models, panel, histories, context):
            rows = start + rows_of(found)
            bought = contains(wanted, rows, found.item_ix)
            mass = panel.mass[rows]
            examples.append(Examples(found.scores, bought, turn * n + rows, mass, found.kind))
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
    examples: list[Examples] = []
    for turn, known in enumerate((theirs, [EMPTY] * len(theirs))):
        histories = Histories.from_rows(known, panel.index, carts.as_of_ts)
        for start, found in _collected(models, panel, histories, context):
            rows = start + rows_of(found)
            joined = contains(carts.rest, rows, found.item_ix)
            free = ~contains(carts.cart, rows, found.item_ix)
            case = (turn * len(theirs) + rows)[free]
            each = np.ones(len(case))
            examples.append(
                Examples(found.scores[free], joined[free], case, each, found.kind[free])
            )
    return _stacked(examples)


def _collected(
    models: Mapping[str, Model], panel: Panel, histories: Histories, context: Context
) -> Iterator[tuple[int, Candidates]]:
    for start in range(0, len(context), BATCH):
        part = slice(start, start + BATCH)
        yield start, collect(models, panel.index, histories[part], context[part], PER_MODEL)


def _stacked(parts: list[Examples]) -> Examples:
    """Put batches of one window together, whose rows are counted through."""
    none = Examples(
        np.empty((0, len(COLUMNS)), np.float32),
        np.empty(0, bool),
        np.empty(0, np.int64),
        np.empty(0),
        np.empty(0, np.uint8),
    )
    return Examples(
        *(
            np.concatenate([getattr(part, column.name) for part in (none, *parts)])
            for column in fields(Examples)
        )
    )
