"""Bundles' rows and their offers: functions shared by all writers of offers.

Every writer locks the row of an offer's bundle first, and the rows of several bundles in the order
of their ids. So writers never deadlock, and the counts and sums in a bundle's row are correct at
the end of every transaction. Used by other modules of ``recsys.ledger`` only.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, get_args

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from recsys.bundles import Counts, Decision, Offer, OfferItem, OfferState, Redemption, Terms
from recsys.ledger.database import Database
from recsys.ledger.schema import DECISIONS, IDENTIFIERS, OFFERS, REDEMPTIONS

STANDING, REDEEMED, EXPIRED, WITHDRAWN = get_args(OfferState)
#: Columns of a bundle's row that count its offers.
COUNTERS: Final = Counts.__struct_fields__
#: Statuses of bundles with valid offers.
KEPT: Final = ("approved", "paused")

_BUNDLES: Final = (
    sa.select(DECISIONS)
    .where(DECISIONS.c.bundle_id.in_(sa.bindparam("bundle_ids", expanding=True)))
    .order_by(DECISIONS.c.bundle_id)
    .with_for_update()
)
_LATE: Final = sa.and_(
    OFFERS.c.bundle_id == sa.bindparam("of_bundle"),
    OFFERS.c.state == sa.literal_column(f"'{STANDING}'"),
    OFFERS.c.expires_ts <= sa.bindparam("now_ts"),
)
#: Discounts reserved for expired offers, minor units.
OVERDUE: Final = (
    sa.select(sa.func.coalesce(sa.func.sum(OFFERS.c.discount_minor), sa.literal_column("0")))
    .where(_LATE)
    .scalar_subquery()
)
_LET_GO: Final = (
    OFFERS.update()
    .where(
        OFFERS.c.offer_id.in_(
            sa.select(OFFERS.c.offer_id).where(_LATE).limit(sa.bindparam("most", type_=sa.Integer))
        )
    )
    .values(state=EXPIRED, kept_code=None)
    .returning(OFFERS.c.discount_minor)
)
#: Maximum expired offers that a request releases; those of a campaign expire together.
MOST: Final = 500

_ALIKE: Final = IDENTIFIERS.alias()
#: All ids of the customer of an id, and the current one.
OF_SAME: Final = sa.select(IDENTIFIERS.c.own_id, IDENTIFIERS.c.customer_id).where(
    IDENTIFIERS.c.customer_id
    == sa.select(_ALIKE.c.customer_id)
    .where(_ALIKE.c.own_id == sa.bindparam("customer_id"))
    .limit(sa.literal_column("1"))
    .offset(sa.literal_column("0"))  # SQLAlchemy would use a parameter
    .scalar_subquery()
)

#: Columns of an offer, in the order that ``offer`` expects.
COLUMNS: Final = tuple(
    OFFERS.c[name]
    for name in (
        "offer_id",
        "kept_code",
        "bundle_id",
        "owner",
        "items",
        "price_minor",
        "currency",
        "issued_ts",
        "expires_ts",
        "state",
    )
)
#: Columns of a redemption, in the order that ``redemption`` expects.
USED: Final = tuple(
    REDEMPTIONS.c[name]
    for name in ("transaction_id", "channel", "location_id", "redeemed_ts", "discount_minor")
)

terms_of: Final = msgspec.json.Decoder(Terms).decode
items_of: Final = msgspec.json.Decoder(tuple[OfferItem, ...]).decode
names_of: Final = msgspec.json.Decoder(tuple[str, ...]).decode


def of_owners(query: sa.Select[Any]) -> dict[int, sa.Select[Any]]:
    """Restrict a query to some owners; the statement is constant for each number of owners."""
    return {
        size: query.where(OFFERS.c.owner.in_([sa.bindparam(f"owner_{n}") for n in range(size)]))
        for size in (1, 2, 4, 8, 16, 32, 64)
    }


def read_of_owners(
    database: Database, queries: Mapping[int, sa.Select[Any]], owners: Sequence[str], **values: Any
) -> list[tuple[Any, ...]]:
    """Run a query of ``of_owners``; repeat one owner to fill missing parameters."""
    rows: list[tuple[Any, ...]] = []
    most = max(queries)
    for start in range(0, len(owners), most):
        part = owners[start : start + most]
        size = next(size for size in queries if size >= len(part))
        parameters = {f"owner_{n}": part[min(n, len(part) - 1)] for n in range(size)}
        rows += database.rows(queries[size], **parameters, **values)
    return rows


def lock_bundles(connection: Connection, bundle_ids: Iterable[str]) -> dict[str, sa.Row[Any]]:
    """Read bundles' rows and lock them, and thereby their offers.

    Parameters
    ----------
    connection : Connection
        In a writer's transaction without locks on other bundles' rows.
    bundle_ids : iterable of str
        All bundles that the transaction needs.

    Returns
    -------
    dict
        Bundle id → row, for existing bundles.
    """
    sorted_ids = sorted(set(bundle_ids))
    if not sorted_ids:
        return {}
    return {row.bundle_id: row for row in connection.execute(_BUNDLES, {"bundle_ids": sorted_ids})}


def count(connection: Connection, bundle_id: str, **changes: int) -> None:
    """Add to the counters of a bundle with a locked row."""
    values = {name: DECISIONS.c[name] + change for name, change in changes.items()}
    connection.execute(
        DECISIONS.update().where(DECISIONS.c.bundle_id == bundle_id).values(**values)
    )


def sweep(connection: Connection, bundle_id: str, now_ts: int) -> None:
    """Release all expired offers of a bundle with a locked row."""
    while _let_go(connection, bundle_id, now_ts)[0] == MOST:
        pass


def release(connection: Connection, bundle_id: str, now_ts: int) -> int:
    """Release some expired offers of a bundle with a locked row.

    Returns
    -------
    int
        Discounts that all expired offers reserved, minor units.
    """
    n, released = _let_go(connection, bundle_id, now_ts)
    if n < MOST:
        return released
    rest = connection.execute(sa.select(OVERDUE), {"of_bundle": bundle_id, "now_ts": now_ts})
    return released + int(rest.scalar_one())


def _let_go(connection: Connection, bundle_id: str, now_ts: int) -> tuple[int, int]:
    parameters = {"of_bundle": bundle_id, "now_ts": now_ts, "most": MOST}
    discounts = connection.execute(_LET_GO, parameters).scalars().all()
    if discounts:
        count(connection, bundle_id, standing=-len(discounts), reserved_minor=-sum(discounts))
    return len(discounts), sum(discounts)


def offer(row: Sequence[Any], use: Redemption | None = None) -> Offer:
    """Build an offer from ``COLUMNS``."""
    return Offer(
        offer_id=row[0],
        kept_code=row[1],
        bundle_id=row[2],
        owner=row[3],
        items=items_of(row[4]),
        price_minor=row[5],
        currency=row[6],
        issued_ts=row[7],
        expires_ts=row[8],
        state=row[9],
        redemption=use,
    )


def redemption(row: Sequence[Any]) -> Redemption | None:
    """Build a redemption from ``USED``; None if no order uses the offer."""
    if row[0] is None:
        return None
    return Redemption(
        transaction_id=row[0],
        channel=row[1],
        location_id=row[2],
        redeemed_ts=row[3],
        discount_minor=row[4],
    )


def read_latest(connection: Connection, owners: Sequence[str], most: int) -> list[Offer]:
    """Read offers of some owners, valid or not, the latest first, with what used them."""
    query = sa.select(*COLUMNS, *USED).outerjoin(
        REDEMPTIONS,
        sa.and_(REDEMPTIONS.c.offer_id == OFFERS.c.offer_id, REDEMPTIONS.c.returned_ts.is_(None)),
    )
    query = query.where(OFFERS.c.owner.in_(owners))
    query = query.order_by(OFFERS.c.issued_ts.desc(), OFFERS.c.offer_id).limit(most)
    n = len(COLUMNS)
    return [offer(row[:n], redemption(row[n:])) for row in connection.execute(query)]


def as_of(found: Offer, now_ts: int) -> Offer:
    """Return an offer, marked as expired if it has expired by then."""
    if found.state == STANDING and found.expires_ts <= now_ts:
        return msgspec.structs.replace(found, state=EXPIRED)
    return found


def decision(row: sa.Row[Any]) -> Decision:
    """Build a decision from a bundle's row."""
    return Decision(
        bundle_id=row.bundle_id,
        kind=row.kind,
        item_ids=names_of(row.item_ids),
        terms=terms_of(row.terms),
        revision=row.revision,
        changed_ts=row.changed_ts,
        changed_by=row.changed_by,
    )
