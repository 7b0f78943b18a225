"""The baselines, and how they are tuned.

In: purchases before a time. Out: lists for customers. Each baseline has a grid of settings, most
diverse first. Tuning tries the first few of them, the same number for every baseline, on the window
after those purchases. Called by training and by the benchmarks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol, Self

import numpy as np

from recsys.datasets import Context, Histories, TrainingSet
from recsys.evaluation.baselines.als import Als
from recsys.evaluation.baselines.item_neighbours import ItemKnn
from recsys.evaluation.baselines.own_frequency import OwnFrequency
from recsys.evaluation.baselines.popular import MostPopular
from recsys.evaluation.evaluation_set import EvaluationSet
from recsys.evaluation.metrics import ndcg_at
from recsys.evaluation.top_lists import TopLists


class Baseline(Protocol):
    """A baseline recommender.

    Attributes
    ----------
    name : str
    grid : tuple of mappings
        Settings to try, in this order.
    by_channel : bool
        Whether its lists depend on the channel of the request.
    """

    name: ClassVar[str]
    by_channel: ClassVar[bool]
    grid: ClassVar[tuple[Mapping[str, Any], ...]]

    def __init__(self, **settings: Any) -> None: ...

    def fit(self, training: TrainingSet) -> Self:
        """Learn from purchases; replaces an earlier fit.

        Parameters
        ----------
        training : TrainingSet
            Purchases before the time of the first request.

        Returns
        -------
        Self
            The baseline itself, fitted.
        """

    def show(self, histories: Histories, context: Context, k: int) -> TopLists:
        """Return at most ``k`` items of each kind per customer.

        Parameters
        ----------
        histories : Histories
            What each of n customers had bought.
        context : Context
            Time and channel of each request; of the same length.
        k : int
            Maximum length of each list.

        Returns
        -------
        TopLists
            n rows: of all items, of those new to the customer, and of those bought before.
        """


#: All baselines by name, cheapest first.
BASELINES: Final[dict[str, type[Baseline]]] = {
    baseline.name: baseline for baseline in (MostPopular, OwnFrequency, ItemKnn, Als)
}


@dataclass(frozen=True)
class TunedBaseline:
    """The result of tuning a baseline.

    Attributes
    ----------
    name : str
    settings : mapping
        The best settings tried; the first among equals.
    tried : list of (settings, float)
        All settings tried, with the NDCG@k they reached.
    """

    name: str
    settings: Mapping[str, Any]
    tried: list[tuple[Mapping[str, Any], float]]

    def fit(self, training: TrainingSet) -> Baseline:
        """Fit a new baseline with the best settings.

        Parameters
        ----------
        training : TrainingSet
            Purchases to learn from, such as those before a later window.

        Returns
        -------
        Baseline
            Ready to ``show``.
        """
        return BASELINES[self.name](**self.settings).fit(training)


def tune_baseline(
    name: str, training: TrainingSet, evaluation_set: EvaluationSet, budget: int, k: int
) -> TunedBaseline:
    """Find the settings whose lists have the best NDCG@k.

    Parameters
    ----------
    name : str
        One of ``BASELINES``.
    training : TrainingSet
        Purchases before the window.
    evaluation_set : EvaluationSet
        Customers of the window.
    budget : int
        Number of settings to try, at least 1.
    k : int
        Cutoff: number of places evaluated.
    """
    relevant, context = evaluation_set.relevant(), evaluation_set.context()
    tried = []
    for settings in BASELINES[name].grid[:budget]:
        shown = BASELINES[name](**settings).fit(training).show(evaluation_set.histories, context, k)
        tried.append((settings, float(np.nanmean(ndcg_at(shown.mixed, relevant, k)))))
    best, _ = max(tried, key=lambda pair: pair[1])
    return TunedBaseline(name, best, tried)
