"""Blends the scores of candidates: their totals, and their chance of purchase.

Candidates with one score a column come in, with what each question's placement lets the columns
count; numbers to order them by come out, and for those that are shown what each column counted
for. The same numbers as ``SegmentBlends`` gives, without evidence of what is never shown. Called by
``rank``.
"""

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from recsys.datasets import IntArray, Ragged, compiled, fixed
from recsys.ranking.blend import stacked, weigh_evidence
from recsys.ranking.calibration import Floats
from recsys.ranking.segment_blends import KINDS, Kinds, SegmentBlends

Scores = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

#: Factors whose curve is remembered; those of placements are few.
_MOST_KNOWN: Final = 1_000


@dataclass(frozen=True)
class ScoredCandidates:
    """What blends make of ``m`` candidates.

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
    """How the candidates of ``n`` questions are blended.

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
    """Blends for questions without a cart, then those with one, laid on top of each other.

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
    _known: dict[tuple[bool, bytes], int] = field(default_factory=dict)

    @classmethod
    def of(cls, plain: SegmentBlends, cart: SegmentBlends) -> Self:
        """Lay both out."""
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

    def place(self, has_cart: Bools, factors: Floats) -> BlendChoice:
        """Find the blends and curves of questions.

        Parameters
        ----------
        has_cart : ndarray of shape (n,), bool
        factors : ndarray of shape (n, n_columns), float64
        """
        known = self._known
        if len(known) > _MOST_KNOWN:
            known.clear()
        curve = np.empty(len(has_cart), np.int64)
        for r, with_cart in enumerate(has_cart.tolist()):
            key = with_cart, factors[r].tobytes()
            found = known.get(key)
            if found is None:  # there are few placements
                parts = self.cart if with_cart else self.plain
                at, _ = parts.blends[0].curve_of(factors[r, : len(parts.columns)])
                found = known[key] = at + with_cart * len(self.plain.factors_)
            curve[r] = found
        return BlendChoice(has_cart * len(KINDS), curve, np.ascontiguousarray(factors))

    def judge(
        self, found: Ragged, scores: Scores, kind: Kinds, placed: BlendChoice
    ) -> ScoredCandidates:
        """Add up what the columns say of every candidate.

        Parameters
        ----------
        found : Ragged
            ``m`` candidates of ``n`` questions.
        scores : ndarray of shape (m, n_columns), float32
        kind : ndarray of shape (m,), uint8
        placed : BlendChoice
            Of the same questions.
        """
        given = tuple(map(fixed, (found.indptr, scores, kind, *placed)))
        return ScoredCandidates(*_judged(given, self.curves, self.chances))

    def evidence(self, scores: Scores, kind: Kinds, rows: IntArray, placed: BlendChoice) -> Floats:
        """Say what each column counts for some candidates, shape (k, n_columns); log-odds.

        Parameters
        ----------
        scores : ndarray of shape (k, n_columns), float32
        kind : ndarray of shape (k,), uint8
        rows : ndarray of shape (k,), int64
            Question of each.
        placed : BlendChoice
        """
        place = (placed.first[rows] + kind).astype(np.uint8)
        return weigh_evidence(self.curves, scores, place) * placed.factors[rows]


@compiled
def _read(x: Floats, y: Floats, at: Any) -> Any:
    """As ``numpy.interp``; flat beyond the ends of the curve."""
    low, high = 0, len(x) - 1
    if at <= x[low]:
        return y[low]
    if at >= x[high]:
        return y[high]
    while high - low > 1:  # the first knot is not above it, the last one is
        middle = (low + high) >> 1
        if x[middle] <= at:
            low = middle
        else:
            high = middle
    slope = (y[high] - y[low]) / (x[high] - x[low])
    return slope * (at - x[low]) + y[low]


@compiled
def _judged(given: Any, curves: Any, chances: Any) -> tuple[Floats, Floats, Floats]:
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
                    says = y[k, c, 0] * weight
                else:
                    says = _read(x[k, c], y[k, c], score) * weight
                plain += says
                total += says * counts[c]
                calibrated += says * known[c]
            totals[i], plains[i] = total, plain
            likely[i] = _read(knots, chance, calibrated)
    return totals, plains, likely
