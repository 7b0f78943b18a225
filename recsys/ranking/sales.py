"""How products sell at each location, and since when: for stock cover and age.

In: the lines of one history. Out: pieces sold a day of products at locations, and when each
product was first sold. Built by training, stored in the artefact; ``product_filter`` asks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from recsys.datasets import IntArray, IxArray

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sales:
    """Sales of one catalogue.

    Parameters
    ----------
    first_ts : ndarray of shape (n_items,), int64
        First sale of each product, UTC epoch seconds; ``NEVER_TS`` without any.
    location_keys : ndarray of shape (n_locations,), int64
        ``item_index.location_key`` of the locations that sold anything, ascending.
    indptr : ndarray of shape (n_locations + 1,), int64
        Location ``i`` lies in ``[indptr[i], indptr[i + 1])`` of the next two.
    item_ix : ndarray, int32
        Ascending within a location.
    pieces_a_day : ndarray, float64
        Sold in the last ``WINDOW_DAYS`` days less what came back, above 0.
    """

    first_ts: IntArray
    location_keys: IntArray
    indptr: IntArray
    item_ix: IxArray
    pieces_a_day: Floats

    WINDOW_DAYS: ClassVar[int] = 28
    """Days before the artefact's time over which pieces are counted."""
    NEVER_TS: ClassVar[int] = -1
    """When a product was first sold that never was."""

    @classmethod
    def build(
        cls, first_ts: IntArray, location_keys: IntArray, item_ix: IxArray, pieces: Floats
    ) -> Self:
        """Lay out sales at locations.

        Parameters
        ----------
        first_ts : ndarray of shape (n_items,), int64
            First sale of each product, UTC epoch seconds; ``NEVER_TS`` without any.
        location_keys, item_ix, pieces : ndarray of shape (n_cells,)
            Where, what, and what was sold in the window less what came back; each product at most
            once per location.

        Returns
        -------
        Self
        """
        n_items = len(first_ts)
        keys, location = np.unique(location_keys, return_inverse=True)
        flat = location * n_items + item_ix
        order = np.argsort(flat)
        order = order[pieces[order] > 0]
        return cls(
            first_ts,
            keys,
            np.searchsorted(flat[order], np.arange(len(keys) + 1) * n_items).astype(np.int64),
            item_ix[order].astype(np.int32),
            pieces[order] / cls.WINDOW_DAYS,
        )

    def a_day(self, location_keys: IntArray, item_ix: IxArray) -> Floats:
        """Return the pieces of products that locations sell a day.

        Parameters
        ----------
        location_keys, item_ix : ndarray of the same shape (m,)
            0: no location.

        Returns
        -------
        ndarray of shape (m,), float64
            NaN of a location that never sold anything.
        """
        out = np.full(len(item_ix), np.nan)
        # A request has one location, a batch a handful: one slice of the sales for each.
        for key in np.unique(location_keys).tolist():
            place = int(np.searchsorted(self.location_keys, key))
            if place == len(self.location_keys) or self.location_keys[place] != key:
                continue
            part = slice(self.indptr[place], self.indptr[place + 1])
            items, rows = self.item_ix[part], np.flatnonzero(location_keys == key)
            out[rows] = 0.0
            if len(items):
                found = np.minimum(np.searchsorted(items, item_ix[rows]), len(items) - 1)
                own = items[found] == item_ix[rows]
                out[rows[own]] = self.pieces_a_day[part][found[own]]
        return out

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything, by name."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self | None:
        """Rebuild from what ``arrays`` gave; None where an older artefact has nothing.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            What ``arrays`` returned, for example memory-mapped; may be empty.

        Returns
        -------
        Self or None
        """
        return cls(**{one.name: arrays[one.name] for one in fields(cls)}) if arrays else None
