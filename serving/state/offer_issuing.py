"""Offers beside recommendations: those that are valid already, and new ones.

Before the ranking, ``prepare`` takes a question and its customer; afterwards ``issue`` turns the
bundles that the engine chose into offers in the ledger. If the ledger fails, an answer has no
offers, but it has its items.
"""

import logging
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

import msgspec

from recsys.bundles import Decision, Offer, OfferItem, offered_members
from recsys.config import Config
from recsys.errors import LedgerError
from recsys.ledger import Ledger
from recsys.ledger.customers import session_own_id
from recsys.ledger.offers import OfferBounds, Refusal, VisitBounds, least_price_minor
from recsys.recommender import Engine, Question
from recsys.recommender.offers import NO_BUNDLES, OfferableBundles
from recsys.recommender.offers import documents as words
from serving.state.decision_cache import DecisionCache
from serving.state.offer_bounds import bounds_of
from serving.state.qr_links import OfferLinks

_log = logging.getLogger("omnibasket.service")


class OfferContext(NamedTuple):
    """Whose offers an answer carries, and which of them are valid already.

    Attributes
    ----------
    owners : list of str
        Every id of the customer or visit; new offers go to the first. Empty: no offers.
    offers : dict of str to Offer
        Valid offers by bundle id.
    may_issue : bool
        Whether new offers may be made.
    visit : VisitBounds or None
        Limits, if the owner is a visit without a customer.
    """

    owners: list[str]
    offers: dict[str, Offer]
    may_issue: bool = False
    visit: VisitBounds | None = None


NO_OFFERS: Final = OfferContext([], {})


class OfferIssuer:
    """Finds and makes offers for answers. Threads may share it.

    Parameters
    ----------
    decisions : DecisionCache
    ledger : Ledger
    config : Config
    links : OfferLinks
    """

    def __init__(
        self, decisions: DecisionCache, ledger: Ledger, config: Config, links: OfferLinks
    ) -> None:
        self._links = links
        self._decisions = decisions
        self._ledger = ledger
        self._offers = ledger.offers
        self._config = config
        self._made: tuple[Engine, Mapping[str, Decision], OfferableBundles] | None = None

    def offerable(self, engine: Engine) -> OfferableBundles:
        """Return the bundles that may be offered, with the latest decisions."""
        try:
            if not self._decisions.is_refreshed:
                self._decisions.refresh()
        except LedgerError as error:
            _log.error("answered without offers", extra={"reason": str(error)})
            return NO_BUNDLES
        by_id, made = self._decisions.by_id, self._made
        if made is None or made[0] is not engine or made[1] is not by_id:
            bounds = bounds_of(self._config, engine)
            withheld = [
                name for name, decision in by_id.items() if _items(decision, engine, bounds) is None
            ]
            offerable = OfferableBundles(engine.index, by_id, engine.ranker.all_choices, withheld)
            made = self._made = engine, by_id, offerable
        return made[2]

    def prepare(
        self,
        question: Question,
        customer_id: str | None,
        session_id: str | None,
        offerable: OfferableBundles,
        *,
        shown: bool,
        address: str | None = None,
    ) -> tuple[Question, OfferContext]:
        """Add a request for offers to a question if its placement shows offers.

        Parameters
        ----------
        question : Question
        customer_id : str or None
            The present id of the customer.
        session_id : str or None
            Their visit, sealed. Without a customer and a visit no offer can be made.
        offerable : OfferableBundles
            From ``offerable``.
        shown : bool
            Whether the answer is shown; if not, no new offer is made.
        address : str, optional
            Keyed hash of the address of a page's visitor.
        """
        settings = question.settings
        if not settings.offers or not settings.personal or not offerable:
            return question, NO_OFFERS
        try:
            with self._ledger.hurrying("standing offers"):
                owners = self._owners(customer_id, session_id)
                found = self._offers.standing(owners, question.as_of_ts) if owners else []
        except LedgerError as error:
            _log.error("answered without offers", extra={"reason": str(error)})
            return question, NO_OFFERS
        if not owners:
            return question, NO_OFFERS
        held = {offer.bundle_id: offer for offer in found}
        may: Literal["any", "cart", "none"] = "any" if customer_id is not None else "cart"
        asked = msgspec.structs.replace(
            question,
            offers=settings.offers,
            standing=tuple(held),
            promises=may if shown else "none",
        )
        visit = None if customer_id is not None else self._visit_bounds(address)
        return asked, OfferContext(owners, held, shown, visit)

    def _visit_bounds(self, address: str | None) -> VisitBounds:
        settings = self._config.offers
        return VisitBounds(
            per_visit=settings.visit_offers,
            hours=settings.visit_hours,
            budget_share=settings.visit_budget_share,
            per_address_hour=settings.address_offers_per_hour,
            address=address,
        )

    def issue(
        self, proposals: list[dict[str, Any]], context: OfferContext, engine: Engine, now_ts: int
    ) -> list[dict[str, Any]]:
        """Make offers of the bundles that the engine chose.

        Parameters
        ----------
        proposals : list of dict
            ``offers`` of an engine's answer.
        context : OfferContext
        engine : Engine
            The engine that answered.
        now_ts : int
            UTC epoch seconds.

        Returns
        -------
        list of dict
            Offers as channels get them, each with ``missing`` and ``chance``. Bundles that can no
            longer be offered, because a budget is spent or a limit reached, are left out.
        """
        documents = []
        for proposal in proposals:
            try:
                offer = self._issue(proposal["bundle_id"], context, engine, now_ts)
            except LedgerError as error:
                _log.error("an offer was not made", extra={"reason": str(error)})
                continue
            if offer is not None:
                document = self._links.document(offer, engine.catalogue)
                documents.append(
                    {**document, "missing": proposal["missing"], "chance": proposal["chance"]}
                )
        return documents

    def _issue(
        self, bundle_id: str, context: OfferContext, engine: Engine, now_ts: int
    ) -> Offer | None:
        standing = context.offers.get(bundle_id)
        if standing is not None:
            return standing
        if not context.may_issue:
            return None
        decision = self._decisions.by_id.get(bundle_id)
        if decision is None:
            return None
        bounds = bounds_of(self._config, engine)
        items = _items(decision, engine, bounds)
        if items is None:
            return None
        owner, *others = context.owners
        with self._ledger.hurrying("issued offers"):
            made = self._offers.issue(
                bundle_id,
                owner,
                items,
                name=self._links.codes.new(),
                now_ts=now_ts,
                owners=others,
                visit=context.visit,
                bounds=bounds,
            )
        return None if isinstance(made, Refusal) else made

    def _owners(self, customer_id: str | None, session_id: str | None) -> list[str]:
        """Return every id of the customer, then that of their visit."""
        owners = [] if customer_id is None else self._offers.owners(customer_id)
        return owners if session_id is None else [*owners, session_own_id(session_id)]


def _items(decision: Decision, engine: Engine, bounds: OfferBounds) -> list[OfferItem] | None:
    """Return the items of a bundle at present prices; None if it cannot be offered now.

    A bundle whose price is no longer a discount, or leaves less than the margin floor, must not
    take another bundle's place in an answer.
    """
    terms, item_ids = decision.terms, offered_members(decision.kind, decision.item_ids)
    items = words.priced(item_ids, terms.currency, engine.catalogue)
    if items is None or terms.price_minor is None or terms.currency is None:
        return None
    full = sum(item.price_minor for item in items)
    floor = least_price_minor(item_ids, terms.currency, bounds)
    return items if floor <= terms.price_minor < full else None
