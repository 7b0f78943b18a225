"""``omnibasket train``: the history becomes models, measured and published.

Settings come in; an artefact comes out, made current, with its figures in the manifest. The road
is: learn before the validation window and choose on it; learn before the test window and judge
on it; learn from everything and publish.
"""

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from recsys.config import Config, load
from recsys.data.history import History
from recsys.validation import baselines, panel, splits
from recsys.validation.evaluate import OURS, Evaluation, evaluate
from training.console import (
    emit_json,
    follow,
    json_option,
    messages,
    output,
    progress,
    table,
    workspace_option,
)
from training.learn import PLACES, Learned, fit, learn, span
from training.publish import publish

Report = Callable[[str, float, float], None]

#: Customers that are judged on, at most.
JUDGED = 5_000
_STEPS = 6
_MB = 1e6


@click.command()
@workspace_option
@json_option
def command(workspace: Path, as_json: bool) -> None:
    """Learn models from the history, measure them, and publish an artefact.

    Three times it learns: before a validation window, on which the models' weights are chosen;
    before a test window at the end, on which they are judged beside what is most popular and
    what each customer buys anyway; and from everything, which is published and taken up by a
    running service. How long the windows are says [train] in omnibasket.toml; a history too
    short for them gets shorter ones.

    "Our lead" is the mean difference to the best other method, customer by customer, with half
    of its 95% interval.
    """
    config = load(workspace)
    with progress("Training", _STEPS) as bar:
        result = train(config, datetime.now(UTC), follow(bar))
    if as_json:
        emit_json(result)
    else:
        _show(result)


def train(config: Config, at: datetime, report: Report) -> dict[str, Any]:
    """Learn, measure and publish.

    Parameters
    ----------
    config : Config
    at : datetime
        The time of the training; names the artefact.
    report : callable
        Told what is being done: ``report(description, done, total)``.

    Returns
    -------
    dict
        What ``--json`` prints.

    Raises
    ------
    DataError
        When there is no history, or too little of it to measure anything.
    ArtefactError
        When the artefact cannot be published; the one before stays current.
    """
    seconds: dict[str, float] = {}
    clock = _Clock(seconds, report)
    history = History.open(config)
    ends = span(history)
    split = splits.by_time(
        ends.first_ts, ends.last_ts, config.train.test_days, config.train.validation_days
    )
    with clock.step("Learning before the validation window", "fit_validation"):
        before = fit(config, history, split.validation.start_ts)
    with clock.step("Choosing weights", "choose"):
        learned = learn(config, history, before, split.validation)
    del before
    with clock.step("Learning before the test window", "fit_test"):
        before = fit(config, history, split.test.start_ts)
    with clock.step("Measuring", "measure"):
        people = panel.read(
            history, before.training.index, split.test, active=JUDGED, seed=config.train.seed
        )
        popular = baselines.popular(
            before.training, learned.popular_days, config.models.popular.min_lines
        )
        ranker = before.ranker(learned)
        measured = evaluate(
            ranker, popular, learned.frequency_days, people, PLACES, config.train.seed
        )
    del before, ranker, popular, people
    with clock.step("Learning from everything", "fit"):
        fitted = fit(config, history, ends.latest_ts + 1)
    details = _details(split, learned)
    with clock.step("Publishing", "publish"):
        folder = publish(config, history, fitted, learned, at, _plain(measured), details)
    training = fitted.training
    return {
        "version": folder.name,
        "path": str(folder),
        "history": history.version,
        "items": len(training.index),
        "orders": int(training.baskets.items.shape[0]),
        "customers": len(training.baskets.customer_ids),
        "bytes": sum(file.stat().st_size for file in folder.iterdir()),
        **details,
        **_plain(measured),
        "seconds": {**seconds, "total": round(sum(seconds.values()), 2)},
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


class _Clock:
    """Times the steps and tells of them."""

    def __init__(self, seconds: dict[str, float], report: Report) -> None:
        self._seconds = seconds
        self._report = report

    @contextmanager
    def step(self, description: str, name: str) -> Iterator[None]:
        """Tell what begins, and note how long it took."""
        self._report(description, len(self._seconds), _STEPS)
        started = time.perf_counter()
        yield
        self._seconds[name] = round(time.perf_counter() - started, 2)


def _details(split: splits.Split, learned: Learned) -> dict[str, Any]:
    def window(found: splits.Window) -> dict[str, str]:
        moments = (found.start_ts, found.end_ts)
        start, end = (datetime.fromtimestamp(ts, UTC).isoformat() for ts in moments)
        return {"start": start, "end": end}

    return {
        "validation": window(split.validation),
        "test": window(split.test),
        "note": split.note,
        "horizon_days": split.validation.days,
        "half_life_days": {
            "popular": learned.popular_days,
            "own_frequency": learned.frequency_days,
        },
        "weights": {
            name: dict(zip(blend.columns, blend.weights_.round(4).tolist(), strict=True))
            for name, blend in (("plain", learned.plain), ("cart", learned.cart))
        },
    }


def _plain(measured: Evaluation) -> dict[str, Any]:
    return {name: [asdict(row) for row in rows] for name, rows in vars(measured).items()}


def _show(result: dict[str, Any]) -> None:
    console = output()
    if result["note"]:
        messages().print(result["note"])
    methods = list(dict.fromkeys(row["method"] for row in result["figures"]))
    segments = list(dict.fromkeys(row["segment"] for row in result["figures"]))
    metrics = list(
        dict.fromkeys(row["metric"] for row in result["figures"] if row["method"] == OURS)
    )
    found = {(row["segment"], row["method"], row["metric"]): row for row in result["figures"]}
    ahead = {(row["segment"], row["metric"]): row for row in result["differences"]}
    rows: list[list[object]] = []
    for segment in segments:
        customers = found[segment, OURS, metrics[0]]["n"]
        for method in methods:
            figures = [_figure(found.get((segment, method, metric))) for metric in metrics]
            rows.append([segment, customers, method, *figures])
        gains = [_gain(ahead.get((segment, metric))) for metric in metrics]
        rows.append(["", None, "our lead", *gains])
    start, end = (result["test"][name][:10] for name in ("start", "end"))
    title = f"What customers bought from {start} until {end}, shown before they did"
    headings = ["bought on", "customers", "method", *metrics]
    console.print(table(headings, rows, title))
    steps = ", ".join(
        f"{name.replace('_', ' ')} {taken:.1f}" for name, taken in result["seconds"].items()
    )
    console.print(
        f"Artefact {result['version']}: {result['items']:,} products, {result['orders']:,} orders, "
        f"{result['customers']:,} customers learned from, {result['bytes'] / _MB:.1f} MB."
    )
    console.print(f"Seconds: {steps}. Peak memory {result['peak_mb']:,} MB.")
    console.print("Next: omnibasket serve, or omnibasket recommend --help")


def _figure(row: dict[str, Any] | None) -> str | None:
    return None if row is None else f"{row['value']:.4f}"


def _gain(row: dict[str, Any] | None) -> str | None:
    if row is None:
        return None
    return f"{row['value']:+.4f} ±{(row['high'] - row['low']) / 2:.4f}"
