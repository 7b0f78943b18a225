"""Settings of offers, ``[offers]``: what one order may use, and what visits of nobody are promised.

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
    """Offers that a visit without a customer is promised within a day."""
    visit_hours: Positive = 2.0
    """How long one of those stands, at most."""
    visit_budget_share: Share = 0.2
    """Share of a bundle's budget that stands for such visits together."""
    address_offers_per_hour: Annotated[int, Meta(ge=0)] = 20
    """Offers that such visits are promised from one address through a page's key in an hour."""
