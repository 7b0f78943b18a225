"""Redeems offers: each offer by at most one order, each piece of an order with at most one offer.

In: an offer's code or id, and the order that uses it. Out: the redeemed offer, or an
``OfferError``. Called by ``offers``; ``returns`` undoes it.
"""

from collections.abc import Callable, Collection, Container, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from recsys.bundles import Offer, Terms
from recsys.errors import OfferError
from recsys.ledger.database import Database
from recsys.ledger.events.event_types import scope_of
from recsys.ledger.offers.codes import hashed, is_offer_id, read_code
from recsys.ledger.offers.combination import best_combination
from recsys.ledger.offers.orders import OrderState, ever_used, held_of, in_use, keep, lock_order
from recsys.ledger.offers.pieces import OfferBounds, OfferClaim, OpenOrder, OrderItem
from recsys.ledger.offers.rows import (
    COLUMNS,
    EXPIRED,
    REDEEMED,
    USED,
    WITHDRAWN,
    count,
    lock_bundles,
    offer,
    redemption,
    terms_of,
)
from recsys.ledger.schema import DECISIONS, OFFERS, REDEMPTIONS


class RedeemedOffer(msgspec.Struct, frozen=True):
    """An offer that an order uses."""

    offer: Offer
    first: bool
    """False if the order already used the offer, and the earlier answer is repeated."""


class SeenOffer(msgspec.Struct, frozen=True, kw_only=True):
    """An offer and the relevant fields of its bundle."""

    offer: Offer
    scope: str | None
    """Scope in which the number of the order that uses it is unique."""
    terms: Terms


class OfferUse(msgspec.Struct, frozen=True, kw_only=True):
    """The order that uses an offer, and the limits."""

    transaction_id: str
    channel: str
    location_id: str | None
    owners: Collection[str] | None
    """None: anyone with the code may use it."""
    items: Sequence[OrderItem] | None
    """All items of the order; None if not reported."""
    currency: str | None
    """Currency of the items' prices."""
    now_ts: int
    till: str = ""
    """Names who redeems, so that they alone can undo it."""
    choice_of: Callable[[str], str] = str
    """Returns the choice of a product; products of one choice are interchangeable."""
    bounds: OfferBounds = OfferBounds()

    @property
    def key(self) -> tuple[str, str]:
        """Number and scope of the order."""
        return self.transaction_id, self.scope

    @property
    def scope(self) -> str:
        """Scope in which ``transaction_id`` is unique."""
        return scope_of(self.channel, self.location_id)


_USING: Final = sa.and_(
    REDEMPTIONS.c.offer_id == OFFERS.c.offer_id, REDEMPTIONS.c.returned_ts.is_(None)
)
_SEEN: Final = (
    sa.select(*COLUMNS, *USED, REDEMPTIONS.c.scope, DECISIONS.c.terms)
    .join_from(OFFERS, DECISIONS, DECISIONS.c.bundle_id == OFFERS.c.bundle_id)
    .outerjoin(REDEMPTIONS, _USING)
)
_BY_ID: Final = _SEEN.where(OFFERS.c.offer_id == sa.bindparam("name"))
_BY_CODE: Final = _SEEN.where(OFFERS.c.code_hash == sa.bindparam("name"))


def see_offer(database: Database, which: str) -> SeenOffer | None:
    """Read an offer by its id or its code; None if there is none."""
    by_id = is_offer_id(which)
    code = None if by_id else read_code(which)
    if code is not None:
        row = database.one(_BY_CODE, name=hashed(code))
    else:
        row = database.one(_BY_ID, name=which) if by_id else None
    return None if row is None else _seen(row)


def _seen(row: Sequence[Any]) -> SeenOffer:
    use_at, scope_at = len(COLUMNS), len(COLUMNS) + len(USED)
    scope, terms = row[scope_at:]
    return SeenOffer(
        offer=offer(row[:use_at], redemption(row[use_at:scope_at])),
        scope=scope,
        terms=terms_of(terms),
    )


def redeem_offer(database: Database, which: str, use: OfferUse) -> RedeemedOffer:
    """Implement ``Offers.redeem``."""
    wrong = _wrong_name(which, use)
    if wrong is not None:
        raise wrong
    seen = see_offer(database, which)
    if seen is None:
        raise OfferError("offer-unknown", "there is no such offer.")
    # Refuse a late request without waiting for the lock.
    again = _check(seen, use)
    if again is not None:
        return again
    with database.writing() as connection:
        order = lock_order(connection, use.key)
        lock_bundles(connection, [seen.offer.bundle_id])
        seen = _seen(connection.execute(_BY_ID, {"name": seen.offer.offer_id}).one())
        again = _check(seen, use)
        if again is not None:
            return again
        open_order, n_used = _read_open_order(connection, order, use)
        _check_returned(seen.offer.offer_id, ever_used(connection, use.key), use)
        _check_number(n_used, use)
        claim = open_order.claim(seen.offer, use.bounds)
        done = _use(connection, seen.offer, claim, use)
        if use.items is not None:
            order.report(held_of(use.items))
            keep(connection, use.key, order)
    return done


class Outcome(NamedTuple):
    """The outcome of one of several offers."""

    redeemed: RedeemedOffer | None
    refused: OfferError | None


class _UndoError(Exception):
    """Rolls a dry run back."""


def redeem_best(
    database: Database, names: Sequence[str], use: OfferUse, *, dry_run: bool
) -> list[Outcome]:
    """Implement ``Offers.redeem_best``."""
    refused = {name: error for name in names if (error := _wrong_name(name, use)) is not None}
    taken = [name for name in names if name not in refused]
    seen_offers = [see_offer(database, name) for name in taken]
    outcomes: list[Outcome] = []
    with suppress(_UndoError), database.writing() as connection:
        outcomes = _redeem_best(connection, seen_offers, use)
        if dry_run:
            raise _UndoError
    left = iter(outcomes)
    return [Outcome(None, refused[name]) if name in refused else next(left) for name in names]


def _redeem_best(
    connection: Connection, seen_offers: Sequence[SeenOffer | None], use: OfferUse
) -> list[Outcome]:
    order = lock_order(connection, use.key)
    lock_bundles(connection, [seen.offer.bundle_id for seen in seen_offers if seen is not None])
    ids = list(dict.fromkeys(seen.offer.offer_id for seen in seen_offers if seen is not None))
    open_order, n_used = _read_open_order(connection, order, use)
    ever = ever_used(connection, use.key)
    outcomes: dict[str, Outcome] = {}
    free: list[Offer] = []
    for offer_id in ids:
        seen = _seen(connection.execute(_BY_ID, {"name": offer_id}).one())
        try:
            again = _check(seen, use)
            if again is None:
                _check_returned(offer_id, ever, use)
        except OfferError as error:
            outcomes[offer_id] = Outcome(None, error)
            continue
        if again is None:
            free.append(seen.offer)
        else:
            outcomes[offer_id] = Outcome(again, None)
    per_order = use.bounds.per_order
    room = len(free) if per_order is None else max(0, per_order - n_used)
    chosen = best_combination(open_order, free, use.bounds, room)
    for at, claim in chosen.claims:
        open_order.claim(free[at], use.bounds)
        outcomes[free[at].offer_id] = Outcome(_use(connection, free[at], claim, use), None)
    n_used += len(chosen.claims)
    for other in free:
        if other.offer_id not in outcomes:
            outcomes[other.offer_id] = Outcome(None, _why_not(open_order, other, n_used, use))
    if use.items is not None and chosen.claims:
        order.report(held_of(use.items))
        keep(connection, use.key, order)
    unknown = Outcome(None, OfferError("offer-unknown", "there is no such offer."))
    return [unknown if seen is None else outcomes[seen.offer.offer_id] for seen in seen_offers]


def _wrong_name(which: str, use: OfferUse) -> OfferError | None:
    """Refuse an offer's id if no customer is named.

    Ids appear in the ledger and in logs, so an id alone must not suffice to use the offer. Without
    a customer only the code counts, and the ledger holds only its hash.
    """
    if use.owners is None and is_offer_id(which):
        return OfferError(
            "offer-code-needed",
            "an offer's id is valid only with the customer named; otherwise send its code.",
        )
    return None


def _why_not(open_order: OpenOrder, offer: Offer, n_used: int, use: OfferUse) -> OfferError:
    """Return why an offer is not among those that an order uses."""
    try:
        _check_number(n_used, use)
        open_order.copy().claim(offer, use.bounds)
    except OfferError as error:
        return error
    return OfferError("offer-overlaps", "the discount is larger without it.")


def _read_open_order(
    connection: Connection, order: OrderState, use: OfferUse
) -> tuple[OpenOrder, int]:
    """Return the free pieces of an order with a locked row, and its number of offers."""
    used = in_use(connection, use.key)
    taken = [piece for pieces in used.values() for piece in pieces]
    open_order = OpenOrder(
        use.items, taken, order.back, all_back=order.all_back, choice_of=use.choice_of
    )
    return open_order, len(used)


def _check_returned(offer_id: str, ever: Container[str], use: OfferUse) -> None:
    """Refuse an offer that this order used before it was returned."""
    if offer_id in ever:
        raise OfferError(
            "offer-redeemed",
            f"order `{use.transaction_id}` used this offer and was returned; another order may "
            "use it.",
        )


def _check_number(n_used: int, use: OfferUse) -> None:
    """Refuse an offer beyond the limit per order."""
    most = use.bounds.per_order
    if most is not None and n_used >= most:
        raise OfferError("order-limit", f"the order uses {n_used} offers; the limit is {most}.")


def _use(connection: Connection, offer: Offer, claim: OfferClaim, use: OfferUse) -> RedeemedOffer:
    """Record that an order uses an offer; its bundle's row is locked too."""
    row = {
        "transaction_id": use.transaction_id,
        "scope": use.scope,
        "offer_id": offer.offer_id,
        "channel": use.channel,
        "location_id": use.location_id,
        "redeemed_ts": use.now_ts,
        "discount_minor": claim.discount_minor,
        "pieces": msgspec.json.encode(claim.pieces),
        "till": use.till,
    }
    connection.execute(REDEMPTIONS.insert(), row)
    _become(connection, offer.offer_id, REDEEMED)
    count(
        connection,
        offer.bundle_id,
        standing=-1,
        redeemed=1,
        reserved_minor=-offer.discount_minor,
        spent_minor=claim.discount_minor,
    )
    used = redemption([row[column.name] for column in USED])
    return RedeemedOffer(msgspec.structs.replace(offer, state=REDEEMED, redemption=used), True)


def _check(seen: SeenOffer, use: OfferUse) -> RedeemedOffer | None:
    """Refuse an unusable offer; return the earlier answer if the order already uses it."""
    offer, terms = seen.offer, seen.terms
    if use.owners is not None and offer.owner not in use.owners:
        raise OfferError("offer-of-another", "the offer was made to another customer.")
    if offer.redemption is not None:
        if (offer.redemption.transaction_id, seen.scope) == (use.transaction_id, use.scope):
            return RedeemedOffer(offer, False)
        raise OfferError("offer-redeemed", "another order has used the offer.")
    if offer.state == WITHDRAWN:
        raise OfferError("offer-withdrawn", "the offer was withdrawn.")
    if offer.state == EXPIRED or offer.expires_ts <= use.now_ts:
        raise OfferError("offer-expired", "the offer has expired.")
    if not holds_at(terms, use.channel, use.location_id):
        where = [*terms.channels, *terms.locations]
        raise OfferError("offer-elsewhere", f"the offer is valid only here: {', '.join(where)}.")
    if use.currency not in (None, offer.currency):
        raise OfferError(
            "offer-elsewhere", f"the offer is in {offer.currency}, the order in {use.currency}."
        )
    return None


def holds_at(terms: Terms, channel: str, location_id: str | None) -> bool:
    """Return whether a bundle is offered on a channel, at a location."""
    return (not terms.channels or channel in terms.channels) and (
        not terms.locations or location_id in terms.locations
    )


def _become(connection: Connection, offer_id: str, state: str) -> None:
    connection.execute(OFFERS.update().where(OFFERS.c.offer_id == offer_id).values(state=state))
