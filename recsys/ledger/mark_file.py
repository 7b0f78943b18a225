"""Keeps the marks of erased customers in a file beside the ledger.

In: marks, as they are written to the ledger. Out: the marks again, for a ledger that was restored
from a backup and lacks the latest. Called by ``customers.erasures``.
"""

import fcntl
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec

from recsys import durable_files
from recsys.config import Config
from recsys.errors import LedgerError

#: Name of the file in the state folder.
FILE: Final = "erasures.jsonl"


class Mark(msgspec.Struct, frozen=True):
    """What is not to be stored again, or may be again."""

    own_id: str
    """The customer id that an identifier has alone: a digest of its type and keyed hash."""
    marked_ts: int
    """When it was erased or lifted, UTC epoch seconds."""
    erased: bool = True
    """False: the mark was lifted."""

    @property
    def order(self) -> tuple[int, bool]:
        """Of two marks of one id, the greater counts; of equal times the erasure."""
        return self.marked_ts, self.erased


def latest(marks: Iterable[Mark]) -> dict[str, Mark]:
    """Return the mark that counts of each id.

    Parameters
    ----------
    marks : iterable of Mark
        In any order.
    """
    counts: dict[str, Mark] = {}
    for mark in marks:
        counts[mark.own_id] = max(counts.get(mark.own_id, mark), mark, key=lambda one: one.order)
    return counts


class MarkFile:
    """The file of marks: one JSON object a line, only ever appended to.

    Parameters
    ----------
    path : Path
        In the state folder; need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of(cls, config: Config) -> "MarkFile":
        """Return the file of a workspace.

        Parameters
        ----------
        config : Config
            Its state folder holds the file.
        """
        return cls(config.state / FILE)

    def append(self, marks: Iterable[Mark]) -> None:
        """Write marks at the end, and wait until they are on disk.

        Parameters
        ----------
        marks : iterable of Mark

        Raises
        ------
        LedgerError
            When they cannot be written.
        """
        data = b"".join(_encode(mark) + b"\n" for mark in marks)
        if not data:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                _cut_torn_line(file)
                file.seek(0, os.SEEK_END)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            durable_files.sync(self.path.parent)
        except OSError as error:
            raise LedgerError(
                f"{self.path}: the marks of erased customers cannot be written: {error.strerror}."
            ) from error

    def read(self) -> dict[str, Mark]:
        """Return the mark that counts of each id; none where there is no file yet.

        Raises
        ------
        LedgerError
            When a line is damaged: it may be the mark of somebody who would come back.
        """
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise LedgerError(
                f"{self.path}: the marks of erased customers cannot be read: {error.strerror}."
            ) from error
        *lines, _torn = data.split(b"\n")  # of a torn last line nobody was told that it is written
        marks = []
        for number, line in enumerate(lines, 1):
            try:
                marks.append(_decode(line))
            except (msgspec.DecodeError, RecursionError):
                raise LedgerError(
                    f"{self.path}, line {number}: damaged. It is the mark of an erased customer; "
                    "restore the file, or remove the line and erase them again."
                ) from None
        return latest(marks)


def _cut_torn_line(file: Any) -> None:
    """Remove the end of a line that a power failure left without its newline."""
    file.seek(0)
    data = file.read()
    if data and not data.endswith(b"\n"):
        file.truncate(data.rfind(b"\n") + 1)


_encode: Final = msgspec.json.encode
_decode: Final = msgspec.json.Decoder(Mark).decode
