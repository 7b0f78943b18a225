"""Fits boosted trees that correct the blend.

In: features and labels of candidates, window by window. Out: trees and a calibration curve. Called
by ``examples``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from recsys.config import RankerSettings as Settings
from recsys.errors import ConfigError
from recsys.ranking import FEATURE_NAMES, Ensemble, SegmentBlends, Trees, fit_isotonic, ndcg_of

Floats = NDArray[np.float64]

#: Minimum number of bought candidates to fit trees on.
MIN_BOUGHT: Final = 300
#: Share of customers held out for early stopping if there is only one window.
HELD_OUT: Final = 0.25
#: Early stopping: rounds without improvement.
PATIENCE: Final = 25
#: Maximum length of the calibration curve; histogram bins of each feature.
KNOTS, BINS = 64, 63

#: Cutoffs: of the NDCG, of the pairs that lambdarank learns from, and of the calibration curve.
PLACES, PAIRS_WITHIN, CALIBRATED = 10, 30, 20

#: Candidates that were not bought are sampled: at least this share of them, and no sampling below
#: ``ENOUGH``. On validation windows of two retailers a quarter did as well as all.
SHARE, ENOUGH = 0.25, 150_000

NONE: Final = Ensemble(Trees.none(), Trees.none(), np.array([0.0]), np.array([0.0]))


#: Fields of ``RankingExamples`` that have a value for each candidate.
_OF_CASES: Final = ("features", "bought", "rows", "sample_weight", "total")


@dataclass(frozen=True, eq=False)
class RankingExamples:
    """Candidates of one window that the trees learn from.

    Attributes
    ----------
    features : ndarray of shape (m, n_features), float32
    bought : ndarray of shape (m,), bool
    rows : ndarray of shape (m,), int64
        Request of each candidate, ascending, in ``[0, n)``. The candidates of one request are
        one group: they compete with one another only.
    sample_weight : ndarray of shape (m,), float64
        Number of cases that each candidate represents.
    total : ndarray of shape (m,), float64
        Log-odds of the blend: the initial score of the trees.
    customer : ndarray of shape (n,), int64
        Customer of each request, >= 0; one customer may have several requests.
    """

    features: NDArray[np.float32]
    bought: NDArray[np.bool_]
    rows: NDArray[np.int64]
    sample_weight: Floats
    total: Floats
    customer: NDArray[np.int64]

    @classmethod
    def together(cls, parts: Sequence["RankingExamples"]) -> "RankingExamples":
        """Concatenate examples; requests and customers of each stay distinct.

        Parameters
        ----------
        parts : sequence of RankingExamples
            May be empty.

        Returns
        -------
        RankingExamples
            In the order of ``parts``, with renumbered requests and customers.
        """
        none = cls(
            np.empty((0, len(FEATURE_NAMES)), np.float32),
            np.empty(0, bool),
            np.empty(0, np.int64),
            np.empty(0),
            np.empty(0),
            np.empty(0, np.int64),
        )
        every, n_requests, n_customers = [none], 0, 0
        for one in parts:
            every.append(
                replace(one, rows=one.rows + n_requests, customer=one.customer + n_customers)
            )
            n_requests += len(one.customer)
            n_customers += int(one.customer.max(initial=-1)) + 1
        return cls(*(np.concatenate([getattr(p, f.name) for p in every]) for f in fields(cls)))

    def who_bought(self) -> "RankingExamples":
        """Return the examples of requests with a purchase: only they say what should rank first."""
        came = np.zeros(len(self.customer), bool)
        came[self.rows[self.bought]] = True
        return self.only(came[self.rows])

    def sampled(self, seed: int) -> "RankingExamples":
        """Sample the candidates that were not bought, and raise the weight of the rest.

        Parameters
        ----------
        seed : int
            Same seed, same sample.

        Returns
        -------
        RankingExamples
            All bought candidates, and at least a share ``SHARE`` of the others on average.
        """
        share = min(1.0, max(SHARE, ENOUGH / max(len(self.bought), 1)))
        drawn = np.random.default_rng(seed).random(len(self.bought)) < share
        some = self.only(np.flatnonzero(self.bought | drawn))
        return replace(
            some,
            sample_weight=np.where(some.bought, some.sample_weight, some.sample_weight / share),
        )

    def on_top_of(self, trees: Trees) -> "RankingExamples":
        """Add the trees' output to the initial score.

        Parameters
        ----------
        trees : Trees
            They add log-odds, candidate by candidate.

        Returns
        -------
        RankingExamples
            The same candidates with another ``total``.
        """
        return replace(self, total=self.total + trees.add(self.features))

    def columns(self) -> list[NDArray[Any]]:
        """Return the arrays with one value per candidate, in the order of the fields."""
        return [getattr(self, name) for name in _OF_CASES]

    def only(self, at: NDArray[Any]) -> "RankingExamples":
        """Return some of the candidates.

        Parameters
        ----------
        at : ndarray of shape (m,), bool, or of int
            Candidates to keep, as a mask or as ascending positions.

        Returns
        -------
        RankingExamples
            Requests and customers keep their numbers.
        """
        return replace(self, **{name: getattr(self, name)[at] for name in _OF_CASES})


def fit_trees(
    windows: Sequence[RankingExamples], settings: Settings, seed: int = 0, threads: int = 2
) -> Ensemble | None:
    """Fit trees for the chances, and on top of them trees for the order.

    The last window sets the number of trees (early stopping); then the trees are refitted on
    all windows.

    Parameters
    ----------
    windows : sequence of RankingExamples
        The oldest first. If there is only one, some of its customers are held out instead.
    settings : RankerSettings
    seed, threads : int

    Returns
    -------
    Ensemble or None
        None if too few candidates were bought, or the trees do not improve on the blend.
    """
    if settings.trees == 0 or sum(int(one.bought.sum()) for one in windows) < MIN_BOUGHT:
        return None
    if sum(len(np.unique(one.rows[one.bought])) for one in windows) < settings.min_customers:
        return None
    if len(windows) > 1:
        first, then = RankingExamples.together(windows[:-1]), windows[-1]
    else:
        every = windows[0]
        n = int(every.customer.max()) + 1
        out = np.random.default_rng(seed).random(n) < HELD_OUT
        held = out[every.customer[every.rows]]
        first, then = every.only(~held), every.only(held)
    if not first.bought.any() or not then.bought.any():
        return None
    every = RankingExamples.together(windows)
    chances = binary_parameters(settings, seed, threads)
    first, every = first.sampled(seed), every.sampled(seed)
    begun = fit_with_early_stopping(first, then.sampled(seed), chances)
    likely = Trees.none()
    if _loss(then.on_top_of(begun)) < _loss(then):
        likely = boost(every, len(begun), chances)
        first, then = first.on_top_of(begun), then.on_top_of(begun)
    places = lambdarank_parameters(settings, seed, threads)
    came = then.who_bought()
    begun = fit_with_early_stopping(first.who_bought(), came, places)
    mean_ndcg = ndcg_of(came.bought, came.rows)
    better = mean_ndcg(came.on_top_of(begun).total) > mean_ndcg(came.total)
    begun = begun if better else Trees.none()
    buyers = every.on_top_of(likely).who_bought()
    order = boost(buyers, len(begun), places) if len(begun) else begun
    shown = then.only(_first_places(then.on_top_of(begun)))
    curve = fit_isotonic(shown.total, shown.bought, shown.sample_weight, KNOTS)
    if not len(order) and not len(likely):
        return None
    return Ensemble(likely, order, curve.x, curve.y)


def _first_places(cases: RankingExamples) -> NDArray[np.int64]:
    """Return the positions of the top candidates: their chances are shown, so must be right."""
    order = np.lexsort((-cases.total, cases.rows))
    place = np.arange(len(order)) - np.searchsorted(cases.rows[order], cases.rows[order])
    return np.sort(order[place < CALIBRATED])


def untrained_trees(blend: SegmentBlends) -> Ensemble:
    """Return trees that add nothing to a blend, with its calibration curve."""
    first = blend.blends[0]
    chances = np.array(first.chance_x_[0]), np.array(first.chance_y_[0])
    return Ensemble(Trees.none(), Trees.none(), *chances)


def lambdarank_parameters(settings: Settings, seed: int, threads: int) -> dict[str, Any]:
    """Return the LightGBM parameters to learn the order of a request's candidates [1]_.

    References
    ----------
    .. [1] Burges (2010), From RankNet to LambdaRank to LambdaMART: an overview.
    """
    return {
        **_parameters(settings, seed, threads),
        "learning_rate": settings.learning_rate / 2,
        "num_iterations": settings.order_trees,
        "objective": "lambdarank",
        "metric": "ndcg",
        "eval_at": [PLACES],
        "lambdarank_truncation_level": PAIRS_WITHIN,
    }


def binary_parameters(settings: Settings, seed: int, threads: int) -> dict[str, Any]:
    """Return the LightGBM parameters to learn the chance of each purchase."""
    return {
        **_parameters(settings, seed, threads),
        "num_iterations": settings.trees,
        "objective": "binary",
        "metric": "binary_logloss",
    }


def _parameters(settings: Settings, seed: int, threads: int) -> dict[str, Any]:
    return {
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.leaves,
        "min_data_in_leaf": settings.min_examples,
        "lambda_l2": settings.l2,
        "feature_fraction": settings.features,
        "max_bin": BINS,
        "num_threads": threads,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }


def _set(cases: RankingExamples, parameters: dict[str, Any], reference: Any = None) -> Any:
    lightgbm = _library()

    ranks = parameters["objective"] == "lambdarank"
    _, many = np.unique(cases.rows, return_counts=True)
    return lightgbm.Dataset(
        cases.features,
        cases.bought.astype(np.float64),
        weight=None if ranks else cases.sample_weight / cases.sample_weight.mean(),
        group=many if ranks else None,
        init_score=cases.total,
        feature_name=list(FEATURE_NAMES),
        reference=reference,
        params={"max_bin": BINS, "verbosity": -1},
    )


def fit_with_early_stopping(
    first: RankingExamples, then: RankingExamples, parameters: dict[str, Any]
) -> Trees:
    """Fit trees on ``first`` until they stop improving on ``then``."""
    lightgbm = _library()

    learned = _set(first, parameters)
    booster = lightgbm.train(
        _but_rounds(parameters),
        learned,
        parameters["num_iterations"],
        valid_sets=[_set(then, parameters, learned)],
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
    )
    return flattened(booster.dump_model(num_iteration=int(booster.best_iteration)))


def _library() -> Any:
    """Import LightGBM, which serving never loads."""
    try:
        import lightgbm
    except OSError as error:
        raise ConfigError(
            f"LightGBM, which learns the ranker's trees, cannot be loaded ({error}). Where libgomp "
            "is missing: `apt-get install libgomp1`. Or rank without trees: [ranker] trees = 0."
        ) from error
    return lightgbm


def _loss(cases: RankingExamples) -> float:
    each = np.logaddexp(0.0, cases.total) - np.where(cases.bought, cases.total, 0.0)
    return float((cases.sample_weight * each).sum())


def _but_rounds(parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if name != "num_iterations"}


def boost(cases: RankingExamples, rounds: int, parameters: dict[str, Any]) -> Trees:
    """Fit a fixed number of trees."""
    lightgbm = _library()

    booster = lightgbm.train(_but_rounds(parameters), _set(cases, parameters), rounds)
    return flattened(booster.dump_model())


def flattened(model: dict[str, Any]) -> Trees:
    """Convert a LightGBM model to arrays, with the two children of a node adjacent.

    Parameters
    ----------
    model : dict
        Result of ``Booster.dump_model``, for numeric features without missing values.

    Raises
    ------
    ValueError
        When it has splits of another kind.
    """
    roots: list[int] = []
    feature: list[int] = []
    threshold: list[float] = []
    child: list[int] = []
    value: list[float] = []

    def add_node(node: dict[str, Any]) -> int:
        if node.get("decision_type", "<=") != "<=":
            raise ValueError(f"a split of type {node['decision_type']!r} is not known.")
        feature.append(int(node.get("split_feature", 0)))
        threshold.append(float(node.get("threshold", 0.0)))
        child.append(-1)
        value.append(float(node.get("leaf_value", 0.0)))
        return len(child) - 1

    for tree in model["tree_info"]:
        roots.append(add_node(tree["tree_structure"]))
        waiting = [(roots[-1], tree["tree_structure"])]
        inner: list[tuple[int, float, float]] = []
        for at, node in waiting:  # grows during the iteration
            if "left_child" not in node:
                continue
            left, right = node["left_child"], node["right_child"]
            child[at] = add_node(left)
            add_node(right)
            waiting += [(child[at], left), (child[at] + 1, right)]
            inner.append((at, _cases_of(left), _cases_of(right)))
        for at, n_left, n_right in reversed(inner):  # from the leaves upwards
            both = value[child[at]] * n_left + value[child[at] + 1] * n_right
            value[at] = both / max(n_left + n_right, 1e-12)
    return Trees(
        np.array(roots, np.int32),
        np.array(feature, np.int32),
        np.array(threshold),
        np.array(child, np.int32),
        np.array(value),
    )


def _cases_of(node: dict[str, Any]) -> float:
    return float(node.get("leaf_count", node.get("internal_count", 1)) or 1)
