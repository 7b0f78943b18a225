"""Copies a workspace whose service may be told anything: same history and models, own ledger.

In: a workspace's settings. Out: settings of a temporary state folder with a copy of the ledger, and
a key for it. Called by ``script``.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from sqlalchemy.engine import make_url

from recsys.config import Config, RotationSettings
from recsys.errors import ConfigError, LedgerError
from recsys.ledger import Grant, Ledger

#: What the service reads of a state folder and never changes; it may be large.
_LINKED: Final = ("artefacts", "history")
_COPIED: Final = ("key", "erasures.jsonl")
#: What the week does.
_SCOPES: Final = ("recommend", "events", "customers")
#: How long the key is good: a workspace with keys answers only who has one.
_VALID_SECONDS: Final = 3600


class CopiedWorkspace(NamedTuple):
    """A workspace for a while."""

    config: Config
    """Settings of it."""
    key: str
    """Opens what the week does."""

    @property
    def headers(self) -> dict[str, str]:
        """What a call has to say to be let in."""
        return {"Authorization": f"Bearer {self.key}"}


@contextmanager
def copied(config: Config, now_ts: int) -> Iterator[CopiedWorkspace]:
    """Copy a workspace's ledger, without what limits how often something is shown.

    Without caps, holdouts, quiet hours and rotation lists change only by what is reported, so that
    each change has one cause.

    Parameters
    ----------
    config : Config
    now_ts : int
        UTC epoch seconds of the wall's clock.

    Yields
    ------
    CopiedWorkspace
        Until the block ends.

    Raises
    ------
    ConfigError
        When the ledger is no SQLite file.
    LedgerError
        When it can't be read.
    """
    url = make_url(config.ledger_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        raise ConfigError(
            "[ledger] url: the week is played on a copy of the ledger, and only one of SQLite can "
            "be copied here. Use a workspace with a ledger of SQLite, such as the demo."
        )
    with tempfile.TemporaryDirectory(prefix="omnibasket-week-") as name:
        state = Path(name)
        for linked in _LINKED:
            if (config.state / linked).exists():
                (state / linked).symlink_to((config.state / linked).resolve())
        for one in _COPIED:
            if (config.state / one).exists():
                shutil.copy(config.state / one, state / one)
        _copy_ledger(Path(url.database), state / "ledger.sqlite")
        replace = msgspec.structs.replace
        mine = replace(
            config,
            workspace=replace(config.workspace, state=str(state)),
            ledger=replace(config.ledger, url=None),
            rotation=RotationSettings(enabled=False),
            caps={},
            holdouts={},
            contact=replace(config.contact, quiet_from=None, quiet_until=None),
        )
        ledger = Ledger.open(mine.ledger_url, create=False, currency=mine.workspace.currency)
        try:
            grant = Grant(scopes=_SCOPES, name="week", expires_ts=now_ts + _VALID_SECONDS)
            _, secret = ledger.keys.create(grant, now_ts)
        finally:
            ledger.close()
        yield CopiedWorkspace(mine, secret)


def _copy_ledger(source: Path, target: Path) -> None:
    """Copy a file that a running service may be writing to."""
    if not source.exists():
        raise LedgerError(f"{source}: there is no ledger. Run `omnibasket ingest` first.")
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new)
    except sqlite3.Error as error:
        raise LedgerError(f"{source}: it can't be copied ({error}).") from None
