"""What may be sold, and what each location has on hand.

Flags and stock rows of one catalogue come in; answers for candidates at locations come out.
Built by training from the history's tables, stored in the artefact, asked by ``rules`` and by the
answer's availability.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Shelf:
    """Activity and stock over one catalogue.

    Parameters
    ----------
    active : ndarray of shape (n_items,), bool
        Whether a product may be shown at all.
    location_keys : ndarray of shape (n_locations,), int64
        ``ids.location_key`` of the locations whose stock is known, ascending.
    indptr : ndarray of shape (n_locations + 1,), int64
        Location ``i`` lies in ``[indptr[i], indptr[i + 1])`` of the next two.
    item_ix : ndarray, int32
        Products a location reports, ascending.
    on_hand : ndarray, float32
        How many of each.
    """

    active: npt.NDArray[np.bool_]
    location_keys: Keys
    indptr: npt.NDArray[np.int64]
    item_ix: npt.NDArray[np.int32]
    on_hand: npt.NDArray[np.float32]

    @classmethod
    def build(
        cls,
        active: npt.NDArray[np.bool_],
        location_keys: Keys,
        item_ix: npt.NDArray[np.int32],
        on_hand: npt.NDArray[np.floating],
    ) -> "Shelf":
        """Lay out stock rows; several of one product at one location add up.

        Parameters
        ----------
        active : ndarray of shape (n_items,), bool
        location_keys, item_ix, on_hand : ndarray of shape (n_rows,)
            Where, what, and how many.
        """
        keys, location = np.unique(location_keys, return_inverse=True)
        flat, row = np.unique(location * len(active) + item_ix, return_inverse=True)
        indptr = np.searchsorted(flat, np.arange(len(keys) + 1) * len(active))
        return cls(
            active,
            keys,
            indptr.astype(np.int64),
            (flat % max(1, len(active))).astype(np.int32),
            np.bincount(row, weights=on_hand, minlength=len(flat)).astype(np.float32),
        )

    def knows(self, location_keys: Keys) -> npt.NDArray[np.bool_]:
        """Whether the stock of each location is known; never that of key 0."""
        return self._position(location_keys) >= 0

    def on_hand_at(
        self, location_keys: Keys, item_ix: npt.NDArray[np.integer]
    ) -> npt.NDArray[np.float32]:
        """How many a location has of a product.

        Parameters
        ----------
        location_keys, item_ix : ndarray of the same shape (m,)

        Returns
        -------
        ndarray of shape (m,), float32
            0 where a location reports its stock but not this product: it does not carry it.
            NaN where nothing is known of the location.
        """
        out = np.full(len(item_ix), np.nan, dtype=np.float32)
        position = self._position(location_keys)
        # A question has one location, a batch a handful: one slice of the stock for each.
        for at in np.unique(position[position >= 0]):
            asked = np.flatnonzero(position == at)
            items = self.item_ix[self.indptr[at] : self.indptr[at + 1]]
            found = np.minimum(np.searchsorted(items, item_ix[asked]), len(items) - 1)
            held = self.on_hand[self.indptr[at] : self.indptr[at + 1]][found]
            out[asked] = np.where(items[found] == item_ix[asked], held, 0)
        return out

    def held_at(self, location_key: int) -> npt.NDArray[np.int32] | None:
        """Return the products that a location has on hand, ascending; None where unknown."""
        (at,) = self._position(np.array([location_key]))
        if at < 0:
            return None
        part = slice(self.indptr[at], self.indptr[at + 1])
        held: npt.NDArray[np.int32] = self.item_ix[part][self.on_hand[part] > 0]
        return held

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything, by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> "Shelf":
        """Rebuild from what ``arrays`` gave."""
        return cls(**{name: arrays[name] for name in cls.__dataclass_fields__})

    def _position(self, location_keys: Keys) -> npt.NDArray[np.int64]:
        if not len(self.location_keys):
            return np.full(len(location_keys), -1)
        at = np.searchsorted(self.location_keys, location_keys)
        at = np.minimum(at, len(self.location_keys) - 1)
        return np.where(self.location_keys[at] == location_keys, at, -1)
