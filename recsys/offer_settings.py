"""Settings of offers: what one order may use."""

from recsys.settings import Count, Settings


class Offers(Settings, frozen=True):
    """How offers are made and used."""

    per_order: Count = 3
    """Offers that one order may use."""
