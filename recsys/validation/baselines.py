"""What one would otherwise use: most popular, and the customer's own frequency.

Each is tuned on the validation window, so that the comparison is fair. Called by ``evaluate`` and
by benchmarks.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from recsys.matrices.baskets import Training
from recsys.matrices.histories import Histories
from recsys.matrices.lists import Lists, Ragged, places_of, pointers, rows_of
from recsys.models import Popular
from recsys.settings import Popular as PopularSettings
from recsys.validation.metrics import ndcg_at

#: Half-lives that are tried, in days.
POPULAR_DAYS: Final = (1.0, 3.0, 7.0, 14.0, 28.0, 90.0)
FREQUENCY_DAYS: Final = (7.0, 14.0, 30.0, 60.0, 90.0, 180.0, 365.0)

_DAY: Final = 86_400


def popular(training: Training, half_life_days: float, min_lines: int) -> Popular:
    """Fit a popularity model of one half-life."""
    return Popular(PopularSettings(half_life_days=half_life_days, min_lines=min_lines)).fit(
        training
    )


def own_frequency(histories: Histories, as_of_ts: int, half_life_days: float, k: int) -> Lists:
    """Show what each customer bought most, lately.

    Parameters
    ----------
    histories : Histories
    as_of_ts : int
        UTC epoch seconds.
    half_life_days : float
        Age at which a purchase counts half.
    k : int
        Items, at most.

    Returns
    -------
    Lists
        Best first; equal ones by item.
    """
    bought = histories.purchases
    keys = rows_of(bought) * histories.n_items + bought.item_ix
    pairs, of = np.unique(keys, return_inverse=True)
    age_days = (as_of_ts - bought.ts) / _DAY
    frequency = np.bincount(of, weights=bought.count * np.exp2(-age_days / half_life_days))
    rows, items = np.divmod(pairs, max(1, histories.n_items))
    order = np.lexsort((items, -frequency, rows))
    lists = Lists(pointers(rows, len(histories)), items[order].astype(np.int32))
    first = places_of(lists) < k
    return Lists(pointers(rows[first], len(histories)), lists.item_ix[first])


def tune(
    show: Callable[[float], Ragged], wanted: Ragged, half_lives: Sequence[float], k: int
) -> float:
    """Find the half-life whose lists have the best NDCG@k.

    Parameters
    ----------
    show : callable
        From a half-life in days to lists.
    wanted : Ragged
        What was bought.
    half_lives : sequence of float
        Candidates; of equally good ones the first wins.
    k : int
        Places that count.
    """
    return max(half_lives, key=lambda days: float(np.nanmean(ndcg_at(show(days), wanted, k))))
