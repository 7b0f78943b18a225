"""What requests ask of the ranker: counts, factors of a placement, and what must not be shown.

Made by ``recommender.request_context``, by evaluation and by learning; read by ``Ranker.rank``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.datasets import IntArray, IxArray, Lists, Ragged, compiled, fixed
from recsys.ranking.calibration import Floats
from recsys.ranking.candidates import EVIDENCE_COLUMNS, MODEL_OF_COLUMN
from recsys.ranking.discovery import new_items_needed
from recsys.ranking.merchandising import Merchandising
from recsys.ranking.rules import Limits


class Weighted(NamedTuple):
    """Products of ``n`` requests, and a number of each.

    Attributes
    ----------
    indptr : ndarray of shape (n + 1,), int64
        Row ``r`` is ``indptr[r]:indptr[r + 1]`` of the next two.
    item_ix : ndarray of shape (m,), int32
        They stand for all products of their choice, of which a row names one.
    weight : ndarray of shape (m,), float64
    """

    indptr: IntArray
    item_ix: IxArray
    weight: Floats

    def row(self, r: int) -> "Weighted":
        """Return those of one request.

        Parameters
        ----------
        r : int
            In ``[0, n)``.

        Returns
        -------
        Weighted
            Of one request.
        """
        part = slice(self.indptr[r], self.indptr[r + 1])
        ends = np.array([0, part.stop - part.start], np.int64)
        return Weighted(ends, self.item_ix[part], self.weight[part])

    def of(self, candidates: Ragged, choice_of: IxArray) -> Floats:
        """Return the number of each candidate; 0 where its choice has none.

        Parameters
        ----------
        candidates : Ragged
            ``k`` products of the same requests.
        choice_of : ndarray of shape (n_items,), int32
            Choice of each product.

        Returns
        -------
        ndarray of shape (k,), float64
        """
        arrays = *self, candidates.indptr, candidates.item_ix, choice_of
        return _of_choices(*map(fixed, arrays))


@compiled
def _of_choices(
    indptr: IntArray,
    item_ix: IxArray,
    weight: Floats,
    bounds: IntArray,
    candidate_ix: IxArray,
    choice_of: IxArray,
) -> Floats:
    found = np.zeros(len(candidate_ix))
    for r in range(len(bounds) - 1):
        begin, end = indptr[r], indptr[r + 1]
        if begin == end:
            continue
        named = choice_of[item_ix[begin:end]]
        order = np.argsort(named)
        ordered = named[order]
        for at in range(bounds[r], bounds[r + 1]):
            choice = choice_of[candidate_ix[at]]
            place = np.searchsorted(ordered, choice)
            if place < len(ordered) and ordered[place] == choice:
                found[at] = weight[begin + order[place]]
    return found


@dataclass(frozen=True)
class RankRequest:
    """What ``n`` requests ask for.

    Parameters
    ----------
    counts : ndarray of shape (n,), int64
        Number of items to return, at least 1.
    factors : ndarray of shape (n, len(EVIDENCE_COLUMNS)), float64
        What the evidence of each column counts on the placement, see ``factors_of``.
    limits : Limits
        What must not be shown.
    diversity : ndarray of shape (n,), float64, optional
        See ``diversity.diversify``; none by default.
    by_margin : ndarray of shape (n,), bool, optional
        Whether the order is that of the expected margin, see ``margins.expected``; that of the
        chance of purchase by default.
    requested : Lists, optional
        Products whose chance is returned, shown or not; none by default.
    new_share : ndarray of shape (n,), float64, optional
        See ``discovery``; 0 by default.
    merchandising : tuple of length n of (Merchandising or None), optional
        What is put where, whatever its score; nothing by default.
    rotation : Weighted, optional
        Logarithms of factors on the odds of products, by which they are ordered; none by default.
    """

    counts: npt.NDArray[np.int64]
    factors: Floats
    limits: Limits
    diversity: Floats = field(default_factory=lambda: np.empty(0))
    by_margin: npt.NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, bool))
    requested: Lists | None = None
    new_share: Floats = field(default_factory=lambda: np.empty(0))
    merchandising: tuple[Merchandising | None, ...] | None = None
    rotation: Weighted | None = None

    @cached_property
    def needed(self) -> IntArray:
        """How many new products each list shall have, shape (n,)."""
        return new_items_needed(self.counts, self.new_share)

    def row(self, r: int) -> "RankRequest":
        """Cut out one request; ``requested`` is not kept.

        Parameters
        ----------
        r : int
            In ``[0, n)``.

        Returns
        -------
        RankRequest
            Of one request, views of the same arrays.
        """
        part = slice(r, r + 1)
        return RankRequest(
            self.counts[part],
            self.factors[part],
            self.limits.row(r),
            self.diversity[part],
            self.by_margin[part],
            new_share=self.new_share[part],
            merchandising=self.merchandising and self.merchandising[part],
            rotation=None if self.rotation is None else self.rotation.row(r),
        )


def factors_of(by_model: Mapping[str, float]) -> Floats:
    """Lay a placement's factors out over ``EVIDENCE_COLUMNS``.

    Parameters
    ----------
    by_model : mapping of str to float
        Name of a model or a column → what its evidence counts; 1 where it is not named. The
        column of the cart has its model's factor, unless it is named itself.

    Returns
    -------
    ndarray of shape (len(EVIDENCE_COLUMNS),), float64
    """
    factors = {column: by_model.get(model, 1.0) for column, model in MODEL_OF_COLUMN.items()}
    return np.array([by_model.get(column, factors[column]) for column in EVIDENCE_COLUMNS])
