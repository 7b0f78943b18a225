"""Learns trees that put right what the blend gets wrong.

Features of candidates and what came of them come in, a window at a time; trees and a curve of
chances come out. Called by ``learning``.
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

#: Fewer candidates that were bought say nothing that a blend does not.
MIN_BOUGHT: Final = 300
#: Share of the customers who say when to stop, where there is one window only.
HELD_OUT: Final = 0.25
#: Rounds without a gain after which learning stops.
PATIENCE: Final = 25
#: Length of the curve of chances, and steps of each feature.
KNOTS, BINS = 64, 63

#: Places that count for the order, those whose pairs are learned from, and those whose chances.
PLACES, PAIRS_WITHIN, TOLD = 10, 30, 20

#: Of many candidates that were not bought this share is learned from, at least; fewer than so
#: many are all learned from. On validation windows of two retailers a quarter found as much as all.
SHARE, ENOUGH = 0.25, 150_000

NONE: Final = Ensemble(Trees.none(), Trees.none(), np.array([0.0]), np.array([0.0]))


#: Fields of ``RankingExamples`` that have a value for each candidate.
_OF_CASES: Final = ("features", "bought", "rows", "sample_weight", "total")


@dataclass(frozen=True, eq=False)
class RankingExamples:
    """Candidates of one window that trees look at.

    Attributes
    ----------
    features : ndarray of shape (m, n_features), float32
    bought : ndarray of shape (m,), bool
    rows : ndarray of shape (m,), int64
        Which question each answers, ascending, in ``[0, n)``. One question is one group: its
        candidates compete with one another and with no others.
    sample_weight : ndarray of shape (m,), float64
    total : ndarray of shape (m,), float64
        Log-odds by the blend, where the trees begin.
    customer : ndarray of shape (n,), int64
        Who asked each question, >= 0; one customer may ask several.
    """

    features: NDArray[np.float32]
    bought: NDArray[np.bool_]
    rows: NDArray[np.int64]
    sample_weight: Floats
    total: Floats
    customer: NDArray[np.int64]

    @classmethod
    def together(cls, parts: Sequence["RankingExamples"]) -> "RankingExamples":
        """Put cases behind one another; questions and customers of each stay apart."""
        none = cls(
            np.empty((0, len(FEATURE_NAMES)), np.float32),
            np.empty(0, bool),
            np.empty(0, np.int64),
            np.empty(0),
            np.empty(0),
            np.empty(0, np.int64),
        )
        every, questions, people = [none], 0, 0
        for one in parts:
            every.append(replace(one, rows=one.rows + questions, customer=one.customer + people))
            questions += len(one.customer)
            people += int(one.customer.max(initial=-1)) + 1
        return cls(*(np.concatenate([getattr(p, f.name) for p in every]) for f in fields(cls)))

    def who_bought(self) -> "RankingExamples":
        """Those of customers who bought one of them: nobody else says what stands first."""
        came = np.zeros(len(self.customer), bool)
        came[self.rows[self.bought]] = True
        return self.only(came[self.rows])

    def sampled(self, seed: int) -> "RankingExamples":
        """Leave some of those out that were not bought, and let the rest stand for them."""
        share = min(1.0, max(SHARE, ENOUGH / max(len(self.bought), 1)))
        drawn = np.random.default_rng(seed).random(len(self.bought)) < share
        some = self.only(np.flatnonzero(self.bought | drawn))
        return replace(
            some,
            sample_weight=np.where(some.bought, some.sample_weight, some.sample_weight / share),
        )

    def on_top_of(self, trees: Trees) -> "RankingExamples":
        """Begin where trees end."""
        return replace(self, total=self.total + trees.add(self.features))

    def columns(self) -> list[NDArray[Any]]:
        """Return what each candidate has, in the order of the fields."""
        return [getattr(self, name) for name in _OF_CASES]

    def only(self, at: NDArray[Any]) -> "RankingExamples":
        """Return some of them."""
        return replace(self, **{name: getattr(self, name)[at] for name in _OF_CASES})


def fit_trees(
    windows: Sequence[RankingExamples], settings: Settings, seed: int = 0, threads: int = 2
) -> Ensemble | None:
    """Learn trees for chances, and on top of them trees for the order.

    When to stop is learned on the last window, and then everything on all of them.

    Parameters
    ----------
    windows : sequence of RankingExamples
        The oldest first. Of a single one some customers are held out instead.
    settings : Ranker
    seed, threads : int

    Returns
    -------
    Ensemble or None
        None where too few candidates were bought, or trees do not help.
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
    goodness = ndcg_of(came.bought, came.rows)
    better = goodness(came.on_top_of(begun).total) > goodness(came.total)
    begun = begun if better else Trees.none()
    buyers = every.on_top_of(likely).who_bought()
    order = boost(buyers, len(begun), places) if len(begun) else begun
    told = then.only(_first_places(then.on_top_of(begun)))
    curve = fit_isotonic(told.total, told.bought, told.sample_weight, KNOTS)
    if not len(order) and not len(likely):
        return None
    return Ensemble(likely, order, curve.x, curve.y)


def _first_places(cases: RankingExamples) -> NDArray[np.int64]:
    """Positions of what would stand first: chances are told of that, and must be right there."""
    order = np.lexsort((-cases.total, cases.rows))
    place = np.arange(len(order)) - np.searchsorted(cases.rows[order], cases.rows[order])
    return np.sort(order[place < TOLD])


def untrained_trees(blend: SegmentBlends) -> Ensemble:
    """Trees that add nothing to a blend, with its curve of chances."""
    first = blend.blends[0]
    chances = np.array(first.chance_x_[0]), np.array(first.chance_y_[0])
    return Ensemble(Trees.none(), Trees.none(), *chances)


def lambdarank_parameters(settings: Settings, seed: int, threads: int) -> dict[str, Any]:
    """Learn which of two candidates of one customer stands first [1]_.

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
    """Learn how likely each purchase is."""
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
    """Learn trees on ``first`` as long as they help on ``then``."""
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
    """Load what learns trees, which serving never does."""
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
    """Learn so many trees."""
    lightgbm = _library()

    booster = lightgbm.train(_but_rounds(parameters), _set(cases, parameters), rounds)
    return flattened(booster.dump_model())


def flattened(model: dict[str, Any]) -> Trees:
    """Lay a LightGBM model out as arrays, children beside one another.

    Parameters
    ----------
    model : dict
        Of ``Booster.dump_model``; of numeric features without missing values.

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

    def room(node: dict[str, Any]) -> int:
        if node.get("decision_type", "<=") != "<=":
            raise ValueError(f"a split of type {node['decision_type']!r} is not known.")
        feature.append(int(node.get("split_feature", 0)))
        threshold.append(float(node.get("threshold", 0.0)))
        child.append(-1)
        value.append(float(node.get("leaf_value", 0.0)))
        return len(child) - 1

    for tree in model["tree_info"]:
        roots.append(room(tree["tree_structure"]))
        waiting = [(roots[-1], tree["tree_structure"])]
        inner: list[tuple[int, float, float]] = []
        for at, node in waiting:  # grows while it is gone through
            if "left_child" not in node:
                continue
            left, right = node["left_child"], node["right_child"]
            child[at] = room(left)
            room(right)
            waiting += [(child[at], left), (child[at] + 1, right)]
            inner.append((at, _cases_of(left), _cases_of(right)))
        for at, n_left, n_right in reversed(inner):  # from the leaves up
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
