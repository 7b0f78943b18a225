"""How good answers would have been, beside what one would otherwise use.

A ranker that knows nothing of the test window and a panel of it come in; figures for all
customers and for each channel come out. Called by training, which prints them and puts them into
the artefact's manifest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recsys.matrices.histories import NO_CHANNEL, Histories
from recsys.matrices.lists import Lists, Ragged, without
from recsys.models import Popular
from recsys.models.base import Context
from recsys.ranking.rank import Asked, Ranker, factors_of
from recsys.ranking.rules import Limits
from recsys.schema import CHANNELS
from recsys.validation.baselines import own_frequency
from recsys.validation.learning import BATCH
from recsys.validation.metrics import (
    Floats,
    bootstrap,
    coverage,
    hit_rate_at,
    ndcg_at,
    recall_at,
)
from recsys.validation.panel import MIN_CUSTOMERS, Panel

OURS: Final = "omnibasket"
POPULAR: Final = "popular"
FREQUENCY: Final = "own_frequency"
ALL: Final = "all"


@dataclass(frozen=True)
class Figure:
    """One figure of one method.

    Attributes
    ----------
    segment : str
        ``all``, or the channel that was bought on.
    method, metric : str
        For example ``omnibasket``, ``ndcg@10``.
    value, low, high : float
        Mean and its 95% bootstrap interval; of ``coverage`` only the value.
    n : int
        Customers.
    """

    segment: str
    method: str
    metric: str
    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Difference:
    """How far we are ahead of the best other method, customer by customer.

    Attributes
    ----------
    segment, metric : str
    other : str
        The best other method.
    value, low, high : float
        Mean difference and its 95% bootstrap interval.
    """

    segment: str
    metric: str
    other: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Evaluation:
    """Everything that was measured."""

    figures: list[Figure]
    differences: list[Difference]

    def value(self, method: str, metric: str, segment: str = ALL) -> float:
        """One figure's value."""
        return next(
            figure.value
            for figure in self.figures
            if (figure.segment, figure.method, figure.metric) == (segment, method, metric)
        )


def evaluate(
    ranker: Ranker, popular: Popular, frequency_days: float, panel: Panel, k: int, seed: int
) -> Evaluation:
    """Compare our lists with those of simpler methods, for all and by channel.

    Parameters
    ----------
    ranker : Ranker
        Learned on what was before the panel's window.
    popular : Popular
        Learned on the same, with a half-life tuned before.
    frequency_days : float
        Half-life of the customers' own frequency, tuned before.
    panel : Panel
        Customers who bought in the window.
    k : int
        Places that count.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Evaluation
        By channel where there are several; those on which fewer than ``MIN_CUSTOMERS`` bought
        are left out.
    """
    figures: list[Figure] = []
    differences: list[Difference] = []
    channels = [CHANNELS[number] for number in np.unique(panel.channel)]
    for channel in (None, *(channels if len(channels) > 1 else ())):
        wanted = panel.wanted(channel)
        rows = np.flatnonzero(np.diff(wanted.indptr))
        if len(rows) < MIN_CUSTOMERS:
            continue
        segment = panel if len(rows) == len(panel) else panel.only(rows)
        values, shown = _values(
            ranker, popular, frequency_days, segment, segment.wanted(channel), channel, k
        )
        name = channel or ALL
        figures += _figures(name, values, shown, len(ranker.index), k, seed)
        differences += _differences(name, values, seed)
    return Evaluation(figures, differences)


def show(ranker: Ranker, histories: Histories, context: Context, k: int) -> tuple[Lists, Lists]:
    """Rank for many customers without any rule but the catalogue's.

    Parameters
    ----------
    ranker : Ranker
    histories : Histories
    context : Context
    k : int
        Items wanted.

    Returns
    -------
    shown, new : Lists
        The first ``k``, and the first ``k`` that are new to each customer; best first.
    """
    shown: list[NDArray[np.int32]] = []
    new: list[NDArray[np.int32]] = []
    for start in range(0, len(context), BATCH):
        part = slice(start, start + BATCH)
        ranked = ranker.rank(
            histories[part], context[part], _everything(context[part]), widen=False
        )
        unknown = without(ranked, histories[part])
        for r in range(len(context[part])):
            shown.append(ranked.item_ix[ranked.indptr[r] : ranked.indptr[r + 1]][:k])
            new.append(unknown.row(r).item_ix[:k])
    return Lists.of_rows(shown), Lists.of_rows(new)


def _everything(context: Context) -> Asked:
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
    return Asked(np.full(n, np.iinfo(np.int64).max), np.tile(factors_of({}), (n, 1)), limits)


def _values(
    ranker: Ranker,
    popular: Popular,
    frequency_days: float,
    panel: Panel,
    wanted: Lists,
    channel: str | None,
    k: int,
) -> tuple[dict[str, dict[str, Floats]], dict[str, Ragged]]:
    """Figures by method and metric, one a customer, and what each method showed."""
    histories, at = panel.histories, panel.window.start_ts
    on = NO_CHANNEL if channel is None else CHANNELS.index(channel)
    context = Context.of(len(panel), at, channel=on)
    ours, ours_new = show(ranker, histories, context, k)
    shown: dict[str, Ragged] = {
        OURS: ours,
        POPULAR: popular.recommend(histories, k, context),
        FREQUENCY: own_frequency(histories, at, frequency_days, k),
    }
    new: dict[str, Ragged] = {
        OURS: ours_new,
        POPULAR: popular.recommend(histories, k, context, new_only=True),
    }
    metrics: dict[str, Callable[[Ragged, Ragged, int], Floats]] = {
        "ndcg": ndcg_at,
        "recall": recall_at,
        "hr": hit_rate_at,
    }
    values = {
        method: {f"{name}@{k}": metric(lists, wanted, k) for name, metric in metrics.items()}
        for method, lists in shown.items()
    }
    new_wanted = without(wanted, histories)
    for method, lists in new.items():
        values[method][f"new_ndcg@{k}"] = ndcg_at(lists, new_wanted, k)
    return values, shown


def _figures(
    segment: str,
    values: dict[str, dict[str, Floats]],
    shown: dict[str, Ragged],
    n_items: int,
    k: int,
    seed: int,
) -> list[Figure]:
    figures = []
    for method, by_metric in values.items():
        for metric, each in by_metric.items():
            mean, low, high, n = bootstrap(each, seed)
            figures.append(Figure(segment, method, metric, mean, low, high, n))
        share = coverage(shown[method], k, n_items)
        n = len(shown[method].indptr) - 1
        figures.append(Figure(segment, method, f"coverage@{k}", share, None, None, n))
    return figures


def _differences(segment: str, values: dict[str, dict[str, Floats]], seed: int) -> list[Difference]:
    differences = []
    for metric, ours in values[OURS].items():
        others = {
            method: by_metric[metric]
            for method, by_metric in values.items()
            if method != OURS and metric in by_metric
        }
        if np.isnan(ours).all():
            continue
        best = max(others, key=lambda method: float(np.nanmean(others[method])))
        mean, low, high, _ = bootstrap(ours - others[best], seed)
        differences.append(Difference(segment, metric, best, mean, low, high))
    return differences
