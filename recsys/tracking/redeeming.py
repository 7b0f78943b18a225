"""An offer is used by one order at most.

Called by ``offers``; ``returning`` undoes it.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from recsys.bundles.found import offered
from recsys.bundles.terms import Offer, Terms
from recsys.errors import OfferError
from recsys.tracking.codes import is_offer_id, read_code
from recsys.tracking.database import Database
from recsys.tracking.events import scope_of
from recsys.tracking.promises import (
    COLUMNS,
    EXPIRED,
    REDEEMED,
    USED,
    WITHDRAWN,
    count,
    lock_bundles,
    names_of,
    offer,
    redemption,
    terms_of,
)
from recsys.tracking.rows import insert
from recsys.tracking.tables import DECISIONS, OFFERS, REDEMPTIONS, STAND_INS


class Redeemed(msgspec.Struct, frozen=True):
    """An offer that an order uses."""

    offer: Offer
    first: bool
    """False: the order was told of before, and this is the same answer again."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """An offer and what matters of its bundle."""

    offer: Offer
    scope: str | None
    """Within what the order that uses it is named."""
    terms: Terms
    needed: tuple[str, ...]
    """What an order must hold."""


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """Who wants to redeem, for what."""

    transaction_id: str
    channel: str
    location_id: str | None
    owners: Collection[str] | None
    """None: whoever shows it may use it."""
    item_ids: Collection[str] | None
    """Of the order; None: not told."""
    now_ts: int
    choice_of: Callable[[str], str] = str
    """Names the choice of a product: any product of it stands for the others."""

    @property
    def scope(self) -> str:
        """Within what ``transaction_id`` names one order."""
        return scope_of(self.channel, self.location_id)


_USING: Final = sa.and_(
    REDEMPTIONS.c.offer_id == OFFERS.c.offer_id, REDEMPTIONS.c.returned_ts.is_(None)
)
_OF_BUNDLE: Final = (DECISIONS.c.terms, DECISIONS.c.kind, DECISIONS.c.item_ids)
_SEEN: Final = (
    sa.select(*COLUMNS, *USED, REDEMPTIONS.c.scope, *_OF_BUNDLE)
    .join_from(OFFERS, DECISIONS, DECISIONS.c.bundle_id == OFFERS.c.bundle_id)
    .outerjoin(REDEMPTIONS, _USING)
)
_BY_ID: Final = _SEEN.where(OFFERS.c.offer_id == sa.bindparam("name"))
_BY_CODE: Final = _SEEN.where(OFFERS.c.code == sa.bindparam("name"))


def see(database: Database, which: str) -> Seen | None:
    """Read an offer by its id or by its code; None where there is none."""
    by_id = is_offer_id(which)
    name = which if by_id else read_code(which)
    row = database.one(_BY_ID if by_id else _BY_CODE, name=name) if name else None
    return None if row is None else _seen(row)


def _seen(row: Sequence[Any]) -> Seen:
    use_at, scope_at = len(COLUMNS), len(COLUMNS) + len(USED)
    scope, terms, kind, item_ids = row[scope_at:]
    return Seen(
        offer=offer(row[:use_at], redemption(row[use_at:scope_at])),
        scope=scope,
        terms=terms_of(terms),
        needed=tuple(offered(kind, names_of(item_ids))),
    )


def redeem(database: Database, which: str, use: Use) -> Redeemed:
    """Do what ``Offers.redeem`` says."""
    seen = see(database, which)
    if seen is None:
        raise OfferError("offer-unknown", "there is no such offer.")
    # Whoever comes too late hears so without waiting for those who came at the same moment.
    again = _check(seen, use)
    if again is not None:
        return again
    found, scope = seen.offer, use.scope
    with database.writing() as connection:
        lock_bundles(connection, [found.bundle_id])
        seen = _seen(connection.execute(_BY_ID, {"name": found.offer_id}).one())
        again = _check(seen, use)
        if again is not None:
            return again
        row = {
            "transaction_id": use.transaction_id,
            "scope": scope,
            "offer_id": found.offer_id,
            "channel": use.channel,
            "location_id": use.location_id,
            "redeemed_ts": use.now_ts,
            "back": b"[]",
        }
        statement = insert(connection, REDEMPTIONS).on_conflict_do_nothing()
        written = connection.execute(statement.returning(REDEMPTIONS.c.offer_id), row).all()
        if not written:
            raise OfferError(
                "offer-redeemed",
                f"order `{use.transaction_id}` used this offer and was returned; another order "
                "may use it.",
            )
        stood = [
            {"transaction_id": use.transaction_id, "scope": scope, "offer_id": found.offer_id,
             "member": member, "item_id": item_id}
            for member, item_id in stand_ins(seen.needed, use).items()
        ]  # fmt: skip
        if stood:
            connection.execute(STAND_INS.insert(), stood)
        _become(connection, found.offer_id, REDEEMED)
        discount = found.discount_minor
        count(
            connection, found.bundle_id,
            standing=-1, redeemed=1, reserved_minor=-discount, spent_minor=discount,
        )  # fmt: skip
    used = redemption([row[column.name] for column in USED])
    return Redeemed(msgspec.structs.replace(seen.offer, state=REDEEMED, redemption=used), True)


def _check(seen: Seen, use: Use) -> Redeemed | None:
    """Refuse what may not be; return the earlier answer where the order had it already."""
    found, terms = seen.offer, seen.terms
    if use.owners is not None and found.owner not in use.owners:
        raise OfferError("offer-of-another", "the offer was made to somebody else.")
    if found.redemption is not None:
        if (found.redemption.transaction_id, seen.scope) == (use.transaction_id, use.scope):
            return Redeemed(found, False)
        raise OfferError("offer-redeemed", "another order has used the offer.")
    if found.state == WITHDRAWN:
        raise OfferError("offer-withdrawn", "the offer was withdrawn.")
    if found.state == EXPIRED or found.expires_ts <= use.now_ts:
        raise OfferError("offer-expired", "the offer has expired.")
    if not holds_at(terms, use.channel, use.location_id):
        where = [*terms.channels, *terms.locations]
        raise OfferError("offer-elsewhere", f"the offer holds elsewhere: {', '.join(where)}.")
    stand_ins(seen.needed, use)
    return None


def stand_ins(needed: Sequence[str], use: Use) -> dict[str, str]:
    """Say what an order holds in place of products of an offer, each line for one of them.

    Parameters
    ----------
    needed : sequence of str
        Products of the offer.
    use : Use

    Returns
    -------
    dict
        Product of the offer → another of its choice, of the order; nothing where the order holds
        the product itself, or does not tell what it holds.

    Raises
    ------
    OfferError
        When the order lacks a product.
    """
    if use.item_ids is None:
        return {}
    left = list(use.item_ids)
    open_ = []
    for member in needed:
        if member in left:
            left.remove(member)
        else:
            open_.append(member)
    found: dict[str, str] = {}
    missing = []
    for member in open_:
        choice = use.choice_of(member)
        other = next((item_id for item_id in left if use.choice_of(item_id) == choice), None)
        if other is None:
            missing.append(member)
        else:
            left.remove(other)
            found[member] = other
    if missing:
        names = ", ".join(f"`{item_id}`" for item_id in missing)
        raise OfferError("offer-incomplete", f"the order lacks {names} of the offer.")
    return found


def holds_at(terms: Terms, channel: str, location_id: str | None) -> bool:
    """Whether a bundle is offered in a channel, at a location."""
    return (not terms.channels or channel in terms.channels) and (
        not terms.locations or location_id in terms.locations
    )


def _become(connection: Connection, offer_id: str, state: str) -> None:
    connection.execute(OFFERS.update().where(OFFERS.c.offer_id == offer_id).values(state=state))
