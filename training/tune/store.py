"""Keeps what was tried, so that a search that was stopped or killed goes on where it was.

What must be the same for two searches to be one comes in; an Optuna study comes out, in a SQLite
file in the state folder, and what each trial of it found. Called by ``omnibasket tune``.
"""

import fcntl
import hashlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import numpy as np
import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from recsys import __version__
from recsys.config import Config, search_space
from recsys.errors import DataError
from recsys.history import History
from training.tune.space import Space, Values
from training.tune.trial_evaluation import WindowMetrics
from training.tune.windows import Fold

FOLDER: Final = "tune"
FILE: Final = "studies.sqlite"
#: Studies kept: after a change and back again, the one before goes on.
KEPT: Final = 5

#: Parts of what makes two searches one, in words.
_WORDS: Final = {
    "package": "this program",
    "history": "the history",
    "windows": "the windows",
    "seed": "the seed",
    "settings": "the settings that are in use",
    "space": "what is searched",
}
_USED: Final = "used"
_SAME: Final = "same"
_FOUND: Final = "found"

Outcome = Literal["judged", "stopped", "failed"]


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What one trial found.

    Attributes
    ----------
    number : int
        0 is that of the present settings.
    values : dict of str to float
        All settings that are searched.
    group : str
        The model or section that was changed; empty for the present settings.
    settings : tuple of str
        What of it was changed.
    start : int
        The trial from which it was changed, the best one then.
    state : str
        ``metrics`` on every window, ``stopped`` after some, or ``failed``.
    gain : float or None
        Over the present settings, see ``trial_evaluation.gain``; of the windows it was judged on.
    figures : list of list of float
        Of each window, of each metric.
    seconds : float
    error : str
        Why it failed.
    """

    number: int
    values: Values
    group: str = ""
    settings: tuple[str, ...] = ()
    start: int = 0
    state: Outcome = "failed"
    gain: float | None = None
    figures: list[list[float | None]] = []
    seconds: float = 0.0
    error: str = ""


@dataclass
class Store:
    """One study, held by one process.

    Attributes
    ----------
    study : optuna.Study
    folder : Path
        For figures by customer.
    changed : list of str
        What is another than in the last study, in words; empty where that goes on, or is none.
    """

    study: optuna.Study
    folder: Path
    changed: list[str]

    def tried(self) -> list[Tried]:
        """What was tried, in the order in which it was."""
        return [found for found, _ in self.trials()]

    def trials(self) -> list[tuple[Tried, FrozenTrial]]:
        """What was tried, with what the sampler knows of it; killed trials are left out."""
        trials = self.study.get_trials(deepcopy=False)
        return [
            (msgspec.convert(trial.user_attrs[_FOUND], Tried), trial)
            for trial in trials
            if _FOUND in trial.user_attrs and trial.state.is_finished()
        ]

    def note(self, trial: Trial, found: Tried, metrics: list[WindowMetrics]) -> None:
        """Keep what a trial found; figures by customer of the first and of the best alone."""
        best = self.best()
        if found.state == "judged" and (best is None or (found.gain or 0) > (best.gain or 0)):
            self._write(found.number, metrics)
            for path in self.folder.glob("*.npz"):
                if path.stem not in ("0", str(found.number)):
                    path.unlink()
        trial.set_user_attr(_FOUND, msgspec.to_builtins(found))
        states = {"judged": TrialState.COMPLETE, "stopped": TrialState.PRUNED}
        self.study.tell(
            trial,
            found.gain if found.state == "judged" else None,
            states.get(found.state, TrialState.FAIL),
        )

    def drop(self, trial: Trial) -> None:
        """Forget a trial that did not come to its end."""
        self.study.tell(trial, state=TrialState.FAIL, skip_if_finished=True)

    def best(self) -> Tried | None:
        """The best trial that was judged on every window; of equal ones the first."""
        found = [one for one in self.tried() if one.state == "judged"]
        return max(found, key=lambda one: one.gain or 0.0, default=None)

    def metrics(self, number: int) -> list[WindowMetrics]:
        """Figures by customer of each window; empty where they are not there any more."""
        try:
            with np.load(self.folder / f"{number}.npz", allow_pickle=False) as file:
                return [
                    WindowMetrics(file[f"customers_{ix}"].tolist(), file[f"values_{ix}"])
                    for ix in range(len(file.files) // 2)
                ]
        except (OSError, ValueError, KeyError):
            return []

    def _write(self, number: int, metrics: list[WindowMetrics]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        beside = self.folder / f".{number}.npz"
        arrays: dict[str, Any] = {}
        for ix, one in enumerate(metrics):
            arrays[f"customers_{ix}"] = np.array(one.customer_ids)
            arrays[f"values_{ix}"] = one.values
        np.savez_compressed(beside, **arrays)
        beside.replace(self.folder / f"{number}.npz")


def identity(config: Config, history: History, folds: list[Fold], space: Space) -> dict[str, Any]:
    """Name everything that two searches must share for one to go on with the other."""
    sections = {name: getattr(config, name, None) for name in search_space.SECTIONS}
    return {
        "package": __version__,
        "history": history.version,
        "windows": [[window.start_ts, window.end_ts] for fold in folds for window in fold],
        "seed": config.train.seed,
        "settings": {name: msgspec.to_builtins(held) for name, held in sections.items()},
        "space": space.describe(),
    }


@contextmanager
def opened(
    config: Config, same: Mapping[str, Any], at: datetime, *, fresh: bool = False
) -> Iterator[Store]:
    """Go on with the study of the same things, or begin one.

    Parameters
    ----------
    config : Config
    same : mapping
        What ``identity`` names.
    at : datetime
        Now.
    fresh : bool
        Begin anew, even where nothing changed; what was tried before is forgotten.

    Raises
    ------
    DataError
        When another search holds the workspace, or the file is damaged.
    """
    base = config.state / FOLDER
    base.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with (base / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataError(f"{base}: another `omnibasket tune` is running. Wait for it.") from None
        storage, store = _storage(base / FILE, dict(same), at, fresh)
        try:
            yield store
        finally:
            storage.remove_session()
            storage.engine.dispose()


def _storage(
    path: Path, same: dict[str, Any], at: datetime, fresh: bool
) -> tuple[RDBStorage, Store]:
    try:
        storage = RDBStorage(f"sqlite:///{path}")
        return storage, _study(storage, path.parent, same, at, fresh)
    except (SQLAlchemyError, StorageInternalError, RuntimeError) as error:
        raise DataError(
            f"{path}: what was tried before cannot be read ({type(error).__name__}). Remove the "
            "file to begin anew."
        ) from error


def _study(
    storage: RDBStorage, base: Path, same: dict[str, Any], at: datetime, fresh: bool
) -> Store:
    name = hashlib.sha256(msgspec.json.encode(same, order="sorted")).hexdigest()[:16]
    studies = sorted(
        optuna.get_all_study_summaries(storage, include_best_trial=False),
        key=lambda one: str(one.user_attrs.get(_USED, "")),
    )
    last = studies[-1].user_attrs.get(_SAME, {}) if studies else same
    names = [one.study_name for one in studies]
    if fresh and name in names:
        _remove(storage, base, name)
        names.remove(name)
    changed = (
        []
        if name in names
        else [words for part, words in _WORDS.items() if last.get(part) != same.get(part)]
    )
    for older in [one for one in names if one != name][: -(KEPT - 1)]:
        _remove(storage, base, older)
    study = optuna.create_study(
        storage=storage,
        study_name=name,
        direction="maximize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5),
        load_if_exists=True,
    )
    study.set_user_attr(_SAME, same)
    study.set_user_attr(_USED, at.isoformat())
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)  # its process was killed
    return Store(study, base / name, changed)


def _remove(storage: RDBStorage, base: Path, name: str) -> None:
    optuna.delete_study(study_name=name, storage=storage)
    shutil.rmtree(base / name, ignore_errors=True)
