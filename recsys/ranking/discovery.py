"""Gives what is new to a customer a share of their list.

Candidates, how many new ones each list shall have, and what each customer bought come in; out come
the candidates to choose a list from, and counts of what the rules left out. A product is new where
its customer never bought any of its choice. Called by ``Ranker``.

Of a list of ``count`` places ``m = ceil(share * count)`` at least are for new products. They do not
all stand at its end: the first ``p`` places hold ``m * p // count`` of them at least, so whoever
shows half of a list shows half of its new products. Otherwise the order is that of the keys, and
where there are no more new ones, others take their places. The new products are the best ones, and
so are the others.
"""

import numpy as np
import numpy.typing as npt

from recsys.datasets import Histories, IntArray, Lists, Ragged, rows_contain, rows_of
from recsys.ranking.choices import Choices
from recsys.ranking.diversity import pool_sizes
from recsys.ranking.selection import best_candidates, count_left_out

Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

#: Shares are decimal fractions: 0.3 of 10 are 3, although 0.3 * 10 is a little more as a float.
_ROUNDING = 1e-9


def new_items_needed(counts: IntArray, share: Floats) -> IntArray:
    """Say how many new products each list shall have.

    Parameters
    ----------
    counts : ndarray of shape (n,), int64
        Length of the lists.
    share : ndarray of shape (n,), float64
        In [0, 1]; empty for 0.

    Returns
    -------
    ndarray of shape (n,), int64
    """
    if not share.any():
        return np.zeros(len(counts), np.int64)
    return np.ceil(share * counts - _ROUNDING).astype(np.int64)


def never_bought(items: Ragged, histories: Histories, choices: Choices) -> Bools:
    """Say which products are new to the customer of their row: nothing of their choice was bought.

    What was brought back was bought.

    Parameters
    ----------
    items : Ragged
        ``m`` products of ``n`` requests.
    histories : Histories
        Of the ``n`` customers.
    choices : Choices

    Returns
    -------
    ndarray of shape (m,), bool
    """
    past = Lists(np.asarray(histories.indptr, np.int64), choices.of[histories.item_ix])
    return ~rows_contain(past, rows_of(items), choices.of[items.item_ix])


def selection_pools(
    candidates: Ragged,
    keys: Floats,
    allowed: Bools,
    counts: IntArray,
    diversity: Floats,
    needed: IntArray,
    new: Bools | None,
    behind: Bools | None,
) -> tuple[IntArray, IntArray]:
    """Find what each list is chosen from: the best of all, and the best of what is new.

    Parameters
    ----------
    candidates : Ragged
        ``m`` candidates of ``n`` requests.
    keys : ndarray of shape (m,), float64
        More is better.
    allowed : ndarray of shape (m,), bool
        Whether each candidate takes part.
    counts : ndarray of shape (n,), int64
    diversity : ndarray of shape (n,), float64
        See ``diversity.pool_sizes``.
    needed : ndarray of shape (n,), int64
    new : ndarray of shape (m,), bool, or None
        None: no list needs new ones.
    behind : ndarray of shape (m,), bool, or None
        Candidates to rank behind all others.

    Returns
    -------
    indptr : ndarray of shape (n + 1,), int64
    position : ndarray, int64
        In ``candidates``; the best of each request first.
    """
    ends, shown = best_candidates(candidates, keys, allowed, pool_sizes(counts, diversity), behind)
    if new is None:
        return ends, shown
    more = best_candidates(candidates, keys, allowed & new, pool_sizes(needed, diversity), behind)[
        1
    ]
    some = np.zeros(len(keys), bool)
    some[shown] = some[more] = True
    return best_candidates(
        candidates, keys, some, np.diff(candidates.indptr).astype(np.int64), behind
    )


def count_missed(
    candidates: Ragged,
    keys: Floats,
    code: Codes,
    allowed: Bools,
    counts: IntArray,
    n_rules: int,
    needed: IntArray,
    new: Bools | None,
) -> npt.NDArray[np.int64]:
    """Count the candidates that each rule keeps out of each list.

    Parameters
    ----------
    found, keys, free, counts, needed, new
        As in ``selection_pools``.
    code : ndarray of shape (m,), uint8
        As ``Rules.forbid`` returns it.
    n_rules : int

    Returns
    -------
    ndarray of shape (n, n_rules), int64

    Notes
    -----
    A new product would stand there if it were among the best of all, or among the new ones that are
    needed; another one if it were among the best of all, and among the best of the others for as
    many places as new ones leave. What stands before a bar is nested in what stands before a lower
    one, so that counts of both or of either are the smaller and the larger ones.
    """
    usual = best_candidates(candidates, keys, allowed, counts)
    if new is None:
        return count_left_out(candidates, keys, code, usual, counts, n_rules)
    places = np.minimum(
        needed, np.diff(best_candidates(candidates, keys, allowed & new, needed)[0])
    )
    out = np.zeros((len(counts), n_rules), np.int64)
    for kind, most, join in ((new, needed, np.maximum), (~new, counts - places, np.minimum)):
        mine = code * kind.astype(np.uint8)
        of_all = count_left_out(candidates, keys, mine, usual, counts, n_rules)
        places_wanted = np.maximum(most, 1)
        of_kind = count_left_out(
            candidates,
            keys,
            mine,
            best_candidates(candidates, keys, allowed & kind, places_wanted),
            places_wanted,
            n_rules,
        )
        of_kind[most == 0] = 0
        out += join(of_all, of_kind)
    return out
