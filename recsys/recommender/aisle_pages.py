"""Says what a shopper who stands before a product's shelf may know of it: public facts only.

A product, a location and a time come in; what the product is, where it can be had, what goes well
with it and the bundles that anybody may ask for come out. No customer is part of the question.
Called by the service for its pages in the aisle.
"""

from typing import Any, Final

import msgspec
import numpy as np

from recsys.bundles import Decision
from recsys.recommender.engine import Engine
from recsys.recommender.offers.selection import OfferableBundles
from recsys.recommender.product_details import minimum_age
from recsys.recommender.product_pages import PageQuestion

Json = dict[str, Any]

#: Where what lies in a store is bought.
_CHANNEL: Final = "pos"
_NEARBY: Final = 3
_TOGETHER: Final = 6
_BUNDLES: Final = 3


class AislePage(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of one product at one location."""

    item: Json
    """As of ``Engine.item``."""
    labels: tuple[str, ...]
    """Its brand and department, as far as they are known."""
    minimum_age: str | None
    """Years, where it has a minimum age; empty where the catalogue does not say how many."""
    sold: bool
    """Whether it is still in the range."""
    location: Json | None
    """``location_id`` and ``name``; None for an unknown location."""
    availability: Json
    """As of ``ItemAvailability.of``; empty where nothing is known."""
    nearby: tuple[Json, ...]
    """The nearest other stores that have it, as of ``ItemAvailability.nearby``."""
    related: Json
    """As of ``Engine.related``."""


def aisle_page(
    engine: Engine, item_ix: int, location_id: str | None, as_of_ts: int, lang: str = "en"
) -> AislePage:
    """Say what may be told of a product to everybody who stands before it.

    Parameters
    ----------
    engine : Engine
    item_ix : int
        Position in its index.
    location_id : str or None
        Where the shelf is; nothing local is told of an unknown one.
    as_of_ts : int
        Time of the question, UTC epoch seconds.
    lang : str
        Tag of the offered language that headings are in.

    Returns
    -------
    AislePage
    """
    catalogue, known = engine.catalogue, engine.catalogue.location(location_id)
    here = location_id if known else None
    item = engine.item(item_ix)
    question = PageQuestion(
        how="bought_together",
        item_id=item["item_id"],
        as_of_ts=as_of_ts,
        count=_TOGETHER,
        lang=lang,
        location_id=here,
    )
    found = (catalogue.labels[name] for name in ("brand", "department"))
    (availability,) = engine.item_availability.of(here, np.array([item_ix], np.int32), as_of_ts)
    return AislePage(
        item=item,
        labels=tuple(
            label.names[code] for label in found if (code := int(label.code[item_ix])) >= 0
        ),
        minimum_age=minimum_age(engine, item_ix),
        sold=bool(engine.ranker.availability.active[item_ix]),
        location=catalogue.place(known) if known else None,
        availability=availability or {},
        nearby=tuple(engine.item_availability.nearby(here, item_ix, as_of_ts, _NEARBY)),
        related=engine.related(question) or {"items": [], "heading": None},
    )


def bundles_for_anybody(
    engine: Engine,
    offerable: OfferableBundles,
    item_ix: int | None,
    location_id: str | None,
    as_of_ts: int,
    most: int = _BUNDLES,
) -> list[Decision]:
    """Find the bundles with a product that anybody may ask for in a store.

    Parameters
    ----------
    engine : Engine
    offerable : OfferableBundles
        Over the engine's catalogue.
    item_ix : int or None
        Position in its index; None: of any product.
    location_id : str or None
        The store; in an unknown one there are none.
    as_of_ts : int
        Time of the question, UTC epoch seconds.
    most : int
        Maximum number.

    Returns
    -------
    list of Decision
        The largest discount first. Approved for sale in this store and not over, of
        products that are bought in one basket; none that the store is known to lack, none with a
        minimum age. Whether a budget is left is not looked at.
    """
    key = engine.catalogue.location(location_id)
    if not key or location_id is None:
        return []
    found = []
    for decision in offerable.for_anybody(item_ix, _CHANNEL, location_id, as_of_ts):
        items = engine.index.ix_of(decision.item_ids)
        stock = engine.ranker.availability.stock_at(np.full(len(items), key), items, as_of_ts)
        active = engine.ranker.availability.active[items].all()
        restricted = engine.ranker.age_restricted[items].any()
        if active and not restricted and not (stock.sellable <= 0).any():
            full = int(engine.catalogue.prices_minor[items].sum())
            found.append((full - (decision.terms.price_minor or 0), decision))
    found.sort(key=lambda pair: (-pair[0], pair[1].bundle_id))
    return [decision for _, decision in found[:most]]
