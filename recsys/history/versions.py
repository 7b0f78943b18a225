"""The history: one folder of Parquet tables a version, and a file that names the current one.

``unify`` writes a version; readers open the current one. A version is written beside the others,
flushed to disk, and made current by one atomic replace, so a failed ingest changes nothing. An open
version is held: later ingests do not delete it.
"""

import json
import os
import weakref
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from recsys import durable_files
from recsys.config import Config
from recsys.errors import DataError
from recsys.history import lease
from recsys.schema import TABLES

if TYPE_CHECKING:
    # Workers of the service read single tables, and need no engine for it.
    from ibis.backends.duckdb import Backend

FOLDER = "history"
CURRENT = "current"
SUMMARY = "summary.json"
REJECTS = "rejects.csv"
#: Attempts of a reader to hold the current version, should an ingest delete it in between.
_TRIES = 10


@dataclass(frozen=True)
class History:
    """One version of the history.

    Attributes
    ----------
    folder : Path
        Folder of its tables.
    version : str
        Name of the version.
    tables : tuple of str
        Names of the complete tables.
    memory_mb : int
        Memory of an engine that ``connect`` opens, in MiB.
    threads : int
        Threads of such an engine.
    """

    folder: Path
    version: str
    memory_mb: int = 1024
    threads: int = 2
    tables: tuple[str, ...] = tuple(TABLES)

    @classmethod
    def of(cls, config: Config, folder: Path) -> "History":
        """Return the version in a folder, with the tables that it has by now.

        Parameters
        ----------
        config : Config
            ``[ingest]`` says how much memory and how many threads ``connect`` may take.
        folder : Path
            Folder of the version, named like it; tables may be missing.

        Returns
        -------
        History
            Not held: an ingest may delete it.
        """
        history = cls(folder, folder.name, config.ingest.memory_mb, config.ingest.threads)
        return replace(history, tables=tuple(t for t in TABLES if history.path(t).exists()))

    @classmethod
    def open(cls, config: Config) -> "History":
        """Open the current history of a workspace, and hold it for the lifetime of the object.

        Parameters
        ----------
        config : Config
            Its ``state`` folder holds the histories.

        Returns
        -------
        History
            With all tables.

        Raises
        ------
        DataError
            When there is none yet, or a table of it is missing.
        """
        base = config.state / FOLDER
        version, held = _hold_current(config)
        history = cls.of(config, base / version)
        if held is not None:
            weakref.finalize(history, os.close, held)
        for table in TABLES:
            if not history.path(table).exists():
                raise DataError(
                    f"{history.path(table)}: missing. Run `omnibasket ingest` to write it again."
                )
        return history

    def path(self, table: str) -> Path:
        """Return the Parquet file of a table, one of ``recsys.schema.TABLES``.

        Parameters
        ----------
        table : str
            Name without an ending, for example ``lines``.

        Returns
        -------
        Path
            In ``folder``, whether there is such a file or not.
        """
        return self.folder / f"{table}.parquet"

    def table(self, name: str) -> pa.Table:
        """Read a whole table into memory.

        Parameters
        ----------
        name : str
            One of ``tables``.

        Returns
        -------
        pyarrow.Table
            All rows and columns, as ``recsys.schema`` describes them.
        """
        return pq.read_table(self.path(name))

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Counts of the ingest that wrote this version."""
        text = (self.folder / SUMMARY).read_text(encoding="utf-8")
        found: dict[str, Any] = json.loads(text)
        return found

    def connect(self) -> "Backend":
        """Open an engine with a view of every table of the history, under its name."""
        from recsys.query_engine import connect, quote

        spill = self.folder / "tmp"  # apart from the folder of ingest, which empties its own
        con = connect(memory_mb=self.memory_mb, threads=self.threads, spill=spill)
        for name in self.tables:
            con.raw_sql(
                f"CREATE VIEW \"{name}\" AS SELECT * FROM read_parquet('{quote(self.path(name))}')"
            )
        return con


def _hold_current(config: Config) -> tuple[str, int | None]:
    """Return the name of the current version, and the descriptor that holds it, if any."""
    base = config.state / FOLDER
    for left in reversed(range(_TRIES)):
        version = current_version(config)
        if version is None:
            break
        held = lease.take(base / version)
        if held is not None or (base / version).exists() or not left:
            return version, held
    raise DataError(f"{base}: there is no history yet. Run `omnibasket ingest` first.")


def current_version(config: Config) -> str | None:
    """Return the name of the current version, or None.

    Parameters
    ----------
    config : Config
        Its ``state`` folder holds the histories.

    Returns
    -------
    str or None
        Name of its folder; None before the first ingest.
    """
    pointer = config.state / FOLDER / CURRENT
    return pointer.read_text(encoding="utf-8").strip() if pointer.exists() else None


def publish_version(config: Config, folder: Path) -> History:
    """Make a written version current, atomically, and remove the versions before the last.

    Versions that are still being read are left for a later ingest.

    Parameters
    ----------
    config : Config
    folder : Path
        The version's folder under ``history``, complete.
    """
    lease.prepare(folder)
    for file in folder.iterdir():
        durable_files.sync(file)
    durable_files.sync(folder)
    before = current_version(config)
    base = folder.parent
    durable_files.replace_file(base / CURRENT, f"{folder.name}\n".encode())
    for old in base.iterdir():
        if old.is_dir() and old.name not in (folder.name, before):
            lease.delete(old)
    return History.open(config)
