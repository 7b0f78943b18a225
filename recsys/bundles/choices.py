"""Takes products that a shopper cannot tell apart for one, before anything is counted.

A training and its choices come in, a training in which one product of each choice was bought in
place of all of them comes out. Called before ``mining``: two milks of one title are neither two
bundles with bread, nor a bundle themselves.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import sparse

from recsys.datasets import Baskets, IxArray, TrainingSet
from recsys.ranking import Choices


def merge_choices(
    training: TrainingSet, choices: Choices, active: npt.NDArray[np.bool_]
) -> TrainingSet:
    """Return a training in which each choice is one product.

    Parameters
    ----------
    training : TrainingSet
    choices : Choices
        Of its catalogue.
    active : ndarray of shape (n_items,), bool
        Which products are sold: one of them stands for its choice, where there is any.

    Returns
    -------
    TrainingSet
        An order holds a choice where it held any product of it, and something was taken off its
        price where it was of any of them.
    """
    if not choices.several:
        return training
    return replace(
        training, baskets=_joined(training.baskets, representatives(choices, active)[choices.of])
    )


def representatives(choices: Choices, active: npt.NDArray[np.bool_]) -> IxArray:
    """Return the product that stands for each choice: one that is sold, the most bought of them.

    Parameters
    ----------
    choices : Choices
    active : ndarray of shape (n_items,), bool

    Returns
    -------
    ndarray of shape (n_items,), int32
        By choice; -1 for what is no choice's number.
    """
    every = np.arange(len(choices))
    order = np.lexsort((every, -choices.bought, ~active, choices.of))
    first = np.append(True, np.diff(choices.of[order]) != 0)[: len(order)]
    found = np.full(len(choices), -1, np.int32)
    found[choices.of[order[first]]] = order[first]
    return found


def _joined(baskets: Baskets, of: IxArray) -> Baskets:
    """Replace products by others, each once an order."""
    items = baskets.items
    n_orders, n_items = items.shape
    rows = np.repeat(np.arange(n_orders), np.diff(items.indptr))
    keys = rows * n_items + of[items.indices]
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(keys[order]) != 0)[: len(order)])
    kept, column = np.divmod(keys[order][starts], n_items)
    indptr = np.zeros(n_orders + 1, items.indptr.dtype)
    np.cumsum(np.bincount(kept, minlength=n_orders), out=indptr[1:])
    joined = sparse.csr_array(
        (np.ones(len(column), np.float32), column.astype(items.indices.dtype), indptr),
        shape=items.shape,
    )
    off = baskets.discounted
    if off is not None and len(starts):
        off = np.logical_or.reduceat(off[order], starts)
    return replace(baskets, items=joined, discounted=off)
