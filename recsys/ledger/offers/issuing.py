"""Issues offers: once per bundle and owner, within the budget and the limits per customer.

Called by ``offers``.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from recsys.bundles import Offer, OfferItem, Terms, offered_members
from recsys.errors import LedgerError
from recsys.ledger.database import Database
from recsys.ledger.offers.codes import OfferName, hashed, read_code
from recsys.ledger.offers.pieces import NO_BOUNDS, OfferBounds, least_price_minor
from recsys.ledger.offers.rows import (
    COLUMNS,
    OVERDUE,
    REDEEMED,
    STANDING,
    count,
    lock_bundles,
    names_of,
    of_owners,
    offer,
    read_of_owners,
    release,
    terms_of,
)
from recsys.ledger.schema import DECISIONS, OF_VISITS, OFFER_ADDRESSES, OFFERS
from recsys.ledger.statements import lock
from recsys.units import DAY

_HOUR: Final = 3_600
#: Old addresses that a request deletes.
_FORGET: Final = 20


class Refusal(msgspec.Struct, frozen=True):
    """Why no offer was made."""

    reason: Literal[
        "not_offered", "offer_below_floor", "budget_spent", "customer_limit", "visit_limit"
    ]


class VisitBounds(msgspec.Struct, frozen=True):
    """Limits of offers to anonymous visits."""

    per_visit: int
    """Maximum offers of one visit within a day."""
    hours: float
    """Validity of such an offer."""
    budget_share: float
    """Maximum share of a bundle's budget for all such visits."""
    per_address_hour: int
    """Maximum offers of such visits from one address in an hour."""
    address: str | None = None
    """Keyed hash of the visit's address; None for no limit."""


class OfferWish(NamedTuple):
    """A request to issue an offer."""

    bundle_id: str
    owners: Sequence[str]
    """Every id of the owner."""
    owner: str
    items: tuple[OfferItem, ...]
    now_ts: int
    name: OfferName
    """Name of a new offer."""
    visit: VisitBounds | None = None
    """Limits, if the owner is an anonymous visit."""
    bounds: OfferBounds = NO_BOUNDS
    """Limits of every offer, so that no till refuses an issued offer."""


#: Columns of a bundle's row for ``_new``.
_BUNDLE: Final = sa.select(
    DECISIONS.c.kind,
    DECISIONS.c.item_ids,
    DECISIONS.c.terms,
    DECISIONS.c.reserved_minor + DECISIONS.c.spent_minor - OVERDUE,
).where(DECISIONS.c.bundle_id == sa.bindparam("bundle_id"))
#: Offers of a bundle that an owner has.
_THEIRS: Final = (
    sa.select(*COLUMNS)
    .where(OFFERS.c.bundle_id == sa.bindparam("bundle_id"))
    .where(OFFERS.c.state.in_([sa.literal_column(f"'{state}'") for state in (STANDING, REDEEMED)]))
    .order_by(OFFERS.c.expires_ts.desc(), OFFERS.c.offer_id)
)
_OF_OWNERS: Final = of_owners(_THEIRS)
#: Recent offers of a visit.
_OF_VISIT: Final = sa.select(sa.func.count()).where(
    OFFERS.c.owner == sa.bindparam("owner"), OFFERS.c.issued_ts > sa.bindparam("since_ts")
)
#: Reserved discounts of a bundle for anonymous visits.
_VISITS_MINOR: Final = sa.select(sa.func.coalesce(sa.func.sum(OFFERS.c.discount_minor), 0)).where(
    OFFERS.c.bundle_id == sa.bindparam("bundle_id"),
    OFFERS.c.expires_ts > sa.bindparam("now_ts"),
    OF_VISITS,
)
_OF_ALL: Final = _THEIRS.where(OFFERS.c.owner.in_(sa.bindparam("owners", expanding=True)))


def issue_offer(database: Database, wish: OfferWish) -> Offer | Refusal:
    """Implement ``Offers.issue``."""
    bundle_id, now_ts = wish.bundle_id, wish.now_ts
    # Answer without a lock if possible.
    rows = read_of_owners(database, _OF_OWNERS, wish.owners, bundle_id=bundle_id)
    held, n_used = _held(rows, now_ts)
    if held is not None:
        return held
    seen = database.one(_BUNDLE, bundle_id=bundle_id, of_bundle=bundle_id, now_ts=now_ts)
    if seen is None:
        return Refusal("not_offered")
    kind, item_ids, stored, taken = seen
    new = _new(wish, kind, item_ids, stored, taken, n_used)
    if isinstance(new, Refusal):
        return new
    with database.writing() as connection:
        if wish.visit is not None and not _visit_may(connection, wish, wish.visit):
            return Refusal("visit_limit")
        row = lock_bundles(connection, [bundle_id])[bundle_id]
        taken = row.reserved_minor + row.spent_minor - release(connection, bundle_id, now_ts)
        parameters = {"owners": wish.owners, "bundle_id": bundle_id}
        held, n_used = _held(connection.execute(_OF_ALL, parameters), now_ts)
        if held is not None:
            return held
        new = _new(wish, row.kind, row.item_ids, row.terms, taken, n_used)
        if isinstance(new, Refusal):
            return new
        if wish.visit is not None:
            budget, most = terms_of(row.terms).budget_minor, wish.visit.budget_share
            held_minor = connection.execute(
                _VISITS_MINOR, {"bundle_id": bundle_id, "now_ts": now_ts}
            ).scalar_one()
            if budget is not None and held_minor + new.discount_minor > budget * most:
                return Refusal("budget_spent")
            _count_address(connection, wish.visit, now_ts)
        return _write(connection, new, wish, _until(wish, terms_of(row.terms)))


def _until(wish: OfferWish, terms: Terms) -> int:
    """Return the expiry of an offer."""
    hours = terms.offer_hours if wish.visit is None else min(terms.offer_hours, wish.visit.hours)
    return round(wish.now_ts + hours * _HOUR)


def _visit_may(connection: Connection, wish: OfferWish, bounds: VisitBounds) -> bool:
    """Return whether a visit may get one more offer; locks the row of its address."""
    if bounds.address is not None:
        row = lock(connection, OFFER_ADDRESSES, [bounds.address], since_ts=wish.now_ts, issued=0)[
            bounds.address
        ]
        recent = wish.now_ts - row.since_ts < _HOUR
        if recent and row.issued >= bounds.per_address_hour:
            return False
    parameters = {"owner": wish.owner, "since_ts": wish.now_ts - DAY}
    n_lately = int(connection.execute(_OF_VISIT, parameters).scalar_one())
    return n_lately < bounds.per_visit


def _count_address(connection: Connection, bounds: VisitBounds, now_ts: int) -> None:
    """Count one more offer of an address with a locked row, and delete some old addresses."""
    if bounds.address is None:
        return
    of = OFFER_ADDRESSES.c
    past = now_ts - of.since_ts >= _HOUR
    connection.execute(
        OFFER_ADDRESSES.update()
        .where(of.address == bounds.address)
        .values(
            since_ts=sa.case((past, now_ts), else_=of.since_ts),
            issued=sa.case((past, 1), else_=of.issued + 1),
        )
    )
    old = sa.select(of.address).where(of.since_ts < now_ts - DAY, of.address != bounds.address)
    addresses = (
        connection.execute(old.limit(_FORGET).with_for_update(skip_locked=True)).scalars().all()
    )
    if addresses:
        connection.execute(OFFER_ADDRESSES.delete().where(of.address.in_(addresses)))


def _held(rows: Iterable[Sequence[Any]], now_ts: int) -> tuple[Offer | None, int]:
    """Return the owner's valid offer, if any, and the number of used ones."""
    offers = [offer(row) for row in rows]
    standing = [
        one_offer
        for one_offer in offers
        if one_offer.state == STANDING and one_offer.expires_ts > now_ts
    ]
    return next(iter(standing), None), sum(one_offer.state == REDEEMED for one_offer in offers)


def _new(
    wish: OfferWish,
    kind: str,
    item_ids: bytes,
    stored: bytes,
    taken_minor: int,
    n_theirs: int,
) -> Offer | Refusal:
    """Make an offer from a bundle's row, or return the reason for refusal.

    ``taken_minor`` is the reserved and spent part of the budget; ``n_theirs`` is the customer's
    number of offers.
    """
    terms, now_ts = terms_of(stored), wish.now_ts
    begun = terms.starts_ts is None or terms.starts_ts <= now_ts
    over = terms.ends_ts is not None and terms.ends_ts <= now_ts
    if terms.status != "approved" or not begun or over:
        return Refusal("not_offered")
    if set(offered_members(kind, names_of(item_ids))) != {item.item_id for item in wish.items}:
        raise LedgerError(f"the products offered are not those of bundle {wish.bundle_id}.")
    until = _until(wish, terms)
    new = Offer(
        offer_id=wish.name.offer_id,
        bundle_id=wish.bundle_id,
        owner=wish.owner,
        items=wish.items,
        price_minor=terms.price_minor or 0,
        currency=terms.currency or "",
        issued_ts=now_ts,
        expires_ts=until if terms.ends_ts is None else min(until, terms.ends_ts),
        state=STANDING,
    )
    if new.discount_minor <= 0:
        return Refusal("not_offered")
    sold = [item.item_id for item in wish.items]
    if new.price_minor < least_price_minor(sold, new.currency, wish.bounds):
        return Refusal("offer_below_floor")
    if n_theirs >= terms.per_customer:
        return Refusal("customer_limit")
    if terms.budget_minor is not None and taken_minor + new.discount_minor > terms.budget_minor:
        return Refusal("budget_spent")
    return new


def _write(connection: Connection, new: Offer, wish: OfferWish, promised_ts: int) -> Offer:
    row = {column.name: getattr(new, column.name) for column in COLUMNS}
    row |= {
        "items": msgspec.json.encode(new.items),
        "code_hash": hashed(read_code(wish.name.code) or ""),
        "discount_minor": new.discount_minor,
        "promised_ts": promised_ts,
        "visit": wish.visit is not None,
    }
    connection.execute(OFFERS.insert(), row)
    count(connection, new.bundle_id, issued=1, standing=1, reserved_minor=new.discount_minor)
    return offer([row[column.name] for column in COLUMNS])
