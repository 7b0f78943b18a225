"""What the models propose, side by side: one row a product that any of them named.

Each model's ragged lists for the same customers come in; out comes their union, with the score
and the place that each model gave. Called by ``rank`` for requests and for learning the blend.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from recsys.matrices.lists import Ragged, places_of, rows_of


class Proposal(Ragged, Protocol):
    """One model's lists for ``n`` customers, best first, each item once a row."""

    @property
    def scores(self) -> npt.NDArray[np.float32]:
        """Their scores."""


@dataclass(frozen=True)
class Candidates:
    """Products that might be shown to ``n`` customers.

    Parameters
    ----------
    indptr : ndarray of shape (n + 1,), int64
        Row ``i`` lies in ``[indptr[i], indptr[i + 1])`` of the other arrays.
    item_ix : ndarray of shape (m,), int32
        Ascending within a row.
    scores : ndarray of shape (m, n_models), float32
        What each model gave; 0 where it did not name the product.
    places : ndarray of shape (m, n_models), int32
        Place in each model's list, from 1; 0 where it did not name the product.
    """

    indptr: npt.NDArray[np.int64]
    item_ix: npt.NDArray[np.int32]
    scores: npt.NDArray[np.float32]
    places: npt.NDArray[np.int32]


def gather(proposals: Sequence[Proposal], n_items: int) -> Candidates:
    """Put the lists of several models side by side.

    Parameters
    ----------
    proposals : sequence of Proposal
        One a model, all for the same ``n`` customers.
    n_items : int
        Size of the catalogue.

    Returns
    -------
    Candidates
        With one column a model, in the order of ``proposals``.
    """
    n = len(proposals[0].indptr) - 1
    keys = [rows_of(proposal) * n_items + proposal.item_ix for proposal in proposals]
    union, position = np.unique(np.concatenate(keys), return_inverse=True)
    scores = np.zeros((len(union), len(proposals)), dtype=np.float32)
    places = np.zeros((len(union), len(proposals)), dtype=np.int32)
    start = 0
    for column, proposal in enumerate(proposals):
        at = position[start : start + len(proposal.item_ix)]
        start += len(at)
        scores[at, column] = proposal.scores
        places[at, column] = places_of(proposal) + 1
    indptr = np.searchsorted(union, np.arange(n + 1, dtype=np.int64) * n_items)
    return Candidates(indptr.astype(np.int64), (union % n_items).astype(np.int32), scores, places)
