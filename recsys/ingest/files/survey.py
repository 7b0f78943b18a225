"""Surveys the bytes of an export in one pass: its digest, and what reading it requires.

A path comes in; out comes a ``Content``. Called by ``export_files``.
"""

import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np

from recsys.errors import DataError
from recsys.ingest.files.cleaning import is_plain

BLOCK = 1 << 22
_FEED = ord("\n")
_MARK = b"\xef\xbb\xbf"


@dataclass
class Content:
    """What stands in a text file, as bytes.

    Attributes
    ----------
    digest : str
        SHA-256 of the file as it lies there.
    lines : int
        Lines as an editor counts them; a last one without an end counts.
    crlf, lf, cr : int
        Ends of lines: both signs together, or one alone.
    ended : bool
        The last line has an end.
    marked : bool
        A byte order mark stands somewhere after the beginning.
    nul : bool
        It holds bytes that are zero.
    tabs : bool
        It holds tabs.
    plain : bool
        But for tabs, no value needs more than blanks taken from its ends.
    """

    digest: str = ""
    crlf: int = 0
    lf: int = 0
    cr: int = 0
    ended: bool = True
    marked: bool = False
    nul: bool = False
    tabs: bool = False
    plain: bool = True

    @property
    def lines(self) -> int:
        """Count the lines."""
        return self.crlf + self.lf + self.cr + (not self.ended)

    @property
    def even(self) -> bool:
        """Tell whether all lines end alike, in a way that ``positions`` counts."""
        return self.cr == 0 and (self.crlf == 0 or self.lf == 0)


def survey(path: Path, shown: str) -> Content:
    """Read a file once, unpacked where it is gzipped.

    Parameters
    ----------
    path : Path
    shown : str
        The file's name, for messages.

    Raises
    ------
    DataError
        When it cannot be read to its end.
    """
    found = Content()
    packed = path.suffix.lower() == ".gz"
    hashed = hashlib.sha256()
    last = b""
    for block in _blocks(path, shown):
        if not packed:
            hashed.update(block)
        _count(found, block, last)
        # The mark at the very beginning is none of a value; a pair of blocks may cut another one.
        values = block if last else block.removeprefix(_MARK)
        seam = last[-3:] + block[:3] if last else b""
        if not block.isascii():
            found.marked = found.marked or _MARK in values or _MARK in seam
        found.nul = found.nul or b"\0" in block
        found.tabs = found.tabs or b"\t" in block
        found.plain = found.plain and is_plain(values) and is_plain(seam)
        last = block
    found.ended = not last or last[-1:] in b"\r\n"
    found.digest = digest(path) if packed else hashed.hexdigest()
    return found


def digest(path: Path) -> str:
    """Return the SHA-256 of a file.

    Raises
    ------
    DataError
        When it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.") from None


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file, unpacking it where it is gzipped.

    Parameters
    ----------
    path : Path
        Gzipped where it ends in ``.gz``.

    Returns
    -------
    binary stream
        The caller closes it.
    """
    return cast(IO[bytes], gzip.open(path)) if path.suffix.lower() == ".gz" else path.open("rb")


def _blocks(path: Path, shown: str) -> Iterator[bytes]:
    try:
        with open_bytes(path) as stream:
            while block := stream.read(BLOCK):
                yield block
    except (OSError, EOFError) as error:
        raise DataError(
            f"{shown}: cannot be read: {getattr(error, 'strerror', None) or error}. "
            "It may have been cut while copying; export or copy it again."
        ) from None


def _count(found: Content, block: bytes, last: bytes) -> None:
    feeds = int(np.count_nonzero(np.frombuffer(block, np.uint8) == _FEED))
    if b"\r" not in block and not last.endswith(b"\r"):
        found.lf += feeds
        return
    pairs, returns = block.count(b"\r\n"), block.count(b"\r")
    across = last.endswith(b"\r") and block.startswith(b"\n")
    found.crlf += pairs + across
    found.lf += feeds - pairs - across
    found.cr += returns - pairs - across
