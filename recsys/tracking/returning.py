"""What happens to offers when orders come back, and when visitors say who they are.

Called by ``recording`` when events tell of refunds and logins, and by ``Offers.give_back`` with
what exports say came back.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from recsys.bundles.found import offered
from recsys.tracking.promises import (
    EXPIRED,
    KEPT,
    OF_SAME,
    REDEEMED,
    STANDING,
    WITHDRAWN,
    count,
    lock_bundles,
    names_of,
    terms_of,
)
from recsys.tracking.tables import OFFERS, REDEMPTIONS, STAND_INS


class Returned(NamedTuple):
    """An order that came back, or a part of it."""

    transaction_id: str
    scope: str
    """Within what the number names one order."""
    item_ids: frozenset[str] = frozenset()
    """What came back; empty: everything."""
    sure: bool = True
    """False: nobody knows the order, so it may be the only one of its number elsewhere."""


class Login(NamedTuple):
    """Somebody said who they are in a visit of nobody."""

    visit: str
    """Own id of the visit."""
    own_id: str


#: Offers that orders of some numbers use or used, and what came back of them so far.
_USES: Final = (
    sa.select(
        OFFERS.c.offer_id,
        OFFERS.c.bundle_id,
        OFFERS.c.discount_minor,
        OFFERS.c.expires_ts,
        REDEMPTIONS.c.transaction_id,
        REDEMPTIONS.c.scope,
        REDEMPTIONS.c.back,
        REDEMPTIONS.c.returned_ts,
    )
    .join_from(REDEMPTIONS, OFFERS, OFFERS.c.offer_id == REDEMPTIONS.c.offer_id)
    .where(REDEMPTIONS.c.transaction_id.in_(sa.bindparam("numbers", expanding=True)))
    .order_by(OFFERS.c.offer_id)
)
#: What those orders held in place of members.
_STOOD: Final = sa.select(STAND_INS).where(
    STAND_INS.c.transaction_id.in_(sa.bindparam("numbers", expanding=True))
)
_OF_VISITS: Final = (
    sa.select(OFFERS.c.offer_id, OFFERS.c.bundle_id, OFFERS.c.owner)
    .where(OFFERS.c.owner.in_(sa.bindparam("visits", expanding=True)))
    .where(OFFERS.c.state == STANDING)
    .order_by(OFFERS.c.offer_id)
)
_HOW_MANY: Final = (
    sa.select(sa.func.count())
    .where(OFFERS.c.owner.in_(sa.bindparam("owners", expanding=True)))
    .where(OFFERS.c.bundle_id == sa.bindparam("bundle_id"))
    .where(OFFERS.c.state.in_((STANDING, REDEEMED)))
)


def settle(
    connection: Connection, returns: Sequence[Returned], logins: Sequence[Login], now_ts: int
) -> int:
    """Give offers back with their orders, and visitors' offers to who they turn out to be.

    Parameters
    ----------
    connection : Connection
        In a writer's transaction that holds no bundle's row.
    returns : sequence of Returned
    logins : sequence of Login
    now_ts : int
        UTC epoch seconds; what has expired by then does not stand again.

    Returns
    -------
    int
        Offers that were given back.
    """
    given: dict[str, Any] = {
        "numbers": sorted({back.transaction_id for back in returns}),
        "visits": sorted({login.visit for login in logins}),
    }
    # Nearly always there is nothing to do, and no bundle's row is taken.
    uses = _read(connection, _USES, given["numbers"], given)
    concerned = {row.bundle_id for row in uses if row.returned_ts is None}
    concerned |= {row.bundle_id for row in _read(connection, _OF_VISITS, given["visits"], given)}
    if not concerned:
        return 0
    bundles = lock_bundles(connection, concerned)
    given_back = 0
    uses = _read(connection, _USES, given["numbers"], given)
    stood = _read(connection, _STOOD, given["numbers"], given)
    for row in uses:
        if row.returned_ts is None and row.bundle_id in bundles:
            sold = {it.item_id: it.member for it in stood if _key_of(it) == _key_of(row)}
            mine = [back for back in returns if _is_of(back, row, uses)]
            given_back += _come_back(connection, bundles[row.bundle_id], row, sold, mine, now_ts)
    own_ids = {login.visit: login.own_id for login in logins}
    for row in _read(connection, _OF_VISITS, given["visits"], given):
        if row.bundle_id in bundles:
            _follow(connection, bundles[row.bundle_id], row, own_ids[row.owner])
    return given_back


def _read(
    connection: Connection, query: sa.Select[Any], wanted: Sequence[str], given: dict[str, Any]
) -> Sequence[sa.Row[Any]]:
    return connection.execute(query, given).all() if wanted else []


def _key_of(row: sa.Row[Any]) -> tuple[str, str, str]:
    return row.transaction_id, row.scope, row.offer_id


def _is_of(back: Returned, row: sa.Row[Any], uses: Iterable[sa.Row[Any]]) -> bool:
    """Whether what came back is of the order that uses an offer."""
    if back.transaction_id != row.transaction_id:
        return False
    scopes = {use.scope for use in uses if use.transaction_id == row.transaction_id}
    return row.scope == back.scope or (not back.sure and scopes == {row.scope})


def _come_back(
    connection: Connection,
    bundle: sa.Row[Any],
    row: sa.Row[Any],
    sold: Mapping[str, str],
    returns: Iterable[Returned],
    now_ts: int,
) -> int:
    """Take what came back off an offer; ``sold`` says for which member another product stood."""
    terms = terms_of(bundle.terms)
    members = frozenset(offered(bundle.kind, names_of(bundle.item_ids)))
    before = back = frozenset(names_of(row.back))
    for returned in returns:
        items = {sold.get(item_id, item_id) for item_id in returned.item_ids}
        back |= members & items if items else members
    whole = back == members and terms.gives_back
    if back == before and not whole:
        return 0
    here = sa.and_(
        REDEMPTIONS.c.transaction_id == row.transaction_id,
        REDEMPTIONS.c.scope == row.scope,
        REDEMPTIONS.c.offer_id == row.offer_id,
    )
    values = {"back": msgspec.json.encode(sorted(back)), "returned_ts": now_ts if whole else None}
    connection.execute(REDEMPTIONS.update().where(here).values(values))
    if not whole:
        return 0
    if terms.status not in KEPT:
        state = WITHDRAWN
    else:
        state = STANDING if row.expires_ts > now_ts else EXPIRED
    connection.execute(OFFERS.update().where(OFFERS.c.offer_id == row.offer_id).values(state=state))
    discount = row.discount_minor
    changes = {"redeemed": -1, "returned": 1, "spent_minor": -discount}
    if state == STANDING:
        changes |= {"standing": 1, "reserved_minor": discount}
    count(connection, row.bundle_id, **changes)
    return 1


def _follow(connection: Connection, bundle: sa.Row[Any], row: sa.Row[Any], own_id: str) -> None:
    """Give a visitor's offer to the customer, unless they have as many as they may get.

    What they would have too many of stays with the visit.
    """
    same = connection.execute(OF_SAME, {"customer_id": own_id})
    owners = sorted({own_id, *(alike for alike, _ in same)})
    given = {"owners": owners, "bundle_id": row.bundle_id}
    if connection.execute(_HOW_MANY, given).scalar_one() < terms_of(bundle.terms).per_customer:
        connection.execute(
            OFFERS.update().where(OFFERS.c.offer_id == row.offer_id).values(owner=own_id)
        )
