"""What a worker holds between requests: the model, the ledger, and exposures to be written.

One ``State`` a process. ``refresh`` takes up a newly published artefact beside the running
requests and keeps the old one where the new one is damaged; ``flush`` writes exposures in
batches, so that a request does not wait for the disk. Both run in one background thread.
"""

import logging
import threading
import time
from collections import deque
from pathlib import Path
from typing import Final

from recsys.config import Config
from recsys.data.keyed_hash import KeyedHash
from recsys.errors import LedgerError, RecsysError
from recsys.persistence import registry
from recsys.responses.clock import shift_seconds
from recsys.responses.engine import Engine
from recsys.tracking.backoffice import Overlay
from recsys.tracking.ledger import Exposure, Ledger
from serving.access import Keyring
from serving.decided import Decided
from serving.links import Links
from serving.offering import Promises
from serving.problems import KINDS, Refusal
from serving.session import Sessions

_log = logging.getLogger("omnibasket.service")

#: How often the background thread looks after artefacts and exposures. Seconds.
INTERVAL_SECONDS: Final = 0.5
_BATCH: Final = 1_000
#: Exposures kept while the ledger does not take them; beyond, the oldest are dropped and counted.
_MOST_WAITING: Final = 50_000

_Stamp = tuple[int, int, int]


class State:
    """What a worker holds.

    Parameters
    ----------
    config : Config
        Settings of the workspace.

    Raises
    ------
    ConfigError
        When the key for identifiers is missing and cannot be made.
    LedgerError
        When the ledger cannot be opened.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.keyed_hash = _keyed_hash(config)
        self.sessions = Sessions(self.keyed_hash.key)
        self.links = Links(self.keyed_hash.key)
        self.ledger = Ledger.open(config.ledger_url, currency=config.workspace.currency)
        self.keyring = Keyring(self.ledger.keys, config.serve.requests_per_second)
        self.decided = Decided(self.ledger.decisions, config.bundles)
        self.promises = Promises(self.decided, self.ledger.offers, config.offers, self.links)
        self.identifier_types = _identifier_types(config)
        self.currencies = _currencies(config)
        self.engine: Engine | None = None
        self.shift_seconds = 0  # by which the workspace's clock is ahead of the wall's
        self._made: Engine | None = None  # as the artefact has it
        self._overlay = Overlay(self.ledger.backoffice)
        self._refreshing = threading.Lock()
        self.trouble: str | None = None  # why there is no engine, or not the newest
        self.dropped_exposures = 0
        self._stamp: _Stamp | None = None
        self._waiting: deque[Exposure] = deque()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self.refresh()

    def start(self) -> None:
        """Look after artefacts and exposures from now on, in the background."""
        self._thread = threading.Thread(target=self._look_after, name="upkeep", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write what waits, and let go of the ledger."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
        self.flush()
        self.ledger.close()

    def now_ts(self) -> int:
        """Return the workspace's time, UTC epoch seconds."""
        return int(time.time()) + self.shift_seconds

    def loaded(self) -> Engine:
        """Return the engine.

        Raises
        ------
        Refusal
            When no artefact has been taken up yet.
        """
        if self.engine is None:
            raise Refusal("no-model", self.trouble or KINDS["no-model"].advice, retry_seconds=5)
        return self.engine

    def facts(self) -> list[tuple[str, str]]:
        """Return what a person may want to know of the model, as names and values."""
        if self.engine is None:
            return []
        manifest = self.engine.manifest
        return [
            ("Learned from what happened before", f"{manifest.as_of:%Y-%m-%d %H:%M} UTC"),
            ("Made", f"{manifest.created:%Y-%m-%d %H:%M} UTC"),
            ("Products", f"{len(self.engine.index):,}"),
            ("Baskets", f"{self.engine.n_baskets:,}"),
            ("Bundles", f"{len(self.engine.bundles):,}"),
        ]

    def refresh(self) -> None:
        """Take up the current artefact if it is another one than before, and what was told since.

        A damaged one is logged, and the one before goes on answering.
        """
        with self._refreshing:
            newer = self._take_up()
            try:
                newer = self._overlay.renew() or newer
            except LedgerError as error:
                _log.error("news of products were not read", extra={"reason": str(error)})
            try:
                self.decided.renew()
            except LedgerError as error:
                _log.error("decisions were not read", extra={"reason": str(error)})
            if newer and self._made is not None:
                told = self._overlay.told(self._made.manifest.details.get("exported", {}))
                self.engine = self._made.with_live(told) if told else self._made

    def _take_up(self) -> bool:
        """Load the current artefact if it is another one than before; say whether it is."""
        stamp = _stamp(registry.pointer(self.config))
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            self._made = Engine.load(registry.current(self.config))
        except RecsysError as error:
            self.trouble = str(error)
            _log.error("the artefact was not taken up", extra={"reason": str(error)})
            return False
        self.trouble = None
        self.shift_seconds = shift_seconds(self.config, self._made.manifest)
        _log.info("a model is loaded", extra={"model_version": self._made.version})
        return True

    def expose(self, exposure: Exposure) -> None:
        """Have an exposure written soon."""
        self._waiting.append(exposure)
        while len(self._waiting) > _MOST_WAITING:
            self._waiting.popleft()
            self.dropped_exposures += 1

    def flush(self) -> None:
        """Write the exposures that wait; they wait on where the ledger does not take them."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
            try:
                self.ledger.record_exposures(batch)
            except LedgerError as error:
                self._waiting.extendleft(reversed(batch))
                _log.error(
                    "exposures wait for the ledger",
                    extra={"reason": str(error), "waiting": len(self._waiting)},
                )
                return

    def _look_after(self) -> None:
        while not self._stopped.wait(INTERVAL_SECONDS):
            try:
                self.refresh()
                self.flush()
            except Exception:  # the thread must outlive whatever it meets
                _log.exception("upkeep failed")


def _identifier_types(config: Config) -> frozenset[str]:
    """Types of identifiers that the settings name, or any workspace has."""
    identity = config.identity
    sources = (source.identifiers for source in config.sources.values())
    return frozenset().union(identity.limits, identity.max_degree, identity.blocked, *sources)


def _currencies(config: Config) -> frozenset[str]:
    """Currencies that the settings name."""
    of_sources = {source.currency for source in config.sources.values() if source.currency}
    return frozenset((config.workspace.currency, *of_sources))


def _stamp(path: Path) -> _Stamp | None:
    """Tell one published pointer from the next without reading it."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _keyed_hash(config: Config) -> KeyedHash:
    """Read the key, or make one; another worker may be making it at the same moment."""
    try:
        return KeyedHash.load(config, create=True)
    except FileExistsError:
        return KeyedHash.load(config)
