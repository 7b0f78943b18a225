"""The checks behind ``/readyz``, made in the background so that it can answer at once.

The ledger, the disk and the age of the model come in; messages for callers go out, without names of
folders, addresses or numbers of customers. ``State`` holds one.
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
#: With less free space, events will soon be refused. Bytes.
_MIN_FREE_BYTES: Final = 256 * 1024 * 1024
#: How often to check what changes seldom. Seconds.
_SELDOM_SECONDS: Final = 5.0


class HealthChecks:
    """The state of the ledger, the disk and the model.

    Parameters
    ----------
    config : Config
    ledger : Ledger

    Attributes
    ----------
    is_refreshed : bool
        Whether a background thread calls ``refresh``, so that ``checks`` need not.
    ledger_error : str or None
        Why the ledger does not answer, for the log; None if it does.
    """

    def __init__(self, config: Config, ledger: Ledger) -> None:
        self.is_refreshed = False
        self.ledger_error: str | None = None
        self._config = config
        self._ledger = ledger
        self._is_empty = self._is_disk_low = False
        self._next_full_check = 0.0

    def refresh(self) -> None:
        """Check the ledger and the disk, and every few seconds what changes seldom."""
        try:
            self._ledger.ping()
            if time.monotonic() >= self._next_full_check:
                self._is_empty = "history_version" not in self._ledger.meta()
                self._next_full_check = time.monotonic() + _SELDOM_SECONDS
        except LedgerError as error:
            self.ledger_error = str(error)
        else:
            self.ledger_error = None
        self.refresh_disk()

    def refresh_disk(self) -> None:
        """Check the disk only, as where the ledger is away."""
        try:
            self._is_disk_low = shutil.disk_usage(self._config.state).free < _MIN_FREE_BYTES
        except OSError:
            self._is_disk_low = False

    def checks(
        self,
        engine: Engine | None,
        public_model_error: str | None,
        now_ts: int,
        *,
        writes: bool = True,
    ) -> dict[str, str]:
        """Return each check with ``ok``, or what is wrong and what to do.

        Parameters
        ----------
        engine : Engine or None
            The engine that answers.
        public_model_error : str or None
            Why it is not that of the current version.
        now_ts : int
            UTC epoch seconds.
        writes : bool
            Whether the last write to the ledger succeeded.
        """
        if not self.is_refreshed:
            self.refresh()
        return {
            "model": public_model_error or OK,
            "ledger": self._of_ledger(engine, writes),
            "disk": self._of_disk(),
            "age": self._of_age(engine, now_ts),
        }

    def _of_ledger(self, engine: Engine | None, writes: bool) -> str:
        if self.ledger_error is not None:
            return (
                "the ledger does not answer. Customers are answered as strangers, events and "
                "redemptions are refused until it does; the log says why."
            )
        if not writes:
            return "the ledger takes nothing at present: events and redemptions are refused."
        if self._ledger.trouble is not None:
            return "the ledger does not answer everything in time; the log says what."
        if self._is_empty and engine is not None:
            return "the ledger knows no customers. Run `omnibasket ingest`."
        return OK

    def _of_disk(self) -> str:
        if not self._is_disk_low:
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
