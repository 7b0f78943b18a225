"""Undoes a redemption right after it was made, for a till where something was scanned wrongly.

In: an offer, the order that uses it, and the till that redeemed it. Out: the offer, which stands
again as if it had never been used, or an ``OfferError``. Called by ``offers``. A return of goods is
something else, see ``returns``.
"""

from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from recsys.bundles import Offer
from recsys.errors import OfferError
from recsys.ledger.database import Database
from recsys.ledger.offers.orders import OrderState, in_use, keep, lock_orders
from recsys.ledger.offers.redemption import see_offer
from recsys.ledger.offers.rows import (
    EXPIRED,
    KEPT,
    STANDING,
    WITHDRAWN,
    count,
    lock_bundles,
    terms_of,
)
from recsys.ledger.schema import DECISIONS, OFFERS, REDEMPTIONS

#: For how long a redemption can be undone.
UNDO_SECONDS: Final = 60

_USE: Final = (
    sa.select(
        REDEMPTIONS.c.transaction_id,
        REDEMPTIONS.c.scope,
        REDEMPTIONS.c.redeemed_ts,
        REDEMPTIONS.c.discount_minor.label("given_minor"),
        REDEMPTIONS.c.till,
        OFFERS.c.discount_minor,
        OFFERS.c.expires_ts,
    )
    .join_from(REDEMPTIONS, OFFERS, OFFERS.c.offer_id == REDEMPTIONS.c.offer_id)
    .where(REDEMPTIONS.c.offer_id == sa.bindparam("offer_id"), REDEMPTIONS.c.returned_ts.is_(None))
)


class Undo(NamedTuple):
    """What is to be undone, by whom, and when."""

    transaction_id: str
    scope: str
    """Scope in which the order number is unique."""
    till: str
    """As of ``OfferUse.till``."""
    now_ts: int
    """UTC epoch seconds."""


def undo_redemption(database: Database, which: str, undo: Undo) -> Offer:
    """Implement ``Offers.undo``."""
    seen = see_offer(database, which)
    if seen is None:
        raise OfferError("offer-unknown", "there is no such offer.")
    offer_id, bundle_id = seen.offer.offer_id, seen.offer.bundle_id
    with database.writing() as connection:
        key = (undo.transaction_id, undo.scope)
        order = lock_orders(connection, [undo.transaction_id]).get(key)
        bundle = lock_bundles(connection, [bundle_id])[bundle_id]
        use: Any = connection.execute(_USE, {"offer_id": offer_id}).one_or_none()
        if use is not None:
            _check(use, undo)
            _undo(connection, (offer_id, bundle), use, undo.now_ts)
            if order is not None:
                _forget(connection, key, order)
    found = see_offer(database, offer_id)
    if found is None:  # erased meanwhile
        raise OfferError("offer-unknown", "there is no such offer.")
    return found.offer


def _check(use: Any, undo: Undo) -> None:
    """Refuse to undo what another order or till did, or what was done long ago."""
    if (use.transaction_id, use.scope) != (undo.transaction_id, undo.scope):
        raise OfferError("offer-redeemed", "another order has used the offer.")
    if use.till != undo.till:
        raise OfferError(
            "redemption-of-another", "only the till that redeemed the offer can undo that."
        )
    if undo.now_ts - use.redeemed_ts > UNDO_SECONDS:
        raise OfferError(
            "redemption-final",
            f"the offer was redeemed more than {UNDO_SECONDS} seconds ago; a return of the goods "
            "gives it back if its terms say so.",
        )


def _undo(connection: Connection, of: tuple[str, Any], use: Any, now_ts: int) -> None:
    offer_id, bundle = of
    changes = {"redeemed": -1, "spent_minor": -use.given_minor}
    terms = terms_of(bundle.terms)
    if terms.status not in KEPT:
        state = WITHDRAWN
    elif use.expires_ts <= now_ts:
        state = EXPIRED
    else:
        state = STANDING
        more = use.discount_minor - use.given_minor
        taken = sa.select(DECISIONS.c.reserved_minor + DECISIONS.c.spent_minor)
        now = connection.execute(taken.where(DECISIONS.c.bundle_id == bundle.bundle_id))
        if terms.budget_minor is not None and 0 < more > terms.budget_minor - now.scalar_one():
            raise OfferError(
                "redemption-final",
                "what the order did not need of its discount was promised to others meanwhile, "
                "and the budget holds no more.",
            )
        changes |= {"standing": 1, "reserved_minor": use.discount_minor}
    here = sa.and_(
        REDEMPTIONS.c.transaction_id == use.transaction_id,
        REDEMPTIONS.c.scope == use.scope,
        REDEMPTIONS.c.offer_id == offer_id,
    )
    connection.execute(REDEMPTIONS.delete().where(here))
    connection.execute(OFFERS.update().where(OFFERS.c.offer_id == offer_id).values(state=state))
    count(connection, bundle.bundle_id, **changes)


def _forget(connection: Connection, key: tuple[str, str], order: OrderState) -> None:
    """Forget what an order held that uses no offer any more: it may be scanned anew."""
    if order.held and not in_use(connection, key):
        order.held = {}
        keep(connection, key, order)
