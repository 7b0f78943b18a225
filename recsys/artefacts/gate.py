"""Decides whether a version may become current: not if it is worse than the one it replaces.

In: the manifests of both and ``[publish]``. Out: their figures side by side, and the reasons to
refuse the new one. Called by training and the command line.

Two versions evaluated on the same orders are compared directly. If the windows differ, they may
differ in difficulty: a window of routine purchases is easy for every method. Then each version's
lead over the same simple method in its own window is compared, and the allowed drop is widened by
the uncertainty of such figures.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import hypot, isnan
from typing import Any, Final

from recsys.artefacts.artefact_format import Manifest
from recsys.config import PublishSettings, unknown_name
from recsys.errors import ConfigError

OURS: Final = "omnibasket"
#: Methods whose figures measure a window's difficulty; the first that both versions have is used.
PEERS: Final = ("own_frequency", "popular")

#: Key of a figure: segment, method, metric.
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Comparison:
    """One figure of two versions.

    Attributes
    ----------
    segment, metric : str
    new, old : float or None
        As measured, each in its own window; None if not measured.
    beside : str or None
        The method by whose figures both are divided if the windows differ.
    change : float or None
        Relative improvement of the new one over the old one; None if not comparable.
    margin : float or None
        Allowed relative drop; None if the figure is not guarded.
    sway : float
        Added to the margin if the windows differ: the 95% interval of the change.
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
        """Whether it is worse by more than allowed."""
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
    """The decision of the gate.

    Attributes
    ----------
    refusals : list of str
        Why the version may not become current; empty if it may.
    how : str
        A sentence on the basis of the comparison.
    comparisons : list of Comparison
        Guarded figures first.
    """

    refusals: list[str]
    how: str
    comparisons: list[Comparison]


def check_gate(new: Manifest, old: Manifest | None, publish: PublishSettings) -> GateDecision:
    """Decide whether a version may replace another.

    Parameters
    ----------
    new : Manifest
        The version that would become current.
    old : Manifest or None
        The current version; None if there is none, or it cannot be read.
    publish : PublishSettings

    Returns
    -------
    GateDecision

    Raises
    ------
    ConfigError
        When ``[publish] guard`` names an unknown metric.
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
    """Compare the figures of two versions, guarded ones first.

    Parameters
    ----------
    new : Manifest
        The version that would become current.
    old : Manifest
        The current version.
    publish : PublishSettings
        ``guard`` and ``segments`` list the guarded figures and their allowed drop.

    Returns
    -------
    list of Comparison
        One for each segment and metric with a figure of ``OURS`` in either version.
    """
    new_figures, before = _figures(new), _figures(old)
    direct = same_window(new, old)
    comparisons = []
    keys = {
        (segment, metric): None
        for segment, method, metric in [*new_figures, *before]
        if method == OURS
    }
    for segment, metric in keys:
        guarded = segment in publish.segments and metric in publish.guard
        margin = publish.guard[metric] if guarded else None
        comparisons.append(_compared(segment, metric, new_figures, before, margin, direct))
    return sorted(comparisons, key=lambda comparison: comparison.margin is None)


def same_window(new: Manifest, old: Manifest) -> bool:
    """Return whether two versions were evaluated on the same orders."""
    windows = [[m.details.get(name) for name in ("test", "windows")] for m in (new, old)]
    return new.fingerprint == old.fingerprint and windows[0] == windows[1]


def comparison_in_words(new: Manifest, old: Manifest) -> str:
    """Describe how two versions are compared.

    Parameters
    ----------
    new : Manifest
        The version that would become current.
    old : Manifest
        The current version.

    Returns
    -------
    str
        A sentence with the test period of each.
    """
    windows = [
        f"{test.get('start', '?')[:10]} until {test.get('end', '?')[:10]}"
        for test in (manifest.details.get("test", {}) for manifest in (new, old))
    ]
    if same_window(new, old):
        return f"Both were evaluated on the same orders, {windows[0]}, and are compared directly."
    if windows[0] == windows[1]:
        differ = f"Both were evaluated on {windows[0]}, on different histories"
    else:
        differ = f"They were evaluated on {windows[0]} and on {windows[1]}"
    return f"{differ}; each one's lead over the same simple method is compared."


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
    new_value, old_value = values
    if new_value is None or old_value is None:
        return Comparison(segment, metric, new_value, old_value, None, None, margin)
    baseline, sway = None, 0.0
    if not direct:
        baseline = next(
            (p for p in PEERS if all(_value(f, (segment, p, metric)) for f in (new, old))), None
        )
        if baseline is None:
            return Comparison(segment, metric, new_value, old_value, None, None, margin)
        new_value /= _value(new, (segment, baseline, metric)) or 1
        old_value /= _value(old, (segment, baseline, metric)) or 1
        sway = hypot(_half_width(new[key]), _half_width(old[key]))
    change = new_value / old_value - 1 if old_value else None
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
    """Return half of a figure's 95% interval, relative to the figure."""
    low, high, value = (figure.get(name) for name in ("low", "high", "value"))
    if low is None or high is None or not value:
        return 0.0
    return float((high - low) / 2 / value)


def _check_names(manifest: Manifest, publish: PublishSettings) -> None:
    figures = _figures(manifest)
    known = sorted({metric for _, method, metric in figures if method == OURS})
    # If nobody bought a new product, metrics of new products are missing.
    possible = {*known, *(f"new_{metric}" for metric in known)}
    for metric in publish.guard if known else ():
        if metric not in possible:
            raise ConfigError(f"publish.guard: {unknown_name(metric, known, 'metric ')}")
