"""Orders what might be shown, and takes out what must not be.

Histories, contexts and what each request asks for come in; ordered items with their chance of
purchase come out, and counts of what the rules left out. Called by the answer's ``engine`` and
by ``validation``; a request is a batch of one, and gets the same items as within a larger batch.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.datasets import (
    Batch,
    Context,
    Histories,
    IntArray,
    ItemIndex,
    Lists,
    Ragged,
    pointers,
    rows_of,
)
from recsys.models import Content, Model
from recsys.ranking.availability import Availability
from recsys.ranking.boosted_trees import BoostedTrees, Ensemble, choose_for_trees
from recsys.ranking.calibration import Floats
from recsys.ranking.candidates import (
    EVIDENCE_COLUMNS,
    MODEL_OF_COLUMN,
    Candidates,
    collect_candidates,
    score_given,
)
from recsys.ranking.choices import Choices
from recsys.ranking.discovery import count_missed, never_bought, new_items_needed, selection_pools
from recsys.ranking.diversity import ItemSimilarity, diversify
from recsys.ranking.features.table import Features
from recsys.ranking.margins import Margins, expected
from recsys.ranking.product_filter import FilterData
from recsys.ranking.ranked_lists import RankedLists, concatenate, ranked_row
from recsys.ranking.rules import RULES, Limits, Rules
from recsys.ranking.scoring import BlendChoice, ScoredCandidates, Scorer
from recsys.ranking.segment_blends import SegmentBlends

#: Products that each model names.
CANDIDATES_PER_MODEL: Final = 200
#: And where the rules leave too few of them.
PER_MODEL_WIDE: Final = 5_000
#: Where the rules allow no more products than this, all of them are looked at instead.
MAX_ALLOWED: Final = 5_000
#: Taken off the keys of what trees did not look at: it comes behind what they did.
_UNSEEN: Final = 1e7


@dataclass(frozen=True)
class RankRequest:
    """What ``n`` requests ask for.

    Parameters
    ----------
    counts : ndarray of shape (n,), int64
        Items wanted, at least 1.
    factors : ndarray of shape (n, len(COLUMNS)), float64
        What the evidence of each column counts on the placement, see ``factors_of``.
    limits : Limits
        What must not be shown.
    diversity : ndarray of shape (n,), float64, optional
        See ``diversity.diversify``; none by default.
    by_margin : ndarray of shape (n,), bool, optional
        Whether the order is that of the expected margin, see ``margins.expected``; that of the
        chance of purchase by default.
    wanted : Lists, optional
        Products whose chance is wanted, shown or not; none by default.
    new_share : ndarray of shape (n,), float64, optional
        See ``discovery``; 0 by default.
    """

    counts: npt.NDArray[np.int64]
    factors: Floats
    limits: Limits
    diversity: Floats = field(default_factory=lambda: np.empty(0))
    by_margin: npt.NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, bool))
    wanted: Lists | None = None
    new_share: Floats = field(default_factory=lambda: np.empty(0))

    @cached_property
    def needed(self) -> IntArray:
        """How many new products each list shall have, shape (n,)."""
        return new_items_needed(self.counts, self.new_share)

    def row(self, r: int) -> "RankRequest":
        """One request alone."""
        part = slice(r, r + 1)
        return RankRequest(
            self.counts[part],
            self.factors[part],
            self.limits.row(r),
            self.diversity[part],
            self.by_margin[part],
            new_share=self.new_share[part],
        )


@dataclass(frozen=True)
class Ranker:
    """Models and what was learned about them, ready to rank.

    Parameters
    ----------
    index : ItemIndex
        The catalogue.
    models : mapping
        All of ``candidates.MODELS``, fitted.
    plain, cart : SegmentBlends
        Learned without and with a cart; ``plain`` has the columns ``MODELS``, ``cart`` has
        ``COLUMNS``.
    shelf : Availability
        Activity and stock.
    facts : FilterData, optional
        What filters ask of products; needed where there are any.
    boosted : BoostedTrees, optional
        What trees add to the blend; none where there was too little to learn them from.
    margins : Margins, optional
        What sales earn; needed where the order is by margin.
    choices : Choices, optional
        What a shopper cannot tell apart; by default every product is alone.
    """

    index: ItemIndex
    models: Mapping[str, Model]
    plain: SegmentBlends
    cart: SegmentBlends
    shelf: Availability
    facts: FilterData | None = None
    boosted: BoostedTrees | None = None
    margins: Margins | None = None
    choices: Choices | None = None

    @cached_property
    def _judge(self) -> Scorer:
        return Scorer.of(self.plain, self.cart)

    @cached_property
    def alike(self) -> ItemSimilarity | None:
        """Which products crowd a list; None where no model knows what products are."""
        content = self.models.get("content")
        return ItemSimilarity.of(content) if isinstance(content, Content) else None

    @cached_property
    def grouped(self) -> Choices:
        """Choices of all products."""
        return Choices.alone(len(self.index)) if self.choices is None else self.choices

    def rules(self, histories: Histories, limits: Limits) -> Rules:
        """Lay out what must not be shown to customers."""
        return Rules.of(
            histories, self.shelf, limits, self.facts, self.grouped, self.age_restricted
        )

    @cached_property
    def age_restricted(self) -> npt.NDArray[np.bool_]:
        """Which products have a minimum age, or stand for one that has, shape (n_items,)."""
        if self.facts is None:
            return np.zeros(len(self.index), bool)
        return self.grouped.any_of(self.facts.age_restricted)

    def rank(self, batch: Batch, asked: RankRequest, *, widen: bool = True) -> RankedLists:
        """Order items for each request.

        Parameters
        ----------
        batch : Batch
            Histories of the customers, empty where nothing of theirs may matter, and contexts.
        asked : RankRequest
            Of the same length.
        widen : bool
            Ask the models for more where the rules leave fewer than wanted.

        Returns
        -------
        RankedLists
            Lists are shorter than asked where nothing more may be shown.
        """
        found = collect_candidates(self.models, batch, CANDIDATES_PER_MODEL)
        ranked = self._order(found, batch, asked)
        short = np.flatnonzero(self._short(ranked, batch.histories, asked))
        if not widen or not len(short):
            return ranked
        parts = [ranked_row(ranked, r) for r in range(len(batch))]
        for r in short.tolist():
            one = batch[r : r + 1]
            wider = self._order(self._more(one, asked.row(r)), one, asked.row(r))
            # What kept the obvious products out of the list is what there is to tell.
            parts[r] = replace(wider, left_out=parts[r].left_out)
        return replace(concatenate(parts), wanted_chance=ranked.wanted_chance)

    def _short(
        self, found: Ragged, histories: Histories, asked: RankRequest
    ) -> npt.NDArray[np.bool_]:
        """Which requests have fewer products, or fewer new ones, than they ask for."""
        short: npt.NDArray[np.bool_] = np.diff(found.indptr) < asked.counts
        if asked.needed.any():
            new = never_bought(found, histories, self.grouped)
            short |= np.bincount(rows_of(found)[new], minlength=len(short)) < asked.needed
        return short

    def _more(self, batch: Batch, asked: RankRequest) -> Candidates:
        """Candidates of one request whose rules left too few: all that they allow, or enough.

        No product that may be shown is missing where the list would be shorter without it.
        """
        limits = asked.limits
        held = self.shelf.held_at(int(limits.location_keys[0])) if limits.in_stock[0] else None
        pool = np.arange(len(self.index), dtype=np.int32) if held is None else held
        choices = self.grouped
        every = Lists.of_rows([pool])
        code = self.rules(batch.histories, limits).forbid(every)
        pool = pool[code == 0]
        if len(pool) > MAX_ALLOWED:
            found = collect_candidates(self.models, batch, PER_MODEL_WIDE)
            named = found.item_ix[np.isin(choices.of[found.item_ix], choices.of[pool])]
            once = Lists.of_rows([named[choices.first_of(named)]])
            if not self._short(once, batch.histories, asked)[0]:
                return found
            pool = np.union1d(named, pool[choices.first_of(pool)][:MAX_ALLOWED])
        pool = np.sort(choices.widened(Lists.of_rows([pool])).item_ix)
        items = Lists.of_rows([pool])
        return score_given(self.models, batch, items)

    def _order(self, found: Candidates, batch: Batch, asked: RankRequest) -> RankedLists:
        histories, context = batch.histories, batch.context
        rows = rows_of(found)
        placed = self._judge.place(np.diff(context.cart.indptr) > 0, asked.factors)
        judged = self._judge.judge(found, found.scores, found.kind, placed)
        rules = self.rules(histories, asked.limits)
        code = rules.bar(found)
        free = code == 0
        keys = self._keys(found, rows, judged, asked)
        leads = self.grouped.leading(found, keys)
        new = never_bought(found, histories, self.grouped) if asked.needed.any() else None
        kept_out = count_missed(
            found,
            keys,
            code * leads.astype(np.uint8),
            free & leads,
            asked.counts,
            len(RULES),
            asked.needed,
            new,
        )
        trees = self._climb(found, rows, judged, free, histories, context)
        keys = self._keys(found, rows, judged, asked)
        # What trees did not look at comes behind what they did.
        behind = None if trees is None else trees.place < 0
        free &= self.grouped.leading(found, keys, behind)
        ends, shown = selection_pools(
            found, keys, free, asked.counts, asked.diversity, asked.needed, new, behind
        )
        if asked.diversity.any() or new is not None:
            keys = keys[shown] if behind is None else keys[shown] - _UNSEEN * behind[shown]
            ends, chosen = diversify(
                ends,
                found.item_ix[shown],
                keys,
                asked.counts,
                asked.diversity,
                histories.purchases,
                self.alike,
                asked.needed,
                None if new is None else new[shown],
            )
            shown = shown[chosen]
        scores = found.scores[shown]
        evidence = self._judge.evidence(scores, found.kind[shown], rows[shown], placed)
        if trees is not None:
            trees.credit(evidence, shown)
        leaders = Lists(ends, found.item_ix[shown])
        return RankedLists(
            ends,
            rules.stand(leaders),
            judged.chance[shown],
            scores,
            evidence,
            kept_out,
            self._wanted(found, judged, placed, batch, asked.wanted),
            leaders.item_ix,
        )

    def _wanted(
        self,
        found: Candidates,
        judged: ScoredCandidates,
        placed: BlendChoice,
        batch: Batch,
        wanted: Lists | None,
    ) -> Floats:
        """Chance of products that were asked for; by the blend alone where no model names one."""
        if wanted is None or not len(wanted.item_ix):
            return np.empty(0)
        chance = self.grouped.likeliest(found, judged.chance, wanted)
        named = ~np.isnan(chance)
        if not named.all():
            rows = rows_of(wanted)[~named]
            rest = Lists(pointers(rows, len(batch)), wanted.item_ix[~named])
            others = score_given(self.models, batch, rest)
            chance[~named] = self._judge.judge(others, others.scores, others.kind, placed).chance
        return chance

    def _keys(
        self, found: Candidates, rows: IntArray, judged: ScoredCandidates, asked: RankRequest
    ) -> Floats:
        """What candidates are ordered by: their total, or the logarithm of what they may earn."""
        if not asked.by_margin.any():
            return judged.total
        if self.margins is None:
            raise ValueError("an order by margin needs margins.")
        at = np.flatnonzero(asked.by_margin[rows])
        margin = self.margins.at(asked.limits.location_keys[rows[at]], found.item_ix[at])
        keys = judged.total.copy()
        keys[at] = expected(judged.chance[at], margin)
        return keys

    def _climb(
        self,
        found: Candidates,
        rows: IntArray,
        judged: ScoredCandidates,
        free: npt.NDArray[np.bool_],
        histories: Histories,
        context: Context,
    ) -> "_Climbed | None":
        """Add what the trees say to the best candidates; ``judged`` is changed."""
        if self.boosted is None:
            return None
        chosen = choose_for_trees(found, judged.total, free)
        of = self.boosted.features(found, chosen, rows, judged.plain, histories, context)
        place = np.full(len(rows), -1)
        place[chosen] = np.arange(len(chosen))
        has_cart = (np.diff(context.cart.indptr) > 0)[rows[chosen]]
        shares = []
        for ensemble, part in (
            (self.boosted.plain, np.flatnonzero(~has_cart)),
            (self.boosted.cart, np.flatnonzero(has_cart)),
        ):
            if len(part):
                at = chosen[part]
                mine = np.ascontiguousarray(of[part]) if len(part) < len(of) else of
                likelier = ensemble.likely.add(mine)
                judged.total[at] += likelier + ensemble.order.add(mine)
                judged.chance[at] = ensemble.chance(judged.plain[at] + likelier)
                shares.append((ensemble, part))
        return _Climbed(self.boosted, of, place, shares)


@dataclass(frozen=True)
class _Climbed:
    """What trees looked at: ``place`` of each candidate in ``features``, -1 for the others."""

    boosted: BoostedTrees
    features: Features
    place: npt.NDArray[np.int64]
    parts: list[tuple[Ensemble, npt.NDArray[np.int64]]]

    def credit(self, evidence: Floats, shown: npt.NDArray[np.int64]) -> None:
        """Add to the evidence of shown candidates what the trees took from each column."""
        for ensemble, mine, given in self._looked_at(shown):
            evidence[mine] += self.boosted.contributions(ensemble, given)

    def _looked_at(
        self, of: npt.NDArray[np.int64]
    ) -> Iterator[tuple[Ensemble, npt.NDArray[np.int64], Features]]:
        """Positions in ``of`` that each ensemble looked at, and their features."""
        at = self.place[of]
        for ensemble, part in self.parts:
            mine = np.flatnonzero(at >= 0)
            if len(self.parts) > 1:
                mine = mine[np.isin(at[mine], part)]
            if len(mine):
                yield ensemble, mine, self.features[at[mine]]


def factors_of(by_model: Mapping[str, float]) -> Floats:
    """Lay a placement's factors out over ``COLUMNS``; one where it names none.

    The column of the cart has its model's factor, unless it is named itself.
    """
    return np.array(
        [
            by_model.get(column, by_model.get(MODEL_OF_COLUMN[column], 1.0))
            for column in EVIDENCE_COLUMNS
        ]
    )
