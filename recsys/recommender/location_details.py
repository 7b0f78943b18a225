"""Where locations lie, which of them deliver, and in how many days.

Columns of the history's locations and the back office's updates come in; distances and lead times
come out. Part of ``catalogue``; asked by ``item_availability``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

#: Mean radius of the Earth, km.
EARTH_KM = 6371.0088
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LocationDetails:
    """What is known of ``n`` locations besides their names.

    Attributes
    ----------
    latitude, longitude : ndarray of shape (n,), float64
        Decimal degrees; NaN where unknown.
    delivery_days : ndarray of shape (n,), int32
        Days from an order to its delivery from there; -1 where unknown.
    ships : ndarray of shape (n,), int8
        Whether it delivers: 1 or 0; -1 where nobody said.
    """

    latitude: Floats
    longitude: Floats
    delivery_days: npt.NDArray[np.int32]
    ships: npt.NDArray[np.int8]

    @classmethod
    def unknown(cls, n: int) -> "LocationDetails":
        """Return those of locations of which nothing is known.

        Parameters
        ----------
        n : int
        """
        nowhere = np.full(n, np.nan)
        return cls(nowhere, nowhere, np.full(n, -1, np.int32), np.full(n, -1, np.int8))

    @classmethod
    def of(cls, columns: Mapping[str, Sequence[Any]], n: int) -> "LocationDetails":
        """Make them from columns of the history's locations.

        Parameters
        ----------
        columns : mapping of str to sequence of length n
            By the names of the attributes; None where unknown. A missing one is unknown.
        n : int
        """
        nothing = cls.unknown(n)
        found = {}
        for each in fields(cls):
            array = getattr(nothing, each.name).copy()
            for at, value in enumerate(columns.get(each.name, ())):
                if value is not None:
                    array[at] = value
            found[each.name] = array
        return cls(**found)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything, by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any], n: int) -> "LocationDetails":
        """Rebuild from what ``arrays`` gave; what an older artefact lacks is unknown.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            Others are not looked at.
        n : int
            Locations.
        """
        names = {each.name for each in fields(cls)} & arrays.keys()
        return replace(cls.unknown(n), **{name: arrays[name] for name in names})

    def moved(self, at: npt.NDArray[np.integer], n: int) -> "LocationDetails":
        """Return them among ``n`` locations, at new places; the others are unknown.

        Parameters
        ----------
        at : ndarray of int
            Place of each of these.
        n : int
        """
        found = self.unknown(n).arrays()
        for name, array in self.arrays().items():
            found[name] = found[name].copy()
            found[name][at] = array
        return LocationDetails(**found)

    def updated(self, updates: Mapping[int, Mapping[str, Any]]) -> "LocationDetails":
        """Return them with updates by place; what is None stays as it was.

        Parameters
        ----------
        updates : mapping of int to mapping
            Place → attribute → value.
        """
        found = {name: array.copy() for name, array in self.arrays().items()}
        for at, values in updates.items():
            for name, array in found.items():
                if values.get(name) is not None:
                    array[at] = values[name]
        return LocationDetails(**found)

    @property
    def shipping(self) -> npt.NDArray[np.bool_]:
        """Which locations deliver: those that say so, or say in how many days and not that not."""
        by_days = (self.ships == -1) & (self.delivery_days >= 0)
        return np.asarray((self.ships == 1) | by_days, bool)

    def distances_km(self, at: int) -> Floats:
        """Return how far all locations are from one, along a great circle.

        Parameters
        ----------
        at : int
            Place of the one.

        Returns
        -------
        ndarray of shape (n,), float64
            km on a sphere of radius ``EARTH_KM``, by the haversine formula; NaN where unknown.
        """
        phi, theta = np.radians(self.latitude), np.radians(self.longitude)
        half = np.sin((phi - phi[at]) / 2) ** 2
        half += np.cos(phi) * np.cos(phi[at]) * np.sin((theta - theta[at]) / 2) ** 2
        return np.asarray(2 * EARTH_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1))))
