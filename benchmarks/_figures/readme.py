"""Tables of README.md whose figures are not times.

Results come in, Markdown comes out. Called by ``documents``.
"""

from typing import Final, NamedTuple

from benchmarks._figures.markdown import (
    bold,
    count,
    items,
    percent,
    plus_minus,
    share,
    table,
)
from benchmarks._figures.results import Figure, Read, Results
from benchmarks._report import OURS

JOURNEY: Final = "complete_journey"
UCI: Final = "uci_online_retail_ii"
HM: Final = "hm_week"
YOUSHU: Final = "youshu_bundles"
#: What shops are called in tables.
SHOPS: Final = {JOURNEY: "The Complete Journey", UCI: "UCI Online Retail II"}
#: What methods are called in sentences and short tables.
METHODS: Final = {
    "popular": "most popular",
    "own_frequency": "own frequency",
    "own_then_popular": "own, then popular",
    "gp_top_frequency": "GP-TopFreq",
    "tifu_knn": "TIFU-KNN",
    "up_cf": "UP-CF",
    "implicit_als": "ALS",
    "implicit_bpr": "BPR",
    "implicit_cosine": "cosine",
    "implicit_tfidf": "TF-IDF",
    "implicit_bm25": "BM25",
    "ease": "EASE",
    "rusket": "rusket",
    "lightfm": "LightFM",
}
#: Rules that are sorted by a measure, as the bundles benchmark names them.
SORTED_RULES: Final = "rusket, by "
_SORTED_BY: Final = {
    "lift": "lift",
    "confidence": "confidence",
    "leverage": "leverage",
    "zhang": "Zhang's metric",
}


class _Line(NamedTuple):
    """One line of the table of accuracy."""

    task: str
    metric: str
    label: str
    metric_label: str


_ACCURACY: Final = (
    _Line(JOURNEY, "ndcg@10", "The Complete Journey, next 28 days, {n} customers", "NDCG@10"),
    _Line(JOURNEY, "new_ndcg@10", "the same, new to the customer", "NDCG@10"),
    _Line(UCI, "ndcg@10", "UCI Online Retail II, next 28 days, {n} customers", "NDCG@10"),
    _Line(UCI, "new_ndcg@10", "the same, new to the customer", "NDCG@10"),
    _Line(HM, "ndcg@12", "H&M, the other channel within a week, {n} customers", "NDCG@12"),
    _Line("tafeng", "recall@10", "Ta-Feng, next basket, five folds, {n} customers", "Recall@10"),
    _Line("tafeng", "recall@20", "the same", "Recall@20"),
)


def accuracy(read: Read) -> str:
    """Ours beside the best other method and the most popular products, for each task."""
    found = read("accuracy")
    rows = []
    for line in _ACCURACY:
        ours = found.figure(line.task, OURS, line.metric)
        lead = found.figure(line.task, OURS, f"lead_{line.metric}")
        best = found.best_other(line.task, line.metric)
        rows.append(
            (
                line.label.format(n=count(ours.n)),
                line.metric_label,
                bold(share(ours.value), lead.low > 0),
                f"{share(found.value(line.task, best, line.metric))} {METHODS[best]}",
                share(found.value(line.task, "popular", line.metric)),
                plus_minus(lead),
            )
        )
    return table(("task", "metric", "Omnibasket", "best other", "most popular", "lead"), rows)


def one_history(read: Read) -> str:
    """One channel alone and both as one history."""
    found = read("hm_week")
    methods = {
        "one channel alone": "one_channel",
        "unified": OURS,
        "most popular, for comparison": "popular",
        "own frequency over both, for comparison": "own_frequency",
    }
    rows = []
    for label, method in methods.items():
        values = (
            share(found.value(HM, method, "ndcg@12")),
            share(found.value(HM, method, "recall@12")),
            percent(found.value(HM, method, "hr@12"), 1),
        )
        rows.append((label, *(bold(value, method == OURS) for value in values)))
    return table(("history", "NDCG@12", "recall@12", "customers with a hit"), rows)


def one_history_customers(read: Read) -> str:
    """Customers behind ``one_history``."""
    return count(read("hm_week").figure(HM, OURS, "ndcg@12").n)


def bundles(read: Read) -> str:
    """Shuffled baskets and planted pairs: ours, rules, and what can be found at all."""
    found = read("bundles")
    rows = []
    for task, label in SHOPS.items():
        ours, rules = (
            found.figure(task, method, "false_discovery_rate") for method in (OURS, "rusket")
        )
        false_pairs = count(found.value(task, "rusket", "false_pairs"))
        rows.append(
            (
                label,
                "shuffles with any report",
                bold(_of(ours), ours.value < rules.value) + _reported(found, task, ours),
                f"{_of(rules)}, {false_pairs} pairs",
                "",
            )
        )
        rows.append(("", "planted pairs found", *_planted(found, f"{task}, planted")))
    return table(("baskets", "measure", "Omnibasket", "rules, lift above 1", "oracle"), rows)


def bundles_that_last(read: Read) -> str:
    """What of the pairs lasts, and which bundle is recommended to whom."""
    found, ranked = read("bundles"), read("accuracy")
    ours, rules = (
        {
            task: percent(found.value(task, method, "strict_persistence@2000"), 1)
            for task in (JOURNEY, UCI)
        }
        for method in (OURS, "rusket")
    )
    lasting = (
        f"Of 2,000 pairs found in the first half of the period, {ours[JOURNEY]} still hold in the "
        f"second half of The Complete Journey (tuned rules: {rules[JOURNEY]}) and {ours[UCI]} in "
        f"UCI ({rules[UCI]})."
    )
    recommended = "; ".join(_against_best(ranked, YOUSHU, f"recall@{k}") for k in (20, 40))
    return items((lasting, f"Recommending bundles to users (Youshu): {recommended}."))


def identities(read: Read) -> str:
    """Linked pairs of identifiers against the truth of the demo."""
    found = read("identity")
    labels = {
        OURS: "Omnibasket",
        "same e-mail": "same e-mail",
        "any chain of links": "any chain of links",
    }
    rows = []
    for method, label in labels.items():
        values = (found.value(JOURNEY, method, metric) for metric in ("precision", "recall"))
        rows.append((label, *(bold(share(value, 4), method == OURS) for value in values)))
    return table(("method", "precision", "recall"), rows)


def _of(rate: Figure) -> str:
    """Write a share of few: ``1 of 20``."""
    return f"{rate.value * rate.n:.0f} of {rate.n}"


def _reported(found: Results, task: str, rate: Figure) -> str:
    """Say what was reported where nothing was true; nothing if nothing was."""
    kinds = ("pairs", "sets", "after")
    total = round(sum(found.value(task, OURS, f"false_{kind}") for kind in kinds) * rate.n)
    if not total:
        return ""
    return ", one bundle" if total == 1 else f", {count(total)} bundles"


def _planted(found: Results, task: str) -> tuple[str, str, str]:
    """Planted pairs that are found: by ours, by the best order of rules, by the oracle."""
    ours = found.value(task, OURS, "found_share")
    false = found.value(task, OURS, "false_discovery_rate")
    sorted_rules = [m for m in found.methods(task, "found_share") if m.startswith(SORTED_RULES)]
    best = found.best_other(task, "found_share", sorted_rules)
    rules = found.value(task, best, "found_share")
    order = _SORTED_BY[best.removeprefix(SORTED_RULES)]
    return (
        f"{bold(share(ours), ours > rules)}, {share(false) if false else 'none'} false",
        f"{share(rules)} by {order} in a list of the same length, "
        f"{share(found.value(task, best, 'false_discovery_rate'))} false",
        share(found.value(task, "oracle", "found_share")),
    )


def _against_best(found: Results, task: str, metric: str) -> str:
    """Say how ours compares with the best other method on a metric."""
    ours, lead = found.figure(task, OURS, metric), found.figure(task, OURS, f"lead_{metric}")
    best = found.best_other(task, metric)
    other = f"{METHODS[best]}'s {share(found.value(task, best, metric))}"
    if lead.low > 0:
        compared = f"{bold(share(ours.value))}, ahead of {other}"
    else:
        compared = f"{share(ours.value)}, {'behind' if lead.high < 0 else 'level with'} {other}"
    return f"{metric} {compared} (lead {plus_minus(lead)})"
