"""Measures the models and the baselines on windows at the end of the history.

In: settings, a history and windows. Out: the blends learned on the validation windows, and the
metrics of the models and the tuned baselines on the test windows. Called by ``train``.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import reduce
from typing import Any, Final

import numpy as np

from recsys.config import Config
from recsys.datasets import EncodedHistory
from recsys.evaluation import (
    BEST_SINGLE,
    OURS,
    BestSingleModel,
    CustomerMetrics,
    DiscoveryCost,
    Evaluation,
    EvaluationSet,
    Evaluator,
    ItemPopularity,
    PredictedChances,
    Reliability,
    SingleModel,
    SourceRecall,
    Split,
    Window,
    best_single,
    candidate_recall,
    cart_sets,
    evaluation_set,
    rank_in_batches,
    reliability_of,
    splits,
    summarise,
)
from recsys.evaluation import discovery_cost as discovering
from recsys.evaluation.baselines import BASELINES
from recsys.learning import (
    FeatureImportance,
    FittedModels,
    LearnedRanking,
    TrainingWindow,
    choices_of,
    feature_importance,
    fit_models,
    fit_ranking,
    observe_window,
    tree_candidates,
)
from recsys.ranking import CANDIDATES_PER_MODEL, Ranker
from recsys.recommender import all_placements
from training.span import PLACES, Span
from training.train.baseline_tuning import BaselineTuning, Earlier, Tunings, start_tuning
from training.train.steps import Steps

#: Maximum number of customers evaluated per test window: who bought, and who did not.
JUDGED: Final = 5_000
LAPSED: Final = 500
#: Maximum number of customers to tune the baselines on.
TUNED_ON: Final = 500
#: Maximum number of customers to measure candidate recall on.
LOOKED_AT: Final = 500


@dataclass(frozen=True)
class Measurement:
    """The results of measuring.

    Attributes
    ----------
    learned : LearnedRanking
        Blends of the last split, which are published.
    plan : list of Split
    evaluation : Evaluation
    tuned : dict of str to BaselineTuning
        Baselines by name, as tuned for the last split.
    single : BestSingleModel
        The best single model, for the last split.
    reliability : Reliability
    origins : list of SourceRecall
        In the last test window.
    weights : list of FeatureImportance
        Importance of the trees' features there; empty without trees.
    discovery : list of DiscoveryCost
        Cost of the placements' shares of new products, in the last validation window.
    """

    learned: LearnedRanking
    plan: list[Split]
    evaluation: Evaluation
    tuned: dict[str, BaselineTuning]
    single: BestSingleModel
    reliability: Reliability
    origins: list[SourceRecall]
    weights: list[FeatureImportance]
    discovery: list[DiscoveryCost]

    def metrics(self) -> dict[str, Any]:
        """Return all metrics as plain values."""
        return {
            "figures": [asdict(figure) for figure in self.evaluation.figures],
            "differences": [asdict(difference) for difference in self.evaluation.differences],
            "over_single": [asdict(difference) for difference in self.evaluation.over_single],
            "samples": [asdict(sample) for sample in self.evaluation.samples],
            "reliability": asdict(self.reliability),
            "origins": [asdict(origin) for origin in self.origins],
            "importance": [asdict(weight) for weight in self.weights],
            "discovery": [asdict(one) for one in self.discovery],
        }

    def details(self) -> dict[str, Any]:
        """Return all choices as plain values."""
        return {
            "horizon_days": self.plan[-1].validation.days,
            "peers": {name: one.details() for name, one in self.tuned.items()},
            "single": {"model": self.single.name, "reached": dict(self.single.reached)},
            "left_out": [name for name in BASELINES if name not in self.tuned],
            "weights": {
                f"{name}_{kind}": weights
                for name, blend in (("plain", self.learned.plain), ("cart", self.learned.cart))
                for kind, weights in blend.weights.items()
            },
        }


def plan(config: Config, ends: Span) -> list[Split]:
    """Return the windows of ``[train]``, as many as fit into the history.

    Raises
    ------
    DataError
        When the history spans fewer than three days.
    """
    settings = config.train
    return splits.rolling(
        ends.first_ts,
        ends.last_ts,
        settings.test_days,
        settings.validation_days,
        tests=settings.test_windows,
        validations=settings.validation_windows,
    )


def measure(
    config: Config,
    numbers: EncodedHistory,
    plan: list[Split],
    steps: Steps,
    earlier: Earlier,
) -> Measurement:
    """Fit before each window, choose on validation windows, evaluate on test windows.

    Parameters
    ----------
    config : Config
    numbers : EncodedHistory
        The history.
    plan : list of Split
        Of ``plan``.
    steps : Steps
        Runs the steps ``fit_validation``, ``choose``, ``fit_test`` and ``measure``, with parts.
    earlier : mapping of str to BaselineTuning
        Baselines that an earlier training tuned, by name; the others are tuned.

    Returns
    -------
    Measurement

    Raises
    ------
    DataError
        When too few customers came back in a window.

    Notes
    -----
    The models are fitted once for each moment at which a window begins. They serve the windows
    that begin there and are freed before the next fit.
    """
    training_windows: dict[Window, TrainingWindow] = {}
    tuned: dict[Window, Tunings] = {}
    single_models: dict[Window, BestSingleModel] = {}
    window_metrics: list[CustomerMetrics] = []
    seen: tuple[list[SourceRecall], list[FeatureImportance]] = [], []
    learned: dict[Window, LearnedRanking] = {}
    discovery: list[DiscoveryCost] = []
    chosen_on = {split.validation for split in plan}
    validation_windows = dict.fromkeys(window for split in plan for window in split.validations)
    # Baselines are tuned in a thread of their own, while the models are fitted.
    baseline_pool = ThreadPoolExecutor(1, "peers")
    try:
        for start_ts in sorted({window.start_ts for window in validation_windows} | _tests(plan)):
            validations = [window for window in validation_windows if window.start_ts == start_ts]
            tests = [split for split in plan if split.test.start_ts == start_ts]
            within = steps.within("fit_test" if tests else "fit_validation")
            before = fit_models(config, numbers, start_ts, within)
            for window in validations:
                with steps.step("choose.weights"):
                    customers, training_windows[window] = observe_window(
                        config, numbers, before, window
                    )
                if window in chosen_on:
                    few = _some(config, customers)
                    tuned[window] = start_tuning(
                        config, before.training, few, window, earlier, baseline_pool
                    )
                    with steps.step("choose.single"):
                        single_models[window] = best_single(before.models, few, PLACES)
                if window == plan[-1].validation:
                    with steps.step("choose.weights"):
                        last = fit_ranking(
                            config, [training_windows[one] for one in plan[-1].validations]
                        )
                    with steps.step("choose.new_products"):
                        discovery = _discover(config, numbers, before, last, customers)
            for split in tests:
                with steps.step("choose.weights"):
                    chosen = (
                        last
                        if split is plan[-1]
                        else fit_ranking(
                            config, [training_windows[window] for window in split.validations]
                        )
                    )
                one, seen = _evaluate_window(
                    config,
                    numbers,
                    before,
                    chosen,
                    tuned[split.validation],
                    single_models[split.validation],
                    split.test,
                    steps,
                    baseline_pool,
                )
                learned[split.test] = chosen
                window_metrics.append(one)
            del before
    finally:
        baseline_pool.shutdown(cancel_futures=True)
    predicted = [one.predicted for one in window_metrics if one.predicted is not None]
    with steps.step("measure.intervals"):
        return Measurement(
            learned[plan[-1].test],
            plan,
            summarise(window_metrics, config.train.seed),
            {name: one.result() for name, one in tuned[plan[-1].validation].items()},
            single_models[plan[-1].validation],
            reliability_of(reduce(PredictedChances.__add__, predicted)),
            *seen,
            discovery,
        )


def parts(config: Config) -> dict[str, list[str]]:
    """Return the parts of the steps ``choose`` and ``measure``, in order."""
    baselines = config.train.peers
    return {
        "choose": ["weights", "single", "new_products"],
        "measure": [
            "customers",
            OURS,
            BEST_SINGLE,
            "chances",
            "candidates",
            *baselines,
            "intervals",
        ],
    }


def _discover(
    config: Config,
    numbers: EncodedHistory,
    before: FittedModels,
    learned: LearnedRanking,
    customers: EvaluationSet,
) -> list[DiscoveryCost]:
    """Measure the cost of the placements' shares of new products on a validation window."""
    history, seed = numbers.history, config.train.seed
    carts = cart_sets.read(history, customers, at_most=discovering.MOST, seed=seed)
    return discovering.measure_discovery(
        before.ranker(learned),
        choices_of(history, before.training, config.train),
        discovering.placement_questions(customers, carts),
        all_placements(config),
        seed,
    )


def _tests(plan: list[Split]) -> set[int]:
    return {split.test.start_ts for split in plan}


def _some(config: Config, customers: EvaluationSet) -> EvaluationSet:
    """Sample the customers who bought in a validation window, to tune the baselines on."""
    came = np.flatnonzero(np.diff(customers.relevant().indptr))
    rng = np.random.default_rng(config.train.seed)
    return customers.only(np.sort(rng.permutation(came)[:TUNED_ON]))


def _evaluate_window(
    config: Config,
    numbers: EncodedHistory,
    before: FittedModels,
    learned: LearnedRanking,
    tuned: Tunings,
    single: BestSingleModel,
    window: Window,
    steps: Steps,
    baseline_pool: ThreadPoolExecutor,
) -> tuple[CustomerMetrics, tuple[list[SourceRecall], list[FeatureImportance]]]:
    with steps.step("measure.customers"):
        everybody = evaluation_set.read(
            numbers,
            before.training.index,
            window,
            active=JUDGED,
            lapsed=LAPSED,
            seed=config.train.seed,
        )
        bought = np.diff(everybody.relevant().indptr) > 0
        customers, absent = (everybody.only(np.flatnonzero(kind)) for kind in (bought, ~bought))
        choices = choices_of(numbers.history, before.training, config.train)
        known = ItemPopularity.of(before.training)
        seed, threads = config.train.seed, config.train.threads
        evaluator = Evaluator(customers, known, PLACES, seed, choices=choices, threads=threads)

    def evaluate_baseline(name: str) -> CustomerMetrics:
        return evaluator.evaluate(name, tuned[name].result().fit(name, before.training))

    futures = {
        name: baseline_pool.submit(evaluate_baseline, name) for name in tuned
    }  # when all of them are tuned
    ranker = before.ranker(learned)
    with steps.step(f"measure.{OURS}"):
        metrics = evaluator.evaluate(OURS, ranker)
    with steps.step(f"measure.{BEST_SINGLE}"):
        metrics |= evaluator.evaluate(BEST_SINGLE, SingleModel(before.models[single.name]))
    with steps.step("measure.chances"):
        if len(absent) and metrics.predicted is not None:
            context = absent.context()
            absent_lists = rank_in_batches(ranker, absent.histories, context, threads=threads)
            more = PredictedChances.of(
                absent_lists, absent.relevant(), absent.sample_weight, PLACES
            )
            metrics = replace(metrics, predicted=metrics.predicted + more)
    with steps.step("measure.candidates"):
        rng = np.random.default_rng(config.train.seed)
        some = np.sort(rng.permutation(len(customers))[:LOOKED_AT])
        few = customers.only(some)
        seen = candidate_recall(ranker, few, CANDIDATES_PER_MODEL), _weights(ranker, few)
    for name, one in futures.items():
        with steps.step(f"measure.{name}"):
            metrics |= one.result()
    return metrics, seen


def _weights(ranker: Ranker, customers: EvaluationSet) -> list[FeatureImportance]:
    """Return the importance of the trees' features; empty without trees."""
    if ranker.boosted is None:
        return []
    return feature_importance(ranker.boosted.plain, tree_candidates(ranker, customers).features)
