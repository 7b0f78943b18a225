"""Offers: a bundle promised to a customer at a price until a time, the same in every channel.

The service issues offers for placements, reads a customer's valid offers, and redeems them. A valid
offer reserves its discount from the bundle's budget, so every promise can be kept.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, Final

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
    OF_SAME,
    REDEEMED,
    STANDING,
    as_of,
    of_owners,
    offer,
    read_latest,
    read_of_owners,
)
from recsys.ledger.offers.undoing import Undo, undo_redemption
from recsys.ledger.schema import DECISIONS, OFFERS, REDEMPTIONS
from recsys.units import DAY

__all__ = ["Offers", "RedeemedOffer", "Refusal"]

_PAGE: Final = 2_000
#: Returned orders processed in one transaction.
_AT_ONCE: Final = 500


_STANDING: Final = of_owners(
    sa.select(*COLUMNS)
    .where(OFFERS.c.state == sa.literal_column(f"'{STANDING}'"))
    .where(OFFERS.c.expires_ts > sa.bindparam("now_ts"))
    .order_by(OFFERS.c.issued_ts, OFFERS.c.offer_id)
)


def _overdue(what: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
    """Select an aggregate over each bundle's expired offers that are still counted."""
    of = OFFERS.c
    late = sa.and_(of.state == STANDING, of.expires_ts <= sa.bindparam("now_ts"))
    return sa.select(what).where(of.bundle_id == DECISIONS.c.bundle_id, late).scalar_subquery()


#: One statement, so that no writer releases them in between.
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
        """Promise a bundle to an owner, once.

        Parameters
        ----------
        bundle_id : str
        owner : str
            A customer id, or the own id of a visit.
        items : sequence of OfferItem
            The products of the bundle, at their current prices.
        name : OfferName
            Name of a new offer, from ``Codes.new``; its id shows whether this call made the offer.
        now_ts : int
            UTC epoch seconds.
        owners : sequence of str
            Other ids of the same customer, from ``owners``.
        visit : VisitBounds, optional
            Limits, if ``owner`` is an anonymous visit.
        bounds : OfferBounds, optional
            Limits of every offer, as in ``redeem``.

        Returns
        -------
        Offer
            The owner's valid offer, even if the bundle's terms have changed; else a new one. The
            promise is durable.
        Refusal
            ``not_offered``: the bundle is not approved, not yet or no longer offered, or its
            price is not below that of its products; ``offer_below_floor``: its price leaves less
            than ``bounds.margin_floor`` after cost; ``customer_limit``: the customer has reached
            the limit, used or valid; ``budget_spent``: the remaining budget is less than the
            discount, or visits hold too much of it; ``visit_limit``: the visit or its address has
            reached the limit.

        Raises
        ------
        LedgerError
            When ``items`` are not those of the bundle, or it cannot be written.
        """
        every = sorted({owner, *owners})
        wish = OfferWish(bundle_id, every, owner, tuple(items), now_ts, name, visit, bounds)
        return issue_offer(self._database, wish)

    def standing(self, owners: Sequence[str], now_ts: int) -> list[Offer]:
        """Read a customer's valid offers, oldest first; one short statement.

        Parameters
        ----------
        owners : sequence of str
            Every id of the customer.
        now_ts : int
            UTC epoch seconds.
        """
        rows = read_of_owners(self._database, _STANDING, owners, now_ts=now_ts)
        return [offer(row) for row in rows]

    def of_customer(self, owners: Sequence[str], now_ts: int, most: int) -> list[Offer]:
        """Return a customer's offers, valid or not, the latest first.

        Parameters
        ----------
        owners : sequence of str
            Every id of the customer.
        now_ts : int
            UTC epoch seconds; offers expired by then are marked.
        most : int
            Maximum number.
        """
        with self._database.reading() as connection:
            return [as_of(found, now_ts) for found in read_latest(connection, owners, most)]

    def find(self, which: str, now_ts: int | None = None) -> Offer | None:
        """Return an offer by its id or its code, in any spelling.

        Parameters
        ----------
        which : str
        now_ts : int, optional
            UTC epoch seconds; offers expired by then are marked.
        """
        seen = see_offer(self._database, which)
        if seen is None:
            return None
        return seen.offer if now_ts is None else as_of(seen.offer, now_ts)

    def owners(self, customer_id: str) -> list[str]:
        """Return every id that a customer's offers may have, the current one first.

        Parameters
        ----------
        customer_id : str
            Any id ever issued; an unknown one is returned alone.
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
        till: str = "",
        choice_of: Callable[[str], str] = str,
        bounds: OfferBounds = NO_BOUNDS,
    ) -> RedeemedOffer:
        """Redeem an unused offer for an order, on pieces without another offer.

        Parameters
        ----------
        which : str
            The offer's code; or its id, if ``owners`` is given.
        transaction_id, channel, location_id
            The order; in stores its number is unique per location. A repeated request of the same
            order gets the same answer.
        owners : collection of str, optional
            Every id of the customer, if the channel knows it.
        items : sequence of OrderItem, optional
            All items of the order, if reported. If not, two offers of the order cannot contain the
            same choice.
        now_ts : int
            UTC epoch seconds.
        currency : str, optional
            Currency of the prices in ``items``.
        till : str
            Names who redeems; ``undo`` asks for it.
        choice_of : callable, optional
            Returns the choice of a product; products of one choice are interchangeable. By default
            every product is its own choice.
        bounds : OfferBounds, optional
            Limits of every redemption.

        Raises
        ------
        OfferError
            With the reason in ``kind``; nothing has changed.
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
            till=till,
            choice_of=choice_of,
            bounds=bounds,
        )
        return redeem_offer(self._database, which, use)

    def undo(self, which: str, undo: Undo) -> Offer:
        """Undo a redemption within ``UNDO_SECONDS``, as if it had never been.

        Parameters
        ----------
        which : str
            The offer's code or id.
        undo : Undo
            The order, and the till that redeemed.

        Returns
        -------
        Offer
            It stands again; or it expired or was withdrawn meanwhile. Unchanged where nobody uses
            it, so that the call can be repeated.

        Raises
        ------
        OfferError
            When another order uses it, another till redeemed it, or it is too late; nothing has
            changed.
        LedgerError
            When it cannot be written.
        """
        return undo_redemption(self._database, which, undo)

    def redeem_best(
        self, names: Sequence[str], use: OfferUse, *, dry_run: bool = False
    ) -> list[Outcome]:
        """Redeem those of several offers that have the largest joint discount.

        Parameters
        ----------
        names : sequence of str
            A few codes; or ids, if ``use`` has the customer.
        use : OfferUse
            The order and the customer.
        dry_run : bool
            Only return the outcomes, without redeeming.

        Returns
        -------
        list of Outcome
            One per name: redeemed (again, if the order already uses it), or the reason why not.

        Raises
        ------
        LedgerError
            When it cannot be written; then none is redeemed.
        """
        return redeem_best(self._database, names, use, dry_run=dry_run)

    def in_use(self) -> Iterator[tuple[str, str]]:
        """Read number and scope of every order that uses an offer, sorted, page by page."""
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
        """Restore the offers of returned orders if their terms allow it.

        An offer is restored once all its own pieces are returned, at once or in parts, but not
        while the order keeps enough of a product for its offers. It is then valid until it expires.
        Repeated calls change nothing.

        Parameters
        ----------
        returns : sequence of ReturnedOrder
        now_ts : int
            UTC epoch seconds.

        Returns
        -------
        int
            Number of restored offers.
        """
        given_back = 0
        for start in range(0, len(returns), _AT_ONCE):
            with self._database.writing() as connection:
                given_back += settle_returns(
                    connection, returns[start : start + _AT_ONCE], (), now_ts
                )
        return given_back

    def counts(self, bundle_ids: Iterable[str] | None = None, *, now_ts: int) -> dict[str, Counts]:
        """Return the numbers of bundles' offers by state.

        Parameters
        ----------
        bundle_ids : iterable of str, optional
            All by default; bundles without a decision are left out.
        now_ts : int
            UTC epoch seconds; offers expired by then are not valid.
        """
        query = _COUNTS
        if bundle_ids is not None:
            query = query.where(DECISIONS.c.bundle_id.in_(list(bundle_ids)))
        by_bundle = {}
        with self._database.reading() as connection:
            for row in connection.execute(query, {"now_ts": now_ts}):
                counted = {name: getattr(row, name) for name in COUNTERS}
                counted["standing"] -= row.n_overdue
                counted["reserved_minor"] -= int(row.overdue_minor)
                by_bundle[row.bundle_id] = Counts(**counted)
        return by_bundle

    def by_day(self, bundle_id: str) -> list[tuple[int, int, int]]:
        """Return when a bundle's offers were made and used.

        Returns
        -------
        list of (int, int, int)
            Start of a day in UTC, epoch seconds; offers issued on it; offers redeemed on it by
            orders that were not returned. Days without either are left out.
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
