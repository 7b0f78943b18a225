"""Whether a version may become current: not if it is worse than the one it would replace.

The manifests of both and ``[publish]`` come in; out come their figures side by side, and why the
new one is refused. Called by training, by the command line, and by whoever promotes.

Two versions that were judged on the same orders are compared as they are. Otherwise the windows
differ, and a window in which customers buy what they always buy is easy for everybody: then each
version's lead over the same simple method in its own window is compared, and the drop that is
allowed is widened by how much such figures sway.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import hypot, isnan
from typing import Any, Final

from recsys.artefacts.artefact_format import Manifest
from recsys.config import PublishSettings, unknown_name
from recsys.errors import ConfigError

OURS: Final = "omnibasket"
#: Methods whose figures say how easy a window was; the first that both versions have.
PEERS: Final = ("own_frequency", "popular")

#: Of figures: segment, method, metric.
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Comparison:
    """One figure of two versions.

    Attributes
    ----------
    segment, metric : str
    new, old : float or None
        As measured, each in its own window; None where it was not measured.
    beside : str or None
        The method by whose figures both were divided, because the windows differ.
    change : float or None
        How much better the new one is, as a share of the old one; None: not comparable.
    margin : float or None
        By how much it may be worse, as a share; None where nothing guards it.
    sway : float
        Added to the margin: the 95% interval of the change, where the windows differ.
    """

    segment: str
    metric: str
    new: float | None
    old: float | None
    beside: str | None
    change: float | None
    margin: float | None
    sway: float = 0.0

    @property
    def worse(self) -> bool:
        """Whether it is worse by more than is allowed."""
        if self.margin is None:
            return False
        if self.new is None:
            return self.old is not None
        return self.change is not None and self.change < -(self.margin + self.sway)

    def __str__(self) -> str:
        what = f"{self.metric} ({self.segment})"
        if self.new is None or self.change is None:
            return f"{what} was not measured"
        relative = f" beside {self.beside}'s" if self.beside else ""
        allowed = f"{self.margin or 0:.1%}"
        if self.sway:
            allowed += f" and {self.sway:.1%} for the different windows"
        return (
            f"{what} is worse by {-self.change:.1%}{relative}: {self.new:.4f} after "
            f"{self.old or 0:.4f}, and [publish] guard allows {allowed}"
        )


@dataclass(frozen=True)
class GateDecision:
    """What the gate says.

    Attributes
    ----------
    refusals : list of str
        Why the version may not become current; empty: it may.
    how : str
        On what the two were compared, in words.
    comparisons : list of Comparison
        Guarded figures first.
    """

    refusals: list[str]
    how: str
    comparisons: list[Comparison]


def check_gate(new: Manifest, old: Manifest | None, publish: PublishSettings) -> GateDecision:
    """Say whether a version may take the place of another.

    Parameters
    ----------
    new : Manifest
        The version that would become current.
    old : Manifest or None
        The one that is; None: none is, or it cannot be read.
    publish : PublishSettings

    Returns
    -------
    GateDecision

    Raises
    ------
    ConfigError
        When ``[publish] guard`` names a metric that nobody measures.
    """
    _check_names(new, publish)
    refusals = [
        f"its data check failed: {check['message']}"
        for check in new.details.get("checks", [])
        if check.get("level") == "failed"
    ]
    if old is None:
        return GateDecision(refusals, "There is no current version to compare with.", [])
    compared = compare_versions(new, old, publish)
    refusals += [str(comparison) for comparison in compared if comparison.worse]
    return GateDecision(refusals, comparison_in_words(new, old), compared)


def compare_versions(new: Manifest, old: Manifest, publish: PublishSettings) -> list[Comparison]:
    """Put the figures of two versions side by side, guarded ones first.

    Parameters
    ----------
    new : Manifest
        The version that would become current.
    old : Manifest
        The one that is.
    publish : PublishSettings
        ``guard`` and ``segments`` say which figures are guarded, and how much worse they may be.

    Returns
    -------
    list of Comparison
        One for each segment and metric of which either version has a figure of ``OURS``.
    """
    theirs, before = _figures(new), _figures(old)
    direct = same_window(new, old)
    comparisons = []
    ours = {
        (segment, metric): None for segment, method, metric in [*theirs, *before] if method == OURS
    }
    for segment, metric in ours:
        guarded = segment in publish.segments and metric in publish.guard
        margin = publish.guard[metric] if guarded else None
        comparisons.append(_compared(segment, metric, theirs, before, margin, direct))
    return sorted(comparisons, key=lambda comparison: comparison.margin is None)


def same_window(new: Manifest, old: Manifest) -> bool:
    """Whether two versions were judged on the same orders."""
    windows = [[m.details.get(name) for name in ("test", "windows")] for m in (new, old)]
    return new.fingerprint == old.fingerprint and windows[0] == windows[1]


def comparison_in_words(new: Manifest, old: Manifest) -> str:
    """Say in words how two versions are compared.

    Parameters
    ----------
    new : Manifest
        The version that would become current.
    old : Manifest
        The one that is.

    Returns
    -------
    str
        A sentence with the dates between which each was judged.
    """
    windows = [
        f"{test.get('start', '?')[:10]} until {test.get('end', '?')[:10]}"
        for test in (manifest.details.get("test", {}) for manifest in (new, old))
    ]
    if same_window(new, old):
        return f"Both were judged on the same orders, {windows[0]}, and are compared directly."
    if windows[0] == windows[1]:
        differ = f"Both were judged on {windows[0]}, of different histories"
    else:
        differ = f"They were judged on {windows[0]} and on {windows[1]}"
    return f"{differ}: compared is each one's lead over the same simple method in its own window."


def _compared(
    segment: str,
    metric: str,
    new: Mapping[Key, Mapping[str, Any]],
    old: Mapping[Key, Mapping[str, Any]],
    margin: float | None,
    direct: bool,
) -> Comparison:
    key = (segment, OURS, metric)
    values = [_value(figures, key) for figures in (new, old)]
    mine, theirs = values
    if mine is None or theirs is None:
        return Comparison(segment, metric, mine, theirs, None, None, margin)
    baseline, sway = None, 0.0
    if not direct:
        baseline = next(
            (p for p in PEERS if all(_value(f, (segment, p, metric)) for f in (new, old))), None
        )
        if baseline is None:
            return Comparison(segment, metric, mine, theirs, None, None, margin)
        mine /= _value(new, (segment, baseline, metric)) or 1
        theirs /= _value(old, (segment, baseline, metric)) or 1
        sway = hypot(_half_width(new[key]), _half_width(old[key]))
    change = mine / theirs - 1 if theirs else None
    return Comparison(segment, metric, values[0], values[1], baseline, change, margin, sway)


def _figures(manifest: Manifest) -> dict[Key, Mapping[str, Any]]:
    return {
        (row["segment"], row["method"], row["metric"]): row
        for row in manifest.metrics.get("figures", [])
    }


def _value(figures: Mapping[Key, Mapping[str, Any]], key: Key) -> float | None:
    value = figures.get(key, {}).get("value")
    return None if value is None or isnan(value) else float(value)


def _half_width(figure: Mapping[str, Any]) -> float:
    """Half of a figure's 95% interval, as a share of it."""
    low, high, value = (figure.get(name) for name in ("low", "high", "value"))
    if low is None or high is None or not value:
        return 0.0
    return float((high - low) / 2 / value)


def _check_names(manifest: Manifest, publish: PublishSettings) -> None:
    figures = _figures(manifest)
    known = sorted({metric for _, method, metric in figures if method == OURS})
    # Of new products nothing is measured where nobody bought one.
    possible = {*known, *(f"new_{metric}" for metric in known)}
    for metric in publish.guard if known else ():
        if metric not in possible:
            raise ConfigError(f"publish.guard: {unknown_name(metric, known, 'metric ')}")
