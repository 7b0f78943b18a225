"""Exposures on their way to the ledger: kept by answers, written in batches, thinned when old.

Answers put them in and wait for nothing; ``State``'s background thread calls ``flush`` and
``prune``.
"""

import logging
import time
from collections import deque
from typing import Final

from recsys.errors import LedgerError
from recsys.ledger import Exposure, Ledger
from recsys.units import DAY

_log = logging.getLogger("omnibasket.service")

_BATCH: Final = 1_000
#: Exposures kept while the ledger does not take them; beyond, the oldest are dropped and counted.
_MAX_WAITING: Final = 50_000
#: Old ones are looked for so often. Seconds.
_PRUNE_SECONDS: Final = 300.0
#: Old ones forgotten in one transaction, and in one look.
_PRUNED, _MAX_PRUNED = 1_000, 20_000


class ExposureQueue:
    """Exposures that wait for the ledger.

    Parameters
    ----------
    ledger : Ledger
    days : float
        Older ones are forgotten; 0: none.

    Attributes
    ----------
    waiting : deque of Exposure
    dropped : int
        So many were lost since the ledger did not take them.
    error : str or None
        Why they wait; None while they do not.
    """

    def __init__(self, ledger: Ledger, days: float) -> None:
        self.ledger = ledger
        self.waiting: deque[Exposure] = deque()
        self.dropped = 0
        self.error: str | None = None
        self._days = days
        self._prune_at = time.monotonic() + _PRUNE_SECONDS / 10

    def add(self, exposure: Exposure) -> None:
        """Have an exposure written soon."""
        self.waiting.append(exposure)
        while len(self.waiting) > _MAX_WAITING:
            self.waiting.popleft()
            self.dropped += 1

    def flush(self) -> None:
        """Write those that wait; they wait on where the ledger does not take them."""
        while self.waiting:
            batch = [self.waiting.popleft() for _ in range(min(_BATCH, len(self.waiting)))]
            try:
                self.ledger.record_exposures(batch)
            except LedgerError as error:
                self.waiting.extendleft(reversed(batch))
                if self.error is None:
                    _log.error(
                        "exposures wait for the ledger",
                        extra={"reason": str(error), "waiting": len(self.waiting)},
                    )
                self.error = str(error)
                return
            self.error = None

    def prune(self, now_ts: int, *, at_once: bool = False) -> int:
        """Forget some of what is too old, where it is time to; return how many.

        Parameters
        ----------
        now_ts : int
            UTC epoch seconds.
        at_once : bool
            Whether or not it is time to.
        """
        if not self._days or not (at_once or time.monotonic() >= self._prune_at):
            return 0
        self._prune_at = time.monotonic() + _PRUNE_SECONDS
        before_ts, gone, last = int(now_ts - self._days * DAY), 0, _PRUNED
        try:
            while last == _PRUNED and gone < _MAX_PRUNED:
                last = self.ledger.thin_exposures(before_ts, _PRUNED)
                gone += last
        except LedgerError as error:
            _log.error("old exposures were not removed", extra={"reason": str(error)})
        if last == _PRUNED:
            self._prune_at = time.monotonic() + 1  # there are more
        return gone
