"""Bounds of every offer, when it is made and when it is redeemed.

The settings and the engine's costs come in; bounds as the ledger takes them go out. Called by
``offer_issuing``, ``requests.offer_orders`` and ``api.offers``.
"""

from recsys.config import Config
from recsys.ledger.offers import OfferBounds
from recsys.recommender import Engine


def bounds_of(config: Config, engine: Engine | None) -> OfferBounds:
    """Return the bounds of offers; without an engine no cost is known."""
    return OfferBounds(
        per_order=config.offers.per_order,
        margin_floor=config.bundles.margin_floor,
        cost_of=None if engine is None else engine.cost_of,
    )
