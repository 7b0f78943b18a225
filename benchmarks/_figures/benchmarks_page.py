"""Tables of docs/benchmarks.md whose figures are not times.

Results come in, Markdown comes out. Called by ``documents``.
"""

from typing import Final

from benchmarks._figures.markdown import (
    bold,
    count,
    interval,
    plus_minus,
    share,
    signed,
    table,
)
from benchmarks._figures.readme import JOURNEY, SORTED_RULES, UCI
from benchmarks._figures.results import Read, Results
from benchmarks._report import OURS
from recsys.config import PlacementSettings

#: What shops are called in long tables.
SHOPS: Final = {JOURNEY: "Complete Journey", UCI: "UCI Online Retail II"}
_RULES: Final = ("mlxtend", "rusket")
_PLANTED_BY: Final = {
    OURS: "omnibasket",
    "oracle": "*oracle*",
    "rusket": "rusket, lift above 1",
    f"{SORTED_RULES}lift": "… first by lift",
    f"{SORTED_RULES}zhang": "… by Zhang's metric",
    f"{SORTED_RULES}confidence": "… by confidence",
    f"{SORTED_RULES}leverage": "… by leverage",
}
_BANDS: Final = ("plain", "faint", "hidden")
#: The default, and what it is compared with.
_STRENGTHS: Final = (0.0, 0.2, 0.3, 1.0)
_DEFAULT: Final = 0.2
_DIVERSITY_HEADING: Final = (
    "`diversity`",
    "NDCG@10",
    "difference",
    "coverage",
    "alike",
    "new NDCG@10",
    "difference",
    "new, alike",
)


def accuracy_of(read: Read, task: str, metrics: tuple[str, ...]) -> str:
    """All methods of a task of ``accuracy``, the best first, and our lead."""
    found = read("accuracy")
    methods = sorted(
        found.methods(task, metrics[0]), key=lambda method: -found.value(task, method, metrics[0])
    )
    rows = [
        (
            method,
            *(
                plus_minus(found.figure(task, method, metric), 4)
                if found.has(task, method, metric)
                else ""
                for metric in metrics
            ),
        )
        for method in methods
    ]
    leads = (found.figure(task, OURS, f"lead_{metric}") for metric in metrics)
    lead_cells = (f"{signed(lead.value)} ± {share(lead.half_width, 4)}" for lead in leads)
    rows.append(("*our lead over the best*", *lead_cells))
    return table(("method", *metrics), rows)


def customers(read: Read, task: str, metric: str) -> str:
    """Customers behind a table of ``accuracy_of``."""
    return count(read("accuracy").figure(task, OURS, metric).n)


def shuffled(read: Read) -> str:
    """What is reported in shuffled baskets."""
    found = read("bundles")
    rows = []
    for task, label in SHOPS.items():
        for method in (OURS, *_RULES):
            if not found.has(task, method, "false_discovery_rate"):
                continue
            rate = found.figure(task, method, "false_discovery_rate")
            kinds = ("pairs", "sets", "after")
            rows.append(
                (
                    label if method == OURS else "",
                    method,
                    interval(rate) if method == OURS else share(rate.value),
                    *(_share(found, task, method, f"false_discovery_rate_{k}") for k in kinds),
                    _mean(found.value(task, method, "false_pairs")),
                )
            )
    heading = (
        "",
        "method",
        "false discovery rate",
        "pairs",
        "sets",
        "after",
        "false pairs reported",
    )
    return table(heading, rows)


def planted(read: Read) -> str:
    """Planted pairs that are found."""
    found = read("bundles")
    rows = []
    for task, label in SHOPS.items():
        lines = [(f"{task}, planted", method, text) for method, text in _PLANTED_BY.items()]
        lines.append((f"{task}, planted after", OURS, "omnibasket, after"))
        for at, method, text in lines:
            whole = found.figure(at, method, "found_share")
            reported = found.has(at, method, "reported")
            rows.append(
                (
                    label if (at, method) == (f"{task}, planted", OURS) else "",
                    text,
                    interval(whole) if method in (OURS, "oracle") else share(whole.value),
                    count(whole.n),
                    *(_share(found, at, method, f"found_share_{band}") for band in _BANDS),
                    count(found.value(at, method, "reported")) if reported else "",
                    share(found.value(at, method, "false_discovery_rate")) if reported else "",
                )
            )
    heading = ("", "method", "found", "of", *_BANDS, "reported", "of it false")
    return table(heading, rows)


def lasting(read: Read) -> str:
    """Pairs of the first half that hold in the second."""
    found = read("bundles")
    kinds = ("persistence", "strict_persistence", "sold_persistence")
    rows = []
    for shop, label in SHOPS.items():
        for task, name in ((shop, label), (f"{shop}, no variants", f"{label}, no variants")):
            lengths = sorted(
                int(metric.removeprefix("persistence@"))
                for metric in found.metrics(task, OURS)
                if metric.startswith("persistence@")
            )
            for length in lengths:
                cells = (
                    _share(found, task, method, f"{kind}@{length}")
                    for kind in kinds
                    for method in (OURS, "rusket")
                )
                rows.append((name if length == lengths[0] else "", count(length), *cells))
    heading = ("", "pairs", "holds", "rusket", "strict", "rusket", "sold", "rusket")
    return table(heading, rows)


def diversity(read: Read) -> str:
    """What diversity costs on the validation window."""
    found = read("diversity")
    labels = {"demo": "demo", UCI: SHOPS[UCI]}
    rows = []
    for task, label in labels.items():
        n = count(found.figure(task, "diversity 0", "ndcg@10").n)
        for strength in _STRENGTHS:
            first = f"{label}, {n} customers" if strength == 0 else ""
            rows.append((first, *_diversity_cells(found, task, strength)))
    return table(("task", *_DIVERSITY_HEADING), rows)


def diversity_test(read: Read) -> str:
    """What the default diversity costs on UCI's test window."""
    found = read("diversity_test")
    rows = [_diversity_cells(found, UCI, strength) for strength in (0.0, _DEFAULT)]
    return table(_DIVERSITY_HEADING, rows)


def _diversity_cells(found: Results, task: str, strength: float) -> tuple[str, ...]:
    def value(metric: str) -> str:
        digits = 4 if "ndcg" in metric else 3
        return share(found.value(task, f"diversity {strength:g}", metric), digits)

    def gain(metric: str) -> str:
        if strength == 0:
            return ""
        figure = found.figure(task, f"diversity {strength:g}", metric)
        return f"{signed(figure.value)} ± {share(figure.half_width, 4)}"

    return (
        bold(f"{strength:g}", strength == _DEFAULT),
        value("ndcg@10"),
        gain("gain"),
        value("coverage@10"),
        value("alike@10"),
        value("new_ndcg@10"),
        gain("new_gain"),
        value("new_alike@10"),
    )


def just_bought(read: Read) -> str:
    """What hiding until due costs."""
    found = read("just_bought")
    rows = []
    for task, label in {"demo": "demo", UCI: SHOPS[UCI]}.items():
        methods = found.methods(task, "ndcg@10")
        for method in methods:
            setting = method.removeprefix("until due ")
            gain = found.figure(task, method, "gain")
            rows.append(
                (
                    f"{label}, {count(gain.n)} customers" if method == methods[0] else "",
                    bold(setting, float(setting) == PlacementSettings(channel="").hide_until_due),
                    share(found.value(task, method, "ndcg@10"), 4),
                    ""
                    if method == methods[0]
                    else f"{signed(gain.value)} ± {share(gain.half_width, 4)}",
                    f"{found.value(task, method, 'hidden@10'):.1f}",
                )
            )
    return table(("task", "`hide_until_due`", "NDCG@10", "difference", "products hidden"), rows)


def _share(found: Results, task: str, method: str, metric: str) -> str:
    """Write a share, or nothing where it was not measured."""
    return share(found.value(task, method, metric)) if found.has(task, method, metric) else ""


def _mean(number: float) -> str:
    """Write a mean number of things, with its fraction where it is small."""
    return count(number) if number >= 10 or number == round(number) else share(number, 2)
