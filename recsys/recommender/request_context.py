"""Questions as the ranker takes them: histories, contexts, carts and limits as arrays.

Questions and customers' histories come in; ``PreparedQuestions`` comes out. Called by
``Engine.recommend``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.config import PlacementSettings
from recsys.datasets import (
    EMPTY,
    NO_CHANNEL,
    Batch,
    Context,
    CustomerHistory,
    Histories,
    IntArray,
    ItemIndex,
    Lists,
)
from recsys.decisions import NOTHING
from recsys.languages import Language, language_of
from recsys.ranking import (
    CAPPED,
    NOT_INTERESTED,
    Limits,
    RankRequest,
    Suppressed,
    UntilDue,
    Weighted,
    factors_of,
)
from recsys.recommender.catalogue import Catalogue
from recsys.recommender.explanations import ReasonLimits
from recsys.recommender.placements import BOUGHT_ON, Question, filter_of
from recsys.recommender.rules_in_force import RulesInForce, rules_in_force
from recsys.schema import CHANNELS
from recsys.units import DAY

_NONE: Final = np.empty(0, np.int32)


@dataclass(frozen=True)
class PreparedQuestions:
    """``n`` questions as the ranker and the explainer take them.

    Attributes
    ----------
    questions : sequence of Question, length n
    batch : Batch
        Histories, empty where a placement is not personal, and contexts.
    carts : sequence of ndarray of int32, length n
        Positions of the products in each cart, or of the last basket where the placement begins
        from that.
    request : RankRequest
        Counts, weights and limits.
    reason_limits : ReasonLimits
        Products that reasons may name.
    n_unknown : ndarray of shape (n,), int64
        Products of the request that the catalogue does not hold.
    returned : frozenset of int
        Questions that were to begin from a last basket of which everything came back.
    """

    questions: Sequence[Question]
    batch: Batch
    carts: Sequence[npt.NDArray[np.int32]]
    request: RankRequest
    reason_limits: ReasonLimits
    n_unknown: IntArray
    returned: frozenset[int] = frozenset()

    @property
    def limits(self) -> Limits:
        """What must not be shown."""
        return self.request.limits

    @property
    def languages(self) -> list[Language]:
        """That each question is answered in."""
        return [language_of(question.lang) for question in self.questions]


def prepare_questions(
    questions: Sequence[Question], rows: Sequence[CustomerHistory], catalogue: Catalogue
) -> PreparedQuestions:
    """Turn questions and histories into arrays over the catalogue.

    Parameters
    ----------
    questions : sequence of Question, length n
    rows : sequence of CustomerHistory, length n
        Not looked at where the placement is not personal.
    catalogue : Catalogue
    """
    visible = [
        row if question.settings.personal else EMPTY
        for question, row in zip(questions, rows, strict=True)
    ]
    as_of_ts = np.array([question.as_of_ts for question in questions], np.int64)
    histories = Histories.from_rows(visible, catalogue.index, as_of_ts)
    carts, unknown_cart = _positions(catalogue.index, [question.cart for question in questions])
    pages, unknown_page = _positions(catalogue.index, [question.item_ids for question in questions])
    excluded, unknown_excluded = _positions(
        catalogue.index, [question.exclude for question in questions]
    )
    in_request = join_rows(carts, pages)
    baskets = kept_last_baskets(questions, histories)
    carts = [baskets.get(r, cart) for r, cart in enumerate(carts)]
    context = context_of(questions, catalogue, as_of_ts, join_rows(carts, pages))
    rules = rules_in_force(questions, histories, catalogue)
    if rules is not None:
        excluded = [np.union1d(a, b) for a, b in zip(excluded, rules.exclude, strict=True)]
    is_of_age = np.array([question.settings.age_restricted for question in questions])
    return PreparedQuestions(
        questions,
        Batch(histories, context),
        carts,
        rank_request(
            questions,
            context,
            Lists.of_rows(carts),
            join_rows(pages, excluded),
            suppressed_products(questions, catalogue),
            rules,
            rotated_products(questions, catalogue.index),
        ),
        ReasonLimits(is_of_age, in_request),
        unknown_cart + unknown_page + unknown_excluded,
        frozenset(r for r, kept in baskets.items() if not len(kept)),
    )


def _positions(
    index: ItemIndex, item_ids: Sequence[tuple[str, ...]]
) -> tuple[list[npt.NDArray[np.int32]], IntArray]:
    """Positions of each request's products, each once, and how many products are unknown."""
    positions = [index.ix_of(ids) if ids else _NONE for ids in item_ids]
    known = [np.unique(ix[ix >= 0]) if len(ix) else _NONE for ix in positions]
    return known, np.array([int((ix < 0).sum()) for ix in positions])


def join_rows(
    one: Sequence[npt.NDArray[np.int32]], other: Sequence[npt.NDArray[np.int32]]
) -> Lists:
    """Put the products of two lists a row together, each once."""
    return Lists.of_rows(
        [
            np.union1d(a, b) if len(a) and len(b) else np.concatenate([a, b])
            for a, b in zip(one, other, strict=True)
        ]
    )


def kept_last_baskets(
    questions: Sequence[Question], histories: Histories
) -> dict[int, npt.NDArray[np.int32]]:
    """Return what was kept of the last basket, where a placement begins from it and has no cart.

    An older basket does not take the place of one that came back as a whole: what goes with it was
    said when it was the last.

    Parameters
    ----------
    questions : sequence of Question, length n
    histories : Histories
        Of the ``n`` customers who ask, empty where a placement is not personal.

    Returns
    -------
    dict of int to ndarray of int32
        By question, ascending positions; empty where all of it came back. Who never bought has no
        entry.
    """
    found = {}
    for r, question in enumerate(questions):
        if not question.settings.from_last_basket or question.cart:
            continue
        part = slice(histories.indptr[r], histories.indptr[r + 1])
        # A return may be dated later than any sale, and a summary has no orders.
        sold = histories.order[part][histories.quantity[part] > 0]
        if len(sold) and sold[-1]:
            kept = histories.purchases
            mine = slice(kept.indptr[r], kept.indptr[r + 1])
            found[r] = np.unique(kept.item_ix[mine][kept.order[mine] == sold[-1]])
    return found


def context_of(
    questions: Sequence[Question], catalogue: Catalogue, as_of_ts: IntArray, products: Lists
) -> Context:
    """Return when, where, on which channel and with which products the questions are asked."""
    channels = [BOUGHT_ON.get(question.settings.channel) for question in questions]
    return Context(
        as_of_ts,
        np.array([catalogue.location(question.location_id) for question in questions]),
        np.array(
            [NO_CHANNEL if name is None else CHANNELS.index(name) for name in channels], np.uint8
        ),
        products,
    )


def suppressed_products(questions: Sequence[Question], catalogue: Catalogue) -> Suppressed | None:
    """Return the products that customers refused or were shown often enough; None without any.

    Parameters
    ----------
    questions : sequence of Question, length n
        Where a placement is not personal, nothing of the customer counts.
    catalogue : Catalogue
        Knows what is of one category.
    """
    if all(question.suppression is NOTHING for question in questions):
        return None
    rows, by = [], []
    for question in questions:
        found = question.suppression if question.settings.personal else NOTHING
        products = catalogue.index.ix_of(found.capped)
        why = np.full(len(products), CAPPED, np.uint8)
        if len(products) < len(found.withheld):
            refused = catalogue.index.ix_of(found.not_interested)
            alike = catalogue.of_categories(catalogue.index.ix_of(found.not_interested_like))
            more = np.full(len(refused) + len(alike), NOT_INTERESTED, np.uint8)
            products = np.concatenate([refused, alike, products]).astype(np.int32)
            why = np.concatenate([more, why])
        rows.append(products[products >= 0])
        by.append(why[products >= 0])
    lists = Lists.of_rows(rows)
    return Suppressed(lists.indptr, lists.item_ix, np.concatenate(by))


def rotated_products(questions: Sequence[Question], index: ItemIndex) -> Weighted | None:
    """Return the logarithms of what customers' factors are; None without any.

    Parameters
    ----------
    questions : sequence of Question, length n
        Where a placement is not personal, nothing of the customer counts.
    index : ItemIndex
    """
    if not any(question.factors for question in questions):
        return None
    factors = [question.factors if question.settings.personal else {} for question in questions]
    products = index.ix_of(chain.from_iterable(factors))
    logs = np.log([*chain.from_iterable(of.values() for of in factors)])
    ends = np.cumsum([0, *map(len, factors)])
    if products.min(initial=0) < 0:
        ends = np.searchsorted(np.flatnonzero(products >= 0), ends)
        products, logs = products[products >= 0], logs[products >= 0]
    return Weighted(ends, products, logs)


def rank_request(
    questions: Sequence[Question],
    context: Context,
    cart: Lists,
    exclude: Lists,
    suppressed: Suppressed | None = None,
    rules: RulesInForce | None = None,
    rotation: Weighted | None = None,
) -> RankRequest:
    """Build the ranker's request: how many items, by which weights, and what must not be shown.

    Parameters
    ----------
    questions : sequence of Question, length n
    context : Context
        When and where the ``n`` questions are asked.
    cart : Lists
        ``n`` rows: products in the carts.
    exclude : Lists
        ``n`` rows: products that must not be shown, such as those being looked at.
    suppressed : Suppressed, optional
        What the customers refused or were shown often enough; nothing by default.
    rules : RulesInForce, optional
        What the placements' rules do; none by default.
    rotation : Weighted, optional
        As of ``rotated_products``; nothing by default.

    Returns
    -------
    RankRequest
        Of ``n`` requests.
    """
    settings = [question.settings for question in questions]
    scarce_below = np.array([given.scarce_below for given in settings])
    hidden_days = np.array([given.hide_bought_days for given in settings])
    limits = Limits(
        exclude=exclude,
        cart=cart,
        new_only=np.array([given.objective == "new" for given in settings]),
        hidden_since_ts=context.as_of_ts - np.ceil(hidden_days * DAY).astype(np.int64),
        location_keys=context.location,
        in_stock=np.array([given.in_stock for given in settings]),
        filters=tuple(map(filter_of, questions, rules.filters if rules else repeat(None))),
        of_age=np.array([given.age_restricted for given in settings]),
        suppressed=suppressed,
        as_of_ts=context.as_of_ts,
        scarce_below=scarce_below if scarce_below.any() else None,
        until_due=_until_due(settings, context.as_of_ts),
    )
    counts = [question.count or question.settings.count for question in questions]
    return RankRequest(
        np.array(counts),
        np.stack([factors_of(given.weights) for given in settings]),
        limits,
        np.array([given.diversity for given in settings]),
        np.array([given.objective == "margin" for given in settings]),
        new_share=np.array([given.new_share for given in settings]),
        merchandising=None if rules is None else rules.merchandising,
        rotation=rotation,
    )


def _until_due(settings: Sequence[PlacementSettings], as_of_ts: IntArray) -> UntilDue | None:
    """Return for how long what is not due again is hidden; None where no placement asks for it."""
    if not any(given.hide_until_due for given in settings):
        return None
    return UntilDue(
        as_of_ts,
        np.array([given.hide_until_due for given in settings]),
        np.array([given.hide_at_most_days for given in settings]),
    )
