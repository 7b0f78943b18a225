"""What ``omnibasket train`` says at its end, to a person.

The result of a training comes in, as ``--json`` prints it. Called by ``train``.
"""

from pathlib import Path
from typing import Any, Final

from recsys.evaluation import OURS
from recsys.messages import counted
from training.console import at, messages, output, table

_MB: Final = 1e6
#: Metrics of the table; the report has them all.
_SHOWN: Final = ("ndcg", "hr", "new_ndcg", "choice_ndcg", "coverage")


def show(result: dict[str, Any], workspace: Path) -> None:
    """Print what was found, made and decided, and what to run next."""
    where = at(workspace)
    _show_checks(result["checks"])
    say = output().print
    if result["note"]:
        messages().print(result["note"])
    if result["not_profiled"]:
        messages().print(no_consent(result["not_profiled"]))
    if "figures" in result:
        _show_figures(result)
    if result["outcome"] == "checked":
        say("Nothing was learned: --dry-run. Settings and data are fit for a training.")
    elif result["outcome"] == "measured":
        say("No version was made: --no-publish.")
    else:
        say(
            f"Version {result['version']}: {counted(result['items'], 'product')}, "
            f"{counted(result['orders'], 'order')}, {counted(result['customers'], 'customer')} "
            f"learned from, {counted(result['bundles'], 'bundle')} found, "
            f"{result['bytes'] / _MB:.1f} MB."
        )
    steps = ", ".join(
        f"{name.replace('_', ' ')} {taken:.1f}" for name, taken in result["seconds"].items()
    )
    say(f"Seconds: {steps}. Peak memory {result['peak_mb']:,} MB.")
    if "report" in result:
        say(f"Report: {result['report']}", markup=False, soft_wrap=True)
    say(
        f"Run {result['run']}: omnibasket runs show {result['run']}{where}",
        markup=False,
        soft_wrap=True,
    )
    if result["outcome"] == "refused":
        _show_refusal(result, where)
    elif result["outcome"] == "published":
        if result["gate"]["refusals"]:
            messages().print("Made current by --force, although:", markup=False)
            _list(result["gate"]["refusals"])
        say(
            f"It is current now. Next: omnibasket serve{where}, or omnibasket recommend --help",
            markup=False,
            soft_wrap=True,
        )


def no_consent(customers: int) -> str:
    """Say how many customers are left out because they do not consent to profiling."""
    one = customers == 1
    return (
        f"{counted(customers, 'customer')} {'does' if one else 'do'} not consent to profiling and "
        f"{'is' if one else 'are'} left out of what is learned and measured."
    )


def _show_checks(checks: list[dict[str, Any]]) -> None:
    for finding in checks:
        if finding["level"] in ("warning", "failed"):
            say = f"{finding['level'].capitalize()} ({finding['name']}): {finding['message']}"
            messages().print(say, markup=False)


def _show_refusal(result: dict[str, Any], where: str) -> None:
    say = messages().print
    say(f"Version {result['version']} is kept, but not made current:", markup=False)
    _list(result["gate"]["refusals"])
    say(result["gate"]["how"], markup=False)
    say(
        "The version before goes on answering. Look at both with `omnibasket models compare "
        f"{result['version']}{where}`; make it current all the same with\n  omnibasket models "
        f'promote {result["version"]}{where} --force --reason "…"',
        markup=False,
        soft_wrap=True,
    )


def _list(lines: list[str]) -> None:
    for line in lines:
        messages().print(f"  {line}", markup=False)


def _show_figures(result: dict[str, Any]) -> None:
    found = {(row["segment"], row["method"], row["metric"]): row for row in result["figures"]}
    ahead = {(row["segment"], row["metric"]): row for row in result["differences"]}
    metrics = [
        metric
        for metric in dict.fromkeys(metric for _, _, metric in found)
        if metric.split("@")[0] in _SHOWN
    ]
    over = {(row["segment"], row["metric"]): row for row in result["over_single"]}
    samples = {row["segment"]: row["of"] for row in result["samples"]}
    rows: list[list[object]] = []
    for segment in dict.fromkeys(segment for segment, _, _ in found):
        customers = f"{found[segment, OURS, metrics[0]]['n']:,}"
        if segment in samples:
            customers += f" of {samples[segment]:,}"
        for method in dict.fromkeys(method for of, method, _ in found if of == segment):
            figures = [_figure(found.get((segment, method, metric))) for metric in metrics]
            rows.append([segment, customers, method, *figures])
        gains = [_gain(ahead.get((segment, metric))) for metric in metrics]
        rows.append(["", None, "our lead", *gains])
        gains = [_gain(over.get((segment, metric))) for metric in metrics]
        rows.append(["", None, f"over {result['single']['model']} alone", *gains])
    tests = result["windows"]["test"]
    title = f"Bought from {tests[0]['start'][:10]} until {tests[-1]['end'][:10]}, shown before"
    headings = ["bought on", "customers", "method", *metrics]
    output().print(table(headings, rows, title))
    _say_verdicts(result)
    _show_discovery(result["discovery"])
    ago = max((one["trainings_ago"] for one in result["peers"].values()), default=0)
    if ago:
        kept = f"Baselines with the settings of {counted(ago, 'training')} ago;"
        messages().print(f"{kept} --fresh tunes them now.", markup=False)
    if result["left_out"]:
        left_out = ", ".join(result["left_out"])
        messages().print(f"Not measured beside, by [train] peers: {left_out}.", markup=False)


def _show_discovery(found: list[dict[str, Any]]) -> None:
    from training.train.report.discovery import HEADS, rows

    if found:
        title = "New to known customers, on the validation window"
        output().print(table(HEADS, rows(found), title))


def _say_verdicts(result: dict[str, Any]) -> None:
    """Say the findings that a table of figures hides."""
    from training.train.report.words import Results, against_others, against_single

    found = Results(result)
    for one in (*against_others(found), *against_single(found, result["single"]["model"])):
        output().print(one.text, markup=False, soft_wrap=True)


def _figure(row: dict[str, Any] | None) -> str | None:
    return None if row is None else f"{row['value']:.4f}"


def _gain(row: dict[str, Any] | None) -> str | None:
    if row is None:
        return None
    level = " level" if row["low"] <= 0 <= row["high"] else ""
    return f"{row['value']:+.4f} ±{(row['high'] - row['low']) / 2:.4f}{level}"
