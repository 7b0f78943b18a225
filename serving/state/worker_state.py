"""What a worker holds between requests: the model, the ledger, and exposures to be written.

Each process has one ``State``. Beside the running requests, ``refresh`` loads a newly published
artefact and reads what was reported to the ledger since; ``flush`` writes exposures in batches.
Each of these runs in its own background thread, so that a loading artefact, a hanging ledger and
waiting exposures hold up neither each other nor any answer.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from recsys.config import Config
from recsys.errors import LedgerError
from recsys.identity import KeyedHash
from recsys.languages import Language
from recsys.ledger import (
    Exposure,
    KeptKeys,
    Ledger,
    MarkFile,
    Overlay,
    Timeouts,
    api_keys,
)
from recsys.recommender import Engine, shift_seconds
from serving.access import ClientAddresses, KeyCache, RateLimits, Sessions, rate_limits
from serving.http import Refusal
from serving.state.contact_policy import ContactPolicy
from serving.state.decision_cache import DecisionCache
from serving.state.exposure_queue import ExposureQueue
from serving.state.model_loading import NONE_YET, ModelLoader
from serving.state.offer_issuing import OfferIssuer
from serving.state.qr_links import OfferLinks
from serving.state.readiness import HealthChecks

_log = logging.getLogger("omnibasket.service")

#: How often the background threads run. Seconds.
INTERVAL_SECONDS: Final = 0.5


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
        When the ledger can never be opened. If it does not answer, the service waits for it and
        meanwhile answers everybody as a stranger.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.keyed_hash = _keyed_hash(config)
        self.sessions = Sessions(self.keyed_hash.key)
        self.links = OfferLinks(self.keyed_hash.key)
        self.ledger = Ledger.open(
            config.ledger_url,
            currency=config.workspace.currency,
            timeouts=Timeouts(config.ledger.read_seconds, config.ledger.write_seconds),
        )
        self.marks = MarkFile.of(config)
        self._marks_merged = False
        kept = KeptKeys(config.state / api_keys.KEPT_FILE)
        self.key_cache = KeyCache(self.ledger.keys, kept)
        self._quotas = rate_limits.QuotaFile(config.state / rate_limits.FILE)
        self.addresses = ClientAddresses(self.keyed_hash, config.serve.proxies)
        self.rates = RateLimits(config.limits, self._quotas, self.addresses)
        self.decision_cache = DecisionCache(self.ledger.decisions, config.bundles)
        self.offer_issuer = OfferIssuer(self.decision_cache, self.ledger, config, self.links)
        self.contact_policy = ContactPolicy(self.ledger, config)
        self.exposures = ExposureQueue(
            self.ledger,
            config.ledger.exposure_days,
            config.contact.answer_days,
            config.ledger.look_days,
        )
        self.health = HealthChecks(config, self.ledger)
        self.identifier_types = _identifier_types(config)
        self.currencies = _currencies(config)
        self.engine: Engine | None = None
        self.shift_seconds = 0  # by which the workspace's clock is ahead of the wall's
        self.yield_to_answers: Callable[[], None] = (
            _do_nothing  # answers go before the parts of a batch
        )
        self._loader = ModelLoader(config)
        self._overlay = Overlay(self.ledger.backoffice)
        self._model_lock, self._overlay_lock = threading.Lock(), threading.Lock()
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self.refresh()

    def start(self) -> None:
        """Start the background threads for artefacts, the ledger and exposures."""
        self.key_cache.is_refreshed = self.decision_cache.is_refreshed = (
            self.health.is_refreshed
        ) = True
        for name, work in (
            ("artefacts", self._refresh_model),
            ("ledger", self._refresh_from_ledger),
            ("exposures", self._write_exposures),
        ):
            thread = threading.Thread(
                target=self._run_periodically, args=(name, work), name=name, daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        """Write the queued exposures and close the ledger."""
        self._stopped.set()
        for thread in self._threads:
            thread.join(timeout=4)
        self.flush()
        self.ledger.close()
        self._quotas.close()

    def now_ts(self) -> int:
        """Return the workspace's time, UTC epoch seconds."""
        return int(time.time()) + self.shift_seconds

    @property
    def model_error(self) -> str | None:
        """Why there is no engine, or not the current one."""
        return self._loader.error

    @property
    def public_model_error(self) -> str | None:
        """The same without names of folders, for callers."""
        return self._loader.public_error or (NONE_YET if self.engine is None else None)

    def loaded(self) -> Engine:
        """Return the engine.

        Raises
        ------
        Refusal
            When no artefact has been loaded yet.
        """
        if self.engine is None:
            raise Refusal("no-model", f"No model: {self.public_model_error}", retry_seconds=5)
        return self.engine

    def facts(self, language: Language) -> list[tuple[str, str]]:
        """Return facts about the model for people, as names and values."""
        if self.engine is None:
            return []
        manifest, say = self.engine.manifest, language.gettext
        return [
            (say("Learned from what happened before"), f"{manifest.as_of:%Y-%m-%d %H:%M} UTC"),
            (say("Made"), f"{manifest.created:%Y-%m-%d %H:%M} UTC"),
            (say("Products"), language.number(len(self.engine.index))),
            (say("Baskets"), language.number(self.engine.n_baskets)),
            (say("Bundles"), language.number(len(self.engine.bundles))),
        ]

    def refresh(self) -> None:
        """Load the current artefact if it has changed, and read what was reported since.

        If the artefact is damaged, that is logged, and the one before goes on answering.
        """
        self._refresh_model()
        self._refresh_from_ledger()

    def _refresh_model(self) -> None:
        """Load the current artefact if it has changed."""
        with self._model_lock:
            if self._loader.refresh():
                self._rebuild_engine()

    def _refresh_from_ledger(self) -> None:
        """Read what changed in the ledger since the last time, part by part."""
        for what, read in (
            ("the ledger was not reached", self.ledger.prepare),
            ("the marks of erased customers were not brought together", self._merge_marks),
            ("the keys could not be read", self.key_cache.refresh),
            ("news of products were not read", self.refresh_catalogue),
            ("decisions were not read", self.decision_cache.refresh),
        ):
            try:
                read()
            except LedgerError as error:
                if self.health.ledger_error is None:
                    _log.error(what, extra={"reason": str(error)})
                self.health.ledger_error = str(error)
                self.health.refresh_disk()
                break
        else:
            self.health.refresh()

    def _merge_marks(self) -> None:
        """Erase once more what a restored ledger brought back, when it is first reached."""
        if not self._marks_merged:
            again = self.ledger.erasures.merge(self.marks)
            if again:
                _log.warning("erased again what an older ledger held", extra={"marks": again})
            self._marks_merged = True

    def refresh_catalogue(self) -> None:
        """Read what the back office reported since the last time.

        Raises
        ------
        LedgerError
            When it cannot be read.
        """
        with self._overlay_lock:
            newer = self._overlay.renew()
        if newer:
            self._rebuild_engine()

    def _rebuild_engine(self) -> None:
        """Make the engine from the artefact and the updates reported since."""
        with self._overlay_lock:
            made = self._loader.engine
            if made is None:
                return
            self.shift_seconds = shift_seconds(self.config, made.manifest)
            updates = self._overlay.updates_since(made.manifest.details.get("exported", {}))
            self.engine = made.with_updates(updates) if updates else made
            self.contact_policy.engine = self.engine

    def expose(self, exposure: Exposure) -> None:
        """Queue an exposure; it is written soon."""
        self.exposures.add(exposure)

    def flush(self) -> None:
        """Write the queued exposures, and showings."""
        self.exposures.flush()
        self.contact_policy.flush()

    def _write_exposures(self) -> None:
        self.flush()
        self.exposures.prune(int(time.time()) + self.shift_seconds)

    def _run_periodically(self, name: str, work: Callable[[], object]) -> None:
        while not self._stopped.wait(INTERVAL_SECONDS):
            try:
                work()
            except Exception:  # the thread must survive any error
                _log.exception("upkeep failed", extra={"of": name})


def _identifier_types(config: Config) -> frozenset[str]:
    """Return the types of identifiers that the settings name, and the built-in ones."""
    identity = config.identity
    sources = (source.identifiers for source in config.sources.values())
    return frozenset().union(identity.limits, identity.max_degree, identity.blocked, *sources)


def _currencies(config: Config) -> frozenset[str]:
    """Return the currencies that the settings name."""
    of_sources = {source.currency for source in config.sources.values() if source.currency}
    return frozenset((config.workspace.currency, *of_sources))


def _do_nothing() -> None:
    return


def _keyed_hash(config: Config) -> KeyedHash:
    """Read the key or make one; another worker may be making it at the same moment."""
    try:
        return KeyedHash.load(config, create=True)
    except FileExistsError:
        return KeyedHash.load(config)
