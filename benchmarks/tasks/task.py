"""What a task is, and the road that our own method takes in all of them.

A task names its data, cuts it into problems for the peers, and writes a workspace for ours: the
same purchases as exports, ingested, learned from and asked as the documentation says.
"""

import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks._measurement import ALL, NEW, Answer, apart, peak_mb, split
from benchmarks._problem import Ints, Problem
from benchmarks.baselines.base import Baseline
from recsys.datasets import Lists, pointers, rows_of
from recsys.evaluation import Window
from recsys.ranking import Choices

# What our own method needs is imported where it is used: a process that measures a peer loads
# this module too, and its memory would not be the peer's.
if TYPE_CHECKING:
    from recsys.config import Config
    from recsys.history import History
    from recsys.learning import LearnedRanking

#: Identifier under which every task's customers stand in its workspace.
ACCOUNT = "account"


@dataclass(frozen=True)
class Cut:
    """A task's data, cut, and named as the workspace names them.

    Attributes
    ----------
    validation, test : Problem
        To tune on, and to judge on. Their items have the same numbers.
    customers, items : sequence of str
        Name of each number.
    choice : sequence of int
        Number of the first item that a shopper cannot tell each one from; empty where a task tells
        nothing by choice.
    """

    validation: Problem
    test: Problem
    customers: Sequence[str]
    items: Sequence[str]
    choice: Sequence[int] = ()

    @property
    def choices(self) -> Choices | None:
        """What a shopper cannot tell apart; None where the task does not say."""
        of = np.array(self.choice, np.int32)
        return Choices(of, np.zeros(len(of), np.int64)) if len(of) else None


@dataclass(frozen=True)
class Times:
    """When our own method learns and is asked, UTC epoch seconds.

    Attributes
    ----------
    validation : Window
        Models learn before it and weights on it.
    fit_ts : int
        The models that answer know what was before it.
    ask_ts : int
        Histories are taken, and questions asked, as of it.
    """

    validation: Window
    fit_ts: int
    ask_ts: int


@dataclass(frozen=True)
class Task:
    """One question to all methods.

    Attributes
    ----------
    name : str
    folder : str
        Of the data, in the folder that ``--data`` names; empty where a package brings it.
    how_to_get_it : str
        Said where the data is not there; ``{folder}`` is where it was looked for.
    there : callable
        Whether the data is in a folder.
    folds : tuple of int
    metrics : tuple of str
        The first is the one by which settings are chosen.
    cut : callable
        From folder and fold to problems.
    ours : callable
        From folder, fold, the folder to work in, cut and places to our answer; none where we
        are not asked.
    baselines : tuple of Baseline
        Those of ``benchmarks.baselines`` where there are none.
    always_new : bool
        What a customer has is never asked for; its metrics lose their ``new_`` in the report.
    """

    name: str
    folder: str
    how_to_get_it: str
    there: Callable[[Path], bool]
    folds: tuple[int, ...]
    metrics: tuple[str, ...]
    cut: Callable[[Path, int], Cut]
    ours: Callable[[Path, int, Path, Cut, int], Answer] | None
    baselines: tuple[Baseline, ...] = ()
    always_new: bool = False

    @property
    def choose_by(self) -> dict[str, str]:
        """Metric to tune by, for each kind of list that is asked for: its first."""
        first: dict[str, str] = {}
        for metric in self.metrics:
            first.setdefault(split(metric)[0], metric)
        return first


def workspace(folder: Path, toml: str) -> "Config":
    """Write a workspace's settings and ingest its exports, unless that was done before."""
    from recsys.config import load_config
    from recsys.errors import RecsysError
    from training.ingest import ingest

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "omnibasket.toml").write_text(toml, encoding="utf-8")
    config = load_config(folder)
    try:
        ingest(config, datetime.now(UTC), lambda *_: None)
    except RecsysError:
        shutil.rmtree(config.state, ignore_errors=True)  # left by another version
        ingest(config, datetime.now(UTC), lambda *_: None)
    return config


def ask_ours(
    folder: Path,
    cut: Cut,
    times: Times,
    places: int,
    channel: Sequence[int] = (),
    rehearsals: Sequence[tuple[Path, Path]] = (),
) -> Answer:
    """Learn, choose weights, learn anew, and answer; choosing and answering are two processes.

    Parameters
    ----------
    folder : Path
        An ingested workspace.
    cut : Cut
        Whose ``test`` is asked.
    times : Times
    places : int
        Length of the lists.
    channel : sequence of int
        ``schema.CHANNELS`` that each question is asked on; none where it is empty.
    rehearsals : sequence of tuple of Path, optional
        Ingested workspaces to learn ranking with, where time alone does not tell what may be
        known: models learn all of the first, ranking on the window in the second. By default
        models learn before each of the workspace's validation windows, ranking within it.
    """
    started = time.perf_counter()
    learned: LearnedRanking = apart(choose, folder, times, list(rehearsals))
    tune_seconds = time.perf_counter() - started
    test = cut.test
    names = [cut.customers[number] for number in test.asked.tolist()]
    answer: Answer = apart(
        answer_ours,
        folder,
        times,
        learned,
        names,
        list(cut.items[: test.purchases.n_items]),
        places,
        list(channel),
    )
    answer.tune_seconds = tune_seconds
    return answer


def choose(
    folder: Path, times: Times, rehearsals: Sequence[tuple[Path, Path]] = ()
) -> "LearnedRanking":
    """Learn before the validation windows, and ranking on them; see ``ask_ours``."""
    from recsys.config import load_config
    from recsys.history import History
    from recsys.learning import fit_models, fit_ranking, observe_window

    config, last = load_config(folder), times.validation
    length, lessons = last.end_ts - last.start_ts, []
    if rehearsals:
        for known, seen in rehearsals:
            before = fit_models(config, History.open(load_config(known)), times.fit_ts)
            lessons.append(observe_window(config, History.open(load_config(seen)), before, last)[1])
        return fit_ranking(config, lessons)
    history = History.open(config)
    for back in reversed(range(config.train.validation_windows)):
        window = Window(last.start_ts - back * length, last.end_ts - back * length)
        before = fit_models(config, history, window.start_ts)
        lessons.append(observe_window(config, history, before, window)[1])
    return fit_ranking(config, lessons)


def answer_ours(
    folder: Path,
    times: Times,
    learned: "LearnedRanking",
    customers: list[str],
    items: list[str],
    places: int,
    channel: list[int],
) -> Answer:
    """Learn and answer.

    Parameters
    ----------
    folder : Path
    times : Times
    learned : LearnedRanking
        What ``choose`` found.
    customers, items : list of str
        Who is asked for, and the products that may be named, by number.
    places : int
    channel : list of int
        See ``ask_ours``.
    """
    from recsys.config import load_config
    from recsys.datasets import EMPTY, NO_CHANNEL, Context, Histories
    from recsys.datasets import history_rows as rows_of_customers
    from recsys.evaluation import show_ranked
    from recsys.history import History
    from recsys.learning import fit_models

    config = load_config(folder)
    history = History.open(config)
    started = time.perf_counter()
    ranker = fit_models(config, history, times.fit_ts).ranker(learned)
    seconds = time.perf_counter() - started
    started = time.perf_counter()
    ids = customer_ids(history, customers)
    known = dict(
        rows_of_customers.read_rows(history, until_ts=times.ask_ts, customer_ids=sorted(set(ids)))
    )
    rows = [known.get(customer_id, EMPTY) for customer_id in ids]
    histories = Histories.from_rows(rows, ranker.index, times.ask_ts)
    context = Context.of(len(rows), times.ask_ts, channel=channel or NO_CHANNEL)
    shown = show_ranked(ranker, histories, context, places)
    ms = (time.perf_counter() - started) * 1000 / max(1, len(rows))
    numbers = {name: number for number, name in enumerate(items)}
    number = np.array([numbers.get(name, -1) for name in ranker.index.item_ids], np.int64)
    lists = {ALL: renumbered(shown.mixed, number), NEW: renumbered(shown.new, number)}
    weights = learned.plain.weights
    return Answer(
        lists,
        {ALL: weights["bought_before"], NEW: weights["new"]},
        len(items),
        seconds,
        0.0,
        ms,
        peak_mb(),
    )


def renumbered(lists: Lists, number: Ints) -> Lists:
    """Say lists in other numbers; what has none (-1) is left out."""
    items = number[lists.item_ix]
    known = items >= 0
    n = len(lists.indptr) - 1
    return Lists(pointers(rows_of(lists)[known], n), items[known].astype(np.int32))


def customer_ids(history: "History", accounts: list[str]) -> list[str]:
    """Id in the history of each account; the account's own name where it holds none."""
    table = history.table("identifiers").select(["type", "value", "customer_id"])
    known = {
        row["value"]: row["customer_id"] for row in table.to_pylist() if row["type"] == ACCOUNT
    }
    return [known.get(account) or account for account in accounts]


def save(cut: Cut, folder: Path) -> None:
    """Write both problems and the names."""
    for part, path in zip((cut.validation, cut.test), files_of(folder), strict=True):
        part.save(path)
    names = {"customers": list(cut.customers), "items": list(cut.items), "choice": list(cut.choice)}
    (folder / "names.json").write_text(json.dumps(names), encoding="utf-8")


def opened(folder: Path) -> Cut:
    """Read what ``save`` wrote."""
    names = json.loads((folder / "names.json").read_text(encoding="utf-8"))
    validation, test = (Problem.load(path) for path in files_of(folder))
    return Cut(validation, test, **names)


def files_of(folder: Path) -> tuple[Path, Path]:
    """Where the problem to tune on and the problem to judge on are kept."""
    return folder / "validation.npz", folder / "test.npz"
