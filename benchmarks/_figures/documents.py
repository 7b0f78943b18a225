"""Which figures there are, by name, and how they get into the documents.

A document's text comes in; the same text comes out with its figures made anew. Called by the
command and by the tests.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks._figures import benchmarks_page, conversation, ranking_page, readme, times
from benchmarks._figures.results import Read

ROOT: Final = Path(__file__).parents[2]
DOCUMENTS: Final = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
_BLOCK: Final = re.compile(
    r"(<!-- figures: (?P<name>\w+) -->\n).*?(<!-- end of figures -->)", re.DOTALL
)
_INLINE: Final = re.compile(r"(<!-- figure: (?P<name>\w+) -->).*?(<!-- /figure -->)")

_ACCURACY: Final = {
    readme.JOURNEY: ("ndcg@10", "recall@10", "new_ndcg@10", "choice_ndcg@10"),
    readme.UCI: ("ndcg@10", "recall@10", "new_ndcg@10", "choice_ndcg@10"),
    readme.HM: ("ndcg@12", "recall@12", "hr@12"),
    "tafeng": ("recall@10", "recall@20", "ndcg@10", "ndcg@20", "hr@10"),
    readme.YOUSHU: ("recall@20", "recall@40", "ndcg@20", "ndcg@40"),
}

#: Every table and paragraph by its name.
TABLES: Final[Mapping[str, Callable[[Read], str]]] = {
    "accuracy": readme.accuracy,
    "one_history": readme.one_history,
    "bundles": readme.bundles,
    "bundles_that_last": readme.bundles_that_last,
    "identities": readme.identities,
    "pairs": times.pairs,
    "speed": times.speed,
    **{
        f"accuracy_{task}": partial(benchmarks_page.accuracy_of, task=task, metrics=metrics)
        for task, metrics in _ACCURACY.items()
    },
    "shuffled": benchmarks_page.shuffled,
    "planted": benchmarks_page.planted,
    "lasting": benchmarks_page.lasting,
    "bundles_cost": times.bundles_cost,
    "diversity": benchmarks_page.diversity,
    "diversity_test": benchmarks_page.diversity_test,
    "just_bought": benchmarks_page.just_bought,
    "rankers": ranking_page.rankers,
    "rankers_cost": times.rankers_cost,
    "carts": ranking_page.carts,
    "new_share": ranking_page.new_share,
    "rotation": ranking_page.rotation,
    "conversation": conversation.conversation,
}

#: Every figure within a sentence by its name.
FIGURES: Final[Mapping[str, Callable[[Read], str]]] = {
    "machine": times.machine,
    "contact": times.contact,
    "one_history_customers": readme.one_history_customers,
    **{
        f"customers_{task}": partial(benchmarks_page.customers, task=task, metric=metrics[0])
        for task, metrics in _ACCURACY.items()
    },
    "ranked_customers": ranking_page.ranked_customers,
    "recall_of_candidates": ranking_page.recall_of_candidates,
    "recall_of_trees": ranking_page.recall_of_trees,
    "cart_orders": ranking_page.cart_orders,
    "conversation_customers": conversation.conversation_customers,
    "conversation_weeks": conversation.conversation_weeks,
    "conversation_lists": conversation.conversation_lists,
    "new_share_buyers": partial(ranking_page.new_share_customers, placement="web_cart"),
    "new_share_customers": partial(ranking_page.new_share_customers, placement="web_home"),
}


def with_figures(text: str, read: Read) -> str:
    """Return a document with every figure made anew.

    Raises
    ------
    KeyError
        When a document names figures that there are not.
    """
    text = _BLOCK.sub(lambda block: block[1] + TABLES[block["name"]](read) + block[3], text)
    return _INLINE.sub(lambda mark: mark[1] + FIGURES[mark["name"]](read) + mark[3], text)


def without_figures(text: str) -> str:
    """Return a document without what is between marks."""
    return _INLINE.sub("", _BLOCK.sub("", text))


def named(text: str) -> list[str]:
    """Return the names of all marks that open in a document, well formed or not."""
    return re.findall(r"<!-- figures?: ?(.*?) ?-->", text)
