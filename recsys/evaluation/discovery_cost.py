"""Measures the cost and effect of showing a share of new products on each placement.

In: a ranker, customers of a validation window and their orders in it. Out: metrics of the lists
that placements would have shown, with and without their ``new_share``. Called by training, for its
report. It never uses test windows, because the results guide the choice of ``new_share``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from recsys.config import PLACEMENTS, PlacementSettings
from recsys.datasets import (
    NO_CHANNEL,
    Batch,
    Context,
    Floats,
    Histories,
    IxArray,
    Lists,
    Ragged,
    rows_of,
)
from recsys.evaluation import choice_metrics, metrics
from recsys.evaluation.cart_sets import CartSet
from recsys.evaluation.evaluation_set import MIN_CUSTOMERS, EvaluationSet
from recsys.evaluation.metrics import bootstrap_all
from recsys.ranking import Choices, Ranker, never_bought
from recsys.recommender import BOUGHT_ON, Question, kept_last_baskets, rank_request
from recsys.schema import CHANNELS

#: Content of a placement's questions: a customer alone, with a product, or with a cart.
Asked = Literal["customer", "product", "cart"]
#: Built-in placements whose questions have more than a customer. The questions of custom placements
#: are unknown, so they are evaluated in every way.
ASKED_WITH: Final[Mapping[str, tuple[Asked, ...]]] = {
    name: (
        ("product",)
        if name == "web_product"
        else ("cart",)
        if name == "web_cart"
        else ("customer",)
    )
    for name in PLACEMENTS
}
_EVERY_WAY: Final[tuple[Asked, ...]] = ("customer", "product", "cart")
#: Maximum number of questions with a customer alone, and with orders.
MOST: Final = 500
_NOTHING: Final = np.empty(0, np.int32)
#: Questions ranked at once, to bound memory.
BATCH: Final = 250


@dataclass(frozen=True)
class DiscoveryCost:
    """Metrics of one placement's lists for known customers.

    Attributes
    ----------
    placement : str
    asked : str
        Content of the questions: ``customer``, ``product`` or ``cart``.
    new_share : float
        The placement's setting.
    k : int
        Length of its lists.
    n : int
        Customers.
    shown_new, shown_new_without : float
        Share of places with a product, by choice, that the customer had never bought; with the
        setting, and without.
    ndcg, ndcg_without : float
        NDCG at ``k`` by choice, on the purchases in the window.
    cost, cost_low, cost_high : float
        ``ndcg_without - ndcg``, with its 95% bootstrap interval over customers.
    found_new, found_new_without : float
        Share of questions after which the customer bought a new product of the list.
    """

    placement: str
    asked: Asked
    new_share: float
    k: int
    n: int
    shown_new: float
    shown_new_without: float
    ndcg: float
    ndcg_without: float
    cost: float
    cost_low: float
    cost_high: float
    found_new: float
    found_new_without: float


@dataclass(frozen=True)
class Questions:
    """Questions of one kind, and the purchases after each.

    Attributes
    ----------
    histories : Histories
    as_of_ts : ndarray of shape (n,), int64
    cart, page, relevant : Lists
    customer : ndarray of shape (n,), int64
        Customer of each question.
    """

    histories: Histories
    as_of_ts: NDArray[np.int64]
    cart: Lists
    page: Lists
    relevant: Lists
    customer: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of questions."""
        return len(self.as_of_ts)


def placement_questions(evaluation_set: EvaluationSet, carts: CartSet) -> dict[Asked, Questions]:
    """Build the questions for placements.

    Parameters
    ----------
    evaluation_set : EvaluationSet
    carts : CartSet
        Carts of its window. For questions from a product page, the first product of a cart is the
        page's product, and the rest of the order is relevant.
    """
    some = np.flatnonzero(np.diff(evaluation_set.relevant().indptr))[:MOST]
    few = evaluation_set.only(some)
    nothing = Lists.of_rows([np.empty(0, np.int32)] * max(len(few), len(carts.as_of_ts)))
    rows = [evaluation_set.rows[row] for row in carts.customer_ix.tolist()]
    past = Histories.from_rows(rows, evaluation_set.index, carts.as_of_ts)
    held = [carts.cart.row(r).item_ix for r in range(len(rows))]
    rest = [carts.rest.row(r).item_ix for r in range(len(rows))]
    first = Lists.of_rows([items[:1] for items in held])
    others = Lists.of_rows(
        [np.concatenate([items[1:], more]) for items, more in zip(held, rest, strict=True)]
    )

    def none(n: int) -> Lists:
        return Lists(nothing.indptr[: n + 1], nothing.item_ix)

    n = len(rows)
    return {
        "customer": Questions(
            few.histories, few.as_of_ts, none(len(few)), none(len(few)), few.relevant(), some
        ),
        "product": Questions(past, carts.as_of_ts, none(n), first, others, carts.customer_ix),
        "cart": Questions(past, carts.as_of_ts, carts.cart, none(n), carts.rest, carts.customer_ix),
    }


def measure_discovery(
    ranker: Ranker,
    choices: Choices,
    asked: Mapping[Asked, Questions],
    placements: Mapping[str, PlacementSettings],
    seed: int,
) -> list[DiscoveryCost]:
    """Rank the lists of each personal placement, and compare them with the purchases.

    Parameters
    ----------
    ranker : Ranker
        Fitted on data before the window.
    choices : Choices
        One product per choice is shown, as in answers.
    asked : mapping
        From ``placement_questions``. Past stock, filters, margins and minimum ages are
        unknown, so they are not applied.
    placements : mapping of str to PlacementSettings
    seed : int
        Seed of the intervals.

    Returns
    -------
    list of DiscoveryCost
        In the order of the placements; those with fewer than ``MIN_CUSTOMERS`` customers are left
        out.
    """
    costs: list[DiscoveryCost] = []
    ranker = replace(ranker, choices=choices)
    for name, placement in placements.items():
        if not placement.personal or placement.objective == "new":
            continue
        settings = msgspec.structs.replace(
            placement, filter={}, in_stock=False, objective="purchase", offers=0
        )
        costs += [
            _compare(ranker, asked[way], name, way, settings, seed)
            for way in ASKED_WITH.get(name, _EVERY_WAY)
            if len(np.unique(asked[way].customer)) >= MIN_CUSTOMERS
        ]
    return costs


def _compare(
    ranker: Ranker,
    questions: Questions,
    name: str,
    way: Asked,
    settings: PlacementSettings,
    seed: int,
) -> DiscoveryCost:
    plain = msgspec.structs.replace(settings, new_share=0.0)
    without = _figures(ranker, questions, plain)
    held = _figures(ranker, questions, settings) if settings.new_share else without
    columns = np.stack([*held, *without, without[1] - held[1]], axis=1)
    means = bootstrap_all(_by_customer(columns, questions.customer), seed)
    shown, ndcg, new, shown_without, ndcg_without, new_without, cost = means
    return DiscoveryCost(
        name,
        way,
        settings.new_share,
        settings.count,
        cost.n,
        shown.mean,
        shown_without.mean,
        ndcg.mean,
        ndcg_without.mean,
        cost.mean,
        cost.low,
        cost.high,
        new.mean,
        new_without.mean,
    )


def _figures(
    ranker: Ranker, questions: Questions, settings: PlacementSettings
) -> tuple[Floats, Floats, Floats]:
    """Return share of new products, NDCG, and whether a new product was bought, per question."""
    shown = Lists.of_rows(_shown(ranker, questions, settings))
    choices, k = ranker.all_choices, settings.count
    new = never_bought(shown, questions.histories, choices)
    rows, places = rows_of(shown), np.diff(shown.indptr)
    share = np.full(len(questions), np.nan)
    counts = np.bincount(rows[new], minlength=len(questions))
    np.divide(counts, places, out=share, where=places > 0)
    ndcg = choice_metrics.choice_figures(shown, questions.relevant, choices, k)["choice_ndcg"]
    fresh = _only(shown, new, rows, len(questions))
    hits = metrics.hits(
        choice_metrics.lists_of_choices(fresh, choices),
        choice_metrics.lists_of_choices(questions.relevant, choices),
        k,
    )
    return share, ndcg, np.asarray(hits.any(axis=1), np.float64)


def _shown(ranker: Ranker, questions: Questions, settings: PlacementSettings) -> Sequence[IxArray]:
    lists: list[IxArray] = []
    on = BOUGHT_ON.get(settings.channel)
    channel = NO_CHANNEL if on is None else CHANNELS.index(on)
    for start in range(0, len(questions), BATCH):
        part = slice(start, start + BATCH)
        n = len(questions.as_of_ts[part])
        cart, page = (_rows(lists_of, start, n) for lists_of in (questions.cart, questions.page))
        past = questions.histories[part]
        question = Question(placement="", settings=settings, as_of_ts=0)
        if settings.from_last_basket and not len(cart.item_ix):
            baskets = kept_last_baskets([question] * n, past)
            cart = Lists.of_rows([baskets.get(r, _NOTHING) for r in range(n)])
        context = Context(
            questions.as_of_ts[part],
            np.zeros(n, np.int64),
            np.full(n, channel, np.uint8),
            cart if len(cart.item_ix) else page,
        )
        rankings = rank_request([question] * n, context, cart, page)
        ranked = ranker.rank(Batch(past, context), rankings, credit=False)
        lists += [
            ranked.item_ix[start:end]
            for start, end in zip(ranked.indptr[:-1], ranked.indptr[1:], strict=True)
        ]
    return lists


def _rows(lists: Lists, start: int, n: int) -> Lists:
    indptr = lists.indptr[start : start + n + 1]
    return Lists(indptr - indptr[0], lists.item_ix[indptr[0] : indptr[-1]])


def _only(lists: Ragged, kept: NDArray[np.bool_], rows: NDArray[np.int64], n: int) -> Lists:
    indptr = np.append(0, np.cumsum(np.bincount(rows[kept], minlength=n))).astype(np.int64)
    return Lists(indptr, np.asarray(lists.item_ix, np.int32)[kept])


def _by_customer(columns: Floats, customer: NDArray[np.int64]) -> Floats:
    """Average over each customer's questions, so that the bootstrap draws customers."""
    _, of = np.unique(customer, return_inverse=True)
    out = np.full((int(of.max()) + 1, columns.shape[1]), np.nan)
    for column, values in enumerate(columns.T):
        known = ~np.isnan(values)
        total = np.bincount(of[known], values[known], len(out))
        times = np.bincount(of[known], minlength=len(out))
        np.divide(total, times, out=out[:, column], where=times > 0)
    return out
