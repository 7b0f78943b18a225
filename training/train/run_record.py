"""Keeps the record of a training, whatever becomes of it, and removes old records and versions.

Called by ``train``.
"""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from recsys.artefacts import Run, registry, runs
from recsys.config import Config
from recsys.errors import RecsysError
from training.train.steps import Steps


@contextmanager
def recorded(run: Run, steps: Steps) -> Iterator[None]:
    """Write into the record how a run ended, however it ends."""
    ended: dict[str, Any] = {}
    try:
        yield
    except (KeyboardInterrupt, click.Abort):
        ended = {"outcome": "interrupted"}
        raise
    except BaseException as error:
        kind = "" if isinstance(error, RecsysError) else f"{type(error).__name__}: "
        ended = {"outcome": "failed", "error": f"{kind}{error}"}
        raise
    finally:
        run.note(
            **ended,
            finished=datetime.now(UTC),
            peak_mb=peak_mb(),
            seconds={**steps.seconds, "total": steps.by_step()["total"]},
        )
        run.close()


def seconds_before(config: Config) -> dict[str, float]:
    """How long steps took when they last ended."""
    found: dict[str, float] = {}
    whole: tuple[runs.Outcome, ...] = ("published", "refused", "measured")
    records = [r for r in runs.read_all(config) if r.outcome in whole]
    for record in records[-3:]:
        found |= record.seconds
    return found


def prune(config: Config, at: datetime) -> None:
    """Remove old versions and records, by ``[train]``."""
    young = at - timedelta(days=config.train.keep_days) if config.train.keep_days else None
    registry.prune(config, config.train.keep, young)
    runs.prune(config, config.train.keep_runs, registry.versions(config))


def peak_mb() -> int:
    """Most memory that this process has used. MiB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
