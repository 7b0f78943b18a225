from .selection import NO_BUNDLES, OfferableBundles

__all__ = [
    "NO_BUNDLES",
    "OfferableBundles",
]
