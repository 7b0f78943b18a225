"""Most popular, the customer's own frequency, and the second followed by the first.

GP-TopFreq is the last one without any decay: what the customer bought, by how often, then what
everybody bought [1]_.

References
----------
.. [1] Li, Jullien, Ariannezhad, de Rijke (2023), A next basket recommendation reality check, ACM
   Transactions on Information Systems 41(4).
"""

import numpy as np

from benchmarks._problem import Floats, Ints, Purchases
from benchmarks.baselines.base import Baseline, Show
from recsys.datasets import Lists, pointers

HALF_LIVES = (None, 90.0, 60.0, 30.0, 14.0, 180.0)


def fit_popular(purchases: Purchases, _seed: int, half_life_days: float | None) -> Show:
    """Show what was bought most, lately."""
    popular = purchases.popularity(half_life_days)
    order = np.argsort(-popular, kind="stable")
    order = order[popular[order] > 0]

    def show(asked: Ints, k: int, new_only: bool) -> Lists:
        if not new_only:
            return Lists.of_rows([order[:k]] * len(asked))
        held = purchases.owned
        rows = []
        for customer in asked.tolist():
            own = held.indices[held.indptr[customer] : held.indptr[customer + 1]]
            first = order[: k + len(own)]
            rows.append(first[~np.isin(first, own)][:k])
        return Lists.of_rows(rows)

    return show


def fit_own(
    purchases: Purchases, _seed: int, half_life_days: float | None, ties: Floats | None = None
) -> Show:
    """Show what the customer bought most, lately; short lists, nothing that is new.

    Equal counts stand by item, or with the larger of ``ties`` first.
    """
    counts = purchases.matrix(half_life_days)
    ties = np.zeros(purchases.n_items) if ties is None else ties

    def show(asked: Ints, k: int, new_only: bool) -> Lists:
        if new_only:
            return Lists(np.zeros(len(asked) + 1, np.int64), np.empty(0, np.int32))
        held = counts[asked]
        row = np.repeat(np.arange(len(asked)), np.diff(held.indptr))
        order = np.lexsort((held.indices, -ties[held.indices], -held.data, row))
        place = np.arange(len(row)) - np.repeat(held.indptr[:-1], np.diff(held.indptr))
        first = order[place < k]
        return Lists(pointers(row[first], len(asked)), held.indices[first].astype(np.int32))

    return show


def fit_own_then_popular(
    purchases: Purchases,
    seed: int,
    half_life_days: float | None,
    popular_half_life_days: float | None,
) -> Show:
    """Show what the customer bought most, then what everybody did; equal ones by the latter."""
    popular = purchases.popularity(popular_half_life_days)
    own = fit_own(purchases, seed, half_life_days, popular)
    others = fit_popular(purchases, seed, popular_half_life_days)

    def show(asked: Ints, k: int, new_only: bool) -> Lists:
        first, rest = own(asked, k, new_only), others(asked, k, True)
        both = [
            np.append(first.row(row).item_ix, rest.row(row).item_ix)[:k]
            for row in range(len(asked))
        ]
        return Lists.of_rows(both)

    return show


def fit_gp_top_frequency(purchases: Purchases, seed: int) -> Show:
    """``fit_own_then_popular`` without decay."""
    return fit_own_then_popular(purchases, seed, None, None)


BASELINES = (
    Baseline(
        "popular",
        fit_popular,
        {"half_life_days": (28.0, 7.0, 3.0, 1.0, 14.0, 90.0, None)},
    ),
    Baseline("own_frequency", fit_own, {"half_life_days": HALF_LIVES}),
    Baseline(
        "own_then_popular",
        fit_own_then_popular,
        {"half_life_days": HALF_LIVES, "popular_half_life_days": (28.0, 7.0, 3.0, 90.0, None)},
    ),
    Baseline("gp_top_frequency", fit_gp_top_frequency),
)
