"""``omnibasket train``: the history becomes models, measured and published.

Settings come in; a new version comes out, made current if it is no worse than the one before,
and a record of the run. The road is: look at the data; learn before the validation window and
choose on it; learn before the test window and judge on it; learn from everything and publish.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from recsys.artefacts import Run, runs
from recsys.config import Config, load_config
from recsys.datasets import EncodedHistory
from recsys.errors import DataError
from recsys.evaluation import Finding, Split, Window, check_data
from recsys.history import History
from recsys.learning import READING_STEP, STEPS, choices_of, find_bundles, fit_models
from recsys.ledger.exchange import without_refusers
from training.console import (
    REFUSED,
    emit_json,
    json_option,
    operator,
    progress,
    workspace_option,
)
from training.span import span
from training.train.baseline_tuning import earlier_tunings
from training.train.measurement import measure, parts, plan
from training.train.output import show
from training.train.publication import active_of, make_current, publish
from training.train.rotation import learned_rotation
from training.train.run_record import peak_mb, prune, recorded, seconds_before
from training.train.steps import Steps

#: What is done, in this order, and what the progress bar calls it.
WORDS: Final = {
    "check": "Looking at the data",
    "fit_validation": "Learning before the validation window",
    "choose": "Learning to rank",
    "fit_test": "Learning before the test window",
    "measure": "Measuring",
    "fit": "Learning from everything",
    "bundles": "Finding what sells together",
    "rotation": "Learning what customers tire of",
    "publish": "Publishing",
    "report": "Drawing the report",
}
_FITS: Final = ("fit_validation", "fit_test", "fit")


@dataclass(frozen=True)
class Wish:
    """How far a run goes, and what may stop it.

    Attributes
    ----------
    dry_run, no_publish : bool
        End after the checks, or after measuring.
    fresh : bool
        Tune the baselines, whatever an earlier training found.
    no_checks : bool
        Go on although a check failed; the version does not become current.
    force : bool
        Go on, and make the version current, whatever checks and gate say.
    reason : str
        Why it is forced.
    """

    dry_run: bool = False
    no_publish: bool = False
    fresh: bool = False
    no_checks: bool = False
    force: bool = False
    reason: str = ""


@click.command()
@workspace_option
@json_option
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="SETTING=VALUE",
    help="Another value of a setting for this run, as in models.als.factors=64; repeatable.",
)
@click.option("--dry-run", is_flag=True, help="Check the settings and the data, learn nothing.")
@click.option("--no-publish", is_flag=True, help="Measure only; make no version.")
@click.option(
    "--fresh",
    is_flag=True,
    help="Tune the baselines in this training, whatever an earlier one found.",
)
@click.option(
    "--no-checks",
    is_flag=True,
    help="Learn although a data check fails; the version is kept, not made current.",
)
@click.option(
    "--force",
    is_flag=True,
    help="Learn and make the version current whatever checks and gate say; needs --reason.",
)
@click.option("--reason", default="", metavar="TEXT", help="Why it is forced; kept in the log.")
@click.pass_context
def command(
    context: click.Context,
    workspace: Path,
    as_json: bool,
    overrides: tuple[str, ...],
    dry_run: bool,
    no_publish: bool,
    fresh: bool,
    no_checks: bool,
    force: bool,
    reason: str,
) -> None:
    """Learn models from the history, measure them, and publish an artefact.

    First, the command checks the data. Data that are missing or odd stop the training before it
    begins ([checks] in omnibasket.toml).

    The models are fitted three times. The first fit ends before a validation window, on which the
    ranking is learned. The second ends before a test window, on which models and ranking are
    compared with baselines ([train] peers). One training in a few tunes those on its validation
    window ([train] retune_every); the others keep the settings that it found. The third fit uses
    everything; it is published, and a running service loads it. [train] sets the length of the
    windows; a history that is too short for them gets shorter ones.

    A version that is worse than the current one by more than [publish] guard is kept, but does
    not become current; the exit code is then 7. Every run leaves a record: `omnibasket runs`.

    "Our lead" is the mean difference to the best other method, customer by customer, with half
    of its 95% interval.
    """
    if force and not reason.strip():
        raise click.UsageError('--force needs --reason "…", which is kept in the log.')
    config = load_config(workspace, overrides)
    at = datetime.now(UTC)
    wish = Wish(dry_run, no_publish, fresh, no_checks, force, reason)
    run = runs.begin(
        config,
        at,
        by=operator(),
        overrides=list(overrides),
        reason=reason,
        settings=msgspec.to_builtins(
            {name: getattr(config, name) for name in ("models", "train", "checks", "publish")}
        ),
    )
    with progress("Training", 1.0) as bar:
        steps = Steps(_names(config, wish), WORDS, seconds_before(config), bar)
        with recorded(run, steps), steps.showing():
            history = History.open(config)  # held to the end, whatever is ingested meanwhile
            result = train(config, history, at, wish, run, steps)
            if "figures" in result:
                path = run.folder / runs.REPORT
                _report(path, history, steps, result, config.workspace.name)
                result["report"] = str(path)
    prune(config, at)
    if as_json:
        emit_json(result)
    else:
        show(result, workspace)
    if result["outcome"] == "refused":
        context.exit(REFUSED)


def train(
    config: Config, history: History, at: datetime, wish: Wish, run: Run, steps: Steps
) -> dict[str, Any]:
    """Look at the data, learn, measure and publish.

    Parameters
    ----------
    config : Config
    history : History
        The one version that all of it is about.
    at : datetime
        The time of the training; names the version.
    wish : Wish
    run : Run
        Is told everything that is found out.
    steps : Steps

    Returns
    -------
    dict
        What ``--json`` prints.

    Raises
    ------
    DataError
        When there is too little history to measure anything, or a check failed.
    ArtefactError
        When the version cannot be written; the one before stays current.
    """
    run.note(history=history.version)
    with steps.step("check"):
        findings = check_data(history, at, config.checks)
        run.note(checks=[asdict(finding) for finding in findings])
        _stop_at_failed(findings, wish)
        learnable = without_refusers(config, history)
        left_out = {"not_profiled": learnable.left_out}
        ends = span(learnable.history)
        windows = plan(config, ends)
        run.note(details=left_out)
    if wish.dry_run:
        return _result(run, steps, "checked", **left_out, **_windows(windows))

    with steps.step(f"fit_validation.{READING_STEP}"):
        numbers = EncodedHistory.read(learnable.history)
    earlier = {} if wish.fresh else earlier_tunings(config)
    measured = measure(config, numbers, windows, steps, earlier)
    metrics = measured.metrics()
    details = {
        **left_out,
        **_windows(windows),
        **measured.details(),
        "checks": [asdict(f) for f in findings if f.level in ("warning", "failed")],
    }
    run.note(details=details, metrics=metrics, seconds=steps.seconds)
    if wish.no_publish:
        return _result(run, steps, "measured", **details, **metrics)

    fitted = fit_models(config, numbers, ends.latest_ts + 1, steps.within("fit"))
    with steps.step("bundles"):
        choices = choices_of(history, fitted.training, config.train)
        bundles = find_bundles(
            config.bundles,
            history,
            fitted.training,
            fitted.models.get("content"),
            choices,
            active_of(history, fitted.training.index),
        )
    with steps.step("rotation"):
        details |= learned_rotation(config, learnable.includes)
    with steps.step("publish"):
        folder = publish(
            config, history, fitted, measured.learned, bundles, choices, at, metrics, details
        )
        run.note(version=folder.name)
        current, verdict = make_current(
            config,
            folder.name,
            at=at,
            by=run.record.by,
            reason=wish.reason,
            force=wish.force,
            action="published",
        )
    run.note(refusals=verdict.refusals)
    training = fitted.training
    return _result(
        run,
        steps,
        "published" if current else "refused",
        version=folder.name,
        path=str(folder),
        current=current,
        gate={"how": verdict.how, "refusals": verdict.refusals, "forced": wish.force},
        items=len(training.index),
        orders=int(training.baskets.items.shape[0]),
        customers=len(training.baskets.customer_ids),
        bundles=len(bundles),
        bytes=sum(file.stat().st_size for file in folder.iterdir()),
        **details,
        **metrics,
    )


def _stop_at_failed(findings: list[Finding], wish: Wish) -> None:
    failed = [finding for finding in findings if finding.level == "failed"]
    if failed and not (wish.no_checks or wish.force):
        failures = "\n".join(f"  {finding.name}: {finding.message}" for finding in failed)
        raise DataError(
            f"the data do not look as they should, so nothing was learned from them:\n{failures}\n"
            "The version before stays current. To learn all the same: --no-checks keeps the new "
            'version without making it current, --force --reason "…" makes it current too.'
        )


def _report(
    path: Path, history: History, steps: Steps, result: dict[str, Any], workspace: str
) -> None:
    from training.train.report import (
        write,  # matplotlib takes a second to load, which --help does not need
    )

    with steps.step("report"):
        write(path, result, history, workspace)


def _windows(windows: list[Split]) -> dict[str, Any]:
    def plain(found: Window) -> dict[str, str]:
        moments = (found.start_ts, found.end_ts)
        start, end = (datetime.fromtimestamp(ts, UTC).isoformat() for ts in moments)
        return {"start": start, "end": end}

    last = windows[-1]
    return {
        "validation": plain(last.validation),
        "test": plain(last.test),
        "windows": {
            "validation": [plain(window) for window in last.validations],
            "test": [plain(split.test) for split in windows],
        },
        "note": last.note,
    }


def _result(run: Run, steps: Steps, outcome: runs.Outcome, **found: Any) -> dict[str, Any]:
    run.note(outcome=outcome)
    return {
        "run": run.record.id,
        "outcome": outcome,
        "history": run.record.history,
        "checks": run.record.checks,
        **found,
        "seconds": steps.by_step(),
        "peak_mb": peak_mb(),
    }


def _names(config: Config, wish: Wish) -> list[str]:
    """All steps of a run, with their parts."""
    last = "check" if wish.dry_run else "measure" if wish.no_publish else "publish"
    steps = list(WORDS)[: list(WORDS).index(last) + 1]
    of = {**dict.fromkeys(_FITS, STEPS), **parts(config)}
    steps += [] if wish.dry_run else ["report"]
    return [
        name
        for step in steps
        for name in ([f"{step}.{part}" for part in of[step]] if step in of else [step])
    ]
