"""Offers in words, as every channel gets them, and products at the prices that offers begin from.

The ledger's offers and a catalogue come in; plain dictionaries come out. Called by the service.
"""

from collections.abc import Sequence
from typing import Any, Final

from recsys.bundles import Offer, OfferItem, Redemption
from recsys.recommender.bundles.documents import money, time
from recsys.recommender.catalogue import UNKNOWN_MINOR, Catalogue

#: Where the code of an offer is drawn.
QR_PATH: Final = "/v1/offers/{offer_id}/qr.svg"


def offer(given: Offer, code: str, catalogue: Catalogue | None) -> dict[str, Any]:
    """Say what is promised.

    Parameters
    ----------
    given : Offer
    code : str
        What the customer shows.
    catalogue : Catalogue or None
        Knows titles; an offer holds without.
    """
    item_ids = [item.item_id for item in given.items]
    titles: list[str | None] = [None] * len(item_ids)
    if catalogue is not None:
        found = catalogue.index.ix_of(item_ids).tolist()
        titles = [catalogue.titles[ix] or None if ix >= 0 else None for ix in found]
    return {
        "offer_id": given.offer_id,
        "code": code,
        "bundle_id": given.bundle_id,
        "items": [
            {
                "item_id": item.item_id,
                "title": title,
                "price": money(item.price_minor, given.currency),
            }
            for item, title in zip(given.items, titles, strict=True)
        ],
        "price": money(given.price_minor, given.currency),
        "full_price": money(given.full_price_minor, given.currency),
        "discount": money(given.discount_minor, given.currency),
        "issued_at": time(given.issued_ts),
        "expires_at": time(given.expires_ts),
        "state": given.state,
        "redemption": None
        if given.redemption is None
        else _redemption(given.redemption, given.currency),
        "qr": QR_PATH.format(offer_id=given.offer_id),
    }


def _redemption(given: Redemption, currency: str) -> dict[str, Any]:
    return {
        "transaction_id": given.transaction_id,
        "channel": given.channel,
        "location_id": given.location_id,
        "redeemed_at": time(given.redeemed_ts),
        "discount": money(given.discount_minor, currency),
    }


def priced(
    item_ids: Sequence[str], currency: str | None, catalogue: Catalogue
) -> list[OfferItem] | None:
    """Return products at their present prices.

    Parameters
    ----------
    item_ids : sequence of str
    currency : str or None
        In which they must be.
    catalogue : Catalogue

    Returns
    -------
    list of OfferItem or None
        None where one is not in the catalogue, or its price is unknown or in another currency.
    """
    found = catalogue.index.ix_of(item_ids).tolist()
    if min(found) < 0:
        return None
    prices = [int(catalogue.prices_minor[ix]) for ix in found]
    currencies = {catalogue.currencies[ix] for ix in found}
    if UNKNOWN_MINOR in prices or currencies != {currency}:
        return None
    return [OfferItem(name, price) for name, price in zip(item_ids, prices, strict=True)]
