"""Tables of docs/ranking.md whose figures are not times.

Results come in, Markdown comes out. Called by ``documents``.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from benchmarks._figures.markdown import bold, count, percent, share, table
from benchmarks._figures.readme import UCI
from benchmarks._figures.results import Read, Results
from recsys.config import PLACEMENTS

#: Ways to rank, as the benchmark names them and as the page does.
WAYS: Final = {
    "blend alone": "blend alone",
    "linear": "linear",
    "histogram boosting": "histogram boosting (scikit-learn)",
    "LightGBM, binary": "LightGBM, chances",
    "LightGBM, lambdarank": "LightGBM, order",
    "binary, then lambdarank": "**chances, then the order**",
}
_CARTS: Final = (
    ("cart", "customer", "ndcg@10", "cart, customer: NDCG@10"),
    ("cart", "customer", "recall@10", "cart, customer: recall@10"),
    (
        "cart",
        "customer",
        "new_recall@10",
        "cart, customer: recall@10 of what is new to them",
    ),
    ("cart", "stranger", "ndcg@10", "cart, stranger: NDCG@10"),
    ("product", "customer", "ndcg@10", "product's page, customer: NDCG@10"),
    (
        "product",
        "customer",
        "new_recall@10",
        "product's page, customer: recall@10 of what is new to them",
    ),
    ("product", "stranger", "ndcg@10", "product's page, stranger: NDCG@10"),
)
_CART: Final = ", cart = "
#: Decays that the benchmark plants.
_PLANTED: Final = ("1", "0.9", "0.8", "0.6", "0.4")


def rankers(read: Read) -> str:
    """How well each way ranks the same candidates."""
    found = read("rankers")
    rows = []
    for way, label in WAYS.items():
        trees = found.value(UCI, way, "trees")
        rows.append(
            (
                label,
                share(found.value(UCI, way, "ndcg@10")),
                share(found.value(UCI, way, "new_ndcg@10")),
                count(trees) if trees else "",
            )
        )
    return table(("way", "NDCG@10", "new NDCG@10", "trees"), rows)


def ranked_customers(read: Read) -> str:
    """Customers behind ``rankers``."""
    return count(read("rankers").figure(UCI, "all candidates", "recall").n)


def recall_of_candidates(read: Read) -> str:
    """Share of what was bought that is among the candidates."""
    return percent(read("rankers").value(UCI, "all candidates", "recall"))


def recall_of_trees(read: Read) -> str:
    """Share of what was bought that is among the candidates that trees see."""
    return percent(read("rankers").value(UCI, "those that trees see", "recall"))


def carts(read: Read) -> str:
    """What each factor on the cart does; the best of each row is bold."""
    found = read("carts")
    methods = found.methods("cart", "ndcg@10")
    factors = [m.partition(_CART)[2] for m in methods if m.startswith("customer")]
    rows = []
    for task, whose, metric, label in _CARTS:
        values = [share(found.value(task, f"{whose}{_CART}{factor}", metric)) for factor in factors]
        best = values.index(max(values))
        rows.append((label, *(bold(text, at == best) for at, text in enumerate(values))))
    return table(("`weights = { cart = … }`", *factors), rows)


def cart_orders(read: Read) -> str:
    """Orders behind ``carts``."""
    return count(read("carts").figure("cart", f"customer{_CART}1", "ndcg@10").n)


def new_share(read: Read) -> str:
    """What shares of new products show and cost; the defaults are bold."""
    found = read("new_products")
    rows = []
    for placement in ("web_product", "web_cart", "web_home"):
        methods = found.methods(placement, "cost")
        for method in methods:
            setting = method.removeprefix("new_share ")
            cost = found.figure(placement, method, "cost")
            ndcg = found.value(placement, method, "choice_ndcg_without")
            rows.append(
                (
                    f"`{placement}`" if method == methods[0] else "",
                    bold(setting, PLACEMENTS[placement].new_share == float(setting)),
                    _change(found, placement, method, "shown_new", percent),
                    _change(found, placement, method, "choice_ndcg", share),
                    f"{percent(cost.value / ndcg)} ± {cost.half_width / ndcg * 100:.0f}",
                    _change(found, placement, method, "found_new", partial(percent, digits=1)),
                )
            )
    heading = (
        "placement",
        "`new_share`",
        "new shown, without → with",
        "NDCG, without → with",
        "costs",
        "a new product of the list was bought, without → with",
    )
    return table(heading, rows)


def new_share_customers(read: Read, placement: str) -> str:
    """Customers behind ``new_share``."""
    found = read("new_products")
    return count(found.figure(placement, found.methods(placement, "cost")[0], "cost").n)


def rotation(read: Read) -> str:
    """What is learned of a planted decay, and what rotation gains and costs."""
    found = read("rotation")
    rows = []
    for planted in _PLANTED:
        task = f"planted {planted}"
        decay = found.figure(task, "learned", "decay")
        rows.append(
            (
                planted.removeprefix("0"),
                f"{share(decay.value)} ± {share(decay.half_width)}",
                *(_gained(found, task, method) for method in ("default", "learned", "planted")),
            )
        )
    heading = ("planted", "learned", "gain, changed: default", "learned", "planted")
    return table(heading, rows)


def _gained(found: Results, task: str, method: str) -> str:
    gain, changed = (found.value(task, method, metric) for metric in ("gain", "changed"))
    return f"{gain:+.1%}, {percent(changed)}"


def _change(
    found: Results, task: str, method: str, metric: str, write: Callable[[float], str]
) -> str:
    """Write a figure without a setting and with it."""
    without, value = (found.value(task, method, f"{metric}{end}") for end in ("_without", ""))
    return f"{write(without)} → {write(value)}"
