"""Exports of well-known systems, recognised by their headers.

An ``Export`` comes in; out comes a ``Preset`` with the whole mapping, or None where no system is
known. Called by ``init`` before it looks at columns one by one.
"""

from collections.abc import Callable

from training.init.exports import Export
from training.init.presets import (
    ga4,
    google_merchant,
    lightspeed,
    loyverse,
    magento,
    odoo,
    shopify,
    square,
    woocommerce,
    woocommerce_algol,
)
from training.init.presets.preset import Headers, Preset

__all__ = ["Preset", "recognise"]

#: The more columns a shape is known by, the earlier it is tried.
_SYSTEMS: tuple[Callable[[Headers], Preset | None], ...] = (
    ga4.events,
    shopify.orders,
    shopify.products,
    shopify.inventory,
    woocommerce.orders,
    woocommerce.items,
    woocommerce.products,
    woocommerce_algol.items,
    square.items,
    square.catalogue,
    lightspeed.x_series,
    lightspeed.r_series,
    loyverse.receipts,
    loyverse.products,
    odoo.orders,
    magento.products,
    magento.items,
    google_merchant.inventory,
    google_merchant.products,
)


def recognise(export: Export) -> Preset | None:
    """Tell which system wrote an export, and what it means.

    Parameters
    ----------
    export : Export

    Returns
    -------
    Preset or None
    """
    headers = Headers(export)
    return next((found for system in _SYSTEMS if (found := system(headers))), None)
