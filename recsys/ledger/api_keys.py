"""Who may ask the service, and for what.

A key is made on the command line, shown once, and kept as a hash with what it grants; the
service finds the grant behind the key of a request. Called by ``training.keys`` and by
``serving.access.admission``.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, get_args

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from recsys import durable_files
from recsys.errors import LedgerError
from recsys.ledger.database import Database
from recsys.ledger.schema import ENDED_SESSIONS, KEYS, META
from recsys.ledger.statements import insert

#: What a key may be for.
Scope = Literal["recommend", "events", "offers", "marketing", "customers", "catalogue", "admin"]
SCOPES: Final[tuple[str, ...]] = get_args(Scope)
#: What a key may be for that stands in a page, where anybody can read it.
BROWSER_SCOPES: Final = ("recommend", "events")
#: Every key begins so: whoever finds one in a log or a repository knows what it is.
PREFIX: Final = "omnibasket_"
_SHAPE: Final = re.compile(r"omnibasket_([a-z0-9]{12})_[A-Za-z0-9_-]{43}")
_ID_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
#: Where ``KeptKeys`` are, in the state folder.
KEPT_FILE: Final = "keys.json"
#: Row of ``META`` that changes whenever a key does.
_CHANGES: Final = "keys_changed"
_CHANGED: Final = sa.select(META.c.value).where(META.c.key == sa.bindparam("key"))


class Grant(Struct, frozen=True, omit_defaults=True):
    """What a key allows."""

    scopes: tuple[Scope, ...]
    name: str = ""
    """For people."""
    channels: tuple[str, ...] = ()
    """Channels it may ask and report for; empty: all."""
    locations: tuple[str, ...] = ()
    """Locations it may ask and report for; empty: all."""
    origins: tuple[str, ...] = ()
    """Web origins of the pages it stands in; empty: it is no browser's key."""
    expires_ts: int | None = None
    """UTC epoch seconds from which on it is void."""


class Key(Struct, frozen=True):
    """A key without its secret."""

    key_id: str
    digest: bytes
    created_ts: int
    revoked_ts: int | None
    grant: Grant

    def state(self, now_ts: float) -> Literal["valid", "revoked", "expired"]:
        """Whether it opens anything at a time.

        Parameters
        ----------
        now_ts : float
            UTC epoch seconds.

        Returns
        -------
        {'valid', 'revoked', 'expired'}
            A key that was revoked counts as revoked at any time.
        """
        if self.revoked_ts is not None:
            return "revoked"
        expires_ts = self.grant.expires_ts
        return "expired" if expires_ts is not None and expires_ts <= now_ts else "valid"


class Keys:
    """The ledger's keys.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, grant: Grant, now_ts: int) -> tuple[str, str]:
        """Make a key.

        Parameters
        ----------
        grant : Grant
        now_ts : int
            UTC epoch seconds.

        Returns
        -------
        key_id : str
        secret : str
            The key as callers send it. It is not kept and cannot be shown again.
        """
        key_id = "".join(secrets.choice(_ID_LETTERS) for _ in range(12))
        secret = f"{PREFIX}{key_id}_{secrets.token_urlsafe(32)}"
        row = {
            "key_id": key_id,
            "digest": _digest(secret),
            "created_ts": now_ts,
            "grant": msgspec.json.encode(grant),
        }
        with self._database.writing() as connection:
            connection.execute(KEYS.insert(), row)
            _tell(connection)
        return key_id, secret

    def revoke(self, key_id: str, now_ts: int) -> bool:
        """Void a key for good; running services refuse it within a second.

        Parameters
        ----------
        key_id : str
            As ``create`` returned it.
        now_ts : int
            UTC epoch seconds; kept as the time when it was revoked.

        Returns
        -------
        bool
            False when it was revoked before.

        Raises
        ------
        LedgerError
            When there is no such key.
        """
        of = KEYS.c
        with self._database.writing() as connection:
            query = sa.select(of.revoked_ts).where(of.key_id == key_id)
            found = connection.execute(query).one_or_none()
            if found is None:
                raise LedgerError(f"no key `{key_id}`. `omnibasket keys list` shows them.")
            if found.revoked_ts is not None:
                return False
            connection.execute(KEYS.update().where(of.key_id == key_id), {"revoked_ts": now_ts})
            _tell(connection)
        return True

    def all(self) -> list[Key]:
        """Return every key, revoked ones too, the oldest first."""
        query = sa.select(KEYS).order_by(KEYS.c.created_ts, KEYS.c.key_id)
        with self._database.reading() as connection:
            return [
                Key(
                    row.key_id,
                    row.digest,
                    row.created_ts,
                    row.revoked_ts,
                    _decoder.decode(row.grant),
                )
                for row in connection.execute(query)
            ]

    def end_session(self, session_id: str, ends_ts: int, now_ts: int) -> None:
        """Void a session for good; running services refuse it within a second.

        Parameters
        ----------
        session_id : str
            Of its cookie.
        ends_ts : int
            When it would have ended by itself, UTC epoch seconds; it is remembered until then.
        now_ts : int
            UTC epoch seconds.
        """
        of = ENDED_SESSIONS.c
        row = {"session_id": session_id, "ends_ts": ends_ts}
        with self._database.writing() as connection:
            connection.execute(ENDED_SESSIONS.delete().where(of.ends_ts <= now_ts))
            connection.execute(
                insert(connection, ENDED_SESSIONS).values(row).on_conflict_do_nothing()
            )
            _tell(connection)

    def ended_sessions(self) -> dict[str, int]:
        """Return the sessions that were ended, each with when its cookie ends by itself."""
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(ENDED_SESSIONS)).all()
        return {row.session_id: row.ends_ts for row in rows}

    def changed(self) -> str | None:
        """Return a mark that is another one after every change; None: there was never a key.

        One short statement: the service asks for it every half second.
        """
        found = self._database.one(_CHANGED, key=_CHANGES)
        return None if found is None else str(found[0])


class KnownKeys(Struct, frozen=True):
    """The keys, and the sessions that people signed out of."""

    keys: list[Key]
    ended_sessions: dict[str, int] = {}
    """Session id → when its cookie ends by itself, UTC epoch seconds."""


class KeptKeys:
    """The keys as they were last read, beside the ledger: known also while it does not answer.

    Parameters
    ----------
    path : Path
        Holds no secret: hashes, and what they grant.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> KnownKeys | None:
        """Return them; None where they were never kept, or cannot be read."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=KnownKeys)
        except (OSError, msgspec.DecodeError):
            return None

    def write(self, known: KnownKeys) -> None:
        """Keep them; where that fails, what was kept before stays.

        Parameters
        ----------
        known : KnownKeys
            Replaces all that was kept.
        """
        content = msgspec.json.encode(known)
        try:
            if self._path.exists() and self._path.read_bytes() == content:
                return
            durable_files.replace_file(self._path, content, mode=0o600)
        except OSError:
            return


def find_key(keys: Mapping[str, Key], secret: str) -> Key | None:
    """Return the key that a caller sent, whatever its state; None for one that there is not.

    Parameters
    ----------
    keys : mapping
        Key id → key.
    secret : str
        What the caller sent.
    """
    shape = _SHAPE.fullmatch(secret)
    if shape is None:
        return None
    key = keys.get(shape[1])
    # Compared in constant time, and against something also where there is no such id.
    same = hmac.compare_digest(_digest(secret), key.digest if key is not None else _NOTHING)
    return key if same else None


_decoder = msgspec.json.Decoder(Grant)
_NOTHING: Final = bytes(32)


def _digest(secret: str) -> bytes:
    """Hash a key; it is 256 random bits, so a fast hash is enough."""
    return hashlib.sha256(secret.encode()).digest()


def _tell(connection: sa.Connection) -> None:
    row = {"key": _CHANGES, "value": secrets.token_hex(8)}
    written = insert(connection, META).values(row)
    connection.execute(
        written.on_conflict_do_update(index_elements=["key"], set_={"value": row["value"]})
    )
