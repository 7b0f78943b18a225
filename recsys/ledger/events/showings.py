"""Lays out what was shown and clicked as what rotation is learned from.

In: exposures and clicks of the ledger. Out: ``decisions.PastShowings``. Called by ``Exposures`` for
training.
"""

import zlib
from collections.abc import Callable, Iterable
from typing import Final

import msgspec
import numpy as np
import sqlalchemy as sa
from sqlalchemy import Connection

from recsys.decisions import PastShowings, tiredness, visits
from recsys.ledger.schema import EVENTS, EXPOSURES, SESSIONS

#: Showings to read, about; of more, those of every second, third … customer are taken.
MAX_SHOWINGS: Final = 200_000
_CLICKS: Final = ("select_item", "select_promotion")
Includes = Callable[[str], bool]


class _Item(msgspec.Struct):
    item_id: str


class _Click(msgspec.Struct):
    """What a click's event says of where it was made."""

    items: list[_Item] = []
    recommendation_id: str | None = None


_read_click = msgspec.json.Decoder(_Click)


def read_showings(
    connection: Connection, half_life_days: float, includes: Includes
) -> PastShowings:
    """Read what was shown to somebody on placements whose clicks are reported.

    Parameters
    ----------
    connection : Connection
    half_life_days : float
        As of ``decisions.Rotation``.
    includes : callable
        Whether somebody may be learned from: any id of a customer; an empty text for a visitor whom
        nobody knows.

    Returns
    -------
    PastShowings
        One a product, customer and visit, in time order.
    """
    clicks = _clicks(connection)
    of = EXPOSURES.c
    someone = sa.func.coalesce(of.customer_id, of.session_id)
    # A visit may have been told whose it is after the showing.
    owner = sa.func.coalesce(of.customer_id, SESSIONS.c.own_id, "")
    query = sa.select(someone, owner, of.recommendation_id, of.placement, of.shown_ts, of["items"])
    query = query.join_from(
        EXPOSURES, SESSIONS, of.session_id == SESSIONS.c.session_id, isouter=True
    )
    query = query.where(someone.is_not(None)).order_by(of.shown_ts, of.recommendation_id)
    count = connection.execute(sa.select(sa.func.count()).select_from(EXPOSURES)).scalar_one()
    every = 10 * count // MAX_SHOWINGS + 1
    reported: set[str] = set()
    shown: dict[tuple[str, str], list[tuple[int, str, int, int | None]]] = {}
    for who, owner_id, recommendation_id, placement, ts, items in connection.execute(query):
        clicked = clicks.get(recommendation_id, {})
        if clicked:
            reported.add(placement)
        if zlib.crc32(who.encode()) % every or not includes(owner_id):
            continue
        for place, item_id in enumerate(msgspec.json.decode(items), start=1):
            row = ts, placement, place, clicked.get(item_id)
            shown.setdefault((who, item_id), []).append(row)
    rows = [
        (number, *row)
        for number, showings in enumerate(shown.values())
        for row in _counted(showings, reported, half_life_days)
    ]
    return PastShowings(
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.float64),
        np.array([row[2] for row in rows], np.int64),
        np.array([row[3] for row in rows], bool),
    )


def _clicks(connection: Connection) -> dict[str, dict[str, int]]:
    """Answer → product → when it was first clicked."""
    query = sa.select(EVENTS.c.occurred_ts, EVENTS.c.body).where(EVENTS.c.event.in_(_CLICKS))
    found: dict[str, dict[str, int]] = {}
    for ts, body in connection.execute(query.order_by(EVENTS.c.occurred_ts)):
        click = _read_click.decode(body)
        if click.recommendation_id is not None:
            of = found.setdefault(click.recommendation_id, {})
            for item in click.items:
                of.setdefault(item.item_id, ts)
    return found


def _counted(
    showings: list[tuple[int, str, int, int | None]], reported: set[str], half_life_days: float
) -> Iterable[tuple[float, int, bool]]:
    """Yield tiredness, place and click of each visit that could have been clicked in."""
    counted = visits(ts for ts, *_ in showings)
    ends = [*counted[1:], 1 << 62]
    answered_ts = 0
    for number, (start, end) in enumerate(zip(counted, ends, strict=True)):
        visit = [row for row in showings if start <= row[0] < end]
        clicked = [at for *_, at in visit if at is not None]
        if visit[0][1] in reported:
            tired = tiredness(counted[:number], start, half_life_days, answered_ts)
            yield tired, visit[0][2], bool(clicked)
        answered_ts = max([answered_ts, *clicked])
