"""Bundles that are kept, with the orders that speak for them.

Tested sets come in; one list of bundles comes out, with the orders that hold each. Where chance
would have put those is worked out for it. Called by ``mining``; read by ``segments`` and
``description``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.bundles import evidence
from recsys.bundles.association_data import AssociationData, ItemRates
from recsys.bundles.bundle_table import AFTER
from recsys.bundles.evidence import OrderLists
from recsys.bundles.later_purchases import LaterPurchases
from recsys.bundles.tested_sets import TestedSets
from recsys.datasets import IntArray, IxArray

Floats = npt.NDArray[np.float64]

#: Orders, one behind the other, for which chances are worked out at once.
_ORDERS: Final = 2_000_000


@dataclass(frozen=True, eq=False)
class SelectedBundles:
    """``n`` bundles with ``m`` members in all, in the order in which they are kept.

    Attributes
    ----------
    indptr, item_ix, kind, support, expected, complement, p_value, q_value : ndarray
        As in ``found.Bundles``.
    repeats : ndarray of shape (n,), float64
        As in ``TestedSets``.
    orders : OrderLists
        Cases that hold all members.
    """

    indptr: IntArray
    item_ix: IxArray
    orders: OrderLists
    kind: npt.NDArray[np.uint8]
    support: IntArray
    expected: Floats
    repeats: Floats
    complement: Floats
    p_value: Floats
    q_value: Floats

    @classmethod
    def of(
        cls, data: AssociationData, later_purchases: LaterPurchases, kind: int, tested: TestedSets
    ) -> "SelectedBundles":
        """Take tested sets."""
        indptr, item_ix = evidence.ragged_sets(tested.item_ix)
        lists, held = tested.item_ix, data.held
        if kind == AFTER:
            lists, held = lists + np.array([0, len(data.counts)], np.int32), later_purchases.held
        return cls(
            indptr=indptr,
            item_ix=item_ix,
            orders=evidence.orders_holding(held, *evidence.ragged_sets(lists)),
            kind=np.full(len(tested), kind, np.uint8),
            support=tested.support,
            expected=tested.expected,
            repeats=tested.repeats,
            complement=tested.complement,
            p_value=tested.p_value,
            q_value=tested.q_value,
        )

    @classmethod
    def joined(cls, parts: Sequence["SelectedBundles"]) -> "SelectedBundles":
        """One behind the other."""
        members = evidence.join_lists([OrderLists(part.indptr, part.item_ix) for part in parts])
        names = [field.name for field in fields(cls)][3:]
        return cls(
            *members,
            evidence.join_lists([part.orders for part in parts]),
            *(np.concatenate([getattr(part, name) for part in parts]) for name in names),
        )

    def __len__(self) -> int:
        """Return the number of bundles."""
        return len(self.kind)

    def only(self, rows: npt.NDArray[np.integer]) -> "SelectedBundles":
        """Take some of them, in this order."""
        members = evidence.only_lists(OrderLists(self.indptr, self.item_ix), rows)
        names = [field.name for field in fields(self)][3:]
        return replace(
            self,
            indptr=members.indptr,
            item_ix=members.order,
            orders=evidence.only_lists(self.orders, rows),
            **{name: getattr(self, name)[rows] for name in names},
        )

    def by_kind_and_size(self) -> Iterator[tuple[int, IntArray, IxArray]]:
        """Go through bundles of one kind and size: kind, which they are, their members."""
        sizes = np.diff(self.indptr)
        for kind in np.unique(self.kind).tolist():
            for size in np.unique(sizes[self.kind == kind]).tolist():
                rows = np.flatnonzero((self.kind == kind) & (sizes == size))
                yield kind, rows, self.item_ix[self.indptr[rows][:, None] + np.arange(size)]

    def seen(self, group: npt.NDArray[np.integer], n_groups: int) -> IxArray:
        """Count the cases of each bundle by group, shape (n, n_groups); -1 is no group."""
        return evidence.count_by_group(self.orders, group, n_groups)

    def usual(
        self,
        data: AssociationData,
        later_purchases: LaterPurchases,
        groupings: Sequence[tuple[npt.NDArray[np.integer], int]],
    ) -> list[Floats]:
        """Say what is expected of each bundle by group.

        Parameters
        ----------
        data : AssociationData
        later_purchases : LaterPurchases
            What bundles of kind ``after`` were found in.
        groupings : sequence of (ndarray of shape (n_orders,), int)
            Group of each order, -1 for none, and how many there are.

        Returns
        -------
        list of ndarray of shape (n, n_groups), float64
            Over all orders they add up to ``expected``.
        """
        found = [np.zeros((len(self), n_groups)) for _, n_groups in groupings]
        for kind, rows, items in self.by_kind_and_size():
            popular = np.argmax(data.counts[items], axis=1)
            rates = ItemRates(data, items[np.arange(len(items)), popular])
            few = data.counts[items].min(axis=1) if kind != AFTER else data.counts[items[:, 0]]
            step = np.cumsum(few) // _ORDERS
            for number in np.unique(step).tolist():
                part = np.flatnonzero(step == number)
                if kind == AFTER:
                    orders = evidence.only_lists(later_purchases.held, items[part, 0])
                    weight = np.diff(later_purchases.indptr)[orders.order].astype(np.float64)
                else:
                    orders, weight = _others(data, rates, items[part], popular[part])
                total = np.bincount(orders.rows(), weight, len(part))
                weight *= (self.expected[rows[part]] / np.where(total > 0, total, 1.0))[
                    orders.rows()
                ]
                for (group, n_groups), table in zip(groupings, found, strict=True):
                    table[rows[part]] = evidence.weight_by_group(orders, weight, group, n_groups)
        return found


def _others(
    data: AssociationData, rates: ItemRates, items: IxArray, popular: IntArray
) -> tuple[OrderLists, Floats]:
    """Orders that hold all members but the most popular one, and the chance of that in each."""
    rows, size = np.arange(len(items)), items.shape[1]
    others = items[np.arange(size) != popular[:, None]].reshape(len(items), size - 1)
    orders = evidence.orders_holding(data.held, *evidence.ragged_sets(others))
    return orders, rates.beside(others, items[rows, popular], orders)
