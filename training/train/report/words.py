"""The result of a training in sentences, the most important first.

What ``train`` found comes in; short sentences with their verdict come out. Called by ``page``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from recsys.evaluation import ALL_CUSTOMERS, OURS
from training.train.report import discovery, names

Verdict = Literal["ahead", "behind", "level", "note"]

#: Chances that are further off than this are worth a warning.
_FAR_OFF: Final = 0.05


@dataclass(frozen=True)
class Sentence:
    """One finding.

    Attributes
    ----------
    verdict : str
        ``ahead`` or ``behind``; ``level``, where the interval holds zero; ``note``: no comparison.
    text : str
    """

    verdict: Verdict
    text: str


class Results:
    """Figures by segment, method and metric.

    Parameters
    ----------
    result : dict
        What ``train`` found.
    """

    def __init__(self, result: dict[str, Any]) -> None:
        self.rows = {
            (row["segment"], row["method"], row["metric"]): row for row in result["figures"]
        }
        self.ahead = {(row["segment"], row["metric"]): row for row in result["differences"]}
        self.over = {(row["segment"], row["metric"]): row for row in result["over_single"]}
        self.samples = {row["segment"]: row for row in result["samples"]}
        metrics = dict.fromkeys(metric for _, _, metric in self.rows)
        self.k = int(next(metric for metric in metrics if "@" in metric).split("@")[1])
        self.segments = list(dict.fromkeys(segment for segment, _, _ in self.rows))
        self.methods = list(dict.fromkeys(method for _, method, _ in self.rows))

    def value(self, metric: str, method: str = OURS, segment: str = ALL_CUSTOMERS) -> float | None:
        """One figure; None where it was not measured."""
        row = self.rows.get((segment, method, f"{metric}@{self.k}"))
        return None if row is None else row["value"]

    def row(
        self, metric: str, method: str = OURS, segment: str = ALL_CUSTOMERS
    ) -> dict[str, Any] | None:
        """One figure with its interval."""
        return self.rows.get((segment, method, f"{metric}@{self.k}"))

    def lead(self, metric: str, segment: str = ALL_CUSTOMERS) -> dict[str, Any] | None:
        """Our difference to the best other method."""
        return self.ahead.get((segment, f"{metric}@{self.k}"))

    def over_single(self, metric: str, segment: str = ALL_CUSTOMERS) -> dict[str, Any] | None:
        """Our difference to our best model alone."""
        return self.over.get((segment, f"{metric}@{self.k}"))

    def customers(self, segment: str = ALL_CUSTOMERS) -> str:
        """Say how many customers were judged, and of how many they are a sample."""
        row = self.row("ndcg", OURS, segment)
        count = f"{row['n'] if row else 0:,} customers"
        sample = self.samples.get(segment)
        return f"{count}, {drawn(sample)}" if sample else count


def drawn(sample: dict[str, Any]) -> str:
    """Say of how many a sample was drawn, whichever windows they are of."""
    return f"a sample of {sample['of']:,}"


def verdict_of(lead: dict[str, Any]) -> Verdict:
    """Whether an interval of a difference lies on one side of zero."""
    return "ahead" if lead["low"] > 0 else "behind" if lead["high"] < 0 else "level"


def summary(result: dict[str, Any]) -> list[Sentence]:
    """Say what was found.

    Parameters
    ----------
    result : dict
        As ``train --json`` prints it.
    """
    results = Results(result)
    return [
        *against_others(results),
        *against_single(results, result["single"]["model"]),
        *_in_customers(results),
        *_by_channel(results),
        *_chances(result),
        *_breadth(results),
        *_discovery(result),
        *_caveats(result),
    ]


#: What lists are about, by the metric of it.
_ABOUT: Final = (
    ("ndcg", "Overall"),
    ("new_ndcg", "For products that are new to the customer"),
    ("repeat_ndcg", "For products that the customer had bought before"),
)


def against_others(results: Results) -> Iterator[Sentence]:
    """Say how our lists compare with the best ones of others."""
    for metric, what in _ABOUT:
        lead = results.lead(metric)
        if lead is not None:
            yield Sentence(verdict_of(lead), f"{what}: {_compared(results, lead, metric)}.")


def against_single(results: Results, model: str) -> Iterator[Sentence]:
    """Say what all models together add to the best of them alone."""
    parts, verdicts = [], []
    for metric, what in _ABOUT[:2]:
        lead = results.over_single(metric)
        if lead is not None:
            verdicts.append(verdict_of(lead))
            where = "" if metric == "ndcg" else f"{what[0].lower()}{what[1:]}, "
            parts.append(f"{where}{_compared(results, lead, metric, other='it')}")
    if parts:
        text = f"Beside our own best model alone, {model.replace('_', ' ')}: {'; '.join(parts)}."
        yield Sentence(verdicts[0], text)


def _compared(
    results: Results,
    lead: dict[str, Any],
    metric: str,
    segment: str = ALL_CUSTOMERS,
    other: str = "",
) -> str:
    other = other or names.method(lead["other"])
    theirs = results.value(metric, lead["other"], segment)
    share = f", {100 * lead['value'] / theirs:+.1f}%" if theirs else ""
    interval = f"{lead['value']:+.4f} NDCG@{results.k}{share}, 95% interval {_interval(lead)}"
    verdict = verdict_of(lead)
    than = {"ahead": "ahead of", "level": "level with"}.get(verdict, verdict)
    return f"{than} {other} ({interval})"


def _interval(row: dict[str, Any]) -> str:
    return f"{row['low']:+.4f} to {row['high']:+.4f}"


def _in_customers(results: Results) -> Iterator[Sentence]:
    ours, lead = results.value("hr"), results.lead("hr")
    if ours is None:
        return
    text = f"Of 100 customers who came back, {100 * ours:.0f} bought at least one of the "
    text += f"{results.k} products that they would have been shown"
    if lead is not None:
        theirs = results.value("hr", lead["other"]) or 0.0
        text += f"; with {names.method(lead['other'])}, {100 * theirs:.0f}"
    new, new_lead = results.value("new_hr"), results.lead("new_hr")
    if new is not None:
        text += f". One of {results.k} products that were new to them: {100 * new:.1f}"
        if new_lead is not None:
            theirs = results.value("new_hr", new_lead["other"]) or 0.0
            text += f"; with {names.method(new_lead['other'])}, {100 * theirs:.1f}"
    yield Sentence("note", text + ".")


def _by_channel(results: Results) -> Iterator[Sentence]:
    for segment in results.segments:
        lead = results.lead("ndcg", segment)
        if segment != ALL_CUSTOMERS and lead is not None:
            comparison = _compared(results, lead, "ndcg", segment)
            where = f"Bought {names.segment(segment)}"
            if segment in results.samples:
                where += f" ({results.customers(segment)})"
            yield Sentence(verdict_of(lead), f"{where}: {comparison}.")


def _chances(result: dict[str, Any]) -> Iterator[Sentence]:
    reliability = result["reliability"]
    if not reliability["bins"]:
        return
    off = 100 * reliability["error"]
    text = (
        f"Predicted chances are off by {off:.1f} percentage points on average: predicted "
        f"{100 * reliability['told']:.1f}%, observed {100 * reliability['happened']:.1f}%."
    )
    if reliability["error"] > _FAR_OFF:
        text += " That is much: the time of the test differs from the time before it."
    yield Sentence("note", text)


def _breadth(results: Results) -> Iterator[Sentence]:
    coverage, popularity = results.value("coverage"), results.value("popularity")
    again = results.value("repeat_share")
    if coverage is None or popularity is None or again is None:
        return
    text = f"{100 * coverage:.1f}% of the catalogue is shown to somebody"
    theirs = results.value("coverage", "popular")
    if theirs is not None:
        text += f" ({100 * theirs:.2f}% where everybody sees what is most popular)"
    yield Sentence(
        "note",
        f"{text}; what is shown had been bought by {100 * popularity:.1f}% of customers on "
        f"average, and {100 * again:.0f}% of it by the customer who sees it.",
    )


def _discovery(result: dict[str, Any]) -> Iterator[Sentence]:
    """Say of the placements that show a share of new products what it costs."""
    for one in result["discovery"]:
        if one["new_share"]:
            yield Sentence("note", discovery.sentence(one))


def _caveats(result: dict[str, Any]) -> Iterator[Sentence]:
    if result["note"]:
        yield Sentence("note", result["note"])
    if result["left_out"]:
        left_out = ", ".join(names.method(name) for name in result["left_out"])
        yield Sentence("note", f"Not measured beside, by [train] peers: {left_out}.")
