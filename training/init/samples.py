"""Reads samples of several files of a folder or glob, to see what repeats between them.

A path comes in, an ``Export`` with rows of the first file and of some others goes out: ticket
numbers that begin anew each morning come again only in the next file. Called by ``questions``.
"""

from dataclasses import replace
from pathlib import Path

from recsys.errors import DataError
from training.init import exports
from training.init.exports import Export

#: Files beside the first one that are looked at, and rows of each.
_FILES = 3
_ROWS = 1_000


def look(path: Path) -> Export:
    """Read the beginning of an export, and of some more of its files.

    Raises
    ------
    DataError
        When the first file cannot be read.
    """
    export = exports.look(path)
    rows = list(export.rows)
    if path.is_file():
        return export
    for file in _others(path, export.path):
        try:
            other = exports.look(file)
        except DataError:
            continue  # the ingest will say so
        if other.columns == export.columns:
            rows += other.rows[:_ROWS]
    return replace(export, rows=tuple(rows))


def _others(path: Path, first: Path) -> list[Path]:
    """Name the second file, one in the middle, and the last one."""
    if path.is_dir():
        found = path.rglob(f"*{first.suffix}")
    else:
        found = Path(path.anchor or ".").glob(str(path.relative_to(path.anchor)))
    files = [file for file in sorted(found) if file.is_file() and file != first]
    picked = {0, len(files) // 2, len(files) - 1} if files else set()
    return [files[ix] for ix in sorted(picked)][:_FILES]
