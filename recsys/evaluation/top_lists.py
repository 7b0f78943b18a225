"""Cuts a method's ranking to top lists of all items, of new ones, and of own ones.

In: scored items of each customer. Out: three lists of the first ``k``, so that every method is cut
in the same way. Called by ``baselines`` and ``evaluator``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from recsys.datasets import Batch, Context, Histories, Lists
from recsys.ranking import Limits, RankedLists, Ranker, RankRequest, factors_of

#: Customers ranked at once, to bound memory.
BATCH: Final = 500

Items = NDArray[np.int32]


@dataclass(frozen=True)
class TopLists:
    """Lists of at most ``k`` items for ``n`` customers, best first.

    Attributes
    ----------
    mixed : Lists
        All items.
    new : Lists
        Items that the customer had never bought.
    own : Lists
        Items that the customer had bought before.
    """

    mixed: Lists
    new: Lists
    own: Lists

    def only(self, rows: NDArray[np.integer]) -> "TopLists":
        """Return the lists of some of the customers.

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
    """Take the first ``k`` items of each kind.

    Parameters
    ----------
    ordered : iterable of ndarrays, one per customer
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
    """Sort the scored items of one customer that ``cut_to_top`` needs.

    Parameters
    ----------
    items : ndarray of shape (m,), int32
        Each once, ascending.
    scores : ndarray of shape (m,)
        Ties keep the order of the items.
    owned : ndarray, int32
        What the customer had bought, in any order.
    k : int
    """
    owned = np.sort(owned)
    enough = k + int(np.count_nonzero(owned[1:] != owned[:-1])) + 1
    keep = np.arange(len(items))
    if len(items) > 2 * enough:
        bar = np.partition(scores, len(scores) - enough)[len(scores) - enough]
        kept = scores >= bar
        at = np.minimum(np.searchsorted(items, owned), len(items) - 1)
        kept[at[items[at] == owned]] = True
        keep = np.flatnonzero(kept)
    return items[keep[np.lexsort((items[keep], -scores[keep]))]]


def rank_in_batches(
    ranker: Ranker,
    histories: Histories,
    context: Context,
    *,
    credit: bool = False,
    threads: int = 1,
) -> list[RankedLists]:
    """Rank for many customers in batches of ``BATCH``, with no rules except the catalogue's.

    Parameters
    ----------
    ranker : Ranker
    histories : Histories
    context : Context
    credit : bool
        Whether the evidence includes the contributions of the trees; see ``Ranker.rank``.
    threads : int
        Batches ranked at once; their loops run beside each other. The result is the same.

    Returns
    -------
    list of RankedLists
        All candidates of each customer, ranked.
    """

    def rank(start: int) -> RankedLists:
        part = slice(start, start + BATCH)
        batch = Batch(histories[part], context[part])
        return ranker.rank(batch, _everything(context[part]), widen=False, credit=credit)

    side_by_side = Parallel(threads, backend="threading")
    return list(side_by_side(delayed(rank)(at) for at in range(0, len(context), BATCH)))


def show_ranked(ranker: Ranker, histories: Histories, context: Context, k: int) -> TopLists:
    """Return the top lists of ``rank_in_batches``.

    Parameters
    ----------
    ranker : Ranker
        Ranks ``BATCH`` customers at a time, with no rules except the catalogue's.
    histories : Histories
        What each of n customers had bought.
    context : Context
        Time and place of each request; of the same length.
    k : int
        Maximum length of each list.

    Returns
    -------
    TopLists
        n rows: of all items, of those new to the customer, and of those bought before.
    """
    return cut_to_top(items_of(rank_in_batches(ranker, histories, context)), histories, k)


def items_of(parts: list[RankedLists]) -> Iterable[Items]:
    """Yield the items of each customer."""
    for part in parts:
        bounds = part.indptr.tolist()
        for start, end in pairwise(bounds):
            yield part.item_ix[start:end]


def _only(lists: Lists, rows: NDArray[np.integer]) -> Lists:
    return Lists.of_rows([lists.row(r).item_ix for r in rows.tolist()])


def _everything(context: Context) -> RankRequest:
    """Build a question for all candidates."""
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
