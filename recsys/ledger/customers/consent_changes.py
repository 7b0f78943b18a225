"""Keeps every word that customers said about consents, beside the latest that counts.

In: words that changed a contact state, in its writer's transaction. Out: the history of a
customer's consents. Called by ``contacts``.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from recsys.decisions import Consent, ContactState
from recsys.ledger.schema import CONSENT_CHANGES

_consent = msgspec.json.Decoder(Consent).decode


class ConsentChange(NamedTuple):
    """A word about one purpose, and who wrote it down."""

    consent: Consent
    noted_ts: int
    """When it was written down, UTC epoch seconds."""
    noted_by: str
    """Name of a key; empty where an export said it."""


def note(
    connection: Connection,
    before: Mapping[str, ContactState],
    said: Mapping[str, Iterable[Consent]],
    noted_by: str = "",
    noted_ts: int | None = None,
) -> None:
    """Append those words that change what counted before.

    Parameters
    ----------
    connection : Connection
    before : mapping of str to ContactState
        ``own_id`` → the state without the words.
    said : mapping
        ``own_id`` → the words.
    noted_by : str
        As of ``ConsentChange``.
    noted_ts : int, optional
        UTC epoch seconds; by default when each was said.
    """
    rows = []
    for own_id, words in said.items():
        state = before[own_id]
        for word in sorted(words, key=lambda one: one.at_ts):
            after = state.with_consents([word])
            if after != state:
                at_ts = word.at_ts if noted_ts is None else noted_ts
                rows.append(
                    {
                        "own_id": own_id,
                        "noted_ts": at_ts,
                        "noted_by": noted_by,
                        "consent": msgspec.json.encode(word),
                    }
                )
            state = after
    if rows:
        connection.execute(CONSENT_CHANGES.insert(), rows)


def read(connection: Connection, own_ids: Sequence[str]) -> list[ConsentChange]:
    """Return the history of a customer's consents, the latest first.

    Parameters
    ----------
    connection : Connection
    own_ids : sequence of str
        Every id of the customer. A word that was written for several of them is returned once.
    """
    of = CONSENT_CHANGES.c
    query = sa.select(of.consent, of.noted_ts, of.noted_by).where(of.own_id.in_(own_ids))
    changes = {
        ConsentChange(_consent(row.consent), row.noted_ts, row.noted_by): row.seq
        for row in connection.execute(query.add_columns(of.seq).order_by(of.seq))
    }
    newest = sorted(changes.items(), key=lambda entry: (entry[0].consent.at_ts, entry[1]))
    return [change for change, _ in reversed(newest)]
