"""Tunes the baselines, or keeps the settings that an earlier training found for them.

In: the settings of ``[train]``, the records of earlier runs, and a validation window. Out: tuned
baselines, with the number of trainings since their tuning. Called by ``train`` and ``measurement``.

Tuning fits each baseline several times, which takes longer than our own models. What a tuning finds
hardly changes from one training to the next, so that one in ``[train] retune_every`` tunes.
"""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from recsys.artefacts import runs
from recsys.config import Config
from recsys.datasets import TrainingSet
from recsys.evaluation import EvaluationSet, Window
from recsys.evaluation.baselines import BASELINES, Baseline, tune_baseline
from training.span import PLACES


@dataclass(frozen=True)
class BaselineTuning:
    """The tuning of one baseline, and when it was.

    Attributes
    ----------
    settings : dict
        The best settings tried.
    tried : list of (settings, float)
        All settings tried, with the NDCG@k they reached.
    until_ts : int
        End of the validation window that they were tried on. UTC epoch seconds.
    trainings_ago : int
        Trainings since; 0 when it was this one.
    """

    settings: dict[str, Any]
    tried: list[tuple[dict[str, Any], float]]
    until_ts: int
    trainings_ago: int = 0

    def details(self) -> dict[str, Any]:
        """Return it as plain values, as the record of a run keeps it."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found

    def fit(self, name: str, training: TrainingSet) -> Baseline:
        """Fit the baseline of a name with the best settings."""
        return BASELINES[name](**self.settings).fit(training)


#: Tunings by the name of the baseline: those going on, and those of an earlier training.
Tunings = dict[str, Future[BaselineTuning]]
Earlier = Mapping[str, BaselineTuning]


def earlier_tunings(config: Config) -> dict[str, BaselineTuning]:
    """Return the tunings of the last training that this one may keep, by name.

    A baseline is left out where it is to be tuned anew: its last tuning is ``[train] retune_every``
    trainings ago, other settings would be tried now, or the record does not say.
    """
    measured: tuple[runs.Outcome, ...] = ("published", "refused", "measured")
    records = [record for record in runs.read_all(config) if record.outcome in measured]
    peers = records[-1].details.get("peers") if records else None
    if not isinstance(peers, dict):
        return {}
    found: dict[str, BaselineTuning] = {}
    for name in config.train.peers:
        try:
            last = msgspec.convert(peers.get(name), BaselineTuning)
        except msgspec.ValidationError:  # of an older release, or damaged
            continue
        ago = last.trainings_ago + 1
        grid = [dict(settings) for settings in BASELINES[name].grid[: config.train.peer_settings]]
        tried = [settings for settings, _ in last.tried]
        if tried == grid and last.settings in grid and 0 < ago < config.train.retune_every:
            found[name] = replace(last, trainings_ago=ago)
    return found


def start_tuning(
    config: Config,
    training: TrainingSet,
    customers: EvaluationSet,
    window: Window,
    earlier: Earlier,
    pool: ThreadPoolExecutor,
) -> Tunings:
    """Start to tune the baselines of ``[train] peers``, except those tuned by an earlier training.

    Parameters
    ----------
    config : Config
    training : TrainingSet
        Purchases before the window.
    customers : EvaluationSet
        Customers of the window.
    window : Window
        An earlier tuning on purchases after its end is not kept: it would know what comes.
    earlier : mapping of str to BaselineTuning
    pool : ThreadPoolExecutor
        Runs the tuning.
    """
    budget = config.train.peer_settings

    def tune(name: str) -> BaselineTuning:
        found = tune_baseline(name, training, customers, budget, PLACES)
        tried = [(dict(settings), reached) for settings, reached in found.tried]
        return BaselineTuning(dict(found.settings), tried, window.end_ts)

    started: Tunings = {}
    for name in config.train.peers:
        kept = earlier.get(name)
        if kept is None or kept.until_ts > window.end_ts:
            started[name] = pool.submit(tune, name)
        else:
            started[name] = Future()
            started[name].set_result(kept)
    return started
