"""API keys of the service, and the access that they grant.

A key is created on the command line, shown once, and stored as a hash with its grant; the service
looks up the grant of a request's key. Called by ``training.keys`` and by
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

#: Scopes of keys.
Scope = Literal[
    "recommend",
    "events",
    "offers",
    "marketing",
    "associate",
    "customers",
    "privacy",
    "catalogue",
    "admin",
]
SCOPES: Final[tuple[str, ...]] = get_args(Scope)
#: Scopes of keys in web pages, where anybody can read them.
BROWSER_SCOPES: Final = ("recommend", "events")
#: Prefix of every key, so that a leaked key is recognisable.
PREFIX: Final = "omnibasket_"
_SHAPE: Final = re.compile(r"omnibasket_([a-z0-9]{12})_[A-Za-z0-9_-]{43}")
_ID_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
#: File of ``KeptKeys`` in the state folder.
KEPT_FILE: Final = "keys.json"
#: Row of ``META`` that changes with every change of a key.
_CHANGES: Final = "keys_changed"
_CHANGED: Final = sa.select(META.c.value).where(META.c.key == sa.bindparam("key"))


class Grant(Struct, frozen=True, omit_defaults=True):
    """The access that a key grants."""

    scopes: tuple[Scope, ...]
    name: str = ""
    """For people."""
    channels: tuple[str, ...] = ()
    """Channels it may request and report for; empty for all."""
    locations: tuple[str, ...] = ()
    """Locations it may request and report for; empty for all."""
    origins: tuple[str, ...] = ()
    """Web origins of the pages that use it; empty for a server's key."""
    expires_ts: int | None = None
    """UTC epoch seconds from which it is invalid."""
    card_type: str | None = None
    """Of a kiosk, a screen where customers scan a card to see what is for them: the type of
    identifier that is on the card."""


class Key(Struct, frozen=True):
    """A key without its secret."""

    key_id: str
    digest: bytes
    created_ts: int
    revoked_ts: int | None
    grant: Grant

    def state(self, now_ts: float) -> Literal["valid", "revoked", "expired"]:
        """Return the key's state at a time.

        Parameters
        ----------
        now_ts : float
            UTC epoch seconds.

        Returns
        -------
        {'valid', 'revoked', 'expired'}
            A revoked key is ``revoked`` at any time.
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
        """Create a key.

        Parameters
        ----------
        grant : Grant
        now_ts : int
            UTC epoch seconds.

        Returns
        -------
        key_id : str
        secret : str
            The key as callers send it. It is not stored and cannot be shown again.
        """
        with self._database.writing() as connection:
            return create_key(connection, grant, now_ts)

    def revoke(self, key_id: str, now_ts: int) -> bool:
        """Revoke a key permanently; running services refuse it within a second.

        Parameters
        ----------
        key_id : str
            From ``create``.
        now_ts : int
            UTC epoch seconds; stored as the time of revocation.

        Returns
        -------
        bool
            False if it was already revoked.

        Raises
        ------
        LedgerError
            When there is no such key.
        """
        of = KEYS.c
        with self._database.writing() as connection:
            query = sa.select(of.revoked_ts).where(of.key_id == key_id)
            row = connection.execute(query).one_or_none()
            if row is None:
                raise LedgerError(f"no key `{key_id}`. `omnibasket keys list` shows them.")
            if row.revoked_ts is not None:
                return False
            revoke_key(connection, key_id, now_ts)
        return True

    def all(self) -> list[Key]:
        """Return every key, including revoked ones, oldest first."""
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
        """End a session permanently; running services refuse it within a second.

        Parameters
        ----------
        session_id : str
            Session id from the cookie.
        ends_ts : int
            When the session would expire, UTC epoch seconds; it is stored until then.
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
        """Return the ended sessions, each with the expiry of its cookie."""
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(ENDED_SESSIONS)).all()
        return {row.session_id: row.ends_ts for row in rows}

    def changed(self) -> str | None:
        """Return a mark that differs after every change; None if there was never a key.

        One short statement, because the service calls it every half second.
        """
        row = self._database.one(_CHANGED, key=_CHANGES)
        return None if row is None else str(row[0])


class KnownKeys(Struct, frozen=True):
    """The keys, and the sessions that users ended."""

    keys: list[Key]
    ended_sessions: dict[str, int] = {}
    """Session id → expiry of its cookie, UTC epoch seconds."""


class KeptKeys:
    """A copy of the keys as last read, for times when the ledger does not respond.

    Parameters
    ----------
    path : Path
        Contains no secrets, only hashes and grants.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> KnownKeys | None:
        """Return the stored keys; None if missing or unreadable."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=KnownKeys)
        except (OSError, msgspec.DecodeError):
            return None

    def write(self, known: KnownKeys) -> None:
        """Store the keys; if that fails, the earlier copy stays.

        Parameters
        ----------
        known : KnownKeys
            Replaces the stored keys.
        """
        content = msgspec.json.encode(known)
        try:
            if self._path.exists() and self._path.read_bytes() == content:
                return
            durable_files.replace_file(self._path, content, mode=0o600)
        except OSError:
            return


def create_key(connection: sa.Connection, grant: Grant, now_ts: int) -> tuple[str, str]:
    """Create a key in a writer's transaction; see ``Keys.create``."""
    key_id = "".join(secrets.choice(_ID_LETTERS) for _ in range(12))
    secret = f"{PREFIX}{key_id}_{secrets.token_urlsafe(32)}"
    row = {
        "key_id": key_id,
        "digest": _digest(secret),
        "created_ts": now_ts,
        "grant": msgspec.json.encode(grant),
    }
    connection.execute(KEYS.insert(), row)
    _tell(connection)
    return key_id, secret


def revoke_key(connection: sa.Connection, key_id: str, now_ts: int) -> None:
    """Revoke a key in a writer's transaction."""
    connection.execute(KEYS.update().where(KEYS.c.key_id == key_id), {"revoked_ts": now_ts})
    _tell(connection)


def find_key(keys: Mapping[str, Key], secret: str) -> Key | None:
    """Return the key that a caller sent, in any state; None if it is unknown.

    Parameters
    ----------
    keys : mapping
        Key id → key.
    secret : str
        The key as the caller sent it.
    """
    shape = _SHAPE.fullmatch(secret)
    if shape is None:
        return None
    key = keys.get(shape[1])
    # Compare in constant time, and compare with a dummy if the id is unknown.
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
