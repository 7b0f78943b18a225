"""Tunes methods on what came before, and measures how good and how dear their answers are.

Problems and baselines come in; lists, chosen settings and costs come out. Called by ``accuracy``.
Every method is tuned in one process and measured in another, so that the peak of memory is its
own and nothing that tuning left behind makes it faster.
"""

import multiprocessing
import os
import re
import resource
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._problem import Floats, Problem
from benchmarks.baselines.base import Baseline
from recsys.datasets import Lists, without_items
from recsys.evaluation import hit_rate_at, lists_of_choices, ndcg_at, recall_at
from recsys.ranking import Choices

#: Lists are as long as the longest that a metric looks at.
METRICS: Mapping[str, Callable[[Any, Any, int], Floats]] = {
    "ndcg": ndcg_at,
    "recall": recall_at,
    "hr": hit_rate_at,
}
#: What is shown: everything, or only what is new to the customer.
ALL, NEW = "all", "new"
#: Before a metric: what a shopper cannot tell apart counts as one.
CHOICE = "choice_"
#: Customers that settings are chosen on, at most: the same for every method.
TUNED_ON = 1_000
#: As the libraries advise on few cores; set before numpy is imported in the measuring processes.
QUIET = {"OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_NUM_THREADS": "1"}

Settings = dict[str, Any]


@dataclass
class Answer:
    """What a method said, and what it took.

    Attributes
    ----------
    lists : dict of str to Lists
        By ``ALL`` and ``NEW``, one list an asked customer.
    settings : dict of str to dict
        Chosen, by the same.
    n_items : int
        Size of the catalogue that could be shown.
    seconds, tune_seconds : float
        To learn once with what was chosen, and to choose.
    ms : float
        To answer one customer of the batch.
    peak_mb : float
        Peak memory of the process that learned and answered, data and libraries included.
    tried : int
        Settings that were tried while tuning.
    """

    lists: dict[str, Lists]
    settings: dict[str, Settings]
    n_items: int
    seconds: float
    tune_seconds: float
    ms: float
    peak_mb: float
    tried: int = 0


def split(metric: str) -> tuple[str, str, int]:
    """Take a metric's name apart: which lists, what of them, how many places."""
    named = re.fullmatch(rf"(new_|{CHOICE})?([a-z]+)@(\d+)", metric)
    if named is None or named[2] not in METRICS:
        raise ValueError(f"{metric!r} is no metric: known are {', '.join(METRICS)} at a number.")
    return NEW if named[1] == "new_" else ALL, named[2], int(named[3])


def value(metric: str, shown: Lists, problem: Problem, choices: Choices | None = None) -> Floats:
    """Say how good lists are.

    Parameters
    ----------
    metric : str
    shown : Lists
        As many places as the metric looks at; by choice four times as many, as some are joined.
    problem : Problem
    choices : Choices, optional
        Of all items that are shown or wanted; needed for what is told by choice.

    Returns
    -------
    ndarray of shape (n,), float64
        One figure an asked customer; NaN where nothing was wanted.

    Raises
    ------
    ValueError
        When it is to be told by choice, and there are none.
    """
    kind, name, k = split(metric)
    wanted = problem.wanted if kind == ALL else without_items(problem.wanted, problem.owned)
    if metric.startswith(CHOICE):
        if choices is None:
            raise ValueError(f"{metric} needs choices.")
        shown, wanted = lists_of_choices(shown, choices), lists_of_choices(wanted, choices)
    return METRICS[name](shown, wanted, k)


def tune(
    baseline: Baseline, problem: Problem, choose_by: Mapping[str, str], seed: int
) -> tuple[dict[str, Settings], int]:
    """Choose settings: one axis after the other, the rest as good as found so far.

    Parameters
    ----------
    baseline : Baseline
    problem : Problem
        Its first ``TUNED_ON`` customers, drawn by the seed, are asked.
    choose_by : mapping of str to str
        Metric by kind of list; each kind gets its own settings.
    seed : int

    Returns
    -------
    settings : dict of str to dict
        By kind.
    tried : int
        Settings that were learned with.
    """
    problem = problem.sample(TUNED_ON, seed)
    known: dict[str, dict[str, float]] = {}

    def goodness(settings: Settings, kind: str) -> float:
        at = repr(settings)
        if at not in known:
            show = baseline.fit(problem.purchases, seed, **settings)
            known[at] = {}
            for of, metric in choose_by.items():
                shown = show(problem.asked, split(metric)[2], of == NEW)
                each = value(metric, shown, problem)
                known[at][of] = float(np.nanmean(each)) if np.isfinite(each).any() else 0.0
        return known[at][kind]

    start = {name: values[0] for name, values in baseline.axes.items()}
    settings = {}
    for kind in choose_by:
        chosen = start
        for name, values in baseline.axes.items():
            tried = [{**chosen, name: value} for value in values]
            # The first of the best: of equally good settings the one that was set wins.
            chosen = max(tried, key=lambda one: goodness(one, kind))
        settings[kind] = chosen
    return settings, len(known)


def measure(
    baseline: Baseline,
    validation: Path,
    test: Path,
    choose_by: Mapping[str, str],
    places: int,
    seed: int,
) -> Answer:
    """Tune a peer on one problem and ask it on another, each in a process of its own.

    Parameters
    ----------
    baseline : Baseline
    validation, test : Path
        Where the problems were saved.
    choose_by : mapping of str to str
        Metric to tune by, for each of the kinds that are asked for.
    places : int
        Length of the lists.
    seed : int
    """
    started = time.perf_counter()
    settings, tried = apart(_tune, baseline, validation, dict(choose_by), seed)
    tune_seconds = time.perf_counter() - started if baseline.axes else 0.0
    answer: Answer = apart(_ask, baseline, test, settings, places, seed)
    answer.tune_seconds, answer.tried = tune_seconds, tried
    return answer


def apart(call: Callable[..., Any], *given: Any, within_seconds: float | None = None) -> Any:
    """Call a function in a fresh process; what it raises is raised here.

    Raises
    ------
    ChildProcessError
        When the process ended without an answer, for example for want of memory.
    TimeoutError
        When there was none within the seconds; the process is ended.
    """
    os.environ.update(QUIET)
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(there, call, given))
    process.start()
    there.close()
    if not here.poll(within_seconds):
        process.kill()
        process.join()
        raise TimeoutError(f"{call.__name__} gave no answer within {within_seconds:g} seconds.")
    try:
        failed, result = here.recv()
    except EOFError:
        process.join()
        raise ChildProcessError(
            f"{call.__name__} ended with {process.exitcode} and no answer."
        ) from None
    process.join()
    if failed:
        raise result
    return result


def peak_mb() -> float:
    """Peak memory of this process alone, MB."""
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:  # not Linux
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else float("nan")


def _answer(pipe: Any, call: Callable[..., Any], given: tuple[Any, ...]) -> None:
    warnings.simplefilter("ignore")  # libraries advise anew with every setting that is tried
    try:
        pipe.send((False, call(*given)))
    except Exception as error:
        pipe.send((True, RuntimeError(f"{call.__name__}: {type(error).__name__}: {error}")))
    finally:
        pipe.close()


def _tune(
    baseline: Baseline, path: Path, choose_by: dict[str, str], seed: int
) -> tuple[dict[str, Settings], int]:
    if not baseline.axes:
        return {kind: {} for kind in choose_by}, 0
    return tune(baseline, Problem.load(path), choose_by, seed)


def _ask(
    baseline: Baseline, path: Path, settings: dict[str, Settings], places: int, seed: int
) -> Answer:
    problem = Problem.load(path)
    first, *others = settings
    started = time.perf_counter()
    show = baseline.fit(problem.purchases, seed, **settings[first])
    seconds = time.perf_counter() - started
    started = time.perf_counter()
    lists = {first: show(problem.asked, places, first == NEW)}
    ms = (time.perf_counter() - started) * 1000 / max(1, len(problem.asked))
    peak = peak_mb()
    for kind in others:
        if settings[kind] != settings[first]:
            show = baseline.fit(problem.purchases, seed, **settings[kind])
        lists[kind] = show(problem.asked, places, kind == NEW)
    return Answer(lists, settings, problem.purchases.n_items, seconds, 0.0, ms, peak)
