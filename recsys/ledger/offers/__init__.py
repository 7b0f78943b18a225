"""Offers: issued within a budget, redeemed once, settled when orders come back.

In: decisions of marketers, orders that use offers. Out: valid offers, and their discounts.
Called by ``ledger.ledger`` and by the service.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
