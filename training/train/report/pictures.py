"""The pictures of the report, each with its title and caption.

In: the result of a training, and the orders of its history. Out: SVG pictures as ``Picture``.
Called by ``page``.
"""

from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from recsys.evaluation import ALL_CUSTOMERS, OURS, recall_by_source
from training.train.report import curves, names, sales
from training.train.report.bars import bars, pairs
from training.train.report.words import Results

#: Maximum number of steps drawn; the shortest are left out.
_STEPS: Final = 12
#: Number of features shown, the most important first.
_FEATURES: Final = 14

#: Title of each blend, by its name in the run record.
_WEIGHTS: Final = {
    "plain_bought_before": "Weights for what was bought before",
    "plain_new": "Weights for what is new",
    "plain_stranger": "Weights for strangers",
    "cart_bought_before": "Weights beside a cart, for what was bought before",
    "cart_new": "Weights beside a cart, for what is new",
    "cart_stranger": "Weights beside a stranger's cart",
}


@dataclass(frozen=True)
class Picture:
    """A picture with its title and caption.

    Attributes
    ----------
    title, caption : str
    svg : Markup
    wide : bool
        Whether it takes the full width of the page.
    """

    title: str
    caption: str
    svg: Markup
    wide: bool = False


def _compare_methods(
    results: Results, metric: str, segment: str, name: str, title: str, caption: str
) -> Picture:
    """Draw a metric as one bar per method that has it."""
    rows = [
        (method, row)
        for method in results.methods
        if (row := results.row(metric, method, segment)) is not None
    ]
    svg = bars(
        name,
        f"{title}: {', '.join(names.method(method) for method, _ in rows)}",
        [names.method(method) for method, _ in rows],
        [row["value"] for _, row in rows],
        written=[names.figure(metric, row["value"]) for _, row in rows],
        intervals=[None if row["low"] is None else (row["low"], row["high"]) for _, row in rows],
        ours=next((at for at, (method, _) in enumerate(rows) if method == OURS), None),
    )
    return Picture(title, caption, _svg(svg))


def comparisons(results: Results) -> list[Picture]:
    """Draw the NDCG of all methods, one picture per segment."""
    return [
        _compare_methods(
            results,
            "ndcg",
            segment,
            f"ndcg-{number}",
            f"NDCG@{results.k}, bought {names.segment(segment)}",
            results.customers(segment),
        )
        for number, segment in enumerate(results.segments)
    ]


def more_metrics(results: Results) -> list[Picture]:
    """Draw the other metrics of all methods, for all customers."""
    metric_rows = (
        ("new_ndcg", "New products", "What a customer had never bought, ranked among its like"),
        (
            "repeat_ndcg",
            "Bought before",
            "What a customer had bought before, ranked among its like",
        ),
        ("coverage", "Coverage", "Share of the catalogue that somebody is shown"),
        ("popularity", "Popularity", "Customers who had bought what is shown, on average"),
        ("novelty", "Novelty", "Bits; one more whenever half as many customers know it"),
        ("repeat_share", "Shown again", "Share of what is shown that its customer had bought"),
    )
    return [
        _compare_methods(
            results,
            metric,
            ALL_CUSTOMERS,
            f"kind-{metric}",
            f"{title}: NDCG@{results.k}" if metric.endswith("ndcg") else title,
            caption,
        )
        for metric, title, caption in metric_rows
        if results.row(metric) is not None
    ]


def learned_parts(result: dict[str, Any]) -> list[Picture]:
    """Draw calibration, candidates, feature importance and the weights of the blends."""
    drawn = []
    reliability = result["reliability"]
    if reliability["bins"]:
        caption = (
            f"Chances of what is shown first, and how much of it was bought. Expected calibration "
            f"error: {100 * reliability['error']:.2f} percentage points"
        )
        drawn_chances = _svg(curves.chances(reliability))
        drawn.append(Picture("Chance of purchase", caption, drawn_chances))
    drawn += [*_candidate_recall(result["origins"]), *_feature_importance(result["importance"])]
    for blend, title in _WEIGHTS.items():
        weights = {name: weight for name, weight in result["weights"][blend].items() if weight}
        svg = bars(
            f"weights-{blend}",
            title,
            [name.replace("_", " ") for name in weights],
            list(weights.values()),
            written=[f"{value:.2f}" for value in weights.values()],
            ours=None,
        )
        caption = "What each model's evidence counts, as learned on the validation windows"
        drawn.append(Picture(title, caption, _svg(svg)))
    return drawn


def _candidate_recall(origins: list[dict[str, Any]]) -> list[Picture]:
    """Draw the recall of each model's candidates, and what each model adds to it."""
    if not origins:
        return []
    models = [
        one
        for one in origins
        if one["source"] not in (recall_by_source.ALL_MODELS, recall_by_source.SEEN_BY_TREES)
    ]
    many = ", ".join(
        f"{one['candidates']:.0f} {one['source']}" for one in origins if one not in models
    )
    legend = ("of all that was bought", "of what was new")
    recall_rows = (
        (
            "origins",
            "Who names it",
            origins,
            ("recall", "new_recall"),
            "Share of what was bought that each model names among its candidates: what none of "
            f"them names cannot be shown. Candidates of one customer, on average: {many}",
        ),
        (
            "added",
            "What it adds",
            models,
            ("alone", "new_alone"),
            "Share of what was bought that this model names and no other",
        ),
    )
    return [
        Picture(
            title,
            caption,
            _svg(
                pairs(
                    name,
                    f"{title}: {', '.join(one['source'] for one in rows)}",
                    [one["source"].replace("_", " ") for one in rows],
                    *([one[share] or 0.0 for one in rows] for share in shares),
                    legend=legend,
                    axis="%",
                )
            ),
        )
        for name, title, rows, shares, caption in recall_rows
    ]


def _feature_importance(weights: list[dict[str, Any]]) -> list[Picture]:
    """Draw the importance of the trees' features, by group and one by one."""
    groups: dict[str, float] = {}
    for one in weights:
        groups[one["group"]] = groups.get(one["group"], 0.0) + one["share"]
    by_group = sorted(groups.items(), key=lambda pair: -pair[1])
    single = [(one["name"], one["share"]) for one in weights[:_FEATURES]]
    importance_rows = (
        (
            "groups",
            "What trees look at",
            by_group,
            "How far trees move candidates apart, by what their features are about: shares of all",
        ),
        ("features", "Features that weigh most", single, "The same of single features"),
    )
    return [
        Picture(
            title,
            caption,
            _svg(
                bars(
                    name,
                    title,
                    [label.replace("_", " ") for label, _ in rows],
                    [100 * share for _, share in rows],
                    written=[f"{100 * share:.1f}%" for _, share in rows],
                    ours=None,
                    axis="%",
                )
            ),
        )
        for name, title, rows, caption in importance_rows
        if rows
    ]


def timeline(result: dict[str, Any], sold: sales.Sold) -> list[Picture]:
    """Draw the orders per day and the windows; nothing if there are no orders."""
    starts, orders = sold
    if not len(starts):
        return []
    svg = curves.timeline(starts.tolist(), orders, result["windows"])
    caption = (
        "Learned is only from what lies before a window. Weights and peers' settings are chosen on "
        "the first, and judged on the second, which nothing has seen before"
    )
    return [Picture("Orders a day", caption, _svg(svg), wide=True)]


def step_times(result: dict[str, Any]) -> list[Picture]:
    """Draw the seconds of the longest steps."""
    steps = {name: taken for name, taken in result["seconds"].items() if name != "total"}
    longest = sorted(steps, key=lambda name: -steps[name])[:_STEPS]
    shown = [name for name in steps if name in longest]
    svg = bars(
        "seconds",
        "Seconds of each step",
        [name.replace("_", " ") for name in shown],
        [steps[name] for name in shown],
        written=[f"{steps[name]:.1f} s" for name in shown],
        ours=None,
    )
    total = sum(steps.values())
    caption = f"{total:.0f} seconds together, {result['peak_mb']:,} MiB of memory at most"
    return [Picture("Seconds", caption, _svg(svg))]


def _svg(svg: str) -> Markup:
    return Markup(svg)  # noqa: S704 - drawn by this package, which escapes its texts
