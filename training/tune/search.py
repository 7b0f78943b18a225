"""Tries settings, one trial after the other, until a budget is used up.

A space, windows and an evaluator come in; what was tried stands in the store afterwards. Called by
``omnibasket tune``.

The sampler of each trial is made for it, seeded by the trial's number: so a search that was
stopped and goes on tries what it would have tried without the stop.
"""

import signal
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, PartialFixedSampler, TPESampler
from optuna.trial import Trial

from recsys.config import Config
from recsys.errors import RecsysError
from training.tune.space import Space, applied
from training.tune.store import Store, Tried
from training.tune.trial_evaluation import TrialEvaluator, WindowMetrics, gain
from training.tune.windows import Fold

#: Trials, that of the present settings too, before the sampler believes to know anything.
_AT_RANDOM: Final = 8


@dataclass(frozen=True)
class Budget:
    """When a search ends, whichever comes first.

    Attributes
    ----------
    trials : int
        Beside the present settings.
    seconds : float or None
        No trial begins later; the one that has begun is finished.
    """

    trials: int
    seconds: float | None = None


@dataclass(frozen=True)
class State:
    """How far a search is, for a bar.

    Attributes
    ----------
    trial, trials : int
        Which of how many this run is at; 0 is that of the present settings.
    group : str
        What is being changed.
    best : float
        The best gain so far.
    share : float
        Share of the budget that is used up.
    left_seconds : float or None
        How long the rest takes; None while nothing says it.
    """

    trial: int
    trials: int
    group: str
    best: float
    share: float
    left_seconds: float | None


def search(
    config: Config,
    space: Space,
    folds: list[Fold],
    evaluator: TrialEvaluator,
    store: Store,
    budget: Budget,
    tell: Callable[[State], None],
) -> None:
    """Try settings until the budget is used up.

    Parameters
    ----------
    config : Config
        With the present settings, which are tried first.
    space : Space
    folds : list of Fold
        A trial that does badly on the first one is stopped.
    evaluator : Judge
    store : Store
        Is told of every trial at its end.
    budget : Budget
    tell : callable
        Is told before every trial how far the search is.

    Raises
    ------
    DataError
        When the present settings cannot be judged, since too few customers came back. A trial
        that cannot be judged counts as failed.
    KeyboardInterrupt
        What was found is kept.
    """
    begun = time.monotonic()
    if not store.tried():
        tell(State(0, budget.trials, "", 0.0, 0.0, None))
        _try(config, space, folds, evaluator, store)
    begun_trials = time.monotonic()
    for done in range(budget.trials):
        now = time.monotonic()
        share, left = done / budget.trials, None
        if done:
            left = (now - begun_trials) / done * (budget.trials - done)
        if budget.seconds is not None:
            if now - begun >= budget.seconds:
                return
            share = max(share, (now - begun) / budget.seconds)
            until = budget.seconds - (now - begun)
            left = until if left is None else min(left, until)
        best = store.best()
        group = space.turn(len(store.tried()), config.train.seed).group
        reached = best.gain or 0.0 if best else 0.0
        tell(State(done + 1, budget.trials, group, reached, share, left))
        _try(config, space, folds, evaluator, store)


def _try(
    config: Config, space: Space, folds: list[Fold], evaluator: TrialEvaluator, store: Store
) -> None:
    with _whole():
        trial, proposed, base = _propose(config, space, store)
    try:
        _evaluate(config, folds, evaluator, store, trial, proposed, base)
        if (found := store.best()) is not None:
            evaluator.keep(applied(config, found.values))
    except KeyboardInterrupt:
        store.drop(trial)
        raise


def _propose(
    config: Config, space: Space, store: Store
) -> tuple[Trial, Tried, list[list[float | None]] | None]:
    """Propose what is tried next; with the figures of the present settings, where there are any."""
    trials = store.trials()
    number = len(trials)
    best = max(
        (one for one in trials if one[0].state == "judged"),
        key=lambda one: one[0].gain or 0.0,
        default=None,
    )
    if best is None:
        proposed = Tried(number=0, values=space.present)
        store.study.sampler = _sampler({**space.present}, 0)
        return store.study.ask(space.dimensions()), proposed, None
    (start, held), turn = best, space.turn(number, config.train.seed)
    fixed = {name: value for name, value in held.params.items() if name not in turn.settings}
    store.study.sampler = _sampler(fixed, (config.train.seed + number) % 2**32)
    trial = store.study.ask(space.dimensions())
    values = space.values(turn.settings, trial.params, start.values)
    proposed = Tried(
        number=number, group=turn.group, settings=turn.settings, start=start.number, values=values
    )
    return trial, proposed, trials[0][0].figures


def _evaluate(
    config: Config,
    folds: list[Fold],
    evaluator: TrialEvaluator,
    store: Store,
    trial: Trial,
    proposed: Tried,
    base: list[list[float | None]] | None,
) -> None:
    tried = applied(config, proposed.values)
    evaluated: list[WindowMetrics] = []
    gains: list[float] = []
    figures: list[list[float | None]] = []
    begun = time.monotonic()
    error = ""
    for ix, fold in enumerate(folds):
        try:
            one = evaluator.evaluate(tried, fold)
        except RecsysError as raised:
            if base is None:
                store.drop(trial)
                raise
            error = str(raised)
            break
        evaluated.append(one)
        means = one.means()
        figures.append([None if np.isnan(mean) else mean for mean in means])
        gains.append(gain(figures[-1], figures[-1] if base is None else base[ix]))
        trial.report(gains[-1], ix)
        if ix + 1 < len(folds) and base is not None and trial.should_prune():
            break
    found = msgspec.structs.replace(
        proposed,
        state="failed" if error else "judged" if len(evaluated) == len(folds) else "stopped",
        gain=float(np.mean(gains)) if gains else None,
        figures=figures,
        seconds=round(time.monotonic() - begun, 3),
        error=error,
    )
    with _whole():
        store.note(trial, found, evaluated)


@contextmanager
def _whole() -> Iterator[None]:
    """Let Ctrl-C wait until what is being written is whole."""
    waiting: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: waiting.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if waiting:
        raise KeyboardInterrupt


def _sampler(fixed: dict[str, float], seed: int) -> BaseSampler:
    """Sample what is not fixed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return PartialFixedSampler(
            fixed, TPESampler(seed=seed, multivariate=True, n_startup_trials=_AT_RANDOM)
        )
