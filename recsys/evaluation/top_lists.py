"""What a method shows: the first places of all, of what is new, and of what was bought before.

Scored items of each customer come in, three lists of the first ``k`` come out, so that every
method is cut in the same way. Called by ``baselines`` and ``evaluator``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recsys.datasets import Batch, Context, Histories, Lists
from recsys.ranking import Limits, RankedLists, Ranker, RankRequest, factors_of

#: Customers ranked at once, which bounds the memory.
BATCH: Final = 500

Items = NDArray[np.int32]


@dataclass(frozen=True)
class TopLists:
    """Lists of at most ``k`` items for ``n`` customers, best first.

    Attributes
    ----------
    mixed : Lists
        Of all items.
    new : Lists
        Of those that the customer had never bought.
    own : Lists
        Of those that the customer had bought before.
    """

    mixed: Lists
    new: Lists
    own: Lists

    def only(self, rows: NDArray[np.integer]) -> "TopLists":
        """Return what some of the customers are shown.

        Parameters
        ----------
        rows : ndarray of shape (m,), int
            Positions of the customers, in ``[0, n)``.

        Returns
        -------
        TopLists
            m rows, in the order of ``rows``.
        """
        return TopLists(*(_only(lists, rows) for lists in (self.mixed, self.new, self.own)))


def cut_to_top(ordered: Iterable[Items], histories: Histories, k: int) -> TopLists:
    """Take the first ``k`` of each kind.

    Parameters
    ----------
    ordered : iterable of ndarrays, one a customer
        Items, best first; at least ``k`` new ones and all owned ones that have a score.
    histories : Histories
        What each customer had bought.
    k : int
    """
    mixed, new, own = [], [], []
    bounds = histories.indptr.tolist()
    for r, items in enumerate(ordered):
        owned = np.isin(items, histories.item_ix[bounds[r] : bounds[r + 1]])
        mixed.append(items[:k])
        new.append(items[~owned][:k])
        own.append(items[owned][:k])
    return TopLists(Lists.of_rows(mixed), Lists.of_rows(new), Lists.of_rows(own))


def top_items(items: Items, scores: NDArray[np.floating], owned: Items, k: int) -> Items:
    """Order what ``cut`` needs of one customer's scored items.

    Parameters
    ----------
    items : ndarray of shape (m,), int32
        Each once, ascending.
    scores : ndarray of shape (m,)
        Equal ones stand in the order of the items.
    owned : ndarray, int32
        What the customer had bought, in any order.
    k : int
    """
    owned = np.sort(owned)
    enough = k + int(np.count_nonzero(owned[1:] != owned[:-1])) + 1
    keep = np.arange(len(items))
    if len(items) > 2 * enough:
        bar = np.partition(scores, len(scores) - enough)[len(scores) - enough]
        wanted = scores >= bar
        at = np.minimum(np.searchsorted(items, owned), len(items) - 1)
        wanted[at[items[at] == owned]] = True
        keep = np.flatnonzero(wanted)
    return items[keep[np.lexsort((items[keep], -scores[keep]))]]


def rank_in_batches(ranker: Ranker, histories: Histories, context: Context) -> list[RankedLists]:
    """Rank for many customers without any rule but the catalogue's, ``BATCH`` at a time.

    Parameters
    ----------
    ranker : Ranker
    histories : Histories
    context : Context

    Returns
    -------
    list of RankedLists
        All candidates of each customer in their order.
    """
    return [
        ranker.rank(
            Batch(histories[start : start + BATCH], context[start : start + BATCH]),
            _everything(context[start : start + BATCH]),
            widen=False,
        )
        for start in range(0, len(context), BATCH)
    ]


def show_ranked(ranker: Ranker, histories: Histories, context: Context, k: int) -> TopLists:
    """Show the first ``k`` of what ``rank_in_batches`` ranks.

    Parameters
    ----------
    ranker : Ranker
        Ranks ``BATCH`` customers at a time, without any rule but the catalogue's.
    histories : Histories
        What each of n customers had bought.
    context : Context
        When and where each of them asks; of the same length.
    k : int
        Items of each list, at most.

    Returns
    -------
    TopLists
        n rows: of all items, of those new to the customer, and of those bought before.
    """
    return cut_to_top(items_of(rank_in_batches(ranker, histories, context)), histories, k)


def items_of(parts: list[RankedLists]) -> Iterable[Items]:
    """Give the items of each customer, one after the other."""
    for part in parts:
        bounds = part.indptr.tolist()
        for start, end in pairwise(bounds):
            yield part.item_ix[start:end]


def _only(lists: Lists, rows: NDArray[np.integer]) -> Lists:
    return Lists.of_rows([lists.row(r).item_ix for r in rows.tolist()])


def _everything(context: Context) -> RankRequest:
    """Ask for all candidates in their order."""
    n = len(context)
    nothing = Lists(np.zeros(n + 1, np.int64), np.empty(0, np.int32))
    limits = Limits(
        exclude=nothing,
        cart=context.cart,
        new_only=np.zeros(n, bool),
        hidden_since_ts=context.as_of_ts,
        location_keys=np.zeros(n, np.int64),
        in_stock=np.zeros(n, bool),
    )
    return RankRequest(np.full(n, np.iinfo(np.int64).max), np.tile(factors_of({}), (n, 1)), limits)
