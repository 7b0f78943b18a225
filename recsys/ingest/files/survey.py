"""Surveys the bytes of an export in one pass: its digest, and how it must be read.

In: a path. Out: a ``Content``. Called by ``export_files``.
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
    """Properties of a text file's bytes.

    Attributes
    ----------
    digest : str
        SHA-256 of the file on disk.
    lines : int
        Lines as an editor counts them, including a last one without a line end.
    crlf, lf, cr : int
        Numbers of line ends: CR LF, LF alone, CR alone.
    ended : bool
        The last line has a line end.
    marked : bool
        A byte order mark occurs after the beginning.
    nul : bool
        It contains zero bytes.
    tabs : bool
        It contains tabs.
    plain : bool
        Apart from tabs, every value needs only its blanks trimmed.
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
        """Return whether all line ends are alike and ``line_positions`` can count them."""
        return self.cr == 0 and (self.crlf == 0 or self.lf == 0)


def survey(path: Path, shown: str) -> Content:
    """Read a file once, decompressed if it is gzipped.

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
    content = Content()
    packed = path.suffix.lower() == ".gz"
    hashed = hashlib.sha256()
    last = b""
    for block in _blocks(path, shown):
        if not packed:
            hashed.update(block)
        _count(content, block, last)
        # Ignore the mark at the beginning; another mark may be split between two blocks.
        values = block if last else block.removeprefix(_MARK)
        seam = last[-3:] + block[:3] if last else b""
        if not block.isascii():
            content.marked = content.marked or _MARK in values or _MARK in seam
        content.nul = content.nul or b"\0" in block
        content.tabs = content.tabs or b"\t" in block
        content.plain = content.plain and is_plain(values) and is_plain(seam)
        last = block
    content.ended = not last or last[-1:] in b"\r\n"
    content.digest = digest(path) if packed else hashed.hexdigest()
    return content


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
    """Open a file; decompress it if it is gzipped.

    Parameters
    ----------
    path : Path
        Gzipped if it ends in ``.gz``.

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
            "It may be truncated; export or copy it again."
        ) from None


def _count(content: Content, block: bytes, last: bytes) -> None:
    feeds = int(np.count_nonzero(np.frombuffer(block, np.uint8) == _FEED))
    if b"\r" not in block and not last.endswith(b"\r"):
        content.lf += feeds
        return
    pairs, returns = block.count(b"\r\n"), block.count(b"\r")
    across = last.endswith(b"\r") and block.startswith(b"\n")
    content.crlf += pairs + across
    content.lf += feeds - pairs - across
    content.cr += returns - pairs - across
