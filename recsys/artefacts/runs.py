"""Records every training run: settings, data, results, durations and outcome.

Training begins a run and adds facts to it; each time, ``<state>/runs/<id>/record.json`` is replaced
atomically. A live run holds a lock, so a killed run is recognised as interrupted. The run's folder
also has its report. Called by training, the command line and notebooks.
"""

import fcntl
import shutil
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, TextIO

import msgspec
from msgspec import Struct, field

from recsys import __version__, durable_files
from recsys.config import Config
from recsys.errors import ArtefactError

FOLDER: Final = "runs"
FILE: Final = "record.json"
LAST: Final = "last"
#: File of the report beside the record.
REPORT: Final = "report.html"

_LOCK: Final = ".lock"

Outcome = Literal["running", "published", "refused", "measured", "checked", "failed", "interrupted"]


class Record(Struct, kw_only=True, omit_defaults=False):
    """The facts about a run."""

    id: str
    started: datetime
    outcome: Outcome = "running"
    """``published``: its version became current; ``refused``: the version is kept, not current;
    ``measured`` or ``checked``: the run was limited to that step."""
    finished: datetime | None = None
    by: str = ""
    package: str = __version__
    """Version of this package."""
    overrides: list[str] = field(default_factory=list)
    """Settings for this run only."""
    reason: str = ""
    """Reason for forcing it."""
    settings: dict[str, Any] = field(default_factory=dict)
    history: str | None = None
    """Fingerprint of the data: the history's version."""
    version: str | None = None
    """The resulting artefact."""
    error: str | None = None
    refusals: list[str] = field(default_factory=list)
    """Why the version did not, or would not, become current."""
    checks: list[dict[str, Any]] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    """Duration of each step."""
    peak_mb: int | None = None
    """Peak memory. MiB."""


class Run:
    """A run in progress.

    Attributes
    ----------
    folder : Path
        Folder for the run's files.
    record : Record
    """

    def __init__(self, folder: Path, record: Record) -> None:
        self.folder = folder
        self.record = record
        self._lock: TextIO = (folder / _LOCK).open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.note()

    def note(self, **fields: Any) -> None:
        """Set fields of the record and write it.

        Parameters
        ----------
        **fields
            Fields of ``Record`` with their new values; without any, only write.
        """
        for name, value in fields.items():
            setattr(self.record, name, value)
        text = msgspec.json.format(msgspec.json.encode(self.record, enc_hook=_plain), indent=1)
        durable_files.replace_file(self.folder / FILE, text + b"\n")

    def close(self) -> None:
        """Release the lock."""
        self._lock.close()


def folder(config: Config) -> Path:
    """Return the folder of all runs."""
    return config.state / FOLDER


def begin(config: Config, at: datetime, **fields: Any) -> Run:
    """Begin a run.

    Parameters
    ----------
    config : Config
    at : datetime
        Now, UTC; names the run.
    **fields
        Fields of ``Record``.
    """
    base = folder(config)
    base.mkdir(parents=True, exist_ok=True)
    name = f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    taken, number = name, 1
    while True:
        try:
            (base / taken).mkdir()
            break
        except FileExistsError:
            number += 1
            taken = f"{name}-{number:03}"
    return Run(base / taken, Record(id=taken, started=at, **fields))


def read_all(config: Config) -> list[Record]:
    """Read every record, oldest first; unreadable ones are left out."""
    base = folder(config)
    if not base.is_dir():
        return []
    records = (_read(path) for path in sorted(base.iterdir()) if path.is_dir())
    return [record for record in records if record is not None]


def find(config: Config, run: str) -> Record:
    """Read one record, by the run's id, a unique prefix of it, or ``last``.

    Raises
    ------
    ArtefactError
        When none or several match; the message lists the latest.
    """
    records = {record.id: record for record in read_all(config)}
    if run == LAST and records:
        return records[max(records)]
    fitting = [run] if run in records else [name for name in records if name.startswith(run)]
    if len(fitting) != 1:
        shown = ", ".join((fitting or list(records))[-5:]) or "none"
        many = "several runs begin with" if fitting else "there is no run"
        raise ArtefactError(f"{folder(config)}: {many} `{run}`. The latest: {shown}.")
    return records[fitting[0]]


def of_version(config: Config, version: str) -> Record | None:
    """Find the run that created a version."""
    return next((r for r in reversed(read_all(config)) if r.version == version), None)


def report_of(config: Config, run: str) -> Path | None:
    """Return the path of a run's report, or None."""
    path = folder(config) / run / REPORT
    return path if path.exists() else None


def prune(config: Config, keep: int, versions: Collection[str]) -> list[str]:
    """Remove all but the newest ``keep`` runs and those of ``versions``; return the removed ids."""
    removed = [
        record.id
        for record in read_all(config)[: -keep or None]
        if record.version not in versions and record.outcome != "running"
    ]
    for name in removed:
        shutil.rmtree(folder(config) / name, ignore_errors=True)
    return removed


def _read(path: Path) -> Record | None:
    try:
        record = msgspec.json.decode((path / FILE).read_bytes(), type=Record)
    except (OSError, msgspec.DecodeError):
        return None
    if record.outcome == "running" and not _alive(path):
        record.outcome = "interrupted"
    return record


def _alive(path: Path) -> bool:
    """Return whether a process holds the run's lock."""
    try:
        with (path / _LOCK).open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _plain(value: object) -> object:
    """Convert numpy numbers for JSON."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a record cannot hold a {type(value).__name__}: {value!r}.")
