"""Says where a product can be had: here, at the nearest store, by delivery.

Products, a location and a time come in; what an answer says of their availability comes out. Called
by ``answers``, ``product_pages``, ``product_details`` and ``aisle_pages``.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from recsys.datasets import IntArray, IxArray
from recsys.ranking import Availability, Stock
from recsys.recommender.catalogue import Catalogue
from recsys.values import DELIVERY_DAYS, read_days

#: Locations whose neighbours are kept.
_KEPT = 1_000

Json = dict[str, Any]


@dataclass(frozen=True, eq=False)
class ItemAvailability:
    """Where the products of a catalogue can be had.

    Parameters
    ----------
    catalogue : Catalogue
        Knows what locations are, where they lie, and which deliver.
    availability : Availability
        Knows their stock.
    """

    catalogue: Catalogue
    availability: Availability

    def of(self, location_id: str | None, item_ix: IxArray, as_of_ts: int) -> list[Json | None]:
        """Say what is known of products at a location, and of their delivery.

        Parameters
        ----------
        location_id : str or None
            Of the question; an unknown one counts as none.
        item_ix : ndarray of shape (m,), int32
        as_of_ts : int
            Time of the question, UTC epoch seconds.

        Returns
        -------
        list of dict or None, length m
            With a location ``location_id``; where the stock is known ``on_hand``, in units, and in
            a store ``pickup``; where it is known what is put aside, ``reserved`` and ``sellable``.
            Where stock has a greatest age, ``stock_as_of``, and ``stale`` if it is beyond that.
            ``nearest``: the nearest other store that can sell a product that cannot be sold
            here, if both say where they lie. ``delivery_days``, with a location or without: the
            fewest from any location that delivers and can sell it. What is not known is missing;
            None where nothing is.
        """
        key = self.catalogue.location(location_id)
        days = self._delivery_days(item_ix, as_of_ts)
        if not key:
            return [None if each is None else {"delivery_days": each} for each in days]
        stock = self.availability.stock_at(np.full(len(item_ix), key), item_ix, as_of_ts)
        found = [{"location_id": location_id, **each} for each in self._here(key, stock)]
        for each, n_days in zip(found, days, strict=True):
            if n_days is not None:
                each["delivery_days"] = n_days
        missing = np.flatnonzero(stock.sellable <= 0)
        for at, place in zip(
            missing.tolist(), self._nearest(key, item_ix[missing], as_of_ts), strict=True
        ):
            if place is not None:
                found[at]["nearest"] = place
        return [*found]

    def nearby(
        self, location_id: str | None, item_ix: int, as_of_ts: int, count: int
    ) -> list[Json]:
        """Return the nearest other stores that can sell a product.

        Parameters
        ----------
        location_id : str or None
            Where somebody is.
        item_ix : int
        as_of_ts : int
            Time of the question, UTC epoch seconds.
        count : int
            Stores wanted.

        Returns
        -------
        list of dict, at most ``count``
            The nearest first, each as ``nearest`` of ``of``. None of those whose stock is unknown
            or too old. Empty where the location is unknown, or does not say where it lies.
        """
        key = self.catalogue.location(location_id)
        if not key:
            return []
        _, keys, km = self._stores_by_distance(key)
        stock = self.availability.stock_at(keys, np.full(len(keys), item_ix, np.int32), as_of_ts)
        return [
            self._store(keys, km, stock, at, at)
            for at in np.flatnonzero(stock.sellable > 0)[:count].tolist()
        ]

    def stores(
        self,
        location_id: str | None,
        item_ix: int,
        as_of_ts: int,
        count: int,
        among: Collection[str] = (),
    ) -> tuple[list[Json], int]:
        """Return the stores that can sell a product.

        Parameters
        ----------
        location_id : str or None
            Where somebody is; that location itself is not among them.
        item_ix : int
        as_of_ts : int
            Time of the question, UTC epoch seconds.
        count : int
            Stores wanted.
        among : collection of str
            Ids of the locations that may be told of; empty: all.

        Returns
        -------
        stores : list of dict, at most ``count``
            The nearest first, where that is known, then those that have most; each as ``nearest``
            of ``of``, without ``km`` where it is not known. None of those whose stock is unknown
            or too old.
        n_stores : int
            How many there are.
        """
        keys, here = self.catalogue.location_keys, self.catalogue.location(location_id)
        usable = self.catalogue.stores & (self._positions >= 0) & (keys != here)
        if among:
            usable &= np.isin(keys, [self.catalogue.location(name) for name in among])
        at = np.flatnonzero(usable)
        stock = self.availability.stock_at(keys[at], np.full(len(at), item_ix, np.int32), as_of_ts)
        km = np.full(len(at), np.nan)
        if here:
            place = int(np.searchsorted(keys, here))
            km = self.catalogue.details.distances_km(place)[at]
        rows = np.flatnonzero(stock.sellable > 0).tolist()
        names = {row: self.catalogue.place(int(keys[at[row]])) for row in rows}
        rows.sort(
            key=lambda row: (
                np.inf if np.isnan(km[row]) else km[row],
                -stock.sellable[row],
                str(names[row]["location_id"]),
            )
        )
        return [self._store(keys[at], km, stock, row, row) for row in rows[:count]], len(rows)

    def _here(self, key: int, stock: Stock) -> list[Json]:
        """Say what a location has."""
        is_store, grows_old = self.catalogue.is_store(key), self.availability.max_age_seconds > 0
        found = []
        for on_hand, reserved, sellable, reported_ts, stale in zip(
            *(column.tolist() for column in stock), strict=True
        ):
            said = _pieces(on_hand, reserved, sellable)
            if said and is_store:
                said["pickup"] = sellable > 0
            if grows_old and reported_ts:
                at = datetime.fromtimestamp(reported_ts, UTC)
                said["stock_as_of"] = f"{at:%Y-%m-%dT%H:%M:%SZ}"
            if stale:
                said["stale"] = True
            found.append(said)
        return found

    def _delivery_days(self, item_ix: IxArray, as_of_ts: int) -> list[int | None]:
        """Return the fewest days to deliver each product; None where they are not known."""
        positions, days = self._shipping
        if not len(positions):
            return [None] * len(item_ix)
        first = self.availability.first_having(item_ix, positions, as_of_ts)
        attributes = self.catalogue.attributes
        of_products = DELIVERY_DAYS in attributes.columns
        found: list[int | None] = []
        for ix, place in zip(item_ix.tolist(), first.tolist(), strict=True):
            own = attributes.of(ix, (DELIVERY_DAYS,)).get(DELIVERY_DAYS) if of_products else None
            if place < 0:
                found.append(None)
            elif own is not None:
                found.append(read_days(own))
            else:
                found.append(int(days[place]) if days[place] >= 0 else None)
        return found

    def _nearest(self, key: int, item_ix: IxArray, as_of_ts: int) -> list[Json | None]:
        """Return the nearest other store that can sell each product; None where none is known."""
        if not len(item_ix):
            return []
        positions, keys, km = self._stores_by_distance(key)
        if not len(positions):
            return [None] * len(item_ix)
        first = self.availability.first_having(item_ix, positions, as_of_ts)
        at = np.maximum(first, 0)
        stock = self.availability.stock_at(keys[at], item_ix, as_of_ts)
        found: list[Json | None] = []
        for each, place in enumerate(first.tolist()):
            if place < 0:
                found.append(None)
                continue
            found.append(self._store(keys, km, stock, place, each))
        return found

    def _store(self, keys: IntArray, km: Any, stock: Stock, place: int, row: int) -> Json:
        """Say which store a place is, how far away, and what a row of the stock says it has."""
        named = self.catalogue.place(int(keys[place]))
        named = {name: value for name, value in named.items() if value is not None}
        pieces = (stock.on_hand[row], stock.reserved[row], stock.sellable[row])
        away = {} if np.isnan(km[place]) else {"km": round(float(km[place]), 1)}
        return {**named, **away, **_pieces(*pieces)}

    @cached_property
    def _positions(self) -> IntArray:
        """Position in the stock of each location of the catalogue; -1 where it has none."""
        return self.availability.position(self.catalogue.location_keys)

    @cached_property
    def _shipping(self) -> tuple[IntArray, IntArray]:
        """Positions and days of the locations that deliver, the fastest first, unknown last."""
        details = self.catalogue.details
        at = np.flatnonzero(details.shipping & (self._positions >= 0))
        days = details.delivery_days[at].astype(np.int64)
        order = np.argsort(np.where(days < 0, np.iinfo(np.int64).max, days), kind="stable")
        return self._positions[at[order]], days[order]

    @cached_property
    def _stores_by_distance(self) -> "Callable[[int], tuple[IntArray, IntArray, Any]]":
        """Positions, keys and distances of the other stores around one, the nearest first."""

        @lru_cache(maxsize=_KEPT)
        def around(key: int) -> tuple[IntArray, IntArray, Any]:
            keys, names = self.catalogue.location_keys, self.catalogue.places
            here = int(np.searchsorted(keys, key))
            km = self.catalogue.details.distances_km(here)
            usable = self.catalogue.stores & (self._positions >= 0) & ~np.isnan(km)
            usable[here] = False
            at = np.array(
                sorted(
                    np.flatnonzero(usable).tolist(),
                    key=lambda ix: (km[ix], names.get(int(keys[ix]), ("", ""))[0]),
                ),
                np.int64,
            )
            return self._positions[at], keys[at], km[at]

        return around


def _pieces(on_hand: float, reserved: float, sellable: float) -> Json:
    """Say how many there are, as far as it is known."""
    if on_hand != on_hand:  # NaN
        return {}
    said = {"on_hand": _number(on_hand)}
    if reserved == reserved:
        said |= {"reserved": _number(reserved), "sellable": _number(sellable)}
    return said


def _number(value: float) -> int | float:
    return int(value) if float(value).is_integer() else float(value)
