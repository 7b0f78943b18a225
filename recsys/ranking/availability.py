"""Which products may be shown, and what each location has in stock.

In: flags and stock rows of one catalogue. Out: the stock of candidates at locations, as far as it
was trusted at the time of a question. Built by training from the history's tables, stored in the
artefact, used by ``rules`` and the recommender.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from recsys.datasets import IntArray, IxArray, all_fixed
from recsys.ranking.stock_kernels import first_with_stock
from recsys.ranking.stock_rows import DECIMALS, Stock, add_up, find_rows, oldest, total_sellable

#: Stock of any time is trusted.
_ALWAYS: Final = int(np.iinfo(np.int64).min)
_NEVER: Final = int(np.iinfo(np.int64).max)
Keys = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


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
    reserved : ndarray, float64
        Of what is on hand, the quantity put aside for others; NaN where unknown.
    reported_ts : ndarray, int64
        When each product was reported, UTC epoch seconds; 0 where unknown.
    complete_ts : ndarray of shape (n_locations,), int64
        When a location reported all its stock; 0 where unknown.
    max_age_seconds : int
        Stock that was reported longer before a question is unknown to it; 0: it never is.
    """

    active: npt.NDArray[np.bool_]
    location_keys: Keys
    indptr: npt.NDArray[np.int64]
    item_ix: npt.NDArray[np.int32]
    on_hand: npt.NDArray[np.float64]
    complete: npt.NDArray[np.bool_]
    reserved: Floats
    reported_ts: IntArray
    complete_ts: IntArray
    max_age_seconds: int = 0

    @classmethod
    def build(
        cls,
        active: npt.NDArray[np.bool_],
        location_keys: Keys,
        item_ix: npt.NDArray[np.int32],
        on_hand: npt.NDArray[np.floating],
        partial: npt.ArrayLike = (),
        reserved: npt.NDArray[np.floating] | None = None,
        reported_ts: IntArray | None = None,
    ) -> "Availability":
        """Build from stock rows; rows of one product at one location add up.

        Rows that add up are as old as the oldest of them, and so is a location's whole stock.

        Parameters
        ----------
        active : ndarray of shape (n_items,), bool
        location_keys, item_ix, on_hand : ndarray of shape (n_rows,)
            Where, what, and how many.
        partial : array_like of int, optional
            Keys of locations that reported only some of their products.
        reserved : ndarray of shape (n_rows,), optional
            Of these, how many are put aside; NaN where unknown, as all are by default.
        reported_ts : ndarray of shape (n_rows,), int64, optional
            When that was reported, UTC epoch seconds; 0 where unknown, as all are by default.
        """
        keys, location = np.unique(location_keys, return_inverse=True)
        flat, row = np.unique(location * len(active) + item_ix, return_inverse=True)
        indptr = np.searchsorted(flat, np.arange(len(keys) + 1) * len(active))
        aside = np.full(len(row), np.nan) if reserved is None else reserved
        known = ~np.isnan(aside)
        put_aside = add_up(row[known], aside[known], len(flat))
        put_aside[np.bincount(row[known], minlength=len(flat)) == 0] = np.nan
        when = np.zeros(len(row), np.int64) if reported_ts is None else reported_ts
        return cls(
            active,
            keys,
            indptr.astype(np.int64),
            (flat % max(1, len(active))).astype(np.int32),
            add_up(row, on_hand, len(flat)),
            ~np.isin(keys, partial),
            put_aside,
            oldest(row, when, len(flat)),
            oldest(location, when, len(keys)),
        )

    @cached_property
    def sellable(self) -> Floats:
        """What is on hand of each product less what is reserved, shape of ``on_hand``; >= 0."""
        left = (self.on_hand - self.reserved).round(DECIMALS)
        return np.maximum(np.where(np.isnan(self.reserved), self.on_hand, left), 0.0)

    @cached_property
    def stock(self) -> tuple[npt.NDArray[Any], ...]:
        """The stock as ``stock_kernels`` takes it."""
        arrays: tuple[npt.NDArray[Any], ...] = all_fixed(
            self.indptr,
            self.item_ix,
            self.sellable,
            self.complete,
            self.reported_ts,
            self.complete_ts,
        )
        return arrays

    def trusted_since(self, as_of_ts: IntArray | int | None) -> npt.NDArray[np.int64] | int:
        """Return since when stock must have been reported to be trusted.

        Parameters
        ----------
        as_of_ts : ndarray of int64, int or None
            Times of questions, UTC epoch seconds; None where no greatest age is set.

        Returns
        -------
        ndarray of int64 or int
            UTC epoch seconds; of the shape of ``as_of_ts``, or one number for all.

        Raises
        ------
        ValueError
            When stock has a greatest age and no time is given.
        """
        if not self.max_age_seconds:
            return _ALWAYS
        if as_of_ts is None:
            raise ValueError("the stock has a greatest age, so a time is needed.")
        return as_of_ts - self.max_age_seconds

    def stock_at(
        self,
        location_keys: Keys,
        item_ix: npt.NDArray[np.integer],
        as_of_ts: IntArray | int | None = None,
    ) -> Stock:
        """Return what is known of products at locations.

        Parameters
        ----------
        location_keys, item_ix : ndarray of the same shape (m,)
        as_of_ts : ndarray of shape (m,), int64, or int, optional
            When it is asked, UTC epoch seconds; needed where ``max_age_seconds`` is set.

        Returns
        -------
        Stock

        Raises
        ------
        ValueError
            As of ``trusted_since``.
        """
        position = self.position(location_keys)
        row = find_rows(self.indptr, self.item_ix, position, item_ix)
        listed, there = row >= 0, position >= 0
        reported_ts, absent = np.zeros(len(row), np.int64), np.zeros(len(row), bool)
        absent[there] = self.complete[position[there]]
        absent &= ~listed
        reported_ts[absent] = self.complete_ts[position[absent]]
        reported_ts[listed] = self.reported_ts[row[listed]]
        known = listed | absent
        stale = known & (reported_ts < self.trusted_since(as_of_ts))
        on_hand, reserved = np.full(len(row), np.nan), np.full(len(row), np.nan)
        on_hand[absent] = 0.0
        sellable = on_hand.copy()
        for out, of in (
            (on_hand, self.on_hand),
            (reserved, self.reserved),
            (sellable, self.sellable),
        ):
            out[listed] = of[row[listed]]
            out[stale] = np.nan
        return Stock(on_hand, reserved, sellable, reported_ts, stale)

    def sellable_anywhere(self, as_of_ts: int | None = None) -> Floats:
        """Return what can be sold of each product at all locations together.

        Parameters
        ----------
        as_of_ts : int, optional
            When it is asked, UTC epoch seconds; needed where ``max_age_seconds`` is set.

        Returns
        -------
        ndarray of shape (n_items,), float64
            Over the locations whose stock of it is known and trusted; NaN where none is. Kept
            until more of the stock is too old; not to be written to.

        Raises
        ------
        ValueError
            As of ``trusted_since``.
        """
        n_older = np.searchsorted(self._report_times, self.trusted_since(as_of_ts))
        return self._totals(int(n_older))

    def first_having(
        self, item_ix: IxArray, positions: IntArray, as_of_ts: int | None = None
    ) -> IntArray:
        """Find the first of several locations that can sell each product.

        Parameters
        ----------
        item_ix : ndarray of shape (m,), int32
        positions : ndarray of shape (k,), int64
            Locations, as ``position`` returns them, in the order of preference.
        as_of_ts : int, optional
            When it is asked, UTC epoch seconds; needed where ``max_age_seconds`` is set.

        Returns
        -------
        ndarray of shape (m,), int64
            Index into ``positions``; -1 where none is known and trusted to have any.

        Raises
        ------
        ValueError
            As of ``trusted_since``.
        """
        items, places = all_fixed(np.asarray(item_ix, np.int32), np.asarray(positions, np.int64))
        return first_with_stock(items, places, int(self.trusted_since(as_of_ts)), self.stock)

    def held_at(
        self, location_key: int, as_of_ts: int | None = None
    ) -> npt.NDArray[np.int32] | None:
        """Return what a location can sell.

        Parameters
        ----------
        location_key : int
            Key of the location, see ``item_index.location_key``.
        as_of_ts : int, optional
            When it is asked, UTC epoch seconds; needed where ``max_age_seconds`` is set.

        Returns
        -------
        ndarray of shape (n_held,), int32, or None
            Products of which any can be sold, ascending; None where not all of its stock is
            known and trusted.

        Raises
        ------
        ValueError
            As of ``trusted_since``.
        """
        since_ts = self.trusted_since(as_of_ts)
        (at,) = self.position(np.array([location_key]))
        if at < 0:
            return None
        part = slice(self.indptr[at], self.indptr[at + 1])
        reports_all = part.stop - part.start == len(self.active)
        if not reports_all and not (self.complete[at] and self.complete_ts[at] >= since_ts):
            return None
        if (self.reported_ts[part] < since_ts).any():
            return None
        held: npt.NDArray[np.int32] = self.item_ix[part][self.sellable[part] > 0]
        return held

    def with_stock(
        self,
        location_keys: Keys,
        item_ix: npt.NDArray[np.int32],
        on_hand: Floats,
        reserved: Floats | None = None,
        reported_ts: IntArray | None = None,
    ) -> "Availability":
        """Return a copy with updated stock.

        Parameters
        ----------
        location_keys, item_ix, on_hand : ndarray of shape (n_rows,)
            New quantities; each product at most once per location.
        reserved, reported_ts : ndarray of shape (n_rows,), optional
            As of ``build``; they replace what was known, too.
        """
        aside = np.full(len(on_hand), np.nan) if reserved is None else reserved
        when = np.zeros(len(on_hand), np.int64) if reported_ts is None else reported_ts
        row = find_rows(self.indptr, self.item_ix, self.position(location_keys), item_ix)
        listed = row >= 0
        counts, put_aside = np.array(self.on_hand), np.array(self.reserved)
        reported = np.array(self.reported_ts)
        counts[row[listed]] = on_hand[listed]
        put_aside[row[listed]] = aside[listed]
        reported[row[listed]] = when[listed]
        if listed.all():
            return replace(self, on_hand=counts, reserved=put_aside, reported_ts=reported)
        held = np.repeat(np.arange(len(self.location_keys)), np.diff(self.indptr))
        built = Availability.build(
            self.active,
            np.concatenate([self.location_keys[held], location_keys[~listed]]),
            np.concatenate([self.item_ix, item_ix[~listed]]),
            np.concatenate([counts, on_hand[~listed]]),
            np.setdiff1d(
                np.append(self.location_keys, location_keys), self.location_keys[self.complete]
            ),
            np.concatenate([put_aside, aside[~listed]]),
            np.concatenate([reported, when[~listed]]),
        )
        complete_ts = np.zeros(len(built.location_keys), np.int64)
        complete_ts[built.position(self.location_keys)] = self.complete_ts
        return replace(built, complete_ts=complete_ts, max_age_seconds=self.max_age_seconds)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything, by name."""
        return {name: getattr(self, name) for name in _ARRAYS}

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, npt.NDArray[Any]], max_age_seconds: int = 0
    ) -> "Availability":
        """Rebuild from what ``arrays`` gave.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            What ``arrays`` returned, for example memory-mapped.
        max_age_seconds : int
            As of the attribute.

        Returns
        -------
        Availability
            Shares the arrays; ``on_hand`` is converted where an older artefact has another dtype.
            Of one that lacks them, reserved quantities and times are unknown.
        """
        n_rows, n_locations = len(arrays["item_ix"]), len(arrays["location_keys"])
        unknown = {
            "reserved": np.full(n_rows, np.nan),
            "reported_ts": np.zeros(n_rows, np.int64),
            "complete_ts": np.zeros(n_locations, np.int64),
        }
        on_hand = arrays["on_hand"].astype(np.float64, copy=False)
        known = unknown | dict(arrays) | {"on_hand": on_hand}
        return cls(**{name: known[name] for name in _ARRAYS}, max_age_seconds=max_age_seconds)

    @cached_property
    def _report_times(self) -> IntArray:
        """Times at which stock was reported, each once, ascending."""
        return np.unique(np.concatenate([self.reported_ts, self.complete_ts]))

    @cached_property
    def _totals(self) -> Callable[[int], Floats]:
        """Sellable pieces of each product, without the stock of the so many oldest times."""

        @lru_cache(maxsize=2)
        def totals(n_older: int) -> Floats:
            times = self._report_times
            since_ts = int(times[n_older]) if n_older < len(times) else _NEVER
            return total_sellable(len(self.active), since_ts, self.stock)

        return totals

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


#: Names of the arrays that an artefact holds.
_ARRAYS: Final = tuple(each.name for each in fields(Availability) if each.name != "max_age_seconds")
