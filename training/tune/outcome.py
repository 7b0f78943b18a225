"""What a search found: the best settings beside the present ones, and which settings matter.

A store comes in; plain values come out, as ``--json`` prints them. Called by ``omnibasket tune``.
"""

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import optuna
from optuna.importance import FanovaImportanceEvaluator
from optuna.trial import FrozenTrial, create_trial

from recsys.evaluation import bootstrap_all
from training.tune.space import Space
from training.tune.store import Store, Tried
from training.tune.trial_evaluation import METRICS, WindowMetrics, by_customer

#: Trials at least, and for each setting searched, to say how much settings matter.
_ENOUGH: Final = 20
_ENOUGH_EACH: Final = 1.5
#: What settings are chosen by, among the differences.
GAIN: Final = "gain"


@dataclass(frozen=True)
class Difference:
    """A metric with the present settings and with the best, over the same customers.

    Attributes
    ----------
    metric : str
    present, best : float
        Means over customers; who counts in several windows counts with the mean of them.
    difference, low, high : float
        Best less present, with its 95% bootstrap interval.
    n : int
        Customers.
    """

    metric: str
    present: float
    best: float
    difference: float
    low: float
    high: float
    n: int


def differences(
    present: list[WindowMetrics], best: list[WindowMetrics], seed: int
) -> list[Difference]:
    """Compare two trials, customer by customer.

    Parameters
    ----------
    present, best : list of Judged
        One a window.
    seed : int
        Of the bootstrap.

    Returns
    -------
    list of Difference
        One a metric, and the last of ``GAIN``; none where figures are missing.
    """
    before, after = by_customer(present), by_customer(best)
    both = [customer for customer in before if customer in after]
    if not both:
        return []
    first = np.stack([before[customer] for customer in both])
    second = np.stack([after[customer] for customer in both])
    n = (~np.isnan(first)).sum(axis=0)
    known = np.flatnonzero(n)
    means = [float(np.nanmean(first[:, ix])) for ix in known]
    # Each customer's share of the mean of the relative gains; who does not count adds nothing.
    shares = [
        np.nan_to_num(second[:, ix] - first[:, ix]) * len(both) / n[ix] / mean
        for ix, mean in zip(known, means, strict=True)
        if mean > 0
    ]
    gains = np.mean(shares, axis=0) if shares else np.zeros(len(both))
    *found, gain = bootstrap_all(np.column_stack([second[:, known] - first[:, known], gains]), seed)
    rows = [
        Difference(METRICS[ix], mean, float(np.nanmean(second[:, ix])), *interval)
        for ix, mean, interval in zip(known, means, found, strict=True)
    ]
    return [*rows, Difference(GAIN, 0.0, gain.mean, *gain)]


def importance(store: Store, space: Space, seed: int) -> dict[str, float]:
    """Which share of the ups and downs of the first window comes from each setting.

    Parameters
    ----------
    store : Store
    space : Space
    seed : int

    Returns
    -------
    dict of str to float
        Most important first; empty where there are too few trials to say.

    Notes
    -----
    Functional ANOVA [1]_ of what every trial reached on the first window, so that trials that
    were stopped after it count, too.

    References
    ----------
    .. [1] Hutter, Hoos, Leyton-Brown (2014), An efficient approach for assessing hyperparameter
       importance, ICML.
    """
    reached = [trial for _, trial in store.trials() if trial.intermediate_values]
    if len(reached) < max(_ENOUGH, _ENOUGH_EACH * len(space.ranges)):
        return {}
    study = optuna.create_study(direction="maximize")
    study.add_trials([_on_first_window(trial) for trial in reached])
    if len({trial.value for trial in study.trials}) == 1:
        return {}  # nothing that was tried changed anything
    found = optuna.importance.get_param_importances(
        study, evaluator=FanovaImportanceEvaluator(seed=seed)
    )
    return {name: round(share, 4) for name, share in found.items()}


def _on_first_window(trial: FrozenTrial) -> FrozenTrial:
    return create_trial(
        params=trial.params,
        distributions=trial.distributions,
        value=trial.intermediate_values[0],
    )


def outcome(store: Store, space: Space, seed: int) -> dict[str, Any]:
    """Everything that was found, as plain values.

    Parameters
    ----------
    store : Store
        With one trial at least.
    space : Space
    seed : int
        Of bootstrap and importance.
    """
    tried = store.tried()
    best = store.best() or tried[0]
    return {
        "study": store.study.study_name,
        "trials": [_plain(one, space) for one in tried],
        "best": _plain(best, space),
        "differences": [
            asdict(one)
            for one in differences(store.metrics(0), store.metrics(best.number), seed)
            if best.number
        ],
        "importance": importance(store, space, seed),
    }


def _plain(one: Tried, space: Space) -> dict[str, Any]:
    changed = space.changed(one.values)
    return {
        "trial": one.number,
        "group": one.group,
        "settings": one.settings,
        "start": one.start,
        "state": one.state,
        "gain": one.gain,
        "figures": [dict(zip(METRICS, window, strict=True)) for window in one.figures],
        "changed": {name: {"present": old, "tried": new} for name, (old, new) in changed.items()},
        "seconds": one.seconds,
        "error": one.error,
    }
