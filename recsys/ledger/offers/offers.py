"""Offers: a bundle promised to a customer at a price until a time, the same in every channel.

The service issues them where a placement asks for them, reads those that stand for whoever asks,
and redeems them. An offer that stands reserves its discount of the bundle's budget, so every
promise can be kept.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from recsys.bundles import Counts, Offer, OfferItem
from recsys.ledger.database import Database
from recsys.ledger.offers.codes import OfferName
from recsys.ledger.offers.issuing import OfferWish, Refusal, VisitBounds, issue_offer
from recsys.ledger.offers.pieces import NO_BOUNDS, OfferBounds, OrderItem
from recsys.ledger.offers.redemption import (
    OfferUse,
    Outcome,
    RedeemedOffer,
    redeem_best,
    redeem_offer,
    see_offer,
)
from recsys.ledger.offers.returns import ReturnedOrder, settle_returns
from recsys.ledger.offers.rows import (
    COLUMNS,
    COUNTERS,
    EXPIRED,
    OF_SAME,
    REDEEMED,
    STANDING,
    of_owners,
    offer,
    read_of_owners,
)
from recsys.ledger.schema import DECISIONS, OFFERS, REDEMPTIONS
from recsys.units import DAY

__all__ = ["Offers", "RedeemedOffer", "Refusal"]

_PAGE: Final = 2_000
#: Returned orders looked at in one transaction.
_AT_ONCE: Final = 500


_STANDING: Final = of_owners(
    sa.select(*COLUMNS)
    .where(OFFERS.c.state == sa.literal_column(f"'{STANDING}'"))
    .where(OFFERS.c.expires_ts > sa.bindparam("now_ts"))
    .order_by(OFFERS.c.issued_ts, OFFERS.c.offer_id)
)


def _overdue(what: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
    """Ask for a figure of those offers of each bundle that have expired and are counted yet."""
    of = OFFERS.c
    late = sa.and_(of.state == STANDING, of.expires_ts <= sa.bindparam("now_ts"))
    return sa.select(what).where(of.bundle_id == DECISIONS.c.bundle_id, late).scalar_subquery()


#: One statement, so that nobody lets go of them between two.
_COUNTS: Final = sa.select(
    DECISIONS.c.bundle_id,
    *(DECISIONS.c[name] for name in COUNTERS),
    _overdue(sa.func.count()).label("n_overdue"),
    _overdue(sa.func.coalesce(sa.func.sum(OFFERS.c.discount_minor), 0)).label("overdue_minor"),
)


class Offers:
    """The ledger's offers.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def issue(
        self,
        bundle_id: str,
        owner: str,
        items: Sequence[OfferItem],
        *,
        name: OfferName,
        now_ts: int,
        owners: Sequence[str] = (),
        visit: VisitBounds | None = None,
        bounds: OfferBounds = NO_BOUNDS,
    ) -> Offer | Refusal:
        """Promise a bundle to somebody, once.

        Parameters
        ----------
        bundle_id : str
        owner : str
            A customer id, or the own id of a visit.
        items : sequence of OfferItem
            The products that the bundle's price is for, at their present prices.
        name : OfferName
            Of a new offer, from ``Codes.new``: its id tells whether this call made the offer.
        now_ts : int
            UTC epoch seconds.
        owners : sequence of str
            Other ids of the same customer, as ``owners`` gives them.
        visit : VisitBounds, optional
            Where ``owner`` is a visit of nobody: what it may be promised at most.
        bounds : OfferBounds, optional
            What no offer goes beyond, as of ``redeem``.

        Returns
        -------
        Offer
            The one that stands for them already, whatever became of the bundle's terms since;
            else a new one. When it returns, the promise survives a power cut.
        Refusal
            ``not_offered``: the bundle is not approved, not yet or no longer offered, or its
            price is not below that of its products; ``offer_below_floor``: its price leaves less
            than ``bounds.margin_floor`` after cost; ``customer_limit``: they have as many as one
            customer may get, used or standing; ``budget_spent``: what is left of the budget is
            less than the discount, or too much of it stands for visits; ``visit_limit``: the
            visit, or its address, has had as many as it may.

        Raises
        ------
        LedgerError
            When ``items`` are not those of the bundle, or it cannot be written.
        """
        every = sorted({owner, *owners})
        wanted = OfferWish(bundle_id, every, owner, tuple(items), now_ts, name, visit, bounds)
        return issue_offer(self._database, wanted)

    def standing(self, owners: Sequence[str], now_ts: int) -> list[Offer]:
        """Read what stands for somebody, the oldest first; one short statement.

        Parameters
        ----------
        owners : sequence of str
            Every id of theirs.
        now_ts : int
            UTC epoch seconds.
        """
        rows = read_of_owners(self._database, _STANDING, owners, now_ts=now_ts)
        return [offer(row) for row in rows]

    def find(self, which: str, now_ts: int | None = None) -> Offer | None:
        """Return an offer by its id or by its code, however it is typed.

        Parameters
        ----------
        which : str
        now_ts : int, optional
            UTC epoch seconds; what has expired by then says so.
        """
        seen = see_offer(self._database, which)
        if seen is None:
            return None
        found = seen.offer
        if found.state == STANDING and now_ts is not None and found.expires_ts <= now_ts:
            return msgspec.structs.replace(found, state=EXPIRED)
        return found

    def owners(self, customer_id: str) -> list[str]:
        """Return every id under which offers of a customer may be: the present one first.

        Parameters
        ----------
        customer_id : str
            Any id ever given out; one that nothing is known of stands for itself.
        """
        rows = self._database.rows(OF_SAME, customer_id=customer_id)
        present = [row[1] for row in rows[:1]]
        return list(dict.fromkeys([*present, customer_id, *sorted(row[0] for row in rows)]))

    def redeem(
        self,
        which: str,
        *,
        transaction_id: str,
        channel: str,
        location_id: str | None,
        owners: Collection[str] | None,
        items: Sequence[OrderItem] | None,
        now_ts: int,
        currency: str | None = None,
        choice_of: Callable[[str], str] = str,
        bounds: OfferBounds = NO_BOUNDS,
    ) -> RedeemedOffer:
        """Let an order use an offer, if no other has, for pieces that carry no other offer.

        Parameters
        ----------
        which : str
            The offer's code; or its id, where ``owners`` says whose it is.
        transaction_id, channel, location_id
            The order; in stores its number is one of its location. The same order asking again
            gets the same answer.
        owners : collection of str, optional
            Every id of the customer, where the channel knows who it is.
        items : sequence of OrderItem, optional
            All that the order holds, where the channel tells. Where it does not, no choice of
            products is in two offers of the order.
        now_ts : int
            UTC epoch seconds.
        currency : str, optional
            Of the prices in ``items``.
        choice_of : callable, optional
            Names the choice of a product: what the order holds stands for any other product of
            its choice. By default every product is its own.
        bounds : OfferBounds, optional
            What no redemption goes beyond.

        Raises
        ------
        OfferError
            Saying in ``kind`` why not; nothing has changed.
        LedgerError
            When it cannot be written; then it is not redeemed.
        """
        use = OfferUse(
            transaction_id=transaction_id,
            channel=channel,
            location_id=location_id,
            owners=owners,
            items=items,
            currency=currency,
            now_ts=now_ts,
            choice_of=choice_of,
            bounds=bounds,
        )
        return redeem_offer(self._database, which, use)

    def redeem_best(
        self, names: Sequence[str], use: OfferUse, *, dry_run: bool = False
    ) -> list[Outcome]:
        """Let an order use those of several offers that take off most together.

        Parameters
        ----------
        names : sequence of str
            Codes, a few; or ids, where ``use`` says whose they are.
        use : OfferUse
            The order, and who buys.
        dry_run : bool
            Only say what would become of them.

        Returns
        -------
        list of Outcome
            One a name: redeemed (again, where the order uses it already), or why not.

        Raises
        ------
        LedgerError
            When it cannot be written; then none is redeemed.
        """
        return redeem_best(self._database, names, use, dry_run=dry_run)

    def in_use(self) -> Iterator[tuple[str, str]]:
        """Read number and scope of every order that uses an offer, sorted, a page at a time."""
        of = REDEMPTIONS.c
        key = (of.transaction_id, of.scope)
        query = sa.select(*key).where(of.returned_ts.is_(None)).distinct().order_by(*key)
        last = ("", "")
        while True:
            after = sa.tuple_(*key) > sa.tuple_(*(sa.literal(part) for part in last))
            with self._database.reading() as connection:
                page = connection.execute(query.where(after).limit(_PAGE)).all()
            for number, scope in page:
                last = (number, scope)
                yield last
            if len(page) < _PAGE:
                return

    def give_back(self, returns: Sequence[ReturnedOrder], now_ts: int) -> int:
        """Give back the offers of orders that were returned, where their terms say so.

        An offer comes back once all its own pieces have come back, at once or bit by bit: as long
        as the order keeps enough of a product for its offers, none does. It stands again until it
        expires. Told again, nothing happens.

        Parameters
        ----------
        returns : sequence of ReturnedOrder
        now_ts : int
            UTC epoch seconds.

        Returns
        -------
        int
            Offers that were given back.
        """
        given_back = 0
        for start in range(0, len(returns), _AT_ONCE):
            with self._database.writing() as connection:
                given_back += settle_returns(
                    connection, returns[start : start + _AT_ONCE], (), now_ts
                )
        return given_back

    def counts(self, bundle_ids: Iterable[str] | None = None, *, now_ts: int) -> dict[str, Counts]:
        """Return what became of bundles' offers.

        Parameters
        ----------
        bundle_ids : iterable of str, optional
            All by default; what nobody decided about is left out.
        now_ts : int
            UTC epoch seconds; what has expired by then does not stand.
        """
        query = _COUNTS
        if bundle_ids is not None:
            query = query.where(DECISIONS.c.bundle_id.in_(list(bundle_ids)))
        found = {}
        with self._database.reading() as connection:
            for row in connection.execute(query, {"now_ts": now_ts}):
                counted = {name: getattr(row, name) for name in COUNTERS}
                counted["standing"] -= row.n_overdue
                counted["reserved_minor"] -= int(row.overdue_minor)
                found[row.bundle_id] = Counts(**counted)
        return found

    def by_day(self, bundle_id: str) -> list[tuple[int, int, int]]:
        """Return when a bundle's offers were made and used.

        Returns
        -------
        list of (int, int, int)
            Beginning of a day in UTC, epoch seconds; offers issued on it; offers redeemed on it
            by orders that were not returned. Days without either are left out.
        """
        issued = _per_day(OFFERS.c.issued_ts)
        used = _per_day(REDEMPTIONS.c.redeemed_ts).join(
            OFFERS, OFFERS.c.offer_id == REDEMPTIONS.c.offer_id
        )
        here = OFFERS.c.bundle_id == bundle_id
        with self._database.reading() as connection:
            made: dict[int, int] = dict(connection.execute(issued.where(here)).all())
            query = used.where(
                here, OFFERS.c.state == REDEEMED, REDEMPTIONS.c.returned_ts.is_(None)
            )
            gone: dict[int, int] = dict(connection.execute(query).all())
        days = sorted(made.keys() | gone.keys())
        return [(day, made.get(day, 0), gone.get(day, 0)) for day in days]


def _per_day(column: sa.Column[Any]) -> sa.Select[Any]:
    day = (column - column % DAY).label("day")
    return sa.select(day, sa.func.count()).group_by(day)
