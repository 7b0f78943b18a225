"""How the service is, as ``/readyz`` tells it: looked at in the background, told at once.

The ledger, the disk and the age of the model come in; out come words for whoever asks, without
names of folders, addresses or numbers of customers. ``State`` holds one.
"""

import shutil
import time
from typing import Final

from recsys.config import Config
from recsys.errors import LedgerError
from recsys.ledger import Ledger
from recsys.recommender import Engine
from recsys.units import DAY

OK: Final = "ok"
#: With less room events are refused soon. Bytes.
_LITTLE_ROOM: Final = 256 * 1024 * 1024
#: What changes seldom is looked at so often. Seconds.
_SELDOM_SECONDS: Final = 5.0


class Condition:
    """How the service is.

    Parameters
    ----------
    config : Config
    ledger : Ledger

    Attributes
    ----------
    followed : bool
        Whether somebody looks in the background, so that ``checks`` need not.
    ledger : str or None
        Why it does not answer, for the log; None where it does.
    """

    def __init__(self, config: Config, ledger: Ledger) -> None:
        self.followed = False
        self.ledger: str | None = None
        self._config = config
        self._asked = ledger
        self._empty = self._little_room = False
        self._seldom_at = 0.0

    def look(self) -> None:
        """Ask the ledger for a sign of life, and now and then for more."""
        try:
            self._asked.ping()
            if time.monotonic() >= self._seldom_at:
                self._empty = "history_version" not in self._asked.meta()
                self._seldom_at = time.monotonic() + _SELDOM_SECONDS
        except LedgerError as error:
            self.ledger = str(error)
        else:
            self.ledger = None
        try:
            self._little_room = shutil.disk_usage(self._config.state).free < _LITTLE_ROOM
        except OSError:
            self._little_room = False

    def checks(
        self, engine: Engine | None, model_told: str | None, now_ts: int, *, writes: bool = True
    ) -> dict[str, str]:
        """Return each check with ``ok``, or what is wrong and what to do.

        Parameters
        ----------
        engine : Engine or None
            That answers.
        model_told : str or None
            Why it is not the current one.
        now_ts : int
            UTC epoch seconds.
        writes : bool
            Whether the ledger took what was written to it last.
        """
        if not self.followed:
            self.look()
        return {
            "model": model_told or OK,
            "ledger": self._of_ledger(engine, writes),
            "disk": self._of_disk(),
            "age": self._of_age(engine, now_ts),
        }

    def _of_ledger(self, engine: Engine | None, writes: bool) -> str:
        if self.ledger is not None:
            return (
                "the ledger does not answer. Customers are answered as strangers, events and "
                "redemptions are refused until it does; the log says why."
            )
        if not writes:
            return "the ledger takes nothing at present: events and redemptions are refused."
        if self._asked.trouble is not None:
            return "the ledger does not answer everything in time; the log says what."
        if self._empty and engine is not None:
            return "the ledger knows no customers. Run `omnibasket ingest`."
        return OK

    def _of_disk(self) -> str:
        if not self._little_room:
            return OK
        return "the disk of the workspace is full, or will be soon. Make room."

    def _of_age(self, engine: Engine | None, now_ts: int) -> str:
        days = self._config.serve.stale_days
        if engine is None or not days:
            return OK
        age = (now_ts - engine.manifest.as_of.timestamp()) / DAY
        if age <= days:
            return OK
        return (
            f"the model learned from what happened up to {age:.0f} days ago. Run `omnibasket "
            "ingest` and `omnibasket train`."
        )
