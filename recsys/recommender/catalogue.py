"""What an answer says of products and locations, as it was when the artefact was made.

Columns of the history's products and locations come in and become tables of the artefact; out
come titles, prices and names by position. Written by training, read by ``engine``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from recsys.artefacts import Artefact, Column, layout
from recsys.datasets import IntArray, ItemIndex, IxArray, TextArray, location_key
from recsys.errors import ArtefactError
from recsys.ranking import Dayparts, FilterData, LabelColumn, Margins, Sales
from recsys.recommender.location_details import LocationDetails
from recsys.recommender.product_attributes import Attributes, lay_out, load
from recsys.values import ADDRESSES, is_time_zone

PRODUCTS: Final = "products"
LOCATIONS: Final = "locations"
#: Column of products → table of the names that its codes stand for.
LABELS: Final = {"department": "departments", "category": "categories", "brand": "brands"}
#: Price of a product whose price is not known; real prices are never negative.
UNKNOWN_MINOR: Final = -1

#: Products whose texts are kept as they were read, of those that are shown.
_KEPT: Final = 20_000

Item = dict[str, Any]


@dataclass(frozen=True)
class Catalogue:
    """Products and locations of one artefact.

    Attributes
    ----------
    index : ItemIndex
    titles, currencies : sequence of str, length n_items
        Empty where unknown.
    prices_minor : ndarray of shape (n_items,), int64
        Minor units; ``UNKNOWN_MINOR`` where unknown.
    location_keys : ndarray of shape (n_locations,), int64
        ``location_key``, ascending.
    stores : ndarray of shape (n_locations,), bool
        Whether customers can come there and take things with them.
    labels : dict of str to Labels
        ``department``, ``category``, ``brand`` of each product.
    places : dict of int to (str, str)
        Key of each location → its id and its name, which may be empty.
    attributes : Attributes
        What else is said of products, such as their pages.
    details : LocationDetails
        Where the locations lie, and which deliver; in the order of ``location_keys``.
    zones : dict of int to str
        Key of each location → its IANA time zone, where that is known.
    dayparts : Dayparts
        What sells in stores at which time of the day.
    """

    index: ItemIndex
    titles: Sequence[str]
    currencies: Sequence[str]
    prices_minor: IntArray
    location_keys: IntArray
    stores: npt.NDArray[np.bool_]
    labels: dict[str, LabelColumn]
    places: dict[int, tuple[str, str]]
    attributes: Attributes
    details: LocationDetails
    zones: dict[int, str] = field(default_factory=dict)
    dayparts: Dayparts = field(default_factory=lambda: Dayparts.from_arrays({}))

    @classmethod
    def load(cls, artefact: Artefact) -> "Catalogue":
        """Read the catalogue of an artefact.

        Parameters
        ----------
        artefact : Artefact
            Holds the tables that ``tables`` laid out.

        Returns
        -------
        Catalogue

        Raises
        ------
        ArtefactError
            When a column is missing.
        """
        products, locations = artefact.table(PRODUCTS), artefact.table(LOCATIONS)
        try:
            return cls(
                ItemIndex.from_arrays(_texts(products, "item_id"), _array(products, "item_key")),
                _texts(products, "title"),
                _texts(products, "currency"),
                _array(products, "price_minor"),
                _array(locations, "location_key"),
                _array(locations, "store"),
                {
                    name: LabelColumn(
                        list(_texts(artefact.table(names), "name")), _array(products, name)
                    )
                    for name, names in LABELS.items()
                },
                _places(locations),
                load(artefact, products),
                LocationDetails.from_arrays(locations, len(_array(locations, "location_key"))),
                _zones(locations),
                Dayparts.from_arrays(artefact.part(layout.DAYPARTS)),
            )
        except KeyError as error:
            raise ArtefactError(
                f"{artefact.folder}: the catalogue lacks its column {error}. Run `omnibasket "
                "train` to make a new artefact."
            ) from None

    def filter_data(
        self,
        active: npt.NDArray[np.bool_],
        margins: Margins | None = None,
        sales: Sales | None = None,
    ) -> FilterData:
        """Return what filters may ask of the products.

        Parameters
        ----------
        active : ndarray of shape (n_items,), bool
            Whether each product may be shown, as of ``Availability.active``.
        margins : Margins, optional
            What sales earn; unknown by default.
        sales : Sales, optional
            How products sell; unknown by default.

        Returns
        -------
        FilterData
        """
        return FilterData(
            self.index,
            self.titles,
            self.prices_minor,
            self.labels,
            active,
            self.attributes.columns,
            margins,
            sales,
        )

    def of_categories(self, item_ix: IxArray) -> IxArray:
        """Return the products of the same categories as some.

        Parameters
        ----------
        item_ix : ndarray of shape (n,), int32
            Products; -1 for one that is not in the catalogue.

        Returns
        -------
        ndarray, int32
            Ascending, these included; of a product without a category that one alone.
        """
        known = item_ix[item_ix >= 0]
        if not len(known):
            return known
        codes = self.labels["category"].code
        alike = np.isin(codes, codes[known][codes[known] >= 0])
        alike[known] = True
        return np.flatnonzero(alike).astype(np.int32)

    def item(self, item_ix: int) -> Item:
        """Say what a product is: its id, title and price, as far as they are known.

        Where they are known, ``url`` and ``image_url`` are there too.

        Parameters
        ----------
        item_ix : int
            Position in ``index``.

        Returns
        -------
        dict
            ``item_id``, ``title`` or None, and ``price``: None, or ``amount_minor``, in minor
            units, and ``currency``.
        """
        item_id, title, price, links = self._read(item_ix)
        return {"item_id": item_id, "title": title, "price": price and dict(price), **links}

    def links(self, item_ix: int) -> dict[str, str]:
        """Return ``url`` and ``image_url`` of a product, where they are known.

        Parameters
        ----------
        item_ix : int
            Position in ``index``.

        Returns
        -------
        dict of str to str
        """
        return self._read(item_ix)[3]

    @cached_property
    def _read(self) -> Callable[[int], tuple[str, str | None, Item | None, dict[str, str]]]:
        """Id, title, price and links of a product; of those that are shown most they are kept."""
        linked = any(name in self.attributes.columns for name in ADDRESSES)

        @lru_cache(maxsize=_KEPT)
        def read(item_ix: int) -> tuple[str, str | None, Item | None, dict[str, str]]:
            price, currency = int(self.prices_minor[item_ix]), self.currencies[item_ix]
            known = price != UNKNOWN_MINOR
            return (
                self.index.item_ids[item_ix],
                self.titles[item_ix] or None,
                {"amount_minor": price, "currency": currency} if known else None,
                self.attributes.of(item_ix, ADDRESSES) if linked else {},
            )

        return read

    def place(self, key: int) -> dict[str, Any]:
        """Say what a location is: its ``location_id`` and ``name``; None what is unknown.

        Parameters
        ----------
        key : int
            Of the location, as ``location`` returns it.

        Returns
        -------
        dict
        """
        location_id, name = self.places.get(key, ("", ""))
        return {"location_id": location_id or None, "name": name or None}

    def location(self, location_id: str | None) -> int:
        """Return the key of a location that is known; 0 for none, and for an unknown one.

        Parameters
        ----------
        location_id : str or None
            As exports and requests name it.

        Returns
        -------
        int
            ``location_key``.
        """
        key = location_key(location_id)
        return key if self._position(key) >= 0 else 0

    def is_store(self, key: int) -> bool:
        """Whether customers can come to a location.

        Parameters
        ----------
        key : int
            Of the location, as ``location`` returns it.

        Returns
        -------
        bool
            False for an unknown one, too.
        """
        at = self._position(key)
        return at >= 0 and bool(self.stores[at])

    def zones_of(self, keys: Iterable[int]) -> tuple[str, ...]:
        """Return the time zones of some stores, each once, sorted.

        Where a warehouse lies says nothing of who orders there.

        Parameters
        ----------
        keys : iterable of int
            Of locations, as ``location`` returns them; unknown ones are left out.

        Returns
        -------
        tuple of str
            IANA time zones.
        """
        zones = self.zones
        found = {zones[key] for key in keys if key in zones and self.is_store(key)}
        return tuple(sorted(found))

    def _position(self, key: int) -> int:
        at = int(np.searchsorted(self.location_keys, key))
        return at if at < len(self.location_keys) and self.location_keys[at] == key else -1


def tables(
    index: ItemIndex,
    products: Mapping[str, Sequence[Any]],
    locations: Mapping[str, Sequence[Any]],
) -> dict[str, dict[str, Column]]:
    """Lay a catalogue out as tables of an artefact.

    Parameters
    ----------
    index : ItemIndex
    products : mapping
        ``title, price_minor, currency, department, category, brand`` of each product, in the
        order of ``index``; None where unknown. ``attributes``, where anything is said there: JSON
        objects.
    locations : mapping
        ``location_id, name, kind``, and what ``LocationDetails.of`` takes; ``time_zone``, where
        it is known.

    Returns
    -------
    dict
        Table → column → array or texts.
    """
    keys = np.array([location_key(name) for name in locations["location_id"]], np.int64)
    order = np.argsort(keys)
    details = LocationDetails.of(locations, len(keys))
    zones = locations.get("time_zone") or [None] * len(keys)
    prices = [UNKNOWN_MINOR if price is None else price for price in products["price_minor"]]
    names = {column: sorted(set(products[column]) - {None, ""}) for column in LABELS}
    positions = {column: {name: ix for ix, name in enumerate(names[column])} for column in LABELS}
    attributes, texts = lay_out(products.get("attributes") or [None] * len(index))
    return {
        PRODUCTS: {
            "item_id": index.item_ids,
            "item_key": index.keys,
            "price_minor": np.array(prices, np.int64),
            "title": products["title"],
            "currency": products["currency"],
            **{
                column: np.array([found.get(name, -1) for name in products[column]], np.int32)
                for column, found in positions.items()
            },
            **attributes,
        },
        **texts,
        **{LABELS[column]: {"name": found} for column, found in names.items()},
        LOCATIONS: {
            "location_key": keys[order],
            "location_id": [locations["location_id"][at] for at in order],
            "name": [locations["name"][at] for at in order],
            "store": np.array([kind == "store" for kind in locations["kind"]], bool)[order],
            "time_zone": [zones[at] or "" for at in order],
            **{name: array[order] for name, array in details.arrays().items()},
        },
    }


def _zones(locations: Mapping[str, npt.NDArray[Any] | TextArray]) -> dict[int, str]:
    """Return the zone of each location; an artefact of before holds none."""
    if "time_zone" not in locations:
        return {}
    keys = _array(locations, "location_key").tolist()
    said = zip(keys, _texts(locations, "time_zone"), strict=True)
    return {key: zone for key, zone in said if is_time_zone(zone)}


def _places(locations: Mapping[str, npt.NDArray[Any] | TextArray]) -> dict[int, tuple[str, str]]:
    keys = _array(locations, "location_key").tolist()
    named = zip(_texts(locations, "location_id"), _texts(locations, "name"), strict=True)
    return dict(zip(keys, named, strict=True))


def _texts(table: Mapping[str, npt.NDArray[Any] | TextArray], name: str) -> TextArray:
    column = table[name]
    if not isinstance(column, TextArray):
        raise KeyError(name)
    return column


def _array(table: Mapping[str, npt.NDArray[Any] | TextArray], name: str) -> npt.NDArray[Any]:
    column = table[name]
    if isinstance(column, TextArray):
        raise KeyError(name)
    return column
