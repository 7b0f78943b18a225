"""Screens in stores: pairs them by a short code, and remembers when each was last seen.

A screen begins a pairing and shows its code; somebody who may approves the code; the screen fetches
its key. Called through ``Ledger.screens``.
"""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

import msgspec
import sqlalchemy as sa

from recsys.ledger.api_keys import Grant, create_key, revoke_key
from recsys.ledger.database import Database
from recsys.ledger.schema import KEYS, PAIRINGS, SCREENS

#: So long a code may be typed. Seconds.
PAIRING_SECONDS: Final = 600
#: Codes that wait at once; anybody may ask for one.
MOST_WAITING: Final = 200
#: No letter or digit that is taken for another one.
_LETTERS: Final = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
_LENGTH: Final = 6
#: How much older ``seen_ts`` may be than the latest question. Seconds.
_SEEN_SECONDS: Final = 30

_strings = msgspec.json.Decoder(list[str]).decode


class Waiting(NamedTuple):
    """A pairing that waits for somebody to type its code."""

    code: str
    """What the screen shows."""
    secret: str
    """What only the screen knows; with it, it fetches its key."""
    expires_ts: int
    """UTC epoch seconds."""


class Approval(msgspec.Struct, frozen=True):
    """What somebody decided who typed a code."""

    name: str
    approved_by: str
    card_type: str | None = None
    """Of a kiosk, as of ``Grant``; None of a screen that is the same for everybody."""


class PairedScreen(NamedTuple):
    """What a screen gets when its code was typed."""

    key_id: str
    secret: str
    """Its key; shown once."""
    name: str
    card_type: str | None


class Screen(NamedTuple):
    """A screen that was paired."""

    key_id: str
    location_id: str
    name: str
    card_type: str | None
    """As of ``Approval``."""
    paired_ts: int
    paired_by: str
    seen_ts: int | None
    """When it last asked what to show, UTC epoch seconds, half a minute late at most; None:
    never."""
    shown: tuple[str, ...]
    """Ids of the products that it got then."""


class Screens:
    """The ledger's screens.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, location_id: str, now_ts: int) -> Waiting | None:
        """Begin to pair a screen.

        Parameters
        ----------
        location_id : str
            Where the screen hangs.
        now_ts : int
            UTC epoch seconds.

        Returns
        -------
        Waiting or None
            None where too many codes wait already.
        """
        of = PAIRINGS.c
        code = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
        secret, ends_ts = secrets.token_urlsafe(24), now_ts + PAIRING_SECONDS
        row = {
            "code_hash": _hashed(code),
            "secret_hash": _hashed(secret),
            "location_id": location_id,
            "expires_ts": ends_ts,
        }
        with self._database.writing(durable=False) as connection:
            connection.execute(PAIRINGS.delete().where(of.expires_ts <= now_ts))
            n_waiting = connection.execute(sa.select(sa.func.count()).select_from(PAIRINGS))
            if n_waiting.scalar_one() >= MOST_WAITING:
                return None
            connection.execute(PAIRINGS.insert(), row)
        return Waiting(code, secret, ends_ts)

    def location_of(self, code: str, now_ts: int) -> str | None:
        """Return where the screen hangs that shows a code; None where none does any more.

        Parameters
        ----------
        code : str
            In any spelling.
        now_ts : int
            UTC epoch seconds.
        """
        of = PAIRINGS.c
        query = sa.select(of.location_id).where(
            of.code_hash == _hashed(_spelled(code)), of.expires_ts > now_ts, of.approval.is_(None)
        )
        with self._database.reading() as connection:
            found: str | None = connection.execute(query).scalar()
        return found

    def approve(self, code: str, approval: Approval, now_ts: int) -> bool:
        """Let the screen that shows a code fetch its key, once.

        Parameters
        ----------
        code : str
            In any spelling.
        approval : Approval
        now_ts : int
            UTC epoch seconds.

        Returns
        -------
        bool
            False where no screen shows it any more.
        """
        of = PAIRINGS.c
        waits = sa.and_(
            of.code_hash == _hashed(_spelled(code)), of.expires_ts > now_ts, of.approval.is_(None)
        )
        # The screen has as long again to fetch its key.
        values = {
            "approval": msgspec.json.encode(approval),
            "expires_ts": now_ts + PAIRING_SECONDS,
        }
        with self._database.writing() as connection:
            return connection.execute(PAIRINGS.update().where(waits).values(values)).rowcount > 0

    def fetch(self, secret: str, now_ts: int) -> PairedScreen | Literal["waiting", "over"]:
        """Give a screen its key, if its code was typed.

        Parameters
        ----------
        secret : str
            Of ``begin``.
        now_ts : int
            UTC epoch seconds.

        Returns
        -------
        PairedScreen or {"waiting", "over"}
            A screen that asks again because the answer was lost gets another key, and the one
            before is revoked. ``over``: the code is too old, or unknown.
        """
        of = PAIRINGS.c
        query = sa.select(PAIRINGS).where(of.secret_hash == _hashed(secret), of.expires_ts > now_ts)
        with self._database.reading() as connection:  # most often it waits still
            row = connection.execute(query).first()
        if row is None or row.approval is None:
            return "over" if row is None else "waiting"
        with self._database.writing() as connection:
            row = connection.execute(query.with_for_update()).first()
            if row is None:
                return "over"
            if row.approval is None:
                return "waiting"
            if row.key_id is not None:
                revoke_key(connection, row.key_id, now_ts)
                connection.execute(SCREENS.delete().where(SCREENS.c.key_id == row.key_id))
            approval = msgspec.json.decode(row.approval, type=Approval)
            grant = Grant(
                ("recommend", "events"),
                approval.name,
                channels=("store_screen",),
                locations=(row.location_id,),
                card_type=approval.card_type,
            )
            key_id, key = create_key(connection, grant, now_ts)
            here = PAIRINGS.update().where(of.secret_hash == row.secret_hash)
            connection.execute(here.values(key_id=key_id))
            values = {
                "key_id": key_id,
                "location_id": row.location_id,
                "name": approval.name,
                "card_type": approval.card_type,
                "paired_ts": now_ts,
                "paired_by": approval.approved_by,
            }
            connection.execute(SCREENS.insert(), values)
        return PairedScreen(key_id, key, approval.name, approval.card_type)

    def all(self) -> list[Screen]:
        """Return the screens whose keys are not revoked, by location and name."""
        of = SCREENS.c
        query = sa.select(SCREENS).join(KEYS, KEYS.c.key_id == of.key_id)
        query = query.where(KEYS.c.revoked_ts.is_(None))
        query = query.order_by(of.location_id, of.name, of.key_id)
        with self._database.reading() as connection:
            return [_screen(row) for row in connection.execute(query)]

    def note_seen(self, key_id: str, item_ids: Sequence[str], now_ts: int) -> None:
        """Note that a screen asked what to show, and what it got.

        Parameters
        ----------
        key_id : str
            Of the screen; nothing is noted of other keys.
        item_ids : sequence of str
        now_ts : int
            UTC epoch seconds.
        """
        of = SCREENS.c
        shown = msgspec.json.encode([*item_ids])
        old = sa.or_(of.seen_ts.is_(None), of.seen_ts <= now_ts - _SEEN_SECONDS, of.shown != shown)
        mine = SCREENS.update().where(of.key_id == key_id, old)
        with self._database.writing(durable=False) as connection:
            connection.execute(mine.values(seen_ts=now_ts, shown=shown))


def _screen(row: sa.Row[Any]) -> Screen:
    shown = () if row.shown is None else tuple(_strings(row.shown))
    return Screen(
        row.key_id,
        row.location_id,
        row.name,
        row.card_type,
        row.paired_ts,
        row.paired_by,
        row.seen_ts,
        shown,
    )


def _spelled(code: str) -> str:
    """Bring a code that somebody typed into the spelling in which it is shown."""
    return "".join(sign for sign in code.upper() if sign.isalnum())


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
