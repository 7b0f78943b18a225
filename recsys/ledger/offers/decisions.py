"""Stores marketers' decisions about bundles, and who made each change and when.

The service reads all decisions when their mark changes, and changes one at a time. A change names
the revision that it is based on, so that it never overwrites an unseen change.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from recsys.bundles import NEXT_STATUSES, Decision, Terms, TermsChange
from recsys.errors import StaleError, TransitionError
from recsys.ledger.database import Database
from recsys.ledger.offers.rows import (
    COUNTERS,
    REDEEMED,
    STANDING,
    WITHDRAWN,
    decision,
    sweep,
    terms_of,
)
from recsys.ledger.schema import DECISION_CHANGES, DECISIONS, META, OFFERS
from recsys.ledger.statements import lock

#: Key in ``META`` of the number of changes so far.
_CHANGES: Final = "decisions_changed"
_MARK: Final = sa.select(META.c.value).where(META.c.key == sa.bindparam("key"))


class Decisions:
    """The ledger's decisions about bundles.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def mark(self) -> int:
        """Return the number of changes so far; one short statement."""
        row = self._database.one(_MARK, key=_CHANGES)
        return 0 if row is None else int(row[0])

    def all(self) -> list[Decision]:
        """Return all decisions by ``bundle_id``."""
        with self._database.reading() as connection:
            query = sa.select(DECISIONS).order_by(DECISIONS.c.bundle_id)
            return [decision(row) for row in connection.execute(query)]

    def get(self, bundle_id: str) -> Decision | None:
        """Return the decision about a bundle; None if there is none.

        Parameters
        ----------
        bundle_id : str
            From ``recsys.bundles.bundle_id``.

        Returns
        -------
        Decision or None
        """
        with self._database.reading() as connection:
            query = sa.select(DECISIONS).where(DECISIONS.c.bundle_id == bundle_id)
            row = connection.execute(query).one_or_none()
        return None if row is None else decision(row)

    def changes(self, bundle_id: str) -> list[TermsChange]:
        """Return the changes of a bundle's decision, oldest first.

        Parameters
        ----------
        bundle_id : str
            From ``recsys.bundles.bundle_id``.

        Returns
        -------
        list of TermsChange
            Empty if there is no decision.
        """
        of = DECISION_CHANGES.c
        query = sa.select(DECISION_CHANGES).where(of.bundle_id == bundle_id).order_by(of.revision)
        with self._database.reading() as connection:
            return [
                TermsChange(
                    bundle_id=row.bundle_id,
                    revision=row.revision,
                    changed_ts=row.changed_ts,
                    changed_by=row.changed_by,
                    before=terms_of(row.before),
                    after=terms_of(row.after),
                )
                for row in connection.execute(query)
            ]

    def change(
        self,
        bundle_id: str,
        kind: str,
        item_ids: Sequence[str],
        terms: Terms,
        *,
        expected_revision: int,
        by: str,
        now_ts: int,
    ) -> Decision:
        """Set the terms of a bundle.

        Withdrawing voids every valid offer. An earlier ``ends_ts`` shortens offers beyond it; a
        later one restores their promised duration.

        Parameters
        ----------
        bundle_id : str
            ``recsys.bundles.bundle_table.bundle_id`` of ``kind`` and ``item_ids``.
        kind : str
            One of ``BUNDLE_KINDS``.
        item_ids : sequence of str
        terms : Terms
            Complete terms, including unchanged ones.
        expected_revision : int
            Revision that the change is based on; 0 if there was no decision.
        by : str
            User who makes the change.
        now_ts : int
            UTC epoch seconds.

        Returns
        -------
        Decision
            The new decision. Equal terms do not change the revision.

        Raises
        ------
        StaleError
            When the revision has changed.
        TransitionError
            When the status transition is not allowed, or an approved bundle has no price.
        LedgerError
            When it cannot be written. After any error, nothing has changed.
        """
        with self._database.writing() as connection:
            first = {
                "kind": kind,
                "item_ids": msgspec.json.encode(item_ids),
                "terms": msgspec.json.encode(Terms()),
                "revision": 0,
                "changed_ts": now_ts,
                "changed_by": by,
                **dict.fromkeys(COUNTERS, 0),
            }
            row = lock(connection, DECISIONS, [bundle_id], **first)[bundle_id]
            before = decision(row)
            _check(before, terms, expected_revision)
            if before.revision and terms == before.terms:
                return before
            revision = before.revision + 1
            after = {
                "terms": msgspec.json.encode(terms),
                "revision": revision,
                "changed_ts": now_ts,
                "changed_by": by,
            }
            here = DECISIONS.c.bundle_id == bundle_id
            connection.execute(DECISIONS.update().where(here).values(after))
            trail = {
                "bundle_id": bundle_id,
                "revision": revision,
                "changed_ts": now_ts,
                "changed_by": by,
                "before": row.terms,
                "after": after["terms"],
            }
            connection.execute(DECISION_CHANGES.insert(), trail)
            sweep(connection, bundle_id, now_ts)
            if terms.ends_ts != before.terms.ends_ts:
                _end(connection, bundle_id, terms.ends_ts, now_ts)
            if terms.status == "withdrawn":
                _void(connection, bundle_id)
            n_changes = int(lock(connection, META, [_CHANGES], value="0")[_CHANGES].value)
            connection.execute(
                META.update().where(META.c.key == _CHANGES).values(value=str(n_changes + 1))
            )
        return msgspec.structs.replace(
            before, terms=terms, revision=revision, changed_ts=now_ts, changed_by=by
        )


def _check(before: Decision, terms: Terms, expected_revision: int) -> None:
    if before.revision != expected_revision:
        raise StaleError(
            f"bundle {before.bundle_id} was changed meanwhile: it is at revision "
            f"{before.revision}, not {expected_revision}. Read it again."
        )
    was = before.terms.status
    if terms.status not in (was, *NEXT_STATUSES[was]):
        follow = " or ".join(NEXT_STATUSES[was])
        raise TransitionError(
            f"bundle {before.bundle_id} is {was}: it may become {follow}, not {terms.status}."
        )
    if terms.status == "approved" and (terms.price_minor is None or terms.currency is None):
        raise TransitionError(f"bundle {before.bundle_id} has no price: set one before approval.")


def _end(connection: Connection, bundle_id: str, ends_ts: int | None, now_ts: int) -> None:
    """Limit offers to the end of their bundle."""
    of = OFFERS.c
    until = of.promised_ts
    sooner = until if ends_ts is None else sa.case((until > ends_ts, ends_ts), else_=until)
    of_bundle = sa.and_(of.bundle_id == bundle_id, of.state.in_((STANDING, REDEEMED)))
    connection.execute(OFFERS.update().where(of_bundle).values(expires_ts=sooner))
    sweep(connection, bundle_id, now_ts)


def _void(connection: Connection, bundle_id: str) -> None:
    """Withdraw valid offers."""
    of = OFFERS.c
    standing = sa.and_(of.bundle_id == bundle_id, of.state == STANDING)
    connection.execute(OFFERS.update().where(standing).values(state=WITHDRAWN))
    here = DECISIONS.c.bundle_id == bundle_id
    connection.execute(DECISIONS.update().where(here).values(standing=0, reserved_minor=0))
