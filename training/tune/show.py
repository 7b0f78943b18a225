"""What ``omnibasket tune`` says to a person: what it searches, and what it found.

The result comes in as ``--json`` prints it. Called by ``omnibasket tune``.
"""

from datetime import datetime
from typing import Any, Final

from recsys.config import Range
from training.console import messages, output, table
from training.tune.outcome import GAIN
from training.tune.trial_evaluation import METRICS

#: Trials in the table.
_BEST: Final = 8
#: Settings of which it is said how much they matter.
_IMPORTANT: Final = 8
_HOPE: Final = (
    "The best of many tries looks better than it is: the gain is a hope until `omnibasket train` "
    "has measured it on the test window."
)


def show_plan(result: dict[str, Any], ranges: dict[str, Range]) -> None:
    """Print windows and space, where nothing was tried."""
    for note in result["notes"]:
        messages().print(note, markup=False)
    _show_windows(result)
    rows = [
        (name, present, low, high, f"{unit}{', by factors' if log else ''}".lstrip(", "))
        for (name, (low, high, unit, log)), present in zip(
            ranges.items(), result["present"].values(), strict=True
        )
    ]
    output().print(table(("setting", "now", "from", "to", ""), rows, "What would be searched"))
    output().print("Nothing was tried: --dry-run.")


def show(result: dict[str, Any]) -> None:
    """Print what was found, and what to do with it."""
    _show_windows(result)
    trials = result["trials"]
    judged = [one for one in trials if one["state"] == "judged"]
    judged.sort(key=lambda one: -one["gain"])
    # What changed nothing stands as well as what it began from, and says nothing.
    unlike = {str(one["figures"]): one for one in reversed(judged)}
    shown = [one for one in judged if unlike[str(one["figures"])] is one][:_BEST]
    if all(one["trial"] for one in shown):
        shown.append(next(one for one in judged if not one["trial"]))
    rows = [
        (
            "now" if not one["trial"] else str(one["trial"]),
            f"{one['gain']:+.2%}",
            *(_mean(one, metric) for metric in METRICS),
            _changed(one),
        )
        for one in shown
    ]
    output().print(table(("trial", "gain", *METRICS, "what it changed"), rows, "Best trials"))
    if result["best"]["changed"]:
        cells = [
            (name, f"{old['present']}", f"{old['tried']}")
            for name, old in result["best"]["changed"].items()
        ]
        output().print(table(("setting", "now", "best"), cells, "The best settings"))
    if result["differences"]:
        rows_of_best = [_beside(one) for one in result["differences"]]
        title = "The best beside the settings in use, customer by customer"
        heads = ("", "now", "best", "difference", "95% interval", "customers")
        output().print(table(heads, rows_of_best, title))
    if result["importance"]:
        first = list(result["importance"].items())[:_IMPORTANT]
        shares = [(name, f"{share:.0%}") for name, share in first]
        output().print(table(("setting", "share"), shares, "Which settings matter most"))
    say = output().print
    say(counts(trials), markup=False)
    for one in trials:
        if one["state"] == "failed":
            messages().print(f"Trial {one['trial']} failed: {one['error']}", markup=False)
    if result["out"] is None:
        say("The settings in use are the best of all that were tried; nothing was written.")
    else:
        say(f"Written: {result['out']}", markup=False, soft_wrap=True)
        say(f"{_clear(result)}{_HOPE}", markup=False)
        say(f"Next: {result['next']}", markup=False, soft_wrap=True)


def show_taken(changed: list[tuple[str, object, object]], target: object) -> None:
    """Print what was taken over."""
    if not changed:
        output().print("Nothing to take over: these settings are in use already.")
        return
    rows = [(name, "default" if old is None else str(old), str(new)) for name, old, new in changed]
    output().print(table(("setting", "was", "is"), rows, f"Changed in {target}"))


def header_lines(result: dict[str, Any], at: datetime) -> list[str]:
    """Say at the top of ``tuned.toml`` when, on what, and how good; see ``written.write``."""
    figures = []
    for one in result["differences"]:
        name, before, best, difference, interval, n = _beside(one)
        figures.append(f"  {name:<13}{before:>9}{best:>9}   {difference} ({interval}), {n:,}")
    heads = f"  {'':<13}{'before':>9}{'these':>9}   difference (95% interval), customers"
    return [
        f"at {at:%Y-%m-%d %H:%M} UTC, in history {result['history']}. {counts(result['trials'])}",
        f"Judged on these windows; the test window ({result['test']}) was not looked at:",
        *(f"  {fold['judge']}, weights from {fold['learn']}" for fold in result["windows"]),
        "",
        *([heads, *figures, ""] if figures else []),
        f"{_clear(result)}{_HOPE}",
        f"To take them over into omnibasket.toml: {result['next']}",
    ]


def counts(trials: list[dict[str, Any]]) -> str:
    """Say in one sentence how much was tried."""
    tried = trials[1:]
    stopped = sum(one["state"] == "stopped" for one in tried)
    failed = sum(one["state"] == "failed" for one in tried)
    more = [
        f"{number} of them {what}"
        for number, what in ((stopped, "stopped after a window"), (failed, "failed"))
        if number
    ]
    one = len(tried) == 1
    return (
        f"{len(tried)} {'trial' if one else 'trials'} beside the settings in use"
        f"{''.join(f', {words}' for words in more)}."
    )


def _beside(one: dict[str, Any]) -> tuple[str, str, str, str, str, int]:
    """Cells of one difference: metric, before, best, difference, interval, customers."""
    low, high, n = one["low"], one["high"], one["n"]
    if one["metric"] == GAIN:
        return "gain", "", "", f"{one['difference']:+.2%}", f"{low:+.2%} to {high:+.2%}", n
    return (
        one["metric"],
        f"{one['present']:.4f}",
        f"{one['best']:.4f}",
        f"{one['difference']:+.4f}",
        f"{low:+.4f} to {high:+.4f}",
        n,
    )


def _clear(result: dict[str, Any]) -> str:
    """Say so where the gain may be none."""
    gains = [one for one in result["differences"] if one["metric"] == GAIN]
    if any(one["low"] <= 0 for one in gains):
        return "The gain is not clear: its interval holds zero. "
    return ""


def _changed(one: dict[str, Any]) -> str:
    """Say in a line what a trial changed, and from where."""
    if not one["trial"]:
        return "the settings in use"
    changed = {name: one["changed"][name] for name in one["settings"] if name in one["changed"]}
    words = ", ".join(
        f"{name.removeprefix('models.')} {values['present']} → {values['tried']}"
        for name, values in changed.items()
    )
    start = f"; the rest as in {one['start']}" if one["start"] else ""
    return f"{words or 'nothing'}{start}"


def _mean(one: dict[str, Any], metric: str) -> str:
    found = [window[metric] for window in one["figures"] if window[metric] is not None]
    return f"{sum(found) / len(found):.4f}" if found else ""


def _show_windows(result: dict[str, Any]) -> None:
    heads = ("learned before, weights from", "judged on")
    rows = [(fold["learn"], fold["judge"]) for fold in result["windows"]]
    output().print(table(heads, rows, "Validation windows"))
    output().print(f"The test window, {result['test']}, is not looked at.")
