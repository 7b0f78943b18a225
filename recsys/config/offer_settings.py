"""Settings of offers, ``[offers]``: the offers of orders, and of anonymous visits.

Part of ``recsys.config.settings``; docs/configuration.md explains them.
"""

from typing import Annotated

from msgspec import Meta

from recsys.config.settings import Count, Positive, Settings, Share


class OfferSettings(Settings, frozen=True):
    """How offers are made and used."""

    per_order: Count = 3
    """Offers that one order may use."""
    visit_offers: Annotated[int, Meta(ge=0)] = 2
    """Offers that an anonymous visit is promised within a day."""
    visit_hours: Positive = 2.0
    """Longest life of such an offer, in hours."""
    visit_budget_share: Share = 0.2
    """Share of a bundle's budget for all anonymous visits together."""
    address_offers_per_hour: Annotated[int, Meta(ge=0)] = 20
    """Offers in an hour that anonymous visits from one address are promised, by a page's key."""
