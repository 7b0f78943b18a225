"""Small results to write tables from."""

from collections.abc import Callable

import pytest

from benchmarks._figures import Read, Results

Rows = dict[tuple[str, str, str], tuple[float, ...]]


@pytest.fixture
def plant() -> Callable[..., Read]:
    """``plant(benchmark={(task, method, metric): (value, low, high, n)})`` reads these results."""

    def of(**benchmarks: Rows) -> Read:
        return lambda name: results(benchmarks[name.replace("/", "_")], name)

    return of


def results(rows: Rows, name: str) -> Results:
    written = []
    for (task, method, metric), figure in rows.items():
        value, low, high, n = (*figure, None, None, None)[:4]
        one = {"task": task, "method": method, "metric": metric}
        written.append({**one, "value": value, "low": low, "high": high, "n": n})
    machine = {"cores": 2, "memory_gb": 24}
    return Results([{"machine": machine, "rows": written}], times=name.startswith("times/"))
