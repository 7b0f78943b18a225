"""Questions that an artefact is asked before the first customer asks.

What answers comes in, and is asked by a customer who did a little of everything. Called by
``engine`` when it loads an artefact, so that compiled loops are read from disk, or compiled where a
machine has never answered before, while nobody waits.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from recsys.config import PlacementSettings
from recsys.datasets import (
    EMPTY,
    CustomerHistory,
    Histories,
    ItemIndex,
    Lists,
    add_events,
    add_lines,
    choices_bought,
    customer_history,
    interactions,
)
from recsys.decisions import ContactState, Rotation, factors
from recsys.ranking import Limits, Ranker
from recsys.recommender.explanations import Explainer
from recsys.recommender.placements import Question
from recsys.units import DAY

Recommend = Callable[[Sequence[Question], Sequence[CustomerHistory]], list[dict[str, Any]]]

#: Products that take part.
_FEW = 4


def warm_up(recommend: Recommend, explainer: Explainer, ranker: Ranker, as_of_ts: int) -> None:
    """Ask once what customers will ask.

    Parameters
    ----------
    recommend : callable
        ``Engine.recommend``.
    explainer : Explainer
    ranker : Ranker
    as_of_ts : int
        UTC epoch seconds.
    """
    index = ranker.index
    if not len(index):
        return
    requests = questions(index, as_of_ts)
    for question, row in requests:
        recommend([question], [row])
    recommend([question for question, _ in requests], [row for _, row in requests])
    explainer.warm(somebody(index, as_of_ts), as_of_ts)
    choice_of = ranker.all_choices.of
    choices_bought(index, choice_of, somebody(index, as_of_ts), choice_of[:_FEW], as_of_ts)
    # What may be shown at all is asked where rules leave too little of what models name.
    none, no = Lists.of_rows([np.empty(0, np.int32)]), np.zeros(1, bool)
    now = np.array([as_of_ts])
    limits = Limits(none, none, no, now, np.zeros(1, np.int64), no, as_of_ts=now)
    ranker.rules(Histories.nobody(1, len(index)), limits).forbid(none)
    ranker.availability.first_having(none.item_ix, np.empty(0, np.int64), as_of_ts)


def somebody(index: ItemIndex, as_of_ts: int) -> CustomerHistory:
    """Make a customer who bought, came back, returned and looked."""
    keys = [int(key) for key in index.keys[:_FEW]]
    bought = [
        (key, as_of_ts - days * DAY, quantity, order, 0, 0, 100)
        for key in keys
        for order, (days, quantity) in enumerate([(20, 1.0), (9, 1.0), (2, 1.0)], start=1)
    ]
    bought += [(key, as_of_ts - DAY, -1.0, 3, 0, 0, -100) for key in keys[:1]]
    seen = [(key, as_of_ts - 60, interactions.VIEW, 0) for key in keys[1:]]
    row = add_lines(
        EMPTY, np.array(sorted(bought, key=lambda line: line[1]), customer_history.LINES)
    )
    return add_events(row, np.array(seen, customer_history.EVENTS))


def questions(index: ItemIndex, as_of_ts: int) -> list[tuple[Question, CustomerHistory]]:
    """Ask for a stranger and ``somebody``, without and with a cart, in every way of ordering.

    Somebody was shown a product before, and ignored it.
    """
    item_id = [index.item_ids[ix] for ix in range(min(1, len(index)))]
    customer = somebody(index, as_of_ts)
    contact = ContactState().with_shown(item_id, "web", as_of_ts - DAY)
    ignored = factors(contact, Rotation(0.5, 7.0), as_of_ts)
    plain = PlacementSettings(channel="web", in_stock=False)
    requests = [
        (plain, ()),
        (plain, tuple(item_id)),
        (PlacementSettings(channel="web", objective="margin"), ()),
        (PlacementSettings(channel="web", objective="new"), ()),
        (PlacementSettings(channel="web", random_slots=1), ()),
    ]
    return [
        (
            Question(
                placement="",
                settings=settings,
                as_of_ts=as_of_ts,
                recommendation_id="warm up",
                cart=cart,
                factors=known,
                explain=True,
            ),
            row,
        )
        for settings, cart in requests
        for row, known in ((EMPTY, {}), (customer, ignored))
    ]
