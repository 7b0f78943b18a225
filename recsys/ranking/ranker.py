"""Ranks candidates and filters out what must not be shown.

In: histories, contexts and requests. Out: ranked items with their chance of purchase, and counts of
what the rules left out. Called by ``Engine`` and by evaluation. One request gets the same alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.datasets import (
    Batch,
    Histories,
    IntArray,
    ItemIndex,
    IxArray,
    Lists,
    Ragged,
    pointers,
    rows_contain,
    rows_of,
)
from recsys.models import Content, Model, Repeat
from recsys.ranking.availability import Availability
from recsys.ranking.boosted_trees import BoostedTrees
from recsys.ranking.calibration import Floats
from recsys.ranking.candidates import (
    Candidates,
    collect_candidates,
    score_given,
    with_products,
)
from recsys.ranking.choices import Choices
from recsys.ranking.discovery import count_missed, never_bought, selection_pools
from recsys.ranking.diversity import diversify
from recsys.ranking.item_similarity import ItemSimilarity
from recsys.ranking.likeness import Likeness
from recsys.ranking.margins import Margins, expected
from recsys.ranking.merchandising import Merchandising, with_left_out_of
from recsys.ranking.product_filter import FilterData
from recsys.ranking.rank_request import RankRequest
from recsys.ranking.ranked_lists import RankedLists, concatenate, ranked_row
from recsys.ranking.rotated_keys import rotated_keys
from recsys.ranking.rule_products import RuleProducts
from recsys.ranking.rules import RULES, Limits, Rules
from recsys.ranking.scoring import BlendChoice, ScoredCandidates, Scorer
from recsys.ranking.segment_blends import SegmentBlends
from recsys.ranking.steering import Steering
from recsys.ranking.tree_scores import add_trees

#: Candidates that each model contributes per request.
CANDIDATES_PER_MODEL: Final = 120
#: Candidates that each model contributes if the rules leave too few of them.
PER_MODEL_WIDE: Final = 5_000
#: If the rules allow no more products than this, all of them become candidates instead.
MAX_ALLOWED: Final = 5_000
#: Subtracted from the keys of candidates that the trees did not score, to rank them last.
_UNSEEN: Final = 1e7


@dataclass(frozen=True)
class Ranker:
    """Models and what was learned about them, ready to rank.

    Parameters
    ----------
    index : ItemIndex
        The catalogue.
    models : mapping
        All of ``candidates.MODEL_COLUMNS``, fitted.
    plain, cart : SegmentBlends
        Learned without and with a cart; ``plain`` has the columns ``MODEL_COLUMNS``,
        ``cart`` has ``EVIDENCE_COLUMNS``.
    availability : Availability
        Activity and stock.
    filter_data : FilterData, optional
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
    availability: Availability
    filter_data: FilterData | None = None
    boosted: BoostedTrees | None = None
    margins: Margins | None = None
    choices: Choices | None = None

    @cached_property
    def _scorer(self) -> Scorer:
        return Scorer.of(self.plain, self.cart)

    @cached_property
    def item_similarity(self) -> ItemSimilarity | None:
        """Which products crowd a list; None where no model knows what products are."""
        content = self.models.get("content")
        return ItemSimilarity.of(content) if isinstance(content, Content) else None

    @cached_property
    def _rule_products(self) -> RuleProducts:
        return RuleProducts(self.availability, self.filter_data, self.all_choices)

    @cached_property
    def all_choices(self) -> Choices:
        """Choices of all products."""
        return Choices.alone(len(self.index)) if self.choices is None else self.choices

    def rules(self, histories: Histories, limits: Limits) -> Rules:
        """Lay out what must not be shown to customers.

        Parameters
        ----------
        histories : Histories
            What the ``n`` customers bought; empty where it must not matter.
        limits : Limits
            What the ``n`` requests and their placements forbid.

        Returns
        -------
        Rules
            To ask of any candidates of these requests.
        """
        return Rules.of(
            histories,
            self.availability,
            limits,
            self.filter_data,
            self.all_choices,
            self.age_restricted,
            self._repeat,
        )

    def products_of(self, given: Merchandising, limits: Limits) -> IxArray:
        """Return the products that one request's pins and boosts bring in, ascending.

        Parameters
        ----------
        given : Merchandising
        limits : Limits
            Where and when the request is made.

        Returns
        -------
        ndarray, int32
        """
        return self._rule_products.of([given], limits).item_ix

    @property
    def _repeat(self) -> Repeat | None:
        """What knows when a product is due again; None where there is no such model."""
        model = self.models.get("repeat")
        return model if isinstance(model, Repeat) else None

    @cached_property
    def age_restricted(self) -> npt.NDArray[np.bool_]:
        """Which products have a minimum age, or stand for one that has, shape (n_items,)."""
        if self.filter_data is None:
            return np.zeros(len(self.index), bool)
        return self.all_choices.any_of(self.filter_data.age_restricted)

    def rank(
        self, batch: Batch, request: RankRequest, *, widen: bool = True, credit: bool = True
    ) -> RankedLists:
        """Order items for each request.

        Parameters
        ----------
        batch : Batch
            Histories of the customers, empty where nothing of theirs may matter, and contexts.
        request : RankRequest
            Of the same length.
        widen : bool
            Whether to collect more candidates if the rules leave fewer than requested.
        credit : bool
            Whether ``evidence`` includes the contributions of the trees. Nothing else depends on
            them, and for long lists they take longer than all the rest.

        Returns
        -------
        RankedLists
            Lists are shorter than requested if nothing more may be shown.
        """
        candidates = collect_candidates(self.models, batch, CANDIDATES_PER_MODEL)
        ranked = self._order(candidates, batch, request, credit)
        short = np.flatnonzero(self._short(ranked, batch.histories, request))
        if not widen or not len(short):
            return ranked
        parts = [ranked_row(ranked, r) for r in range(len(batch))]
        for r in short.tolist():
            one = batch[r : r + 1]
            asked = request.row(r)
            wider = self._order(self._widened_candidates(one, asked), one, asked, credit)
            # Report what the rules removed from the usual candidates, not from the wider set.
            done = with_left_out_of(wider.merchandised, parts[r].merchandised)
            parts[r] = replace(wider, left_out=parts[r].left_out, merchandised=done)
        return replace(concatenate(parts), requested_chance=ranked.requested_chance)

    def _short(
        self, candidates: Ragged, histories: Histories, request: RankRequest
    ) -> npt.NDArray[np.bool_]:
        """Return which requests have fewer products, or fewer new ones, than requested."""
        short: npt.NDArray[np.bool_] = np.diff(candidates.indptr) < request.counts
        if request.needed.any():
            new = never_bought(candidates, histories, self.all_choices)
            short |= np.bincount(rows_of(candidates)[new], minlength=len(short)) < request.needed
        return short

    def _widened_candidates(self, batch: Batch, request: RankRequest) -> Candidates:
        """Collect candidates for a request whose rules left too few: all allowed, or enough.

        No product that may be shown is missing where the list would be shorter without it.
        """
        limits = request.limits
        held = None
        if limits.in_stock[0]:
            as_of_ts = None if limits.as_of_ts is None else int(limits.as_of_ts[0])
            held = self.availability.held_at(int(limits.location_keys[0]), as_of_ts)
        pool = np.arange(len(self.index), dtype=np.int32) if held is None else held
        choices = self.all_choices
        every = Lists.of_rows([pool])
        code = self.rules(batch.histories, limits).forbid(every)
        pool = pool[code == 0]
        if len(pool) > MAX_ALLOWED:
            candidates = collect_candidates(self.models, batch, PER_MODEL_WIDE)
            allowed = candidates.item_ix[np.isin(choices.of[candidates.item_ix], choices.of[pool])]
            once = Lists.of_rows([allowed[choices.first_of(allowed)]])
            if not self._short(once, batch.histories, request)[0]:
                return candidates
            pool = np.union1d(allowed, pool[choices.first_of(pool)][:MAX_ALLOWED])
        pool = np.sort(choices.widened(Lists.of_rows([pool])).item_ix)
        items = Lists.of_rows([pool])
        return score_given(self.models, batch, items)

    def _order(
        self, candidates: Candidates, batch: Batch, request: RankRequest, credit: bool
    ) -> RankedLists:
        histories, context, needed = batch.histories, batch.context, request.needed
        rules, usual = self.rules(histories, request.limits), candidates
        if request.merchandising is not None:
            wanted = self._rule_products.of(request.merchandising, request.limits)
            candidates = with_products(self.models, batch, candidates, wanted)
        rows = rows_of(candidates)
        blend_choice = self._scorer.choose_blends(np.diff(context.cart.indptr) > 0, request.factors)
        scored = self._scorer.score(candidates, candidates.scores, candidates.kind, blend_choice)
        code = rules.forbid_choices(candidates)
        allowed = code == 0
        steering = None
        if request.merchandising is not None:
            given, choices = request.merchandising, self.all_choices
            steering = Steering(given, candidates, request.counts, rules, choices)
        ignored = request.rotation and request.rotation.of(candidates, self.all_choices.of)
        keys = self._worth(candidates, rows, scored, request)
        if ignored is not None:  # what the blend adds up are log-odds
            keys = keys + ignored
        if steering is not None:
            keys = keys + steering.log_factor
        leads = self.all_choices.leading(candidates, keys)
        new = never_bought(candidates, histories, self.all_choices) if needed.any() else None
        left_out = count_missed(
            candidates,
            keys,
            code * leads.astype(np.uint8),
            allowed & leads,
            request.counts,
            len(RULES),
            needed,
            new,
        )
        first = None
        if steering is not None:
            steering.note_excluded(code, keys, allowed & leads)
            order = steering.hopeful(code, scored.total + steering.log_factor)
            first = rows_contain(usual, rows, candidates.item_ix), order
        trees = None
        if self.boosted is not None:
            trees = add_trees(self.boosted, candidates, rows, scored, first, allowed, batch)
        keys = self._worth(candidates, rows, scored, request)
        if ignored is not None:
            keys = rotated_keys(keys, scored.chance, ignored, candidates, request.by_margin)
        if steering is not None:
            keys = keys + steering.log_factor
        # Candidates that the trees did not score rank behind those that they did.
        behind = None if trees is None else trees.place < 0
        counts = request.counts
        if steering is not None:
            worth = steering.worth(keys, scored.chance, request.by_margin, ignored)
            steering.pin(code, keys, behind)
            counts = counts - steering.drawn_places
            keys, behind, new, needed = steering.lifted(keys, behind, new, needed)
        allowed &= self.all_choices.leading(candidates, keys, behind)
        ends, shown = selection_pools(
            candidates,
            keys,
            allowed,
            counts,
            request.diversity,
            needed,
            new,
            behind,
        )
        if request.diversity.any() or new is not None:
            keys = keys[shown] if behind is None else keys[shown] - _UNSEEN * behind[shown]
            ends, chosen = diversify(
                ends,
                candidates.item_ix[shown],
                keys,
                counts,
                request.diversity,
                histories.purchases,
                self.item_similarity,
                needed,
                None if new is None else new[shown],
            )
            shown = shown[chosen]
        if steering is not None:
            likeness = Likeness(request.diversity, self.item_similarity, histories.purchases)
            ends, shown = steering.arranged(
                ends, shown, allowed, behind, worth, needed, new, likeness
            )
        scores = candidates.scores[shown]
        evidence = self._scorer.evidence(scores, candidates.kind[shown], rows[shown], blend_choice)
        if credit and trees is not None:
            trees.credit(evidence, shown)
        leaders = Lists(ends, candidates.item_ix[shown])
        item_ix = rules.representatives(leaders)
        return RankedLists(
            ends,
            item_ix if steering is None else steering.named(shown, item_ix),
            scored.chance[shown],
            scores,
            evidence,
            left_out,
            self._requested_chances(candidates, scored, blend_choice, batch, request.requested),
            leaders.item_ix,
            None if steering is None else steering.report(ends, shown, code),
        )

    def _requested_chances(
        self,
        candidates: Candidates,
        scored: ScoredCandidates,
        blend_choice: BlendChoice,
        batch: Batch,
        requested: Lists | None,
    ) -> Floats:
        """Return the chance of the requested products; by the blend alone if not a candidate."""
        if requested is None or not len(requested.item_ix):
            return np.empty(0)
        chance = self.all_choices.likeliest(candidates, scored.chance, requested)
        is_candidate = ~np.isnan(chance)
        if not is_candidate.all():
            rows = rows_of(requested)[~is_candidate]
            rest = Lists(pointers(rows, len(batch)), requested.item_ix[~is_candidate])
            others = score_given(self.models, batch, rest)
            chance[~is_candidate] = self._scorer.score(
                others, others.scores, others.kind, blend_choice
            ).chance
        return chance

    def _worth(
        self, candidates: Candidates, rows: IntArray, scored: ScoredCandidates, request: RankRequest
    ) -> Floats:
        """Return the total log-odds, or the logarithm of the expected margin."""
        if not request.by_margin.any():
            return scored.total
        if self.margins is None:
            raise ValueError("an order by margin needs margins.")
        at = np.flatnonzero(request.by_margin[rows])
        margin = self.margins.at(request.limits.location_keys[rows[at]], candidates.item_ix[at])
        keys = scored.total.copy()
        keys[at] = expected(scored.chance[at], margin)
        return keys
