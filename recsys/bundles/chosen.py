"""Bundles that are kept, with the orders that speak for them.

Tested sets come in; one list of bundles comes out, with the orders that hold each, and where chance
would have put those. Called by ``mining``; read by ``segments`` and ``describing``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.bundles import evidence
from recsys.bundles.evidence import Orders
from recsys.bundles.found import AFTER
from recsys.bundles.ground import Ground, Rates
from recsys.bundles.later import Later
from recsys.bundles.tested import Tested
from recsys.matrices.ids import IntArray, IxArray

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Chosen:
    """``n`` bundles with ``m`` members in all, in the order in which they are kept.

    Attributes
    ----------
    kind, indptr, item_ix, support, expected, complement, p_value, q_value : ndarray
        As in ``found.Bundles``.
    repeats : ndarray of shape (n,), float64
        As in ``Tested``.
    orders : Orders
        Cases that hold all members.
    members : Orders
        ``m`` lists: cases that hold each member.
    spread : Orders
        Cases that hold all members but one.
    weight : ndarray of the length of ``spread.order``, float64
        What is expected of each; they add up to ``expected``.
    """

    kind: npt.NDArray[np.uint8]
    indptr: IntArray
    item_ix: IxArray
    support: IntArray
    expected: Floats
    repeats: Floats
    complement: Floats
    p_value: Floats
    q_value: Floats
    orders: Orders
    members: Orders
    spread: Orders
    weight: Floats

    def __len__(self) -> int:
        """Return the number of bundles."""
        return len(self.kind)

    def seen(self, group: npt.NDArray[np.integer], n_groups: int) -> IxArray:
        """Count the cases of each bundle by group, shape (n, n_groups); -1 is no group."""
        return evidence.table(self.orders, group, n_groups)

    def usual(self, group: npt.NDArray[np.integer], n_groups: int) -> Floats:
        """Say what is expected of each bundle by group, shape (n, n_groups)."""
        of = group[self.spread.order]
        some = np.flatnonzero(of >= 0)
        cell = self.spread.rows()[some] * n_groups + of[some]
        flat = np.bincount(cell, self.weight[some], minlength=len(self) * n_groups)
        return flat.astype(np.float64, copy=False).reshape(len(self), n_groups)


def chosen(
    ground: Ground, later: Later, kinds: Sequence[tuple[int, Tested]], order: IntArray
) -> Chosen:
    """Put tested sets into one list.

    Parameters
    ----------
    ground : Ground
    later : Later
        What bundles of kind ``after`` were found in.
    kinds : sequence of (int, Tested)
        Kind and sets; each part of one size.
    order : ndarray, int64
        Which of all, one part behind the other, are kept, in this order.
    """
    parts = [_part(ground, later, kind, tested) for kind, tested in kinds]
    sizes = np.concatenate(
        [np.full(len(tested), tested.item_ix.shape[1]) for _, tested in kinds]
    ).astype(np.int64)
    ends = np.concatenate([[0], np.cumsum(sizes)])
    lengths = sizes[order]
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    of_member = np.arange(indptr[-1]) + np.repeat(ends[order] - indptr[:-1], lengths)
    item_ix = np.concatenate([tested.item_ix.ravel() for _, tested in kinds])

    def column(name: str) -> Floats:
        parts: list[Floats] = [getattr(tested, name) for _, tested in kinds]
        whole: Floats = np.concatenate(parts)[order]
        return whole

    spread, at = evidence.picked(evidence.joined([part[2] for part in parts]), order)
    weight = np.concatenate([part[3] for part in parts])[at]
    expected = column("expected")
    total = np.bincount(spread.rows(), weight, len(order))
    weight *= (expected / np.where(total > 0, total, 1.0))[spread.rows()]
    return Chosen(
        kind=np.concatenate([np.full(len(tested), kind, np.uint8) for kind, tested in kinds])[
            order
        ],
        indptr=indptr,
        item_ix=item_ix[of_member],
        support=column("support").astype(np.int64),
        expected=expected,
        repeats=column("repeats"),
        complement=column("complement"),
        p_value=column("p_value"),
        q_value=column("q_value"),
        orders=evidence.picked(evidence.joined([part[0] for part in parts]), order)[0],
        members=evidence.picked(evidence.joined([part[1] for part in parts]), of_member)[0],
        spread=spread,
        weight=weight,
    )


def _part(
    ground: Ground, later: Later, kind: int, tested: Tested
) -> tuple[Orders, Orders, Orders, Floats]:
    """Orders of each set, of each member, and where chance would look."""
    items = tested.item_ix
    if kind == AFTER:
        lists = items + np.array([0, len(ground.counts)], np.int32)
        first = evidence.only(later.held, items[:, 0])
        behind = np.diff(later.indptr).astype(np.float64)
        held, spread, weight = later.held, first, behind[first.order]
    else:
        # The place of the most popular member is left to chance: the rest is a short list.
        rows = np.arange(len(items))
        most = np.argmax(ground.counts[items], axis=1)
        others = items[np.arange(items.shape[1]) != most[:, None]]
        others = others.reshape(len(items), items.shape[1] - 1)
        spread = evidence.holding(ground.held, *evidence.ragged(others))
        rates = Rates(ground, items[rows, most])
        weight = rates.beside(others, items[rows, most], spread)
        held, lists = ground.held, items
    orders = evidence.holding(held, *evidence.ragged(lists))
    return orders, evidence.only(held, lists.ravel()), spread, weight
