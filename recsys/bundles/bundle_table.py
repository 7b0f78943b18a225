"""Bundles as arrays: which products sell together, and everything that speaks for it.

``mining`` makes them of a training; they lie in the artefact, and ``responses`` puts them into
words. Members are positions in the catalogue's index, so nothing here knows titles or prices.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Self, TypeVar

import numpy as np
import numpy.typing as npt

from recsys.datasets import IntArray, IxArray

#: How a bundle's products are bought: in one basket, or the first one some days before the second.
BUNDLE_KINDS: Final = ("together", "after")
TOGETHER, AFTER = range(2)

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Bundles:
    """``n`` bundles of ``m`` members in all, strongest evidence first.

    A *case* is a basket; of bundles of kind ``after`` it is a known customer's basket that has
    ``within_days`` of history behind it. It holds the first product that lies in it, and the
    second one that was bought later within those days and does not lie in it.

    Attributes
    ----------
    indptr : ndarray of shape (n + 1,), int64
        Members of bundle ``i`` lie in ``[indptr[i], indptr[i + 1])``.
    item_ix : ndarray of shape (m,), int32
        Ascending within a bundle; of kind ``after`` in the order in which they are bought.
    kind : ndarray of shape (n,), uint8
        Index into ``BUNDLE_KINDS``.
    support : ndarray of shape (n,), int32
        Cases that hold all members.
    cases : ndarray of shape (n,), int64
        That there are.
    customers : ndarray of shape (n,), int32
        Known customers among those of ``support``.
    with_item : ndarray of shape (m,), int32
        Cases that hold each member.
    confidence : ndarray of shape (m,), float32
        Share of the cases with all other members that hold this one too.
    expected : ndarray of shape (n,), float32
        Cases that would hold all members by chance, as large as baskets were and as often as each
        product was bought at that time.
    lift, lift_low, lift_high : ndarray of shape (n,), float32
        ``support / expected``, with its 95% interval.
    p_value, q_value : ndarray of shape (n,), float64
        Of the test against chance, and the smallest share of false discoveries at which the
        bundle would still be reported.
    stability : ndarray of shape (n,), float32
        Share of the months with anything to see in which the lift was above 1.
    undiscounted_lift : ndarray of shape (n,), float32
        Lift among lines without a discount; NaN where nothing says what was discounted, where too
        little was sold without, and of kind ``after``.
    complement : ndarray of shape (n,), float32
        How many times as often as by chance customers who buy the members put them into one
        basket; below 1 where one is bought instead of the other. Of larger sets that of the two
        members with the least. NaN where customers are unknown, and of kind ``after``.
    month_ts : ndarray of shape (n_months,), int64
        Beginnings of the months, UTC epoch seconds.
    month_cases : ndarray of shape (n_months,), int64
        Baskets of each month.
    monthly : ndarray of shape (n, n_months), int32
        ``support`` by month.
    items_monthly : ndarray of shape (m, n_months), int32
        ``with_item`` by month.
    channel_cases : ndarray of shape (n_channels,), int64
        Baskets of each of ``schema.CHANNELS``.
    by_channel : ndarray of shape (n, n_channels), int32
        ``support`` by channel.
    items_by_channel : ndarray of shape (m, n_channels), int32
    place_indptr : ndarray of shape (n + 1,), int64
        Locations of bundle ``i`` with the most support, at most ``MAX_PLACES``, lie in
        ``[place_indptr[i], place_indptr[i + 1])`` of the next two.
    place_key : ndarray, int64
        ``location_key``.
    place_support : ndarray, int32
    segment_names : ndarray of bytes
        ``channel:web``, ``region:North``, ``season:winter``, … in UTF-8.
    segment_indptr : ndarray of shape (n + 1,), int64
        Where else the bundle was tested and holds, as in ``place_indptr``.
    segment : ndarray, int32
        Index into ``segment_names``.
    segment_support : ndarray, int32
    segment_lift, segment_low, segment_high : ndarray, float32
    segment_q : ndarray, float64
    """

    indptr: IntArray
    item_ix: IxArray
    kind: npt.NDArray[np.uint8]
    support: IxArray
    cases: IntArray
    customers: IxArray
    with_item: IxArray
    confidence: Floats
    expected: Floats
    lift: Floats
    lift_low: Floats
    lift_high: Floats
    p_value: Floats
    q_value: Floats
    stability: Floats
    undiscounted_lift: Floats
    complement: Floats
    month_ts: IntArray
    month_cases: IntArray
    monthly: IxArray
    items_monthly: IxArray
    channel_cases: IntArray
    by_channel: IxArray
    items_by_channel: IxArray
    place_indptr: IntArray
    place_key: IntArray
    place_support: IxArray
    segment_names: npt.NDArray[np.bytes_]
    segment_indptr: IntArray
    segment: IxArray
    segment_support: IxArray
    segment_lift: Floats
    segment_low: Floats
    segment_high: Floats
    segment_q: Floats

    def __len__(self) -> int:
        """Return the number of bundles."""
        return len(self.kind)

    def members(self, at: int) -> IxArray:
        """Return the products of one bundle.

        Parameters
        ----------
        at : int
            Position of the bundle, in ``[0, n)``.

        Returns
        -------
        ndarray, int32
            Positions in the catalogue, in the order of ``item_ix``.
        """
        found: IxArray = self.item_ix[self.indptr[at] : self.indptr[at + 1]]
        return found

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything, by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Rebuild from what ``arrays`` gave.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            By the names of the attributes; others are left out.

        Returns
        -------
        Bundles

        Raises
        ------
        KeyError
            When one is missing.
        """
        return cls(**{field.name: arrays[field.name] for field in fields(cls)})


#: Locations named with a bundle.
MAX_PLACES: Final = 20


Member = TypeVar("Member")


def offered_members(kind: str, members: Sequence[Member]) -> Sequence[Member]:
    """Return the members that a bundle's price is for.

    Parameters
    ----------
    kind : str
        One of ``BUNDLE_KINDS``.
    members : sequence
        All of them. Of kind ``after`` the first was bought before, so the price is for the rest.
    """
    return members[1:] if kind == BUNDLE_KINDS[AFTER] else members


def bundle_id(kind: str, item_ids: Sequence[str]) -> str:
    """Name a bundle by what it consists of, the same in every training.

    Parameters
    ----------
    kind : str
        One of ``BUNDLE_KINDS``.
    item_ids : sequence of str
        Its products; their order matters for ``after`` only.
    """
    named = item_ids if kind == BUNDLE_KINDS[AFTER] else sorted(item_ids)
    content = "\x00".join([kind, *named]).encode()
    return "b" + hashlib.blake2b(content, digest_size=8).hexdigest()
