"""Figures that are times, or stand beside times, in README.md and docs.

Results of ``benchmarks/results/times`` come in, Markdown comes out. Called by ``documents``.
"""

from benchmarks._figures.benchmarks_page import SHOPS as SHORT_SHOPS
from benchmarks._figures.markdown import (
    count,
    items,
    paragraph,
    percent,
    ratio,
    table,
    three_digits,
)
from benchmarks._figures.ranking_page import WAYS
from benchmarks._figures.readme import JOURNEY, SHOPS, UCI
from benchmarks._figures.results import Figure, Read, Results
from benchmarks._report import OURS

_ALS = "implicit_als"
_ONCE = f"{JOURNEY}_x1"


def machine(read: Read) -> str:
    """The machine that times were measured on."""
    found = read("times/latency").machine
    return f"{found['cores']} cores and {found['memory_gb']} GB"


def contact(read: Read) -> str:
    """What the decisions about contact cost an answer."""
    results = read("times/contact")
    told = []
    for task in ("demo", "demo, shown before"):
        found = results.figure(task, OURS, "ratio")
        more, low, high = (f"{100 * (x - 1):.0f}%" for x in (found.value, found.low, found.high))
        told.append(f"{more} more processor time at the median ({low} to {high}: quartiles)")
    return (
        f"For known customers of the demo who were shown nothing before it is {told[0]}; for those "
        f"who were shown forty products in thirty answers of the last four weeks, {told[1]}. The "
        "goal is 15%."
    )


def pairs(read: Read) -> str:
    """Counting pairs, beside others."""
    found = read("times/pairs")
    others = {"duckdb": "DuckDB", "polars": "Polars", "rusket": "rusket"}
    told = ", ".join(
        f"{label} {ratio(found.value(JOURNEY, method, 'times_scipy'))}"
        for method, label in others.items()
    )
    memory = found.value(JOURNEY, OURS, "extra_mb") / found.value(JOURNEY, "scipy", "extra_mb")
    return paragraph(
        f"**Pair counting** (`benchmarks/pairs.py`): counting all "
        f"{count(found.value(JOURNEY, OURS, 'pairs'))} pairs of products that share at least five "
        f"baskets of The Complete Journey takes {ratio(found.value(JOURNEY, OURS, 'times_scipy'))} "
        f"of the time of scipy's `XᵀX` ({told}) and {ratio(memory)} of its memory."
    )


def speed(read: Read) -> str:
    """What answers, a training, an ingest and the mining of bundles take."""
    return items((_answers(read), _training(read), _ingest(read), _mining(read)))


def bundles_cost(read: Read) -> str:
    """What mining pairs takes, beside rusket and mlxtend."""
    found = read("times/bundles")
    rows = []
    for task, label in SHORT_SHOPS.items():
        for method in (OURS, "mlxtend", "rusket"):
            if not found.has(task, method, "seconds"):
                continue
            cells = (
                _with_range(found.figure(task, method, f"times_{other}"))
                if found.has(task, method, f"times_{other}")
                else ""
                for other in ("rusket", "mlxtend")
            )
            rows.append(
                (
                    label if method == OURS else "",
                    method,
                    f"{found.value(task, method, 'seconds'):.1f}",
                    count(found.value(task, method, "peak_mb")),
                    count(found.value(task, method, "pairs")),
                    *cells,
                )
            )
    heading = ("", "method", "seconds", "peak MB", "pairs", "times rusket", "times mlxtend")
    return table(heading, rows)


def rankers_cost(read: Read) -> str:
    """What each way to rank takes to learn and to answer."""
    found = read("times/rankers")
    rows = []
    for way, label in WAYS.items():
        if way == "blend alone":
            continue
        ms = found.value(UCI, way, "ms")
        rows.append(
            (
                label,
                count(found.value(UCI, way, "cpu_seconds")),
                f"{ms:.1f}" if ms >= 1 else f"{ms:.2f}".removeprefix("0"),
            )
        )
    return table(("way", "processor seconds to learn", "ms for 160 candidates"), rows)


def _answers(read: Read) -> str:
    found = read("times/latency")
    p50, p99 = (found.value(JOURNEY, OURS, metric) for metric in ("p50_ms", "p99_ms"))
    als = found.value(JOURNEY, _ALS, "p50_ms")
    ours_a_second, als_a_second = (
        found.value(JOURNEY, method, "per_second") for method in (OURS, _ALS)
    )
    return (
        f"One answer with the demo's full ranking takes {p50:.1f} ms at the median and {p99:.1f} "
        f"ms at the 99th percentile, in process: {ratio(p50 / als)} times as long as implicit's "
        f"ALS without a ranker in the same run, {als:.1f} ms (goals: 3 and 10 ms). A batch answers "
        f"{three_digits(ours_a_second)} customers a second on two threads, ALS "
        f"{three_digits(als_a_second)} (goal: 2,000; `benchmarks/latency.py`)."
    )


def _training(read: Read) -> str:
    found = read("times/growth")
    whole = found.figure(_ONCE, OURS, "seconds")
    return (
        f"From raw exports to a published, measured version, the demo's {_millions(whole)} million "
        f"lines take {count(whole.value)} s and {_gigabytes(found, _ONCE)} GB: "
        f"{ratio(found.value(_ONCE, OURS, 'times_als'))} times as long as fitting implicit's ALS "
        "alone (goal: 8 times; `benchmarks/growth.py`)."
    )


def _ingest(read: Read) -> str:
    found = read("times/ingest")
    times = found.figure(JOURNEY, OURS, "times_duckdb")
    low, high = ratio(times.low), ratio(times.high)
    return (
        f"An ingest of {_millions(times)} million lines takes {ratio(times.value)} times as long "
        f"as DuckDB takes to read, sort and write the same CSV ({low} to {high} in single rounds; "
        f"goal: 4 times), and {_gigabytes(found, JOURNEY)} GB (`benchmarks/ingest.py`)."
    )


def _mining(read: Read) -> str:
    found = read("times/bundles")
    told = "; ".join(
        f"{label} {found.value(task, OURS, 'seconds'):.1f} s, "
        f"{percent(found.value(task, OURS, 'times_rusket'))} of rusket's time and "
        f"{percent(found.value(task, OURS, 'times_mlxtend'))} of mlxtend's"
        for task, label in SHOPS.items()
    )
    return f"Finding the pairs that sell together takes, in {told} (`benchmarks/bundles.py`)."


def _millions(figure: Figure) -> str:
    return f"{figure.n / 1e6:.1f}"


def _gigabytes(found: Results, task: str) -> str:
    return f"{found.value(task, OURS, 'peak_mb') / 1024:.1f}"


def _with_range(figure: Figure) -> str:
    """Write a ratio with the smallest and the largest of the rounds."""
    return f"{figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]"
