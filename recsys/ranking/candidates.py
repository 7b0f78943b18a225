"""What might be shown: every product that any model names, with what each model thinks of it.

A batch of histories and contexts come in; out come their candidates, with one score a column.
Called by ``rank`` for requests, and by training to learn the blend.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.matrices.histories import EMPTY, Histories
from recsys.matrices.ids import ItemIndex
from recsys.matrices.lists import Lists, contains, pointers, rows_of
from recsys.models import MODELS as EVERY_MODEL
from recsys.models.base import Batch, Context, Model
from recsys.ranking.parts import KINDS, NEW, STRANGER, Kinds

#: The models, in the order of the columns.
MODELS: Final = tuple(EVERY_MODEL)
#: One column more: co-purchase with the cart alone, which would drown in a long history.
CART: Final = "cart"
COLUMNS: Final = (*MODELS, CART)
#: Columns that know only the products that they name themselves: to ask them about others is as
#: much work again, and adds nothing to the figures.
_BY_NAME: Final = ("copurchase", CART)
#: Column → the model whose factor counts for it.
MODEL_OF: Final = {**{name: name for name in MODELS}, CART: "copurchase"}


@dataclass(frozen=True)
class Candidates:
    """Products that might be shown to ``n`` customers.

    Attributes
    ----------
    indptr : ndarray of shape (n + 1,), int64
        Row ``i`` lies in ``[indptr[i], indptr[i + 1])`` of the other arrays.
    item_ix : ndarray of shape (m,), int32
        Ascending within a row.
    scores : ndarray of shape (m, len(COLUMNS)), float32
        What each column gives; 0 where it has nothing to say.
    kind : ndarray of shape (m,), uint8
        Which of ``parts.KINDS`` it is.
    """

    indptr: npt.NDArray[np.int64]
    item_ix: npt.NDArray[np.int32]
    scores: npt.NDArray[np.float32]
    kind: Kinds


def collect(
    models: Mapping[str, Model],
    index: ItemIndex,
    histories: Histories,
    context: Context,
    n: int,
) -> Candidates:
    """Ask every model for its best products, then the models about all of them.

    Parameters
    ----------
    models : mapping
        All of ``MODELS`` that are not switched off, fitted. A model that is not there has
        nothing to say, and costs nothing.
    index : ItemIndex
        Their catalogue.
    histories : Histories
    context : Context
        Of the same length.
    n : int
        Products that each model names for each customer, at most.

    Returns
    -------
    Candidates
        Whatever stands beside a row, its candidates and scores are the same.
    """
    asked = _asked(models, index, histories, context)
    named = {name: model.name_best(batch, n) for name, (model, batch) in asked.items()}
    keys = {name: rows_of(lists) * len(index) + lists.item_ix for name, lists in named.items()}
    flat = _distinct(np.concatenate(list(keys.values())))
    rows, items = np.divmod(flat, max(1, len(index)))
    union = Lists(pointers(rows, len(context)), items.astype(np.int32))
    scores = np.zeros((len(flat), len(COLUMNS)), np.float32)
    for name, (model, batch) in asked.items():
        column = COLUMNS.index(name)
        if name in _BY_NAME:
            at = np.searchsorted(flat, keys[name])
            scores[at, column] = named[name].scores
        else:
            scores[:, column] = model.judge(batch, union)
    kind = _kinds(histories, rows, union.item_ix)
    return Candidates(union.indptr, union.item_ix, scores, kind)


def consider(
    models: Mapping[str, Model],
    index: ItemIndex,
    histories: Histories,
    context: Context,
    items: Lists,
) -> Candidates:
    """Ask the models about given products, whether they would name them or not.

    Parameters
    ----------
    models, index, histories, context
        As in ``collect``.
    items : Lists
        Products of each row, ascending.
    """
    scores = np.zeros((len(items.item_ix), len(COLUMNS)), np.float32)
    for name, (model, batch) in _asked(models, index, histories, context).items():
        scores[:, COLUMNS.index(name)] = model.judge(batch, items)
    kind = _kinds(histories, rows_of(items), items.item_ix)
    return Candidates(items.indptr, items.item_ix, scores, kind)


def _kinds(
    histories: Histories, rows: npt.NDArray[np.int64], item_ix: npt.NDArray[np.int32]
) -> Kinds:
    """Say of each candidate whether its customer bought it before, or is known at all."""
    known = np.diff(histories.indptr) > 0
    kind = np.where(known, NEW, STRANGER).astype(np.uint8)[rows]
    kind[contains(histories, rows, item_ix)] = KINDS.index("bought_before")
    return kind


def _asked(
    models: Mapping[str, Model], index: ItemIndex, histories: Histories, context: Context
) -> dict[str, tuple[Model, Batch]]:
    """Who is asked for each column, and with what; no cart, no column for it.

    Models that are asked the same share a batch, which is cut into rows once.
    """
    everything = Batch(histories, context)
    if not len(context.cart.item_ix):
        return {name: (models[name], everything) for name in MODELS if name in models}
    nothing = Lists(np.zeros(len(context) + 1, np.int64), np.empty(0, np.int32))
    without_cart = Batch(histories, replace(context, cart=nothing))
    nobody = Histories.from_rows([EMPTY] * len(context), index, context.as_of_ts)
    asked = {
        name: (models[name], without_cart if name == "copurchase" else everything)
        for name in MODELS
        if name in models
    }
    return {**asked, CART: (models["copurchase"], Batch(nobody, context))}


def _distinct(keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return each key once, ascending; sorting is faster here than ``numpy.unique``'s hashing."""
    ordered = np.sort(keys)
    new = np.ones(len(ordered), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    return ordered[new]
