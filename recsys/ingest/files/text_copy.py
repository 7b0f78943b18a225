"""Copies a text export into a form that the engine reads: UTF-8, one line end, header first.

A copy is made only if the export itself differs. Each line of the copy is a line of the export, so
that messages can name lines. Called by ``export_files``.
"""

import io
import re
from collections.abc import Collection
from pathlib import Path

from recsys.errors import DataError
from recsys.ingest.files.sniffing import is_utf8
from recsys.ingest.files.survey import BLOCK, open_bytes


def copy_text(
    path: Path,
    copy: Path,
    *,
    shown: str,
    encoding: str,
    skip: int = 0,
    without: Collection[int] = (),
) -> None:
    """Write a copy in UTF-8 whose lines all end in a line feed.

    Parameters
    ----------
    path, copy : Path
        Source and target.
    shown : str
        The file's name, for messages.
    encoding : str
        Encoding of the file. In UTF-8, invalid bytes stay unchanged.
    skip : int
        How many lines to leave out at the beginning: the titles above the header.
    without : collection of int
        Lines of the file to blank in the copy.

    Raises
    ------
    DataError
        When the file has another encoding; the message names the line.
    """
    if is_utf8(encoding):  # single rows may have invalid bytes; the engine rejects them
        name, errors = "utf-8", "surrogateescape"
    else:
        name, errors = encoding, "strict"
    line = 1
    try:
        with (
            io.TextIOWrapper(open_bytes(path), name, errors, newline=None) as reader,
            copy.open("w", encoding="utf-8", errors=errors, newline="") as writer,
        ):
            while line <= skip and reader.readline():
                line += 1
            for number in sorted(without):
                while line < number and (text := reader.readline()):
                    writer.write(_bare(text))
                    line += 1
                reader.readline()
                writer.write("\n")
                line += 1
            while block := reader.read(BLOCK):
                line += block.count("\n")
                writer.write(_bare(block))
    except LookupError:
        raise DataError(f"{shown}: unknown encoding `{encoding}`.") from None
    except UnicodeError:
        raise DataError(
            f"{shown}: not {encoding} on line {_undecodable(path, encoding)}. Correct `encoding`."
        ) from None


def _bare(text: str) -> str:
    return text.replace("\ufeff", "").replace("\0", "")


def _undecodable(path: Path, encoding: str) -> int:
    """Return the line of the first bytes that are invalid in an encoding."""
    line = 1
    with io.TextIOWrapper(open_bytes(path), encoding, "replace", newline=None) as reader:
        while block := reader.read(BLOCK):
            if wrong := re.search("\ufffd", block):
                return line + block.count("\n", 0, wrong.start())
            line += block.count("\n")
    return line
