"""Brings what exports say that customers consent to into the ledger, where it is newer.

Called by ``training.ingest`` before it replaces the histories, so that no answer from a new history
goes without them.
"""

from collections.abc import Iterable
from itertools import groupby, islice
from operator import attrgetter
from typing import Final

from recsys.decisions import Consent
from recsys.ingest import ImportedConsent
from recsys.ledger.ledger import Ledger

#: Identifiers at once; short transactions, so that channels do not wait.
_PAGE: Final = 500


def bring_in_consents(ledger: Ledger, imported: Iterable[ImportedConsent]) -> int:
    """Write down the consents of exports that are newer than what the ledger holds.

    Parameters
    ----------
    ledger : Ledger
    imported : iterable of ImportedConsent
        Sorted by ``own_id``.

    Returns
    -------
    int
        Number of identifiers of which something changed; zero for a repeated call.

    Raises
    ------
    LedgerError
        When it cannot be written; a repeated call does the rest.
    """
    groups = (
        (own_id, [_consent(each) for each in words])
        for own_id, words in groupby(imported, attrgetter("own_id"))
    )
    changed = 0
    while page := dict(islice(groups, _PAGE)):
        changed += ledger.contacts.bring_in(page)
    return changed


def _consent(said: ImportedConsent) -> Consent:
    return Consent(said.purpose, said.channel, said.given, said.at_ts, said.source)
