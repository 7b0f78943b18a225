"""Answers questions from an artefact: the one door for the service, the terminal and notebooks.

Questions with their customers' histories come in; answers as ``/v1/recommendations`` gives them
come out. Reads no clock, no database and no file after ``load``, and changes nothing.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from recsys.artefacts import Artefact, Manifest, artefact_format, layout, models_of
from recsys.config import PlacementSettings
from recsys.datasets import EMPTY, Batch, CustomerHistory, Histories, ItemIndex, Lists
from recsys.errors import ArtefactError
from recsys.models import Content, CoPurchase, Popular, Repeat, Transitions, Trending
from recsys.ranking import (
    EVIDENCE_COLUMNS,
    MODEL_COLUMNS,
    UNKNOWN_MINOR,
    Availability,
    Costs,
    RankedLists,
    Ranker,
    SegmentBlends,
    factors_of,
    never_bought,
    rules,
)
from recsys.recommender.catalogue import Catalogue, Item
from recsys.recommender.catalogue_updates import (
    CatalogueUpdates,
    catalogue_with,
    costs_with,
    margins_of,
    shelf_with,
)
from recsys.recommender.explanations import Explainer, ReasonLimits, explanation, fallback
from recsys.recommender.headings import Heading, heading_of
from recsys.recommender.offers.selection import (
    NO_BUNDLES,
    OfferableBundles,
    choose_bundles,
    lacking,
)
from recsys.recommender.placements import Question, filter_of
from recsys.recommender.product_pages import PageQuestion, ProductPages
from recsys.recommender.reasons import Reason
from recsys.recommender.request_context import context_of, join_rows, rank_request, with_last_basket
from recsys.recommender.warm_up import warm_up

#: Key of ``left_out`` for products of the request that the catalogue does not hold.
UNKNOWN_ITEM: Final = "unknown_item"
_NONE: Final = np.empty(0, np.int32)


class Engine:
    """An artefact, ready to answer.

    Parameters
    ----------
    found : Artefact

    Attributes
    ----------
    version : str
        Of the artefact.
    revision : str
        Of everything that answers come from: the artefact, and what was told since.
    manifest : Manifest
    index : ItemIndex
        The catalogue.
    bundles : Bundles
        Products that sell together, strongest evidence first.
    n_baskets : int
        That they were counted in.
    ranker : Ranker

    Raises
    ------
    ArtefactError
        When a part is missing.
    """

    def __init__(self, found: Artefact) -> None:
        self.version = self.revision = found.version
        self.manifest: Manifest = found.manifest
        self.catalogue = Catalogue.load(found)
        models = models_of(found)
        popular, copurchase = models["popular"], models["copurchase"]
        content = models["content"]
        repeat, trending = models["repeat"], models["trending"]
        if not isinstance(popular, Popular) or not isinstance(copurchase, CoPurchase):
            raise TypeError("the models are not those of recsys.models")
        if not isinstance(repeat, Repeat) or not isinstance(trending, Trending):
            raise TypeError("the models are not those of recsys.models")
        transitions = models["transitions"]
        if not isinstance(content, Content) or not isinstance(transitions, Transitions):
            raise TypeError("the models are not those of recsys.models")
        self._popular = popular
        self.bundles = layout.bundles_of(found)
        self.n_baskets = int(copurchase.n_baskets_)
        try:
            shelf = Availability.from_arrays(found.part(layout.SHELF))
            self._costs = Costs.from_arrays(found.part(layout.COSTS))
            self.ranker = Ranker(
                self.index,
                models,
                SegmentBlends.from_arrays(MODEL_COLUMNS, found.part(layout.PLAIN_BLEND)),
                SegmentBlends.from_arrays(EVIDENCE_COLUMNS, found.part(layout.CART_BLEND)),
                shelf,
                self.catalogue.facts(shelf.active),
                boosted=layout.boosted_of(found, copurchase),
                margins=margins_of(self._costs, self.catalogue),
                choices=layout.choices_of(found, len(self.index)),
            )
        except KeyError as error:
            raise ArtefactError(
                f"{found.folder}: the ranking lacks its array {error}. Run `omnibasket train` to "
                "make a new artefact."
            ) from None
        self._explainer = Explainer(
            self.catalogue,
            popular,
            copurchase,
            content,
            repeat,
            trending,
            transitions,
            self.ranker.grouped,
            self.ranker.age_restricted,
        )
        self._pages = ProductPages(self.catalogue, self.ranker, copurchase, content)

    @classmethod
    def load(cls, folder: Path, *, verify: bool = True, hold: Path | None = None) -> "Engine":
        """Load an artefact and make it ready.

        Parameters
        ----------
        folder : Path
            As ``registry.current`` returns it.
        verify : bool
            Check the contents of every file.
        hold : Path, optional
            As ``artefact.load`` takes it.

        Raises
        ------
        ArtefactError
            When it is missing, damaged or of another format.
        """
        engine = cls(artefact_format.load(folder, verify, hold))
        as_of_ts = int(engine.manifest.as_of.timestamp())
        warm_up(engine.recommend, engine._explainer, engine.ranker, as_of_ts)
        return engine

    def with_live(self, told: CatalogueUpdates) -> "Engine":
        """Return an engine that knows what the back office told; this one stays as it is."""
        newer = copy(self)
        newer.revision = f"{self.version}+{told.mark}"
        newer.catalogue = catalogue_with(self.catalogue, told)
        shelf = shelf_with(self.ranker.shelf, newer.catalogue, told)
        facts = newer.catalogue.facts(shelf.active)
        margins = margins_of(costs_with(self._costs, newer.catalogue, told), newer.catalogue)
        newer.ranker = replace(self.ranker, shelf=shelf, facts=facts, margins=margins)
        newer._explainer = replace(
            self._explainer, catalogue=newer.catalogue, age_restricted=newer.ranker.age_restricted
        )
        newer._pages = self._pages.over(newer.catalogue, newer.ranker)
        return newer

    @property
    def index(self) -> ItemIndex:
        """The catalogue's products."""
        return self.catalogue.index

    def item(self, item_ix: int) -> Item:
        """Say what a product is: ``item_id``, ``title`` and ``price``; None what is unknown."""
        return self.catalogue.item(item_ix)

    def has_location(self, location_id: str) -> bool:
        """Whether a location is in the catalogue; a question from another one has none."""
        return self.catalogue.location(location_id) != 0

    def allowed(self, settings: PlacementSettings) -> npt.NDArray[np.bool_]:
        """Say which products a placement's filter lets through, stock and customer aside.

        Returns
        -------
        ndarray of shape (n_items,), bool
        """
        every = np.arange(len(self.index), dtype=np.int32)
        question = Question(placement="", settings=settings, as_of_ts=0)
        given, shelf = filter_of(question), self.ranker.shelf
        held = shelf.active
        if not settings.age_restricted:
            held = held & ~self.ranker.age_restricted
        if given is None:
            return held
        return held & self.catalogue.facts(shelf.active).allows(
            given, every, lambda at: np.full(len(at), np.inf), lambda at: np.ones(len(at), bool)
        )

    def calibrates(self, settings: PlacementSettings) -> bool:
        """Whether chances of purchase were learned for a placement's weights."""
        factors = factors_of(settings.weights)
        blends = (self.ranker.plain, self.ranker.cart)
        return all(
            (blend.factors_ == factors[: len(blend.columns)]).all(axis=1).any() for blend in blends
        )

    def choice_of(self, item_id: str) -> str:
        """Name the choice of a product: the id of the first product of it; its own if unknown."""
        (item_ix,) = self.index.ix_of([item_id])
        return item_id if item_ix < 0 else self.index.item_ids[self.ranker.grouped.of[item_ix]]

    def cost_of(self, item_id: str, currency: str) -> int | None:
        """Return what a product costs in a currency, minor units; None where unknown."""
        (item_ix,) = self.index.ix_of([item_id])
        margins = self.ranker.margins
        if item_ix < 0 or margins is None or self.catalogue.currencies[item_ix] != currency:
            return None
        cost = int(margins.costs.item_minor[item_ix])
        return None if cost == UNKNOWN_MINOR else cost

    def knows_costs(self) -> bool:
        """Whether the cost of any product is known, so that margins are more than a guess."""
        return bool((self._costs.item_minor >= 0).any()) or bool(len(self._costs.local_minor))

    def recommend(
        self,
        questions: Sequence[Question],
        rows: Sequence[CustomerHistory],
        offering: OfferableBundles | None = None,
    ) -> list[dict[str, Any]]:
        """Answer questions.

        Parameters
        ----------
        questions : sequence of Question
        rows : sequence of CustomerHistory
            Of the customers who ask; ``EMPTY`` for a stranger. Not looked at where the
            placement is not personal.
        offering : OfferableBundles, optional
            Bundles that may be offered over this catalogue; none by default.

        Returns
        -------
        list of dict
            One answer a question, in the shape of ``/v1/recommendations``; each is the same
            whether it is asked alone or among others. Its ``offers`` name the bundles that fit,
            best first, with what is missing and how likely that is wanted: ``bundle_id``,
            ``missing``, ``chance``.
        """
        if not questions:
            return []
        asking = [
            row if question.settings.personal else EMPTY
            for question, row in zip(questions, rows, strict=True)
        ]
        as_of_ts = np.array([question.as_of_ts for question in questions], np.int64)
        histories = Histories.from_rows(asking, self.index, as_of_ts)
        cart, unknown_cart = self._known([question.cart for question in questions])
        page, unknown_page = self._known([question.item_ids for question in questions])
        exclude, unknown_exclude = self._known([question.exclude for question in questions])
        named = join_rows(cart, page)
        cart = with_last_basket(questions, cart, histories)
        context = context_of(questions, self.catalogue, as_of_ts, join_rows(cart, page))
        asked = rank_request(questions, context, Lists.of_rows(cart), join_rows(page, exclude))
        proposed = (offering or NO_BUNDLES).propose(
            questions, histories, cart, self.ranker, asked.limits
        )
        missing = lacking(proposed)
        batch = Batch(histories, context)
        ranked = self.ranker.rank(batch, replace(asked, wanted=missing))
        offers = choose_bundles(questions, proposed, missing, ranked.wanted_chance, self.index)
        of_age = np.array([question.settings.age_restricted for question in questions])
        told = self._explainer.reasons(ranked.leaders, batch, ReasonLimits(of_age, named))
        new = never_bought(ranked, histories, self.ranker.grouped)
        levels = self._popular.level(batch)
        unknown = unknown_cart + unknown_page + unknown_exclude
        on_hand = self.ranker.shelf.on_hand_at(
            np.repeat(context.location, np.diff(ranked.indptr)), ranked.item_ix
        )
        return [
            self._answer(
                question,
                ranked,
                r,
                told,
                new,
                on_hand,
                int(context.location[r]),
                fallback(ranked, r, histories, context, int(levels[r])),
                int(unknown[r]),
                offers[r],
                self._heading(question, ranked, r, told, new, histories, cart[r]),
            )
            for r, question in enumerate(questions)
        ]

    def related(self, question: PageQuestion) -> dict[str, Any] | None:
        """Say what goes with a product, or is like it, for its page.

        Parameters
        ----------
        question : PageQuestion

        Returns
        -------
        dict or None
            The answer in the shape of ``/v1/items/…``; None where the catalogue has no such
            product.
        """
        found = self._pages.answer(question)
        return None if found is None else {"model_version": self.version, **found}

    def _known(
        self, item_ids: Sequence[tuple[str, ...]]
    ) -> tuple[list[npt.NDArray[np.int32]], npt.NDArray[np.int64]]:
        """Positions of the products of each request, each once, and how many are unknown."""
        found = [self.index.ix_of(ids) if ids else _NONE for ids in item_ids]
        known = [np.unique(ix[ix >= 0]) if len(ix) else _NONE for ix in found]
        return known, np.array([int((ix < 0).sum()) for ix in found])

    def _heading(
        self,
        question: Question,
        ranked: RankedLists,
        r: int,
        told: Sequence[Reason],
        new: npt.NDArray[np.bool_],
        histories: Histories,
        cart: npt.NDArray[np.int32],
    ) -> Heading | None:
        part = slice(ranked.indptr[r], ranked.indptr[r + 1])
        return heading_of(
            question,
            told[part],
            frozenset(self.index.item_ids[ix] for ix in cart.tolist()),
            known=bool(histories.indptr[r + 1] > histories.indptr[r]),
            all_new=bool(new[part].all()),
        )

    def _answer(
        self,
        question: Question,
        ranked: RankedLists,
        r: int,
        told: Sequence[Reason],
        new: npt.NDArray[np.bool_],
        on_hand: npt.NDArray[np.float64],
        location: int,
        fallback: str | None,
        unknown: int,
        offers: list[dict[str, Any]],
        heading: Heading | None,
    ) -> dict[str, Any]:
        items = []
        for rank, at in enumerate(range(ranked.indptr[r], ranked.indptr[r + 1]), start=1):
            product = self.catalogue.item(int(ranked.item_ix[at]))
            item = {
                "item_id": product["item_id"],
                "rank": rank,
                "score": round(float(ranked.chance[at]), 6),
                "title": product["title"],
                "price": product["price"],
                "availability": self.catalogue.availability(
                    question.location_id, location, float(on_hand[at])
                ),
                "new": bool(new[at]),
                "reason": told[at],
                **self.catalogue.links(int(ranked.item_ix[at])),
            }
            if question.attributes:
                item["attributes"] = self.catalogue.attributes.of(
                    int(ranked.item_ix[at]), question.attributes
                )
            if question.explain:
                item["explanation"] = explanation(ranked, at)
            items.append(item)
        left_out = dict(zip(rules.RULES, ranked.left_out[r].tolist(), strict=True))
        return {
            "recommendation_id": question.recommendation_id,
            "placement": question.placement,
            "model_version": self.version,
            "as_of": datetime.fromtimestamp(question.as_of_ts, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "customer_known": question.customer_known and question.settings.personal,
            "heading": heading,
            "items": items,
            "offers": offers,
            "fallback": fallback,
            "left_out": {**left_out, UNKNOWN_ITEM: unknown},
        }
