"""Questions as the ranker is asked them: their limits, and what lies in their carts.

Questions and positions of their products come in; ``RankRequest`` and lists come out. Called by
``engine``.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from recsys.datasets import NO_CHANNEL, Context, Histories, IntArray, Lists
from recsys.ranking import Limits, RankRequest, factors_of
from recsys.recommender.catalogue import Catalogue
from recsys.recommender.placements import BOUGHT_ON, Question, filter_of
from recsys.schema import CHANNELS
from recsys.units import DAY


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


def with_last_basket(
    questions: Sequence[Question], cart: list[npt.NDArray[np.int32]], histories: Histories
) -> list[npt.NDArray[np.int32]]:
    """Take the last basket for the cart where the placement says so and the request has none."""
    wanted = [
        r
        for r, question in enumerate(questions)
        if question.settings.from_last_basket and not question.cart
    ]
    if wanted:
        bought = histories.purchases
        cart = list(cart)
    for r in wanted:
        part = slice(bought.indptr[r], bought.indptr[r + 1])
        order = bought.order[part]
        if len(order) and order[-1]:  # a summary has no orders
            cart[r] = np.unique(bought.item_ix[part][order == order[-1]])
    return cart


def context_of(
    questions: Sequence[Question], catalogue: Catalogue, as_of_ts: IntArray, named: Lists
) -> Context:
    """Say when, where and on which channel questions are asked, and what they name."""
    channels = [BOUGHT_ON.get(question.settings.channel) for question in questions]
    return Context(
        as_of_ts,
        np.array([catalogue.location(question.location_id) for question in questions]),
        np.array(
            [NO_CHANNEL if name is None else CHANNELS.index(name) for name in channels], np.uint8
        ),
        named,
    )


def rank_request(
    questions: Sequence[Question], context: Context, cart: Lists, exclude: Lists
) -> RankRequest:
    """Say what the ranker is asked: how many, by which weights, and what must not be shown."""
    settings = [question.settings for question in questions]
    hidden_days = np.array([given.hide_bought_days for given in settings])
    limits = Limits(
        exclude=exclude,
        cart=cart,
        new_only=np.array([given.objective == "new" for given in settings]),
        hidden_since_ts=context.as_of_ts - np.ceil(hidden_days * DAY).astype(np.int64),
        location_keys=context.location,
        in_stock=np.array([given.in_stock for given in settings]),
        filters=tuple(filter_of(question) for question in questions),
        of_age=np.array([given.age_restricted for given in settings]),
    )
    counts = [question.count or question.settings.count for question in questions]
    return RankRequest(
        np.array(counts),
        np.stack([factors_of(given.weights) for given in settings]),
        limits,
        np.array([given.diversity for given in settings]),
        np.array([given.objective == "margin" for given in settings]),
        new_share=np.array([given.new_share for given in settings]),
    )
