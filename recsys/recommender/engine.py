"""Answers questions from an artefact: the one door for the service, the terminal and notebooks.

Questions with customers' histories come in, answers of ``/v1/recommendations`` come out. After
``load`` the engine reads no clock, no database and no file, and changes nothing.
"""

import math
from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from recsys.artefacts import Artefact, Manifest, artefact_format, layout, models_of
from recsys.config import Filter, PlacementSettings, StockSettings, filters
from recsys.datasets import CustomerHistory, ItemIndex, IxArray
from recsys.errors import ArtefactError
from recsys.models import Content, CoPurchase, Popular, Repeat, Transitions, Trending
from recsys.ranking import (
    EVIDENCE_COLUMNS,
    MODEL_COLUMNS,
    UNKNOWN_MINOR,
    Availability,
    Costs,
    Ranker,
    Sales,
    SegmentBlends,
)
from recsys.recommender.answers import RankedAnswers, write_answers
from recsys.recommender.catalogue import Catalogue, Item
from recsys.recommender.catalogue_updates import (
    CatalogueUpdates,
    availability_with,
    catalogue_with,
    costs_with,
    margins_of,
)
from recsys.recommender.explanations import Explainer
from recsys.recommender.item_availability import ItemAvailability
from recsys.recommender.offers.selection import (
    NO_BUNDLES,
    OfferableBundles,
    choose_bundles,
    lacking,
)
from recsys.recommender.placements import Question, filter_of
from recsys.recommender.product_pages import PageQuestion, ProductPages
from recsys.recommender.product_search import ProductSearch
from recsys.recommender.request_context import prepare_questions
from recsys.recommender.warm_up import warm_up
from recsys.units import HOUR

_ALL_STOCK: Final = StockSettings()


class Engine:
    """An artefact, ready to answer.

    Parameters
    ----------
    artefact : Artefact
    stock : StockSettings, optional
        What of its stock is trusted; by default all.

    Attributes
    ----------
    version : str
        Of the artefact.
    revision : str
        Of everything that answers come from: the artefact and the updates since.
    manifest : Manifest
    index : ItemIndex
        The catalogue.
    bundles : Bundles
        Products that sell together, strongest evidence first.
    n_baskets : int
        That they were counted in.
    ranker : Ranker
    item_availability : ItemAvailability
    search : ProductSearch

    Raises
    ------
    ArtefactError
        When a part is missing.
    """

    def __init__(self, artefact: Artefact, stock: StockSettings = _ALL_STOCK) -> None:
        self.version = self.revision = artefact.version
        self.manifest: Manifest = artefact.manifest
        self.catalogue = Catalogue.load(artefact)
        models = models_of(artefact)
        popular, copurchase = models["popular"], models["copurchase"]
        content, transitions = models["content"], models["transitions"]
        repeat, trending = models["repeat"], models["trending"]
        if not isinstance(popular, Popular) or not isinstance(copurchase, CoPurchase):
            raise TypeError("the models are not those of recsys.models")
        if not isinstance(repeat, Repeat) or not isinstance(trending, Trending):
            raise TypeError("the models are not those of recsys.models")
        if not isinstance(content, Content) or not isinstance(transitions, Transitions):
            raise TypeError("the models are not those of recsys.models")
        self._popular = popular
        self.bundles = layout.bundles_of(artefact)
        self.n_baskets = int(copurchase.n_baskets_)
        try:
            max_age_seconds = math.ceil(stock.max_age_hours * HOUR)
            availability = Availability.from_arrays(artefact.part(layout.SHELF), max_age_seconds)
            self._costs = Costs.from_arrays(artefact.part(layout.COSTS))
            self._sales = Sales.from_arrays(artefact.part(layout.SALES))
            margins = margins_of(self._costs, self.catalogue)
            self.ranker = Ranker(
                self.index,
                models,
                SegmentBlends.from_arrays(MODEL_COLUMNS, artefact.part(layout.PLAIN_BLEND)),
                SegmentBlends.from_arrays(EVIDENCE_COLUMNS, artefact.part(layout.CART_BLEND)),
                availability,
                self.catalogue.filter_data(availability.active, margins, self._sales),
                boosted=layout.boosted_of(artefact, copurchase),
                margins=margins,
                choices=layout.choices_of(artefact, len(self.index)),
            )
        except KeyError as error:
            raise ArtefactError(
                f"{artefact.folder}: the ranking lacks its array {error}. Run `omnibasket train` "
                "to make a new artefact."
            ) from None
        self._explainer = Explainer(
            self.catalogue,
            popular,
            copurchase,
            content,
            repeat,
            trending,
            transitions,
            self.ranker.all_choices,
            self.ranker.age_restricted,
        )
        self.item_availability = ItemAvailability(self.catalogue, availability)
        self._pages = ProductPages(self.item_availability, self.ranker, copurchase, content)
        self.search = ProductSearch(self.catalogue, popular.share_)

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        verify: bool = True,
        hold: Path | None = None,
        stock: StockSettings = _ALL_STOCK,
    ) -> "Engine":
        """Load an artefact and make it ready.

        Parameters
        ----------
        folder : Path
            As ``registry.current`` returns it.
        verify : bool
            Check the contents of every file.
        hold : Path, optional
            As ``artefact.load`` takes it.
        stock : StockSettings, optional
            What of the stock is trusted; by default all.

        Returns
        -------
        Engine

        Raises
        ------
        ArtefactError
            When it is missing, damaged or of another format.
        """
        engine = cls(artefact_format.load(folder, verify, hold), stock)
        as_of_ts = int(engine.manifest.as_of.timestamp())
        warm_up(engine.recommend, engine._explainer, engine.ranker, as_of_ts)
        return engine

    def with_updates(self, updates: CatalogueUpdates) -> "Engine":
        """Return an engine that includes the back office's updates; this one stays as it is.

        Parameters
        ----------
        updates : CatalogueUpdates
            All that are newer than the artefact, not only the latest.

        Returns
        -------
        Engine
            Its ``revision`` tells it from this one.
        """
        newer = copy(self)
        newer.revision = f"{self.version}+{updates.mark}"
        newer.catalogue = catalogue_with(self.catalogue, updates)
        availability = availability_with(self.ranker.availability, newer.catalogue, updates)
        margins = margins_of(costs_with(self._costs, newer.catalogue, updates), newer.catalogue)
        filter_data = newer.catalogue.filter_data(availability.active, margins, self._sales)
        newer.ranker = replace(
            self.ranker, availability=availability, filter_data=filter_data, margins=margins
        )
        newer._explainer = replace(
            self._explainer, catalogue=newer.catalogue, age_restricted=newer.ranker.age_restricted
        )
        newer.item_availability = ItemAvailability(newer.catalogue, availability)
        newer._pages = self._pages.over(newer.item_availability, newer.ranker)
        newer.search = self.search.over(newer.catalogue)
        return newer

    @property
    def index(self) -> ItemIndex:
        """The catalogue's products."""
        return self.catalogue.index

    def item(self, item_ix: int) -> Item:
        """Say what a product is: ``item_id``, ``title`` and ``price``; None what is unknown.

        Parameters
        ----------
        item_ix : int
            Position in ``index``.

        Returns
        -------
        dict
            As of ``Catalogue.item``; prices in minor units.
        """
        return self.catalogue.item(item_ix)

    def has_location(self, location_id: str) -> bool:
        """Whether a location is in the catalogue; a question from another one has none.

        Parameters
        ----------
        location_id : str
            As exports and requests name it.

        Returns
        -------
        bool
        """
        return self.catalogue.location(location_id) != 0

    def allowed(self, settings: PlacementSettings) -> npt.NDArray[np.bool_]:
        """Return which products a placement may show, before stock and customer are considered.

        Parameters
        ----------
        settings : PlacementSettings
            Of the placement; ``age_restricted`` and ``filter`` count.

        Returns
        -------
        ndarray of shape (n_items,), bool
        """
        allowed = self.ranker.availability.active
        if not settings.age_restricted:
            allowed = allowed & ~self.ranker.age_restricted
        condition = filter_of(Question(placement="", settings=settings, as_of_ts=0))
        return allowed if condition is None else allowed & self.fitting(condition)

    def fitting(self, given: Filter) -> npt.NDArray[np.bool_]:
        """Return which products a filter may let through, somewhere and for somebody.

        Parameters
        ----------
        given : Filter
            What it asks of stock and of customers may be so or not.

        Returns
        -------
        ndarray of shape (n_items,), bool
        """
        known, facts = filters.known_beforehand(given), self.ranker.filter_data
        if known is None or facts is None:
            return np.ones(len(self.index), bool)
        every, where = np.arange(len(self.index), dtype=np.int32), np.zeros(len(self.index), int)
        when = where + int(self.manifest.as_of.timestamp())

        def numbers(name: str, at: IxArray) -> npt.NDArray[np.float64]:
            return facts.number(name, self.ranker.availability, where[at], every[at], when[at])

        return facts.allows(known, every, numbers, lambda at: np.ones(len(at), bool))

    def choice_of(self, item_id: str) -> str:
        """Name the choice of a product; see ``choices_of``.

        Parameters
        ----------
        item_id : str
            Of any product, known or not.

        Returns
        -------
        str
        """
        return self.choices_of([item_id])[0]

    def choices_of(self, item_ids: Sequence[str]) -> list[str]:
        """Name the choice of each product: the id of the first product of it; its own if unknown.

        Parameters
        ----------
        item_ids : sequence of str
            Of any products, known or not.

        Returns
        -------
        list of str
            Equal for products that a shopper cannot tell apart.
        """
        of, names = self.ranker.all_choices.of, self.index.item_ids
        positions = self.index.ix_of(item_ids).tolist()
        return [
            item_id if item_ix < 0 else names[of[item_ix]]
            for item_id, item_ix in zip(item_ids, positions, strict=True)
        ]

    def cost_of(self, item_id: str, currency: str) -> int | None:
        """Return what a product costs in a currency, minor units; None where unknown.

        Parameters
        ----------
        item_id : str
            Of any product, known or not.
        currency : str
            ISO 4217 code; a product that is priced in another one has no known cost.

        Returns
        -------
        int or None
        """
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
        prepared = prepare_questions(questions, rows, self.catalogue)
        proposals = (offering or NO_BUNDLES).propose(
            questions, prepared.batch.histories, prepared.carts, self.ranker, prepared.limits
        )
        missing = lacking(proposals)
        ranked = self.ranker.rank(prepared.batch, replace(prepared.request, requested=missing))
        offers = choose_bundles(questions, proposals, missing, ranked.requested_chance, self.index)
        reasons = self._explainer.reasons(
            ranked.leaders, prepared.batch, prepared.reason_limits, prepared.languages
        )
        popular_levels = self._popular.level(prepared.batch)
        lists = RankedAnswers(prepared, ranked, reasons, offers, popular_levels)
        return write_answers(lists, self.item_availability, self.ranker, self.version)

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
        answer = self._pages.answer(question)
        return None if answer is None else {"model_version": self.version, **answer}
