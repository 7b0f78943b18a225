"""Orders what might be shown, and takes out what must not be.

Histories, contexts and what each request asks for come in; ordered items with their chance of
purchase come out, and counts of what the rules left out. Called by the answer's ``engine`` and
by ``validation``; a request is a batch of one, and gets the same items as within a larger batch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.matrices.histories import Histories
from recsys.matrices.ids import ItemIndex
from recsys.matrices.lists import Lists, pointers, rows_of
from recsys.models.base import Context, Model
from recsys.ranking.blend import Blend
from recsys.ranking.candidates import COLUMNS, MODEL_OF, Candidates, collect, consider
from recsys.ranking.curves import Floats
from recsys.ranking.rules import RULES, Limits, forbid
from recsys.ranking.shelf import Shelf

#: Products that each model names.
PER_MODEL: Final = 200
#: And where the rules leave too few of them.
PER_MODEL_WIDE: Final = 5_000
#: A location with so few products on hand is asked for all of them instead.
MAX_HELD: Final = 5_000


@dataclass(frozen=True)
class Asked:
    """What ``n`` requests ask for.

    Parameters
    ----------
    counts : ndarray of shape (n,), int64
        Items wanted, at least 1.
    factors : ndarray of shape (n, len(COLUMNS)), float64
        What the evidence of each column counts on the placement, see ``factors_of``.
    limits : Limits
        What must not be shown.
    """

    counts: npt.NDArray[np.int64]
    factors: Floats
    limits: Limits

    def row(self, r: int) -> "Asked":
        """One request alone."""
        part = slice(r, r + 1)
        return Asked(self.counts[part], self.factors[part], self.limits.row(r))


@dataclass(frozen=True)
class Ranked:
    """Ordered items for ``n`` requests.

    Attributes
    ----------
    indptr : ndarray of shape (n + 1,), int64
        Row ``i`` lies in ``[indptr[i], indptr[i + 1])`` of the next four.
    item_ix : ndarray of shape (k,), int32
        Best first.
    chance : ndarray of shape (k,), float64
        Of purchase within the horizon.
    scores : ndarray of shape (k, len(COLUMNS)), float32
        What each column gave.
    evidence : ndarray of shape (k, len(COLUMNS)), float64
        What it counted for, in log-odds, the placement's factors included.
    left_out : ndarray of shape (n, len(RULES)), int64
        Candidates that would have stood in the list but for each rule.
    """

    indptr: npt.NDArray[np.int64]
    item_ix: npt.NDArray[np.int32]
    chance: Floats
    scores: npt.NDArray[np.float32]
    evidence: Floats
    left_out: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Ranker:
    """Models and what was learned about them, ready to rank.

    Parameters
    ----------
    index : ItemIndex
        The catalogue.
    models : mapping
        All of ``candidates.MODELS``, fitted.
    plain, cart : Blend
        Learned without and with a cart; ``plain`` has the columns ``MODELS``, ``cart`` has
        ``COLUMNS``.
    shelf : Shelf
        Activity and stock.
    """

    index: ItemIndex
    models: Mapping[str, Model]
    plain: Blend
    cart: Blend
    shelf: Shelf

    def rank(
        self, histories: Histories, context: Context, asked: Asked, *, widen: bool = True
    ) -> Ranked:
        """Order items for each request.

        Parameters
        ----------
        histories : Histories
            Of the customers; empty where nothing of theirs may matter.
        context : Context
        asked : Asked
            All of the same length.
        widen : bool
            Ask the models for more where the rules leave fewer than wanted.

        Returns
        -------
        Ranked
            Lists are shorter than asked where nothing more may be shown.
        """
        found = collect(self.models, self.index, histories, context, PER_MODEL)
        ranked = self._order(found, histories, context, asked)
        short = np.flatnonzero(np.diff(ranked.indptr) < asked.counts)
        if not widen or not len(short) or len(self.index) <= PER_MODEL:
            return ranked
        parts = [_row(ranked, r) for r in range(len(context))]
        for r in short.tolist():
            one = slice(r, r + 1)
            found = self._more(histories[one], context[one], asked.row(r))
            wider = self._order(found, histories[one], context[one], asked.row(r))
            # What kept the obvious products out of the list is what there is to tell.
            parts[r] = replace(wider, left_out=parts[r].left_out)
        return _together(parts)

    def _more(self, histories: Histories, context: Context, asked: Asked) -> Candidates:
        """Candidates of one request whose rules left too few: all there is on hand, or more."""
        limits = asked.limits
        held = self.shelf.held_at(int(limits.location_keys[0])) if limits.in_stock[0] else None
        if held is not None and len(held) <= MAX_HELD:
            items = Lists.of_rows([held])
            return consider(self.models, self.index, histories, context, items)
        return collect(self.models, self.index, histories, context, PER_MODEL_WIDE)

    def _order(
        self, found: Candidates, histories: Histories, context: Context, asked: Asked
    ) -> Ranked:
        rows = rows_of(found)
        total, chance, evidence = self._judge(found, rows, context, asked.factors)
        order = np.lexsort((found.item_ix, -total, rows))
        code = forbid(found, histories, self.shelf, asked.limits)[order]
        free = code == 0
        before = np.cumsum(free) - free  # shown candidates of all rows that stand before
        before -= before[np.minimum(found.indptr[:-1], len(before) - 1)][rows] if len(rows) else 0
        within = before < asked.counts[rows]
        shown = order[free & within]
        out = np.flatnonzero(~free & within)
        left_out = np.zeros((len(context), len(RULES)), np.int64)
        np.add.at(left_out, (rows[out], code[out] - 1), 1)
        return Ranked(
            pointers(rows[shown], len(context)),
            found.item_ix[shown],
            chance[shown],
            found.scores[shown],
            evidence[shown],
            left_out,
        )

    def _judge(
        self, found: Candidates, rows: npt.NDArray[np.int64], context: Context, factors: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """Blend the scores: total and chance of shape (m,), evidence of shape (m, columns)."""
        total = np.empty(len(rows))
        chance = np.empty(len(rows))
        evidence = np.zeros(found.scores.shape)
        has_cart = np.diff(context.cart.indptr) > 0
        # A batch has few placements: one turn for each, with and without a cart.
        kinds: dict[tuple[bool, bytes], int] = {}
        kind = np.array(
            [
                kinds.setdefault((bool(with_cart), given.tobytes()), len(kinds))
                for with_cart, given in zip(has_cart, factors, strict=True)
            ]
        )
        for (with_cart, given), number in kinds.items():
            at = np.flatnonzero(kind[rows] == number)
            blend = self.cart if with_cart else self.plain
            width = len(blend.columns)
            counts = np.frombuffer(given)[:width]
            weighed = blend.evidence(found.scores[at, :width])
            total[at] = blend.total(weighed, counts)
            chance[at] = blend.chance(weighed, counts)
            evidence[at, :width] = weighed * counts
        return total, chance, evidence


def factors_of(by_model: Mapping[str, float]) -> Floats:
    """Lay a placement's factors out over ``COLUMNS``; one where it names none."""
    return np.array([by_model.get(MODEL_OF[column], 1.0) for column in COLUMNS])


def _row(ranked: Ranked, r: int) -> Ranked:
    part = slice(ranked.indptr[r], ranked.indptr[r + 1])
    return Ranked(
        ranked.indptr[r : r + 2] - ranked.indptr[r],
        ranked.item_ix[part],
        ranked.chance[part],
        ranked.scores[part],
        ranked.evidence[part],
        ranked.left_out[r : r + 1],
    )


def _together(parts: list[Ranked]) -> Ranked:
    lists = Lists.of_rows([part.item_ix for part in parts])
    joined = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("chance", "scores", "evidence", "left_out")
    }
    return replace(parts[0], indptr=lists.indptr, item_ix=lists.item_ix, **joined)
