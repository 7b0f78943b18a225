"""Which products may be shown, and what each location has in stock.

In: flags and stock rows of one catalogue. Out: the stock of candidates at locations. Built by
training from the history's tables, stored in the artefact, used by ``rules`` and the recommender.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

#: Decimals of summed quantities, so that 0.1 + 0.2 is 0.3; exports are read with as many.
_DECIMALS = 6
Keys = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Availability:
    """Activity and stock over one catalogue.

    Parameters
    ----------
    active : ndarray of shape (n_items,), bool
        Whether a product may be shown at all.
    location_keys : ndarray of shape (n_locations,), int64
        ``item_index.location_key`` of the locations whose stock is known, ascending.
    indptr : ndarray of shape (n_locations + 1,), int64
        Location ``i`` lies in ``[indptr[i], indptr[i + 1])`` of the next two.
    item_ix : ndarray, int32
        Products a location reports, ascending.
    on_hand : ndarray, float64
        Quantity of each, as reported: 0.4 kg is 0.4.
    complete : ndarray of shape (n_locations,), bool
        Whether a location reported all its stock: then it does not carry what it did not report.
    """

    active: npt.NDArray[np.bool_]
    location_keys: Keys
    indptr: npt.NDArray[np.int64]
    item_ix: npt.NDArray[np.int32]
    on_hand: npt.NDArray[np.float64]
    complete: npt.NDArray[np.bool_]

    @classmethod
    def build(
        cls,
        active: npt.NDArray[np.bool_],
        location_keys: Keys,
        item_ix: npt.NDArray[np.int32],
        on_hand: npt.NDArray[np.floating],
        partial: npt.ArrayLike = (),
    ) -> "Availability":
        """Build from stock rows; rows of one product at one location add up.

        Parameters
        ----------
        active : ndarray of shape (n_items,), bool
        location_keys, item_ix, on_hand : ndarray of shape (n_rows,)
            Where, what, and how many.
        partial : array_like of int, optional
            Keys of locations that reported only some of their products.
        """
        keys, location = np.unique(location_keys, return_inverse=True)
        flat, row = np.unique(location * len(active) + item_ix, return_inverse=True)
        indptr = np.searchsorted(flat, np.arange(len(keys) + 1) * len(active))
        total = np.bincount(row, weights=on_hand, minlength=len(flat)).astype(np.float64)
        several = np.bincount(row, minlength=len(flat)) > 1
        total[several] = total[several].round(_DECIMALS)
        return cls(
            active,
            keys,
            indptr.astype(np.int64),
            (flat % max(1, len(active))).astype(np.int32),
            total,
            ~np.isin(keys, partial),
        )

    def on_hand_at(
        self, location_keys: Keys, item_ix: npt.NDArray[np.integer]
    ) -> npt.NDArray[np.float64]:
        """Return the stock of products at locations.

        Parameters
        ----------
        location_keys, item_ix : ndarray of the same shape (m,)

        Returns
        -------
        ndarray of shape (m,), float64
            0 if a location reported all its stock but not this product; NaN if unknown.
        """
        out = np.full(len(item_ix), np.nan, dtype=np.float64)
        position = self.position(location_keys)
        # A request has one location, a batch a handful: one slice of the stock for each.
        for at in sorted(set(position[position >= 0].tolist())):
            rows = np.flatnonzero(position == at)
            items = self.item_ix[self.indptr[at] : self.indptr[at + 1]]
            found = np.minimum(np.searchsorted(items, item_ix[rows]), len(items) - 1)
            held = self.on_hand[self.indptr[at] : self.indptr[at + 1]][found]
            otherwise = np.float64(0) if self.complete[at] else np.float64(np.nan)
            out[rows] = np.where(items[found] == item_ix[rows], held, otherwise)
        return out

    def held_at(self, location_key: int) -> npt.NDArray[np.int32] | None:
        """Return what a location has on hand.

        Parameters
        ----------
        location_key : int
            Key of the location, see ``item_index.location_key``.

        Returns
        -------
        ndarray of shape (n_held,), int32, or None
            Products with a quantity above 0, ascending; None where not all of its stock is
            known.
        """
        (at,) = self.position(np.array([location_key]))
        if at < 0 or not self.complete[at]:
            return None
        part = slice(self.indptr[at], self.indptr[at + 1])
        held: npt.NDArray[np.int32] = self.item_ix[part][self.on_hand[part] > 0]
        return held

    def with_stock(
        self,
        location_keys: Keys,
        item_ix: npt.NDArray[np.int32],
        on_hand: npt.NDArray[np.float64],
    ) -> "Availability":
        """Return a copy with updated stock.

        Parameters
        ----------
        location_keys, item_ix, on_hand : ndarray of shape (n_rows,)
            New quantities; each product at most once per location.
        """
        n_items = len(self.active)
        position = self.position(location_keys)
        held = np.repeat(np.arange(len(self.location_keys)), np.diff(self.indptr))
        flat = held * n_items + self.item_ix
        updated = position * n_items + item_ix
        at = np.minimum(np.searchsorted(flat, updated), max(len(flat) - 1, 0))
        listed = (position >= 0) & (flat[at] == updated if len(flat) else False)
        counts = np.array(self.on_hand)
        counts[at[listed]] = on_hand[listed]
        if listed.all():
            return replace(self, on_hand=counts)
        return Availability.build(
            self.active,
            np.concatenate([self.location_keys[held], location_keys[~listed]]),
            np.concatenate([self.item_ix, item_ix[~listed]]),
            np.concatenate([counts, on_hand[~listed]]),
            np.setdiff1d(
                np.append(self.location_keys, location_keys), self.location_keys[self.complete]
            ),
        )

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything, by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> "Availability":
        """Rebuild from what ``arrays`` gave.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            What ``arrays`` returned, for example memory-mapped.

        Returns
        -------
        Availability
            Shares the arrays; ``on_hand`` is converted where an older artefact has another dtype.
        """
        found = cls(**{name: arrays[name] for name in cls.__dataclass_fields__})
        if found.on_hand.dtype == np.float64:
            return found
        return replace(found, on_hand=found.on_hand.astype(np.float64))  # of an older artefact

    def position(self, location_keys: Keys) -> npt.NDArray[np.int64]:
        """Find locations among those whose stock is known.

        Parameters
        ----------
        location_keys : ndarray of shape (m,), int64
            Keys to look for, in any order; 0 for no location.

        Returns
        -------
        ndarray of shape (m,), int64
            Index into the attribute ``location_keys``; -1 where the stock is not known.
        """
        if not len(self.location_keys):
            return np.full(len(location_keys), -1, np.int64)
        at = np.searchsorted(self.location_keys, location_keys)
        at = np.minimum(at, len(self.location_keys) - 1)
        return np.where(self.location_keys[at] == location_keys, at, -1)
