"""Recognises exports of well-known systems by their headers.

In: an ``Export``. Out: a ``Preset`` with the whole mapping, or None for an unknown system. Called
by ``mapping`` before it examines single columns.
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

#: Tried in this order: presets that require more columns come first.
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
    """Return the preset of the system that wrote an export.

    Parameters
    ----------
    export : Export

    Returns
    -------
    Preset or None
    """
    headers = Headers(export)
    return next((preset for system in _SYSTEMS if (preset := system(headers))), None)
