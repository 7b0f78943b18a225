"""Fits the models on data before a moment, and learns to rank on the window after it.

In: a history and a moment. Out: fitted models, blends and trees. Called by training, by the
benchmarks, and by ``analysis.workspace``, so that a notebook studies what a training learns.
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

#: Context manager around one step, by its name.
Step = Callable[[str], AbstractContextManager[None]]

#: Steps of a fit, in order.
READING_STEP: Final = "reading"
STATISTICS: Final = "statistics"
STEPS: Final = (READING_STEP, *MODELS, STATISTICS)

#: Customers of each window to learn ranking from: those who bought in it, and those who did not.
ACTIVE, LAPSED = 2_000, 500
#: If they buy little, more of those who bought: until their purchases add up to ``PURCHASES``.
MOST, PURCHASES = 8_000, 40_000
#: Maximum number of orders to learn the cart blend from.
CARTS: Final = 500


@dataclass(frozen=True)
class FittedModels:
    """Models fitted on data before ``training.as_of_ts``.

    Attributes
    ----------
    training : TrainingSet
    models : mapping of str to Model
    statistics : ItemStatistics
    """

    training: TrainingSet
    models: Mapping[str, Model]
    statistics: ItemStatistics

    def ranker(self, learned: LearnedRanking, availability: Availability | None = None) -> Ranker:
        """Build a ranker; without availability data every product may be shown.

        Parameters
        ----------
        learned : LearnedRanking
            Blends and trees, as ``fit_ranking`` returns them.
        availability : Availability, optional
            What is sold, and what each location has in stock.

        Returns
        -------
        Ranker
            Over the catalogue of ``training``.
        """
        if availability is None:
            none = np.empty(0, np.int64)
            active = np.ones(len(self.training.index), bool)
            availability = Availability.build(
                active, none, none.astype(np.int32), none.astype(np.float64)
            )
        return Ranker(
            self.training.index,
            self.models,
            learned.plain,
            learned.cart,
            availability,
            boosted=self.boosted(learned),
        )

    def boosted(self, learned: LearnedRanking) -> BoostedTrees | None:
        """Return the learned trees with the item statistics of these models.

        Parameters
        ----------
        learned : LearnedRanking
            Holds the trees, as ``fit_ranking`` returns them.

        Returns
        -------
        BoostedTrees or None
            None where no trees were learned.
        """
        if learned.boosted is None:
            return None
        baskets = examples.same_order_neighbours(self.models)
        return replace(learned.boosted, statistics=self.statistics, baskets=baskets)


def fit_models(
    config: Config, history: History | EncodedHistory, as_of_ts: int, step: Step | None = None
) -> FittedModels:
    """Fit every model on data before a moment.

    Parameters
    ----------
    config : Config
    history : History or EncodedHistory
        Pass an ``EncodedHistory`` to fit several times.
    as_of_ts : int
        UTC epoch seconds; data at or after it are not used.
    step : callable, optional
        Called with the name of each step in ``STEPS``; returns a context manager to run it in.

    Raises
    ------
    DataError
        When there are no data before it.
    """
    settings, part = config.train, step or nullcontext
    with part(READING_STEP):
        training = TrainingSet.read(history, as_of_ts, seed=settings.seed, threads=settings.threads)
    return fit_on(config, training, step)


def fit_on(config: Config, training: TrainingSet, step: Step | None = None) -> FittedModels:
    """Fit every model on a training set; see ``fit_models``."""
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
    """Mine the bundles of a training set.

    Parameters
    ----------
    settings : recsys.config.settings.BundleSettings
    history : History
        The history whose locations name their regions.
    training : TrainingSet
    content : Model, optional
        The model ``content``, which recognises near-duplicate titles.
    choices : Choices, optional
        Products that a shopper cannot tell apart count as one; by default every product counts
        alone.
    active : ndarray of shape (n_items,), bool, optional
        Whether each product is sold; all by default.
    """
    places = history.table("locations").select(["location_id", "region"]).to_pylist()
    regions = {location_key(row["location_id"]): row["region"] for row in places if row["region"]}
    similarity = ItemSimilarity.of(content) if isinstance(content, Content) else None
    if choices is not None:
        every = np.ones(training.n_items, bool)
        training = merge_choices(training, choices, every if active is None else active)
    return mine(training, settings, regions=regions, similarity=similarity)


def observe_window(
    config: Config, history: History | EncodedHistory, fitted: FittedModels, window: Window
) -> tuple[EvaluationSet, TrainingWindow]:
    """Observe what customers bought in the window after a fit.

    Parameters
    ----------
    config : Config
    history : History or EncodedHistory
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
    window_examples = examples.training_window(
        fitted.models, fitted.statistics, customers, held, config.train.threads
    )
    return customers, window_examples


def _enough(customers: EvaluationSet, seed: int) -> EvaluationSet:
    """Drop customers beyond the number needed: the more they buy, the fewer are needed."""
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


def fit_ranking(config: Config, windows: Sequence[TrainingWindow]) -> LearnedRanking:
    """Learn blends and trees from one training window or several, the oldest first.

    Parameters
    ----------
    config : Config
        Gives the placements' weights, ``[ranker]``, and the seed and threads of ``[train]``.
    windows : sequence of TrainingWindow
        As ``observe_window`` returns them.

    Returns
    -------
    LearnedRanking
    """
    weights = [settings.weights for settings in all_placements(config).values()]
    train = config.train
    return examples.learn_ranking(
        windows, weights, config.ranker, seed=train.seed, threads=train.threads
    )


def learn(config: Config, history: History, fitted: FittedModels, window: Window) -> LearnedRanking:
    """Learn blends on the one window after a fit; see ``observe_window``.

    Parameters
    ----------
    config : Config
        As in ``fit_ranking``.
    history : History
        Holds the purchases in the window, and those before it.
    fitted : FittedModels
        As of the window's start.
    window : Window
        Purchases in it are the labels.

    Returns
    -------
    LearnedRanking
    """
    _, training_window = observe_window(config, history, fitted, window)
    return fit_ranking(config, [training_window])
