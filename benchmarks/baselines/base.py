"""The interface of a baseline: how it is fitted, and which settings are tuned.

``benchmarks._measurement`` tunes and measures baselines; each file of this folder has a few.
"""

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._problem import Ints, Purchases, best_of
from recsys.datasets import Lists, pointers

#: From customers, places and whether only what is new to them counts, to lists, best first.
Show = Callable[[Ints, int, bool], Lists]
#: From purchases and settings to what answers.
Fit = Callable[..., Show]
#: Scores of some customers for all items, dense.
Scores = Callable[[Ints], NDArray[np.floating[Any]]]

#: Cells of a block of scores that are looked at at once.
BLOCK = 8_000_000


@dataclass(frozen=True)
class Baseline:
    """A method to compare with.

    Attributes
    ----------
    name : str
        In tables and JSON.
    fit : callable
        ``fit(purchases, seed, **settings)`` returns what answers.
    axes : mapping of str to tuple
        Settings that are tuned, each with the values that are tried; the first of each is where
        the search begins.
    needs : str
        The module that must be there; the method is left out, and named, where it is not.
    package : str
        What brings that module.
    """

    name: str
    fit: Fit
    axes: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    needs: str = "numpy"
    package: str = "numpy"

    @property
    def there(self) -> bool:
        """Whether what it needs is installed, and whole."""
        try:
            return importlib.util.find_spec(self.needs) is not None
        except ImportError:  # a package around it cannot be imported
            return False


def dense(purchases: Purchases, scores: Scores, least: float = 0.0) -> Show:
    """Answer from dense scores, block by block.

    Parameters
    ----------
    purchases : Purchases
    scores : callable
        From customers to an array of shape (len(customers), n_items) that may be written to.
    least : float
        Only what scores more is named.
    """
    step = max(1, BLOCK // max(1, purchases.n_items))

    def show(asked: Ints, k: int, new_only: bool) -> Lists:
        parts = []
        for start in range(0, len(asked), step):
            rows = asked[start : start + step]
            block = scores(rows)
            if new_only:
                held = purchases.owned[rows]
                at = np.repeat(np.arange(len(rows)), np.diff(held.indptr))
                block[at, held.indices] = -np.inf
            parts.append(best_of(block, k, least))
        return stacked(parts)

    return show


def stacked(parts: list[Lists]) -> Lists:
    """Put lists of consecutive customers behind one another."""
    lengths = np.concatenate([np.diff(part.indptr) for part in parts] or [np.empty(0, np.int64)])
    items = np.concatenate([part.item_ix for part in parts] or [np.empty(0, np.int32)])
    rows = np.repeat(np.arange(len(lengths)), lengths)
    return Lists(pointers(rows, len(lengths)), items)
