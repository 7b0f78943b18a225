"""What ranking gives: ordered items of each request, with what they were ordered by.

Made by ``Ranker``; read by ``recommender.answers`` and by ``evaluation``.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.datasets import Lists
from recsys.ranking.calibration import Floats
from recsys.ranking.merchandising import Merchandised


@dataclass(frozen=True)
class RankedLists:
    """Ordered items for ``n`` requests.

    Attributes
    ----------
    indptr : ndarray of shape (n + 1,), int64
        Row ``i`` lies in ``[indptr[i], indptr[i + 1])`` of the next four.
    item_ix : ndarray of shape (k,), int32
        Best first, one of each choice.
    chance : ndarray of shape (k,), float64
        Of purchase within the horizon.
    scores : ndarray of shape (k, len(EVIDENCE_COLUMNS)), float32
        What each column gave.
    evidence : ndarray of shape (k, len(EVIDENCE_COLUMNS)), float64
        What it counted for, in log-odds, the placement's factors included.
    left_out : ndarray of shape (n, len(RULES)), int64
        Candidates that would have stood in the list but for each rule.
    requested_chance : ndarray of the length of ``RankRequest.requested.item_ix``, float64
        Of purchase of what was asked for besides.
    leader_ix : ndarray of shape (k,), int32, optional
        The product of each one's choice that chance, scores and evidence are of; the same as
        ``item_ix`` by default.
    merchandised : tuple of length n of (Merchandised or None), optional
        What merchandising did to each list.
    """

    indptr: npt.NDArray[np.int64]
    item_ix: npt.NDArray[np.int32]
    chance: Floats
    scores: npt.NDArray[np.float32]
    evidence: Floats
    left_out: npt.NDArray[np.int64]
    requested_chance: Floats = field(default_factory=lambda: np.empty(0))
    leader_ix: npt.NDArray[np.int32] | None = None
    merchandised: tuple[Merchandised | None, ...] | None = None

    @property
    def leaders(self) -> "RankedLists":
        """The same with the products that evidence is of in place of those that are shown."""
        return self if self.leader_ix is None else replace(self, item_ix=self.leader_ix)


def ranked_row(ranked: RankedLists, r: int) -> RankedLists:
    """Return what one request got.

    Parameters
    ----------
    ranked : RankedLists
    r : int
        In ``[0, n)``.
    """
    part = slice(ranked.indptr[r], ranked.indptr[r + 1])
    return RankedLists(
        ranked.indptr[r : r + 2] - ranked.indptr[r],
        ranked.item_ix[part],
        ranked.chance[part],
        ranked.scores[part],
        ranked.evidence[part],
        ranked.left_out[r : r + 1],
        leader_ix=ranked.leaders.item_ix[part],
        merchandised=ranked.merchandised and ranked.merchandised[r : r + 1],
    )


def concatenate(parts: list[RankedLists]) -> RankedLists:
    """Put what single requests got behind one another."""
    lists = Lists.of_rows([part.item_ix for part in parts])
    joined: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("chance", "scores", "evidence", "left_out", "leader_ix")
    }
    if parts[0].merchandised is not None:
        joined["merchandised"] = tuple(one for part in parts for one in part.merchandised or ())
    return replace(parts[0], indptr=lists.indptr, item_ix=lists.item_ix, **joined)
