"""The back office's updates since the artefact was made: products, locations and stock.

Records from the ledger come in; a catalogue, an availability and costs that include them come out.
Those of the artefact stay as they are. Called by ``Engine.with_updates``.

A product that the artefact does not hold cannot be ranked before the next training, which gets it
through ingest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

import msgspec
import numpy as np

from recsys.datasets import IntArray, location_key
from recsys.ranking import Availability, Costs, LabelColumn, Margins
from recsys.recommender.catalogue import Catalogue
from recsys.recommender.location_details import LocationDetails
from recsys.recommender.product_attributes import ChangedAttributes
from recsys.values import is_time_zone


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of an update: a field that is None was not reported, and stays as it was."""

    def over(self, older: "Record | None") -> "Record":
        """Return this record, completed by an older one.

        Parameters
        ----------
        older : Record or None
            Of the same product, location or stock: gives the fields that are None here.

        Returns
        -------
        Record
            Of this record's type; this one stays as it is.
        """
        if older is None:
            return self
        names = self.__struct_fields__
        kept = {name: getattr(older, name) for name in names if getattr(self, name, None) is None}
        return msgspec.structs.replace(self, **kept)


class LiveItem(Record, frozen=True):
    """A product, as far as it was reported."""

    item_id: str
    title: str | None = None
    price_minor: int | None = None
    currency: str | None = None
    cost_minor: int | None = None
    active: bool | None = None
    department: str | None = None
    category: str | None = None
    brand: str | None = None
    parent_id: str | None = None
    attributes: dict[str, str | None] | None = None
    """Further attributes by name; None removes one."""

    def over(self, older: Record | None) -> "LiveItem":
        """Return this record, completed by an older one attribute by attribute.

        Parameters
        ----------
        older : Record or None
            Of the same product: gives the fields and the attributes that are missing here.

        Returns
        -------
        LiveItem
            An attribute that is None here is None there, too, so that it stays removed.
        """
        whole = super().over(older)
        if isinstance(older, LiveItem) and isinstance(whole, LiveItem) and older.attributes:
            attributes = older.attributes | (self.attributes or {})
            return msgspec.structs.replace(whole, attributes=attributes)
        return cast(LiveItem, whole)


class LiveLocation(Record, frozen=True):
    """A store or a warehouse, as far as it was reported."""

    location_id: str
    name: str | None = None
    kind: Literal["store", "online"] | None = None
    region: str | None = None
    time_zone: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    ships: bool | None = None
    delivery_days: int | None = None


class LiveStock(Record, frozen=True):
    """What a location has on hand of a product; what is None was not reported, nor is it kept."""

    location_id: str
    item_id: str
    on_hand: float
    reserved: float | None = None
    told_ts: int = 0
    """When it was reported, UTC epoch seconds; 0: unknown."""


@dataclass(frozen=True)
class CatalogueUpdates:
    """The newest record of each product, location and stock.

    Attributes
    ----------
    items : mapping of str to LiveItem
    locations : mapping of str to LiveLocation
    stock : mapping of (location_id, item_id) to LiveStock
    mark : int
        A number that changes with every update.
    """

    items: Mapping[str, LiveItem] = field(default_factory=dict)
    locations: Mapping[str, LiveLocation] = field(default_factory=dict)
    stock: Mapping[tuple[str, str], LiveStock] = field(default_factory=dict)
    mark: int = 0

    def __bool__(self) -> bool:
        return bool(self.items or self.locations or self.stock)


def catalogue_with(base: Catalogue, updates: CatalogueUpdates) -> Catalogue:
    """Return a catalogue with the updates applied; ``base`` stays as it is."""
    known = _known(base, updates)
    titles = {ix: item.title for ix, item in known if item.title is not None}
    prices = np.array(base.prices_minor)
    currencies: dict[int, str] = {}
    for ix, item in known:
        if item.price_minor is not None and item.currency is not None:
            prices[ix], currencies[ix] = item.price_minor, item.currency
    keys, stores = _locations(base, updates)
    details = _details(base, keys, updates)
    return replace(
        base,
        titles=ChangedAttributes(base.titles, titles),
        currencies=ChangedAttributes(base.currencies, currencies),
        prices_minor=prices,
        location_keys=keys,
        stores=stores,
        details=details,
        places=base.places | _places(base, updates),
        zones=base.zones
        | {
            location_key(name): zone
            for name, location in updates.locations.items()
            if (zone := location.time_zone) is not None and is_time_zone(zone)
        },
        labels={name: _labels(name, labels, known) for name, labels in base.labels.items()},
        attributes=base.attributes.changed(
            {ix: item.attributes for ix, item in known if item.attributes}
        ),
    )


def availability_with(
    base: Availability, catalogue: Catalogue, updates: CatalogueUpdates
) -> Availability:
    """Return the availability with the updates applied; ``base`` stays as it is.

    Parameters
    ----------
    base : Availability
    catalogue : Catalogue
        Over the same products.
    updates : CatalogueUpdates
    """
    active = np.array(base.active)
    for ix, item in _known(catalogue, updates):
        if item.active is not None:
            active[ix] = item.active
    rows = list(updates.stock.values())
    items = catalogue.index.ix_of([row.item_id for row in rows]) if rows else np.empty(0, np.int32)
    known = np.flatnonzero(items >= 0)
    if not len(known):
        return replace(base, active=active)
    keys = np.array([location_key(rows[at].location_id) for at in known], np.int64)
    on_hand = np.array([rows[at].on_hand for at in known], np.float64)
    aside = [np.nan if (n := rows[at].reserved) is None else n for at in known]
    told_ts = np.array([rows[at].told_ts for at in known], np.int64)
    changed = replace(base, active=active)
    return changed.with_stock(keys, items[known], on_hand, np.array(aside, np.float64), told_ts)


def costs_with(base: Costs, catalogue: Catalogue, updates: CatalogueUpdates) -> Costs:
    """Return the costs with the updates applied; ``base`` stays as it is.

    Costs of a single location stay, too.
    """
    known = [
        (ix, item.cost_minor)
        for ix, item in _known(catalogue, updates)
        if item.cost_minor is not None
    ]
    if not known:
        return base
    items, costs = zip(*known, strict=True)
    return base.changed(np.array(items), np.array(costs, np.int64))


def margins_of(costs: Costs, catalogue: Catalogue) -> Margins:
    """Return what sales earn at a catalogue's prices."""
    return Margins.of(costs, catalogue.prices_minor, catalogue.labels["category"].code)


def _known(catalogue: Catalogue, updates: CatalogueUpdates) -> list[tuple[int, LiveItem]]:
    """Position and record of each product that the catalogue holds."""
    items = list(updates.items.values())
    if not items:
        return []
    found = catalogue.index.ix_of([item.item_id for item in items]).tolist()
    return [(ix, item) for ix, item in zip(found, items, strict=True) if ix >= 0]


def _locations(base: Catalogue, updates: CatalogueUpdates) -> tuple[Any, Any]:
    """Keys of all locations, ascending, and which of them are stores."""
    stores = dict(zip(base.location_keys.tolist(), base.stores.tolist(), strict=True))
    for name in {row.location_id for row in updates.stock.values()} - set(updates.locations):
        stores.setdefault(location_key(name), True)
    for name, location in updates.locations.items():
        key = location_key(name)
        stores[key] = stores.get(key, True) if location.kind is None else location.kind == "store"
    keys = np.array(sorted(stores), np.int64)
    return keys, np.array([stores[key] for key in keys.tolist()], bool)


def _details(base: Catalogue, keys: IntArray, updates: CatalogueUpdates) -> LocationDetails:
    """Where all locations lie and which deliver, in the order of ``keys``."""
    moved = base.details.moved(np.searchsorted(keys, base.location_keys), len(keys))
    return moved.updated(
        {
            int(np.searchsorted(keys, location_key(name))): msgspec.structs.asdict(location)
            for name, location in updates.locations.items()
        }
    )


def _places(base: Catalogue, updates: CatalogueUpdates) -> dict[int, tuple[str, str]]:
    """Ids and names of the updated locations."""
    named = {name: place.name for name, place in updates.locations.items()}
    named |= {
        row.location_id: None for row in updates.stock.values() if row.location_id not in named
    }
    keys = {name: location_key(name) for name in named}
    return {
        keys[name]: (name, label or base.places.get(keys[name], ("", ""))[1])
        for name, label in named.items()
    }


def _labels(name: str, base: LabelColumn, known: Sequence[tuple[int, LiveItem]]) -> LabelColumn:
    updates = {ix: label for ix, item in known if (label := getattr(item, name)) is not None}
    if not updates:
        return base
    position = dict(base.position)
    code = np.array(base.code)
    for ix, label in updates.items():
        code[ix] = position.setdefault(label, len(position))
    return LabelColumn(list(position), code)
