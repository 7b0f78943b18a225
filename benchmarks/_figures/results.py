"""Results of benchmarks, as ``_report.Report`` wrote them.

Files of ``benchmarks/results`` come in; figures come out by task, method and metric. Called by the
modules that write tables, one for each document.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks._report import OURS

RESULTS: Final = Path(__file__).parents[1] / "results"
#: Folder of what was measured while the machine had nothing else to do.
TIMES: Final = "times/"
#: Metrics that say more about a busy machine than about the method.
_TIME: Final = re.compile(r"(.*_)?(seconds|ms|per_second|exponent)|times_.*")


class Figure(NamedTuple):
    """One figure.

    Attributes
    ----------
    value : float
    low, high : float
        Ends of its 95% interval, or its smallest and largest value; NaN without one.
    n : int
        Number of things it is the mean of; 0 if that is not known.
    """

    value: float
    low: float
    high: float
    n: int

    @property
    def half_width(self) -> float:
        """Half of the interval."""
        return (self.high - self.low) / 2


class Results:
    """Figures of one benchmark.

    Parameters
    ----------
    documents : iterable of mapping
        One for each file: ``machine`` and ``rows``.
    times : bool
        Whether they may be asked for times.
    """

    def __init__(self, documents: Iterable[Mapping[str, Any]], *, times: bool) -> None:
        documents = list(documents)
        self.machine: Mapping[str, Any] = documents[0]["machine"]
        self.times = times
        self._rows = {
            (row["task"], row["method"], row["metric"]): _figure(row)
            for document in documents
            for row in document["rows"]
        }

    def figure(self, task: str, method: str, metric: str) -> Figure:
        """Return one figure.

        Raises
        ------
        KeyError
            When it was not measured.
        ValueError
            When it is a time, and was not measured on a machine with nothing else to do.
        """
        if _TIME.fullmatch(metric) and not self.times:
            raise ValueError(f"{metric} is a time: only files in results/{TIMES} may say it.")
        return self._rows[task, method, metric]

    def value(self, task: str, method: str, metric: str) -> float:
        """Return the value of one figure; raises as ``figure`` does."""
        return self.figure(task, method, metric).value

    def has(self, task: str, method: str, metric: str) -> bool:
        """Say whether a figure was measured."""
        return (task, method, metric) in self._rows

    def methods(self, task: str, metric: str) -> list[str]:
        """Return the methods that a metric was measured for, in the order of the rows."""
        return [m for t, m, name in self._rows if (t, name) == (task, metric)]

    def metrics(self, task: str, method: str) -> list[str]:
        """Return what was measured for a method, in the order of the rows."""
        return [name for t, m, name in self._rows if (t, m) == (task, method)]

    def best_other(self, task: str, metric: str, among: Iterable[str] | None = None) -> str:
        """Return the method with the largest value, ours left out."""
        others = self.methods(task, metric) if among is None else list(among)
        return max(
            (method for method in others if method != OURS),
            key=lambda method: self.value(task, method, metric),
        )


#: What reads the results of a benchmark by its name; tests plant others.
Read = Callable[[str], Results]


def read(name: str) -> Results:
    """Read a benchmark's results: ``NAME.json``, or all files of the folder ``NAME`` as one.

    Raises
    ------
    FileNotFoundError
        When there are none.
    """
    folder = RESULTS / name
    files = sorted(folder.glob("*.json")) if folder.is_dir() else [RESULTS / f"{name}.json"]
    if not files:
        raise FileNotFoundError(f"{folder} holds no results.")
    documents = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    return Results(documents, times=name.startswith(TIMES))


def _figure(row: Mapping[str, Any]) -> Figure:
    low, high = (float("nan") if row[end] is None else row[end] for end in ("low", "high"))
    return Figure(row["value"], low, high, row["n"] or 0)
