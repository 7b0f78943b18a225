"""What became of a customer's cart, clicks and earlier answers by a time, over the catalogue.

In: an engine, a customer's history, and what the ledger holds of the contact with them. Out: what
is left of the cart, which clicks still matter, and what of an earlier answer may not be shown any
more. Called by the service.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np

from recsys.datasets import NEVER, CustomerHistory, Lists, choices_bought
from recsys.decisions import CartLine, Click, Suppression, left_of
from recsys.ranking import RULES
from recsys.recommender.engine import Engine
from recsys.recommender.placements import Question
from recsys.recommender.request_context import prepare_questions
from recsys.units import DAY


def last_bought(
    engine: Engine,
    row: CustomerHistory,
    item_ids: Iterable[str],
    as_of_ts: int,
    since_ts: float = -math.inf,
) -> dict[str, int]:
    """Return when each of some products, or another one of its choice, was last bought.

    Parameters
    ----------
    engine : Engine
    row : CustomerHistory
    item_ids : iterable of str
    as_of_ts : int
        UTC epoch seconds; only what was bought before counts.
    since_ts : float
        UTC epoch seconds; only what was bought after it counts.

    Returns
    -------
    dict of str to int
        UTC epoch seconds, whether it was returned later or not; without those never bought. Of what
        no longer fits into the row, the last line counts, also a return.
    """
    wanted = list(dict.fromkeys(item_ids))
    if not wanted:
        return {}
    positions = engine.index.ix_of(wanted)
    choice_of = engine.ranker.all_choices.of
    choices = np.where(positions >= 0, choice_of[positions], -1)
    bought = choices_bought(engine.index, choice_of, row, choices, as_of_ts, since_ts).tolist()
    return {item_id: ts for item_id, ts in zip(wanted, bought, strict=True) if ts != NEVER}


def possible_zones(
    engine: Engine, row: CustomerHistory, location_id: str | None
) -> tuple[str, ...]:
    """Return the time zones where a customer may be, by the stores that they are known to go to.

    Parameters
    ----------
    engine : Engine
    row : CustomerHistory
        The stores of its lines count where ``location_id`` names none.
    location_id : str or None
        Where the customer is, or is asked for.

    Returns
    -------
    tuple of str
        IANA time zones; empty where none is known.
    """
    catalogue = engine.catalogue
    return catalogue.zones_of([catalogue.location(location_id)]) or catalogue.zones_of(
        set(row.lines["location"].tolist())
    )


def bought_before(
    engine: Engine, row: CustomerHistory, item_ids: Sequence[str], shown_ts: int, days: float
) -> list[str]:
    """Return which products had just been bought when they were shown.

    Parameters
    ----------
    engine : Engine
    row : CustomerHistory
        As it is known now; what was known when they were shown would have kept them out.
    item_ids : sequence of str
        What was shown.
    shown_ts : int
        UTC epoch seconds.
    days : float
        For how long the placement does not show what was bought.
    """
    bought = last_bought(engine, row, item_ids, shown_ts)
    since_ts = shown_ts - days * DAY
    return [item_id for item_id in item_ids if bought.get(item_id, -1) >= since_ts]


def left_in_cart(
    engine: Engine, cart: Sequence[CartLine], row: CustomerHistory, as_of_ts: int, seconds: float
) -> tuple[CartLine, ...]:
    """Return what a customer left in the cart and has not bought since, anywhere.

    Parameters
    ----------
    engine : Engine
    cart : sequence of CartLine
    row : CustomerHistory
        Over all channels and identifiers.
    as_of_ts : int
        UTC epoch seconds.
    seconds : float
        A cart is forgotten so long after its latest change.

    Returns
    -------
    tuple of CartLine
        The latest first; products that are not sold any more are left out.
    """
    if not cart:
        return ()
    bought = last_bought(engine, row, (line.item_id for line in cart), as_of_ts)
    left = left_of(cart, bought, as_of_ts, seconds)
    active = engine.ranker.availability.active
    positions = engine.index.ix_of([line.item_id for line in left]).tolist()
    return tuple(
        line
        for line, item_ix in zip(left, positions, strict=True)
        if item_ix >= 0 and active[item_ix]
    )


def cart_document(engine: Engine, cart: Sequence[CartLine]) -> list[dict[str, Any]]:
    """Return a cart as answers give it: each product with its quantity.

    Parameters
    ----------
    engine : Engine
    cart : sequence of CartLine
        Of products that the catalogue holds.

    Returns
    -------
    list of dict
        As of ``Engine.item``, with ``quantity``.
    """
    positions = engine.index.ix_of([line.item_id for line in cart]).tolist()
    return [
        {**engine.item(item_ix), "quantity": line.quantity}
        for line, item_ix in zip(cart, positions, strict=True)
    ]


def clicks_that_matter(
    engine: Engine,
    clicks: Sequence[Click],
    row: CustomerHistory,
    channel: str,
    as_of_ts: int,
    seconds: float,
) -> tuple[Click, ...]:
    """Return clicks on other channels on products that were not bought since, latest first.

    Parameters
    ----------
    engine : Engine
    clicks : sequence of Click
    row : CustomerHistory
        Over all channels and identifiers.
    channel : str
        On which the customer is asked for.
    as_of_ts : int
        UTC epoch seconds.
    seconds : float
        Clicks matter so long.
    """
    recent = [
        click
        for click in clicks
        if click.channel != channel and as_of_ts - seconds <= click.at_ts <= as_of_ts
    ]
    if not recent:
        return ()
    bought = last_bought(engine, row, (click.item_id for click in recent), as_of_ts)
    return tuple(click for click in recent if bought.get(click.item_id, -1) < click.at_ts)


def forbidden_now(
    engine: Engine,
    question: Question,
    row: CustomerHistory,
    item_ids: Sequence[str],
    decided_ts: int,
) -> dict[str, str]:
    """Return which products of an earlier answer may not be shown any more, and why.

    Parameters
    ----------
    engine : Engine
    question : Question
        As it would be asked now. Caps are not looked at: the answer counted by then.
    row : CustomerHistory
    item_ids : sequence of str
        What the answer shows.
    decided_ts : int
        When it was decided, UTC epoch seconds; what was bought or returned since is not shown.

    Returns
    -------
    dict of str to str
        Product → name of the rule; what the catalogue does not hold any more is ``inactive``.
    """
    refused = tuple(one for one in question.suppression.withheld if one.code != "capped")
    asked = msgspec.structs.replace(question, suppression=Suppression(refused))
    prepared = prepare_questions([asked], [row], engine.catalogue)
    since_ts = np.minimum(prepared.limits.hidden_since_ts, decided_ts)
    limits = replace(prepared.limits, hidden_since_ts=since_ts)
    positions = engine.index.ix_of(item_ids)
    known = [item_id for item_id, at in zip(item_ids, positions.tolist(), strict=True) if at >= 0]
    lists = Lists.of_rows([positions[positions >= 0].astype(np.int32)])
    codes = engine.ranker.rules(prepared.batch.histories, limits).forbid(lists)
    found = {
        item_id: RULES[code - 1]
        for item_id, code in zip(known, codes.tolist(), strict=True)
        if code
    }
    return {item_id: "inactive" for item_id in item_ids if item_id not in known} | found
