"""Loads the model of a worker: the current artefact, and each new one when it is published.

An artefact that cannot be loaded is tried again after growing pauses, while the one before goes on
answering. At the start there is none before; then the newest intact version answers. ``State``
holds one loader.
"""

import logging
import time
from pathlib import Path
from typing import Final

from recsys.artefacts import registry
from recsys.config import Config
from recsys.errors import ArtefactError
from recsys.recommender import Engine

_log = logging.getLogger("omnibasket.service")

#: Pause before a failed load is tried again; it doubles each time. Seconds.
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
NONE_YET: Final = "none is loaded; run `omnibasket train`."

_Stamp = tuple[int, int, int]


class ModelLoader:
    """Holds the engine of the current artefact.

    Parameters
    ----------
    config : Config

    Attributes
    ----------
    engine : Engine or None
    error : str or None
        Why there is no engine, or not the current one; for the log.
    public_error : str or None
        The same without names of folders, for callers.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self.engine: Engine | None = None
        self.error: str | None = None
        self.public_error: str | None = None
        self._stamp: _Stamp | None = None
        self._failed = False
        self._pause = 0.0
        self._retry_at = 0.0

    def refresh(self) -> bool:
        """Load the current artefact if it has changed; return whether the engine has."""
        stamp = _stamp(registry.pointer(self._config))
        if stamp == self._stamp and not (self._failed and time.monotonic() >= self._retry_at):
            return False
        if stamp != self._stamp:
            self._pause = 0.0
        try:
            folder = registry.current(self._config)
        except ArtefactError as error:
            return self._fail(stamp, str(error), None)
        if self._failed and self.engine is not None and self.engine.version == folder.name:
            self._use(stamp, self.engine)  # already loaded as a fallback
            return True
        try:
            engine = self._load(folder)
        except Exception as error:  # a damaged file may raise anything
            return self._fail(stamp, str(error), folder.name)
        self._use(stamp, engine)
        registry.release(self._config, engine.manifest)
        _log.info("a model is loaded", extra={"model_version": engine.version})
        return True

    def _use(self, stamp: _Stamp | None, engine: Engine) -> None:
        self.engine, self._stamp, self._failed, self._pause = engine, stamp, False, 0.0
        self.error = self.public_error = None

    def _fail(self, stamp: _Stamp | None, reason: str, version: str | None) -> bool:
        self._stamp, self._failed = stamp, True
        self._pause = min(max(_FIRST_PAUSE, 2 * self._pause), _LONGEST_PAUSE)
        if reason != self.error:
            _log.error("the artefact was not taken up", extra={"reason": reason})
        self.error = reason
        fell_back = self.engine is None and version is not None and self._fall_back(version)
        self._retry_at = time.monotonic() + self._pause
        what = (
            "the current version cannot be found"
            if version is None
            else (f"{version} cannot be loaded")
        )
        if self.engine is not None:
            self.public_error = (
                f"{what}; {self.engine.version} answers in its place. It is tried again every "
                f"{self._pause:g} s; the log says what is wrong with it."
            )
        elif version is None and stamp is None:
            self.public_error = NONE_YET
        else:
            self.public_error = (
                f"{what}, and no other can be. Run `omnibasket train` to make a new one."
            )
        return fell_back

    def _load(self, folder: Path) -> Engine:
        hold = registry.held(self._config)
        return Engine.load(folder, hold=hold, stock=self._config.stock)

    def _fall_back(self, version: str) -> bool:
        """Load the newest other version that is intact; return whether there is one."""
        for name in reversed(registry.versions(self._config)):
            if name == version:
                continue
            try:
                folder = registry.find(self._config, name)
                self.engine = self._load(folder)
            except Exception as error:
                _log.error("an older artefact is damaged too", extra={"reason": str(error)})
                continue
            _log.error("an older model answers", extra={"model_version": name})
            return True
        return False


def _stamp(path: Path) -> _Stamp | None:
    """Identify a published pointer without reading it."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
