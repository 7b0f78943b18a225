"""What marketers decided about bundles, in a worker's memory.

The ledger's decisions and the engine's bundles come in; bundles with their decisions go out.
``State`` holds one: its background thread refreshes it, and so does every call that must see the
latest decision.
"""

import threading
from collections.abc import Mapping

from recsys.bundles import Decision
from recsys.config import BundleSettings
from recsys.ledger.offers import Decisions
from recsys.recommender import Engine
from recsys.recommender.bundles import Suggestions


class DecisionCache:
    """Bundles with what was decided about them. Threads may share it.

    Parameters
    ----------
    decisions : Decisions
    settings : BundleSettings

    Attributes
    ----------
    by_id : mapping
        Bundle id → decision, as of the last ``refresh``.
    is_refreshed : bool
        Whether a background thread calls ``refresh``, so that answers need not.
    """

    def __init__(self, decisions: Decisions, settings: BundleSettings) -> None:
        self.by_id: Mapping[str, Decision] = {}
        self.is_refreshed = False
        self._decisions = decisions
        self._settings = settings
        self._mark: int | None = None
        self._held: Suggestions | None = None
        self._lock = threading.Lock()

    def refresh(self) -> bool:
        """Read the decisions again if any was made since; return whether one was.

        Raises
        ------
        LedgerError
            When they cannot be read.
        """
        with self._lock:
            mark = self._decisions.mark()
            if mark == self._mark:
                return False
            # A decision made between the two reads is read now, and again with the next mark.
            self.by_id = {decision.bundle_id: decision for decision in self._decisions.all()}
            self._mark = mark
            if self._held is not None:
                self._held = self._held.with_decisions(self.by_id)
            return True

    def suggestions(self, engine: Engine) -> Suggestions:
        """Return the bundles of an engine, with every decision that was made by now.

        Raises
        ------
        LedgerError
            When the decisions cannot be read.
        """
        self.refresh()
        with self._lock:
            if self._held is None or self._held.engine is not engine:
                self._held = Suggestions(engine, self.by_id, self._settings)
            return self._held
