"""Blends the scores of candidates into total log-odds and chances of purchase.

In: candidates with one score per column, and the factors of each request's placement. Out: the keys
to rank by, and for shown candidates the evidence of each column. The results equal those of
``SegmentBlends``, without computing evidence of what is never shown. Called by ``Ranker``.
"""

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from recsys.datasets import IntArray, Ragged, compiled, fixed
from recsys.ranking.blend import stacked, weigh_evidence
from recsys.ranking.calibration import Floats, read_curve
from recsys.ranking.segment_blends import KINDS, Kinds, SegmentBlends

Scores = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

#: Maximum number of cached factors; placements use few.
_MOST_KNOWN: Final = 1_000


@dataclass(frozen=True)
class ScoredCandidates:
    """Blended scores of ``m`` candidates.

    Attributes
    ----------
    total, plain : ndarray of shape (m,), float64
        Log-odds with the placement's factors, and without.
    chance : ndarray of shape (m,), float64
        Of purchase.
    """

    total: Floats
    plain: Floats
    chance: Floats


class BlendChoice(NamedTuple):
    """Blend and calibration curve of each of ``n`` requests.

    Attributes
    ----------
    first : ndarray of shape (n,), int64
        Row of the blend for the first of ``KINDS``.
    curve : ndarray of shape (n,), int64
        Row of the curve of chances.
    factors : ndarray of shape (n, n_columns), float64
    """

    first: IntArray
    curve: IntArray
    factors: Floats


@dataclass(frozen=True, eq=False)
class Scorer:
    """Blends for requests without and with a cart, stacked in this order.

    Parameters
    ----------
    plain, cart : SegmentBlends
        ``cart`` has the columns of ``plain`` first, and perhaps more.
    curves : tuple of ndarray
        Score to evidence, of each kind and column: two arrays of shape
        (2 * len(KINDS), n_columns, KNOTS), and the weights, of 0 for the columns that ``plain``
        has not.
    chances : tuple of ndarray
        Intercepts of each kind, factors for which there are curves of chances, and the curves.
    """

    plain: SegmentBlends
    cart: SegmentBlends
    curves: tuple[Floats, Floats, Floats]
    chances: tuple[Floats, Floats, Floats, Floats]
    _curve_of: dict[tuple[bool, bytes], int] = field(default_factory=dict)

    @classmethod
    def of(cls, plain: SegmentBlends, cart: SegmentBlends) -> Self:
        """Stack the parameters of both."""
        more = (0, 0), (0, len(cart.columns) - len(plain.columns))
        x, y, weights = stacked(plain.blends)
        cart_x, cart_y, cart_weights = stacked(cart.blends)
        one, other = plain.blends[0], cart.blends[0]  # chances are the same of all kinds
        return cls(
            plain,
            cart,
            (
                fixed(np.concatenate([np.pad(x, (*more, (0, 0))), cart_x])),
                fixed(np.concatenate([np.pad(y, (*more, (0, 0))), cart_y])),
                fixed(np.concatenate([np.pad(weights, more), cart_weights])),
            ),
            (
                fixed(np.array([blend.intercept_ for blend in (*plain.blends, *cart.blends)])),
                fixed(np.concatenate([np.pad(one.factors_, more), other.factors_])),
                fixed(np.concatenate([one.chance_x_, other.chance_x_])),
                fixed(np.concatenate([one.chance_y_, other.chance_y_])),
            ),
        )

    def choose_blends(self, has_cart: Bools, factors: Floats) -> BlendChoice:
        """Choose the blend and calibration curve of each request.

        Parameters
        ----------
        has_cart : ndarray of shape (n,), bool
        factors : ndarray of shape (n, n_columns), float64
        """
        known = self._curve_of
        if len(known) > _MOST_KNOWN:
            known.clear()
        curve = np.empty(len(has_cart), np.int64)
        for r, with_cart in enumerate(has_cart.tolist()):
            key = with_cart, factors[r].tobytes()
            row = known.get(key)
            if row is None:  # there are few placements
                parts = self.cart if with_cart else self.plain
                at, _ = parts.blends[0].curve_of(factors[r, : len(parts.columns)])
                row = known[key] = at + with_cart * len(self.plain.factors_)
            curve[r] = row
        return BlendChoice(has_cart * len(KINDS), curve, np.ascontiguousarray(factors))

    def score(
        self, candidates: Ragged, scores: Scores, kind: Kinds, blend_choice: BlendChoice
    ) -> ScoredCandidates:
        """Compute the total log-odds and the chance of purchase of every candidate.

        Parameters
        ----------
        candidates : Ragged
            ``m`` candidates of ``n`` requests.
        scores : ndarray of shape (m, n_columns), float32
        kind : ndarray of shape (m,), uint8
        blend_choice : BlendChoice
            Of the same requests.
        """
        given = tuple(map(fixed, (candidates.indptr, scores, kind, *blend_choice)))
        return ScoredCandidates(*_score(given, self.curves, self.chances))

    def evidence(
        self, scores: Scores, kind: Kinds, rows: IntArray, blend_choice: BlendChoice
    ) -> Floats:
        """Return the evidence of each column for some candidates, shape (k, n_columns), log-odds.

        Parameters
        ----------
        scores : ndarray of shape (k, n_columns), float32
        kind : ndarray of shape (k,), uint8
        rows : ndarray of shape (k,), int64
            Request of each candidate.
        blend_choice : BlendChoice
        """
        blend = (blend_choice.first[rows] + kind).astype(np.uint8)
        return weigh_evidence(self.curves, scores, blend) * blend_choice.factors[rows]


@compiled
def _score(given: Any, curves: Any, chances: Any) -> tuple[Floats, Floats, Floats]:
    """Add up the weighted evidence of every candidate, request by request, column by column.

    Compiled to read the curves and sum in one pass; numpy would have to allocate the evidence of
    every column, of which only the shown candidates' is needed.
    """
    indptr, scores, kind, first, curve, factors = given
    x, y, weights = curves
    intercepts, learned, chance_x, chance_y = chances
    m, width = scores.shape
    totals, plains, likely = np.empty(m), np.empty(m), np.empty(m)
    for r in range(len(indptr) - 1):
        counts, known = factors[r], learned[curve[r]]
        knots, chance = chance_x[curve[r]], chance_y[curve[r]]
        for i in range(indptr[r], indptr[r + 1]):
            k = first[r] + kind[i]
            total = plain = calibrated = intercepts[k]
            for c in range(width):
                weight, score = weights[k, c], np.float64(scores[i, c])
                if weight == 0.0 or score <= x[k, c, 0]:
                    evidence_of_column = y[k, c, 0] * weight
                else:
                    evidence_of_column = read_curve(x[k, c], y[k, c], score) * weight
                plain += evidence_of_column
                total += evidence_of_column * counts[c]
                calibrated += evidence_of_column * known[c]
            totals[i], plains[i] = total, plain
            likely[i] = read_curve(knots, chance, calibrated)
    return totals, plains, likely
