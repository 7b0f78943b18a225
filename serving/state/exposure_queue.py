"""Exposures on their way to the ledger: queued by answers, written in batches, deleted when old.

Answers add exposures without waiting; a background thread of ``State`` calls ``flush`` and
``prune``.
"""

import logging
import time
from collections import deque
from typing import Final

from recsys.decisions import MAX_DAYS
from recsys.errors import LedgerError
from recsys.ledger import Exposure, Ledger
from recsys.units import DAY

_log = logging.getLogger("omnibasket.service")

_BATCH: Final = 1_000
#: Exposures kept while the ledger does not take them; beyond, the oldest are dropped.
_MAX_WAITING: Final = 50_000
#: How often old exposures are deleted. Seconds.
_PRUNE_SECONDS: Final = 300.0
#: Most exposures deleted in one transaction, and in one run.
_PRUNED, _MAX_PRUNED = 1_000, 20_000


class ExposureQueue:
    """Exposures that wait for the ledger.

    Parameters
    ----------
    ledger : Ledger
    days : float
        Older exposures are deleted from the ledger; 0: none.
    answer_days : float
        Older answers of mailings and slots are deleted.
    look_days : float
        Older notes of who looked at a customer are deleted; 0: none.

    Attributes
    ----------
    waiting : deque of Exposure
    dropped : int
        How many were lost because the ledger did not take them.
    error : str or None
        Why the ledger does not take them; None while it does.
    """

    def __init__(
        self, ledger: Ledger, days: float, answer_days: float = 14.0, look_days: float = 0.0
    ) -> None:
        self.ledger = ledger
        self.waiting: deque[Exposure] = deque()
        self._in_writing: list[Exposure] = []
        self.dropped = 0
        self.error: str | None = None
        self._days = days
        self._answer_days = answer_days
        self._look_days = look_days
        self._prune_at = time.monotonic() + _PRUNE_SECONDS / 10

    def add(self, exposure: Exposure) -> None:
        """Queue an exposure; it is written soon."""
        self.waiting.append(exposure)
        while len(self.waiting) > _MAX_WAITING:
            self.waiting.popleft()
            self.dropped += 1

    def waits(self, recommendation_id: str) -> Exposure | None:
        """Return an exposure that is not written yet; None if it does not wait here."""
        for exposure in (*self._in_writing, *list(self.waiting)):
            if exposure.recommendation_id == recommendation_id:
                return exposure
        return None

    def flush(self) -> None:
        """Write the queued exposures; keep them if the ledger does not take them."""
        while self.waiting:
            batch = [self.waiting.popleft() for _ in range(min(_BATCH, len(self.waiting)))]
            self._in_writing = batch
            try:
                self.ledger.exposures.record(batch)
            except LedgerError as error:
                self.waiting.extendleft(reversed(batch))
                if self.error is None:
                    _log.error(
                        "exposures wait for the ledger",
                        extra={"reason": str(error), "waiting": len(self.waiting)},
                    )
                self.error = str(error)
                return
            finally:
                self._in_writing = []
            self.error = None

    def prune(self, now_ts: int, *, at_once: bool = False) -> int:
        """Delete old exposures from the ledger if it is time to; return how many.

        What answers wrote about customers while these were being erased goes, too.

        Parameters
        ----------
        now_ts : int
            UTC epoch seconds.
        at_once : bool
            Delete even if it is not time to.
        """
        if not (at_once or time.monotonic() >= self._prune_at):
            return 0
        self._prune_at = time.monotonic() + _PRUNE_SECONDS
        before_ts, gone = int(now_ts - self._days * DAY), 0
        last = _PRUNED if self._days else 0  # without a limit, exposures stay; contacts do not
        try:
            while last == _PRUNED and gone < _MAX_PRUNED:
                last = self.ledger.exposures.thin(before_ts, _PRUNED)
                gone += last
            answers_before_ts = int(now_ts - self._answer_days * DAY)
            self.ledger.contacts.thin(int(now_ts - MAX_DAYS * DAY), answers_before_ts, _PRUNED)
            self.ledger.erasures.sweep(now_ts)
            if self._look_days:
                self.ledger.looks.thin(int(time.time() - self._look_days * DAY), _PRUNED)
        except LedgerError as error:
            _log.error("old exposures were not removed", extra={"reason": str(error)})
        if last == _PRUNED:
            self._prune_at = time.monotonic() + 1  # there are more
        return gone
