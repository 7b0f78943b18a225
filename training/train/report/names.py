"""What methods, metrics and segments are called in the report.

Called by the other modules of the report.
"""

from collections.abc import Mapping
from typing import Any, Final

from recsys.evaluation import ALL_CUSTOMERS, BEST_SINGLE, OURS

METHODS: Final[Mapping[str, str]] = {
    OURS: "Omnibasket",
    BEST_SINGLE: "Best single model",
    "popular": "Most popular",
    "own_frequency": "Own frequency",
    "item_knn": "Item neighbours",
    "als": "ALS of implicit",
}

#: Heading and meaning of each metric; ``{k}`` is the number of places.
METRICS: Final[Mapping[str, tuple[str, str]]] = {
    "ndcg": ("NDCG", "how high in the list stands what was bought; 1 is the best possible"),
    "recall": ("Recall", "share of what was bought that the first {k} places held"),
    "hr": ("Hit rate", "share of customers who bought at least one of the {k}"),
    "precision": ("Precision", "share of the {k} places whose product was bought"),
    "new_ndcg": ("New: NDCG", "as NDCG, for products the customer had never bought"),
    "new_recall": ("New: recall", "as recall, for products the customer had never bought"),
    "new_hr": ("New: hit rate", "as hit rate, for products the customer had never bought"),
    "repeat_ndcg": ("Repeat: NDCG", "as NDCG, for products the customer had bought before"),
    "repeat_recall": ("Repeat: recall", "as recall, for products the customer had bought before"),
    "repeat_share": ("Shown again", "share of what is shown that the customer had bought before"),
    "popularity": ("Popularity", "mean share of customers who had bought what is shown"),
    "novelty": ("Novelty", "mean of -log2 of that share, in bits"),
    "choice_ndcg": ("By choice: NDCG", "as NDCG, where what a shopper cannot tell apart is one"),
    "choice_recall": ("By choice: recall", "as recall, where that is one product"),
    "choice_hr": ("By choice: hit rate", "as hit rate, where that is one product"),
    "coverage": ("Coverage", "share of the catalogue that somebody is shown"),
}

#: Metrics that are shares and are told in per cent.
SHARES: Final = frozenset(
    {"hr", "new_hr", "choice_hr", "precision", "repeat_share", "popularity", "coverage"}
)

CHANNELS: Final[Mapping[str, str]] = {
    ALL_CUSTOMERS: "everywhere",
    "pos": "in stores",
    "web": "on the web",
    "app": "in the app",
    "email": "from e-mail",
    "store_screen": "from screens",
    "associate": "with associates",
    "marketplace": "on marketplaces",
}


def method(name: str) -> str:
    """What a method is called."""
    return METHODS.get(name, name.replace("_", " "))


def segment(name: str) -> str:
    """What a channel is called; a window is its days."""
    return CHANNELS.get(name, name)


def figure(metric: str, value: float | None) -> str:
    """Write a figure of ``ndcg@10`` and the like as a person reads it."""
    if value is None:
        return ""
    name = metric.split("@")[0]
    if name in SHARES:
        return f"{100 * value:.2f}%" if 0 < value < 0.01 else f"{100 * value:.1f}%"
    return f"{value:.1f}" if name == "novelty" else f"{value:.4f}"


def settings(chosen: Mapping[str, Any]) -> str:
    """Write settings in one line."""
    return ", ".join(
        f"{name.replace('_', ' ')} {value:g}"
        if isinstance(value, float)
        else f"{name.replace('_', ' ')} {value}"
        for name, value in chosen.items()
    )
