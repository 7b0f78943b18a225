"""Evaluates settings on validation windows.

In: settings and a pair of windows. Out: metrics of every customer. Called by ``omnibasket tune``,
one trial after the other.

Trials share work: the orders before each window are read once, and a model with the settings of the
best trial so far is not fitted again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recsys.config import Config, Settings
from recsys.datasets import EncodedHistory, Floats, TrainingSet, without_items
from recsys.evaluation import EvaluationSet, evaluation_set, ndcg_at, show_ranked
from recsys.history import History
from recsys.learning import FittedModels, TrainingWindow, fit_models, fit_ranking, observe_window
from recsys.models import MODELS, Model, from_settings
from training.span import PLACES
from training.tune.windows import Fold

#: Metrics that settings are chosen by: on all purchases, and on products new to the customer.
METRICS: Final = (f"ndcg@{PLACES}", f"new_ndcg@{PLACES}")
#: Maximum number of customers evaluated per window.
JUDGED: Final = 2_000


@dataclass(frozen=True, eq=False)
class WindowMetrics:
    """Metrics of the customers of one window.

    Attributes
    ----------
    customer_ids : list of str, length n
    values : ndarray of shape (n, len(METRICS)), float64
        NaN if a metric is not defined for a customer.
    """

    customer_ids: list[str]
    values: Floats

    def means(self) -> list[float]:
        """Mean of each metric over the customers who count; NaN where nobody does."""
        counts = ~np.isnan(self.values)
        total, n = np.where(counts, self.values, 0.0).sum(axis=0), counts.sum(axis=0)
        return [float(total[m] / n[m]) if n[m] else float("nan") for m in range(len(METRICS))]


class TrialEvaluator:
    """Fits models and blends with given settings, and evaluates their lists.

    Parameters
    ----------
    history : History
    folds : list of Fold
        Windows to evaluate on.
    tell : callable
        Called with a short description of each step.
    """

    def __init__(
        self, history: History, folds: Sequence[Fold], tell: Callable[[str], None]
    ) -> None:
        self._history, self._tell = history, tell
        self._moments = len({window.start_ts for fold in folds for window in fold})
        self._numbers: EncodedHistory | None = None
        self._first: dict[int, FittedModels] = {}
        self._models: dict[tuple[int, str], dict[Settings, Model]] = {}
        self._evaluation_sets: dict[int, EvaluationSet] = {}
        self._latest: dict[Fold, tuple[Settings, TrainingWindow]] = {}
        self._best: dict[Fold, tuple[Settings, TrainingWindow]] = {}

    def evaluate(self, config: Config, fold: Fold) -> WindowMetrics:
        """Evaluate settings on one pair of windows.

        Parameters
        ----------
        config : Config
            With the settings to evaluate.
        fold : Fold

        Raises
        ------
        DataError
            When too few customers came back in a window.
        """
        training_window = self._training_window(config, fold)
        self._tell("learning to rank")
        learned = fit_ranking(config, [training_window])
        fitted = self._fitted(config, fold.judge.start_ts)
        customers = self._customers(config, fitted.training, fold)
        self._tell("judging")
        shown = show_ranked(
            fitted.ranker(learned), customers.histories, customers.context(), PLACES
        )
        relevant = customers.relevant()
        new = without_items(relevant, customers.histories)
        figures = [ndcg_at(shown.mixed, relevant, PLACES), ndcg_at(shown.new, new, PLACES)]
        return WindowMetrics(customers.customer_ids, np.stack(figures, axis=1))

    def keep(self, config: Config) -> None:
        """Keep the models and examples of these settings, and free all others."""
        for (_, name), models in self._models.items():
            relevant = getattr(config.models, name)
            for settings in [settings for settings in models if settings != relevant]:
                del models[settings]
        for fold, held in self._latest.items():
            if held[0] == config.models:
                self._best[fold] = held
        self._latest.clear()

    def _training_window(self, config: Config, fold: Fold) -> TrainingWindow:
        """Return the training window, which depends on the models' settings alone."""
        for held in (self._best.get(fold), self._latest.get(fold)):
            if held is not None and held[0] == config.models:
                return held[1]
        before = self._fitted(config, fold.learn.start_ts)
        self._tell("looking at what customers bought")
        _, training_window = observe_window(config, self._history, before, fold.learn)
        self._latest[fold] = (config.models, training_window)
        return training_window

    def _fitted(self, config: Config, as_of_ts: int) -> FittedModels:
        """Fit the models that are not cached; data and statistics are those of the first fit."""
        if as_of_ts not in self._first:
            self._numbers = self._numbers or EncodedHistory.read(self._history)
            first = fit_models(config, self._numbers, as_of_ts, self._part)
            for name, model in first.models.items():
                self._held(as_of_ts, name)[model.settings] = model
            self._first[as_of_ts] = replace(first, models={})
            if len(self._first) == self._moments:
                self._numbers = None
        first = self._first[as_of_ts]
        models = {
            name: self._model(name, model, first.training)
            for name, model in from_settings(config.models).items()
        }
        return replace(first, models=models)

    @contextmanager
    def _part(self, name: str) -> Iterator[None]:
        self._tell(f"learning {name}" if name in MODELS else name)
        yield

    def _model(self, name: str, unfitted: Model, training: TrainingSet) -> Model:
        held, settings = self._held(training.as_of_ts, name), unfitted.settings
        if settings not in held:
            self._tell(f"learning {name}")
            held[settings] = unfitted.fit(training)
        return held[settings]

    def _held(self, as_of_ts: int, name: str) -> dict[Settings, Model]:
        return self._models.setdefault((as_of_ts, name), {})

    def _customers(self, config: Config, training: TrainingSet, fold: Fold) -> EvaluationSet:
        at = fold.judge.start_ts
        if at not in self._evaluation_sets:
            self._evaluation_sets[at] = evaluation_set.read(
                self._history, training.index, fold.judge, active=JUDGED, seed=config.train.seed
            )
        return self._evaluation_sets[at]


def gain(means: Sequence[float | None], base: Sequence[float | None]) -> float:
    """How much better figures of one window are than those of the present settings.

    Parameters
    ----------
    means, base : sequence of float, length len(METRICS)
        None where a figure does not count for any customer.

    Returns
    -------
    float
        Mean of the relative gains of all metrics: 0.02 is 2% more on average. What is new to
        customers has figures a tenth of the others'; so it counts as much as all. A metric that
        the present settings do not reach at all is left out.
    """
    shares = [
        found / before - 1
        for found, before in zip(means, base, strict=True)
        if before and found is not None
    ]
    return float(np.mean(shares)) if shares else 0.0


def by_customer(evaluated: Sequence[WindowMetrics]) -> Mapping[str, NDArray[np.float64]]:
    """Mean figures of each customer over the windows in which they count.

    Returns
    -------
    mapping of str to ndarray of shape (len(METRICS),)
        NaN where a customer counts in no window.
    """
    total: dict[str, NDArray[np.float64]] = {}
    times: dict[str, NDArray[np.float64]] = {}
    for one in evaluated:
        for customer, values in zip(one.customer_ids, one.values, strict=True):
            counts = ~np.isnan(values)
            total.setdefault(customer, np.zeros(len(values)))[counts] += values[counts]
            times.setdefault(customer, np.zeros(len(values)))[counts] += 1
    return {
        customer: np.where(n > 0, total[customer] / np.maximum(n, 1), np.nan)
        for customer, n in times.items()
    }
