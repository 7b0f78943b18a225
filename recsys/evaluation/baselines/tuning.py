"""What one would otherwise use, tuned as fairly as ours.

Purchases before a moment come in; lists for customers come out. Each peer has a grid of settings,
the most different ones first; tuning tries the first few of them, as many for every peer, on
the window after those purchases. Called by training and by the benchmarks.
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
    """One way to recommend.

    Attributes
    ----------
    name : str
    grid : tuple of mappings
        Settings to try, in this order.
    by_channel : bool
        Whether what it shows depends on the channel that is asked for.
    """

    name: ClassVar[str]
    by_channel: ClassVar[bool]
    grid: ClassVar[tuple[Mapping[str, Any], ...]]

    def __init__(self, **settings: Any) -> None: ...

    def fit(self, training: TrainingSet) -> Self:
        """Learn from purchases; replaces what was learned."""

    def show(self, histories: Histories, context: Context, k: int) -> TopLists:
        """Show each customer ``k`` items of each kind, at most."""


#: Every peer by its name, the cheapest first.
BASELINES: Final[dict[str, type[Baseline]]] = {
    peer.name: peer for peer in (MostPopular, OwnFrequency, ItemKnn, Als)
}


@dataclass(frozen=True)
class TunedBaseline:
    """What a peer's tuning found.

    Attributes
    ----------
    name : str
    settings : mapping
        The best of those tried; of equally good ones the first.
    tried : list of (settings, float)
        All of them with the figure they reached.
    """

    name: str
    settings: Mapping[str, Any]
    tried: list[tuple[Mapping[str, Any], float]]

    def fit(self, training: TrainingSet) -> Baseline:
        """Learn anew, with the settings found."""
        return BASELINES[self.name](**self.settings).fit(training)


def tune_baseline(
    name: str, training: TrainingSet, evaluation_set: EvaluationSet, budget: int, k: int
) -> TunedBaseline:
    """Find the settings whose lists have the best NDCG@k.

    Parameters
    ----------
    name : str
        One of ``PEERS``.
    training : TrainingSet
        What was before the panel's window.
    evaluation_set : EvaluationSet
        What customers bought after it.
    budget : int
        Settings to try, at least 1.
    k : int
        Places that count.
    """
    relevant, context = evaluation_set.relevant(), evaluation_set.context()
    tried = []
    for settings in BASELINES[name].grid[:budget]:
        shown = BASELINES[name](**settings).fit(training).show(evaluation_set.histories, context, k)
        tried.append((settings, float(np.nanmean(ndcg_at(shown.mixed, relevant, k)))))
    best, _ = max(tried, key=lambda pair: pair[1])
    return TunedBaseline(name, best, tried)
