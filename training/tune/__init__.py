"""``omnibasket tune``: looks for better settings of models and ranker, on validation windows.

Settings and a history come in; ``tuned.toml`` comes out, with the best settings that were found,
and ``--apply`` takes it over. The road is: lay out windows before every test window; try the
present settings, then others, one group at a time; compare the best with the present ones.
"""

import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from recsys.config import FILE_NAME, Config, load_config
from recsys.history import History
from recsys.ledger.exchange import without_refusers
from recsys.messages import counted
from training.console import (
    INTERRUPTED,
    Bar,
    at,
    emit_json,
    json_option,
    messages,
    progress,
    workspace_option,
)
from training.span import span
from training.train.measurement import plan
from training.train.output import no_consent
from training.tune import written
from training.tune.outcome import outcome
from training.tune.search import Budget, State, search
from training.tune.show import header_lines, show, show_plan, show_taken
from training.tune.space import Space
from training.tune.store import Store, identity, opened
from training.tune.trial_evaluation import METRICS, TrialEvaluator
from training.tune.windows import Fold, folds

_EXAMPLES = """\b
For example:
  omnibasket tune --dry-run
  omnibasket tune --minutes 30
  omnibasket tune --only repeat,als --trials 20
  omnibasket tune --apply"""


@click.command(epilog=_EXAMPLES)
@workspace_option
@click.option(
    "--trials",
    type=click.IntRange(min=1),
    default=40,
    show_default=True,
    help="Settings that are tried in this run.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    help="Begin no trial after so many minutes; whichever comes first.",
)
@click.option(
    "--only",
    metavar="NAMES",
    help="Search these alone: models, or the name of another section; commas between.",
)
@click.option(
    "--windows",
    type=click.IntRange(1, 6),
    default=2,
    show_default=True,
    help="Windows that every trial is judged on, where the history has room.",
)
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="SETTING=VALUE",
    help="Another value of a setting to start from, as in train.validation_days=14; repeatable.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="File for the best settings; tuned.toml beside omnibasket.toml by default.",
)
@click.option("--fresh", is_flag=True, help="Forget what was tried before, and begin anew.")
@click.option("--dry-run", is_flag=True, help="Show windows, settings and ranges; try nothing.")
@click.option(
    "--apply", "take", is_flag=True, help="Take the file's settings over into omnibasket.toml."
)
@json_option
@click.pass_context
def command(
    context: click.Context,
    workspace: Path,
    trials: int,
    minutes: float | None,
    only: str | None,
    windows: int,
    overrides: tuple[str, ...],
    out: Path | None,
    fresh: bool,
    dry_run: bool,
    take: bool,
    as_json: bool,
) -> None:
    """Look for better settings of the models and the ranker.

    First the settings in use are judged, then others: each trial changes those of one model,
    beginning from the best so far, learns before a validation window and shows customers what
    it would have shown them then. What counts is NDCG@10 of all that they bought and of what was
    new to them, as the mean of both relative gains. The test window is not looked at.

    The best settings are written to tuned.toml. `omnibasket tune --apply` takes them over,
    keeping the comments of omnibasket.toml; `omnibasket train` then measures them where nothing
    was chosen.

    Ctrl-C keeps what was found, and the next call goes on from there, as long as history,
    windows and settings stay the same.
    """
    if take:
        _take_over(workspace, out, as_json)
        return
    config = load_config(workspace, overrides)
    out = out or config.folder / written.NAME
    names = [name.strip() for name in (only or "").split(",") if name.strip()]
    space = Space.of(config, names)
    if not dry_run:
        written.check_writable(out)
    history, left_out, _ = without_refusers(config, History.open(config))
    split = plan(config, span(history))
    laid_out = folds(split, windows, config.train.test_days)
    result: dict[str, Any] = {
        "history": history.version,
        "test": str(split[0].test),
        "windows": [{"learn": str(fold.learn), "judge": str(fold.judge)} for fold in laid_out],
        "present": space.present,
        "not_profiled": left_out,
        "notes": _notes(len(laid_out), windows, split[-1].note, left_out),
    }
    if dry_run:
        ranges = {name: found._asdict() for name, found in space.ranges.items()}
        emit_json({**result, "ranges": ranges}) if as_json else show_plan(result, space.ranges)
        return
    at = datetime.now(UTC)
    budget = Budget(trials, None if minutes is None else 60 * minutes)
    same = identity(config, history, laid_out, space)
    with opened(config, same, at, fresh=fresh) as store:
        result["notes"] += _begins(store)
        for note in result["notes"]:
            messages().print(note, markup=False)
        whole = _search(config, history, laid_out, space, store, budget)
        if not store.tried():
            raise click.Abort
        found = result | outcome(store, space, config.train.seed)
        best = store.best()
        found |= {"interrupted": not whole, "metrics": METRICS}
        found |= {"out": None, "next": _next(workspace, out, config)}
        if best is not None and best.number:
            written.write(out, space, best.values, header_lines(found, at))
            found["out"] = str(out)
    if as_json:
        emit_json(found)
    else:
        show(found)
    if not whole:
        context.exit(INTERRUPTED)


def _search(
    config: Config,
    history: History,
    laid_out: list[Fold],
    space: Space,
    store: Store,
    budget: Budget,
) -> bool:
    """Search until the budget is used up; False where somebody stopped it."""
    with progress("Tuning", 1.0) as bar:
        tell, tell_more = _telling(bar)
        evaluator = TrialEvaluator(history, laid_out, tell_more)
        try:
            search(config, space, laid_out, evaluator, store, budget, tell)
        except KeyboardInterrupt:
            messages().print("Stopped. What was found until now is kept.")
            return False
    return True


def _telling(bar: Bar) -> tuple[Callable[[State], None], Callable[[str], None]]:
    """Two callbacks for a bar: before each trial, and for what goes on within one."""
    now = ["Tuning"]

    def tell(state: State) -> None:
        now[0] = (
            f"Trial {state.trial} of {state.trials} ({state.group}), best {state.best:+.2%}"
            if state.trial
            else "The settings in use"
        )
        bar.update(now[0], done=state.share, left_seconds=state.left_seconds)

    def tell_more(what: str) -> None:
        bar.update(f"{now[0]}: {what}")

    return tell, tell_more


def _take_over(workspace: Path, out: Path | None, as_json: bool) -> None:
    config = load_config(workspace)
    target = config.folder / FILE_NAME
    changed = written.take_over(out or config.folder / written.NAME, target)
    if as_json:
        emit_json(
            {
                "changed": {name: {"before": old, "now": new} for name, old, new in changed},
                "path": target,
            }
        )
        return
    show_taken(changed, target)
    click.echo(f"Next: omnibasket train{at(workspace)}")


def _notes(found: int, wanted: int, note: str, not_profiled: int) -> list[str]:
    notes = [note] if note else []
    if not_profiled:
        notes.append(no_consent(not_profiled))
    if found < wanted:
        notes.append(
            f"There is room for {found} window{'s' if found > 1 else ''} to judge on instead of "
            f"{wanted}, so that half of what was before the test window is left to learn from."
        )
    return notes


def _begins(store: Store) -> list[str]:
    """What is said of the study before it begins or goes on."""
    if done := len(store.tried()):
        before = counted(done - 1, "trial")
        return [f"Goes on from {before} made before; --fresh begins anew."]
    if store.changed:
        return [f"A new study begins: since the last one {_listed(store.changed)} changed."]
    return []


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _next(workspace: Path, out: Path, config: Config) -> str:
    own = out == config.folder / written.NAME
    return f"omnibasket tune{at(workspace)} --apply" + (
        "" if own else f" --out {shlex.quote(str(out))}"
    )
