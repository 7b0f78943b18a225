"""The keys that a worker knows, refreshed in the background.

A background thread reads changes from the ledger; requests read the cache and never wait. Used by
``admission``, and by ``state``, which refreshes it.
"""

import contextlib
import hmac
import logging
import os
import time
from collections.abc import Mapping
from typing import Final

from recsys.errors import LedgerError
from recsys.ledger import KeptKeys, Key, Keys, KnownKeys, find_key
from serving.access.session import Session

_log = logging.getLogger("omnibasket.service")

#: Set by ``omnibasket serve`` if keys exist: never answer without a key.
NEEDED_VARIABLE: Final = "OMNIBASKET_SERVE_KEYS"
#: Set by ``omnibasket serve``: the secret with which it reads ``/readyz``.
STARTER_VARIABLE: Final = "OMNIBASKET_SERVE_STARTER"
#: How long it may take a worker to notice a new or revoked key. Seconds.
RENEW_SECONDS: Final = 0.5


class KeyCache:
    """The ledger's keys in a worker's memory, no older than ``RENEW_SECONDS``.

    Parameters
    ----------
    keys : Keys
    kept : KeptKeys, optional
        The keys that are valid until the ledger can be read for the first time.

    Attributes
    ----------
    is_refreshed : bool
        Whether a background thread calls ``refresh``, so that requests need not.
    is_loaded : bool
        Whether the keys are known; until then nobody is let in.
    """

    def __init__(self, keys: Keys, kept: KeptKeys | None = None) -> None:
        self._keys = keys
        self._kept = kept
        self._is_required = os.environ.get(NEEDED_VARIABLE) == "needed"
        self._mark: str | None = None
        self._until = 0.0
        self.is_refreshed = False
        before = kept.read() if kept is not None else None
        self.is_loaded = before is not None
        self._held: Mapping[str, Key] = {}
        self._ended_sessions: Mapping[str, int] = {}
        if before is not None:
            self._use(before)
        with contextlib.suppress(LedgerError):
            self.refresh()

    @property
    def is_required(self) -> bool:
        """Whether calls need a key. Once they do, they always will, even if the ledger is lost."""
        return self._is_required or bool(self._held) or not self.is_loaded

    def refresh_if_due(self) -> None:
        """Read changes if due; while the ledger does not answer, known keys stay valid."""
        if self.is_refreshed or time.monotonic() < self._until:
            return
        try:
            self.refresh()
        except LedgerError as error:
            self._until = time.monotonic() + RENEW_SECONDS
            _log.error("the keys could not be read", extra={"reason": str(error)})

    def refresh(self) -> None:
        """Read the changes from the ledger.

        Raises
        ------
        LedgerError
            When the ledger cannot be read; known keys then stay valid.
        """
        mark = self._keys.changed()
        if mark != self._mark or not self._until:
            found = KnownKeys(self._keys.all(), self._keys.ended_sessions())
            self._use(found)
            self._mark, self._is_required = mark, self._is_required or bool(self._held)
            if self._kept is not None:
                self._kept.write(found)
        self.is_loaded = True
        self._until = time.monotonic() + RENEW_SECONDS

    def _use(self, found: KnownKeys) -> None:
        self._held = {key.key_id: key for key in found.keys}
        self._ended_sessions = found.ended_sessions

    def end_session(self, session: Session, now_ts: int) -> None:
        """End the session of a person who signs out, here at once and elsewhere within a second.

        Raises
        ------
        LedgerError
            When that cannot be written; the session then goes on.
        """
        self._keys.end_session(session.session_id, session.ends_ts, now_ts)
        self._ended_sessions = {**self._ended_sessions, session.session_id: session.ends_ts}

    def session_key(self, session: Session | None) -> Key | None:
        """Return the key that a person signed in with, whatever its state.

        None if there is no session, or it was ended.
        """
        if session is None or session.session_id in self._ended_sessions:
            return None
        return self._held.get(session.key_id)

    def is_starter(self, secret: str) -> bool:
        """Whether the secret is that of ``omnibasket serve``, which reads ``/readyz``."""
        starter = os.environ.get(STARTER_VARIABLE, "")
        return bool(starter) and hmac.compare_digest(starter.encode(), secret.encode())

    def find(self, secret: str) -> Key | None:
        """Return the key that a caller sent, whatever its state."""
        return find_key(self._held, secret)

    def admits_origin(self, origin: str) -> bool:
        """Whether a valid key is for pages of a web origin."""
        now = time.time()
        return any(
            origin in key.grant.origins and key.state(now) == "valid" for key in self._held.values()
        )
