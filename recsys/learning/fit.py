"""Fits the models on what was before a moment, and learns how to rank after it.

A history and a moment come in; fitted models, blends and trees come out. Called by training, by
the benchmarks, and by ``analysis.workspace``, so that a notebook looks at what a training learns.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.bundles import Bundles, merge_choices, mine
from recsys.config import BundleSettings as Bundling
from recsys.config import Config
from recsys.datasets import EncodedHistory, TrainingSet, location_key
from recsys.evaluation import EvaluationSet, Window, cart_sets, evaluation_set
from recsys.history import History
from recsys.learning import examples
from recsys.learning.examples import LearnedRanking, TrainingWindow
from recsys.models import MODELS, Content, Model, from_settings
from recsys.ranking import Availability, BoostedTrees, Choices, ItemSimilarity, Ranker
from recsys.ranking.features import ItemStatistics
from recsys.recommender import all_placements

#: Opens a part of a name, as a context.
Step = Callable[[str], AbstractContextManager[None]]

#: Parts of a fit, in their order.
READING_STEP: Final = "reading"
STATISTICS: Final = "statistics"
STEPS: Final = (READING_STEP, *MODELS, STATISTICS)

#: Customers of each window that ranking is learned on: who came back, and who did not.
ACTIVE, LAPSED = 2_000, 500
#: And more of those who came back where they bought little: until together they bought so much.
MOST, PURCHASES = 8_000, 40_000
#: Orders that the blend for carts is learned on.
CARTS: Final = 500


@dataclass(frozen=True)
class FittedModels:
    """Models that know nothing of what happened at ``training.as_of_ts`` and after."""

    training: TrainingSet
    models: Mapping[str, Model]
    statistics: ItemStatistics

    def ranker(self, learned: LearnedRanking, shelf: Availability | None = None) -> Ranker:
        """Put models and blends together; without a shelf everything may be shown."""
        if shelf is None:
            none = np.empty(0, np.int64)
            active = np.ones(len(self.training.index), bool)
            shelf = Availability.build(active, none, none.astype(np.int32), none.astype(np.float64))
        return Ranker(
            self.training.index,
            self.models,
            learned.plain,
            learned.cart,
            shelf,
            boosted=self.boosted(learned),
        )

    def boosted(self, learned: LearnedRanking) -> BoostedTrees | None:
        """Put learned trees over the numbers that the products have by now."""
        if learned.boosted is None:
            return None
        baskets = examples.same_order_neighbours(self.models)
        return replace(learned.boosted, statistics=self.statistics, baskets=baskets)


def fit_models(
    config: Config, history: History | EncodedHistory, as_of_ts: int, step: Step | None = None
) -> FittedModels:
    """Fit every model on what was before a moment.

    Parameters
    ----------
    config : Config
    history : History or Numbers
        Numbers where it is fitted several times.
    as_of_ts : int
        UTC epoch seconds; nothing at or after it is seen.
    step : callable, optional
        Opens each part, of ``PARTS``, as a context.

    Raises
    ------
    DataError
        When there is nothing before it.
    """
    settings, part = config.train, step or nullcontext
    with part(READING_STEP):
        training = TrainingSet.read(history, as_of_ts, seed=settings.seed, threads=settings.threads)
    return fit_on(config, training, step)


def fit_on(config: Config, training: TrainingSet, step: Step | None = None) -> FittedModels:
    """Fit every model on purchases that have been read; see ``fit``."""
    part = step or nullcontext
    models = from_settings(config.models)
    for name, model in models.items():
        with part(name):
            model.fit(training)
    with part(STATISTICS):
        statistics = ItemStatistics.fit(training)
    return FittedModels(training, models, statistics)


def find_bundles(
    settings: Bundling,
    history: History,
    training: TrainingSet,
    content: Model | None,
    choices: Choices | None = None,
    active: npt.NDArray[np.bool_] | None = None,
) -> Bundles:
    """Find what sells together in a training.

    Parameters
    ----------
    settings : recsys.config.settings.BundleSettings
    history : History
        Its locations say which region they belong to.
    training : TrainingSet
    content : Model, optional
        The model ``content``, which tells titles that are nearly the same.
    choices : Choices, optional
        What a shopper cannot tell apart counts as one product, see ``by_choice``; by default
        every product is alone.
    active : ndarray of shape (n_items,), bool, optional
        Which products are sold; all by default.
    """
    places = history.table("locations").select(["location_id", "region"]).to_pylist()
    regions = {location_key(row["location_id"]): row["region"] for row in places if row["region"]}
    alike = ItemSimilarity.of(content) if isinstance(content, Content) else None
    if choices is not None:
        every = np.ones(training.n_items, bool)
        training = merge_choices(training, choices, every if active is None else active)
    return mine(training, settings, regions=regions, alike=alike)


def observe_window(
    config: Config, history: History | EncodedHistory, fitted: FittedModels, window: Window
) -> tuple[EvaluationSet, TrainingWindow]:
    """Look at what customers did in the window after a fit.

    Parameters
    ----------
    config : Config
    history : History or Numbers
    fitted : FittedModels
        As of the window's start.
    window : Window

    Raises
    ------
    DataError
        When too few customers came back in the window.
    """
    index, seed = fitted.training.index, config.train.seed
    customers = evaluation_set.read(history, index, window, active=MOST, lapsed=LAPSED, seed=seed)
    customers = _enough(customers, seed)
    whole = history.history if isinstance(history, EncodedHistory) else history
    held = cart_sets.read(whole, customers, at_most=CARTS, seed=seed)
    return customers, examples.training_window(fitted.models, fitted.statistics, customers, held)


def _enough(customers: EvaluationSet, seed: int) -> EvaluationSet:
    """Leave out customers where fewer say enough: those who buy much say much."""
    bought = np.diff(customers.relevant().indptr)
    came = np.flatnonzero(bought)
    n_wanted = max(ACTIVE, min(MOST, int(PURCHASES / bought[came].mean())))
    if len(came) <= n_wanted:
        return customers
    some = np.random.default_rng(seed).choice(came, n_wanted, replace=False)
    kept = np.sort(np.append(np.flatnonzero(bought == 0), some))
    fewer = customers.only(kept)
    share = np.where(bought[kept] > 0, len(came) / n_wanted, 1.0)
    return replace(fewer, sample_weight=fewer.sample_weight * share)


def fit_ranking(config: Config, lessons: Sequence[TrainingWindow]) -> LearnedRanking:
    """Learn blends and trees from what one window taught, or several, the oldest first."""
    weights = [settings.weights for settings in all_placements(config).values()]
    train = config.train
    return examples.learn_ranking(
        lessons, weights, config.ranker, seed=train.seed, threads=train.threads
    )


def learn(config: Config, history: History, fitted: FittedModels, window: Window) -> LearnedRanking:
    """Learn blends on the one window after a fit; see ``study``."""
    _, lesson = observe_window(config, history, fitted, window)
    return fit_ranking(config, [lesson])
