"""Samples several files of a folder or glob, to find values that recur in other files.

In: a path. Out: an ``Export`` with rows of the first file and of some others. For example, ticket
numbers that restart each morning recur only in the next file. Called by ``questions``.
"""

from dataclasses import replace
from pathlib import Path

from recsys.errors import DataError
from training.init import exports
from training.init.exports import Export

#: Number of further files that are sampled, and rows of each.
_FILES = 3
_ROWS = 1_000


def look(path: Path) -> Export:
    """Read the beginning of an export's first file and of some others.

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
            continue  # the ingest will report it
        if other.columns == export.columns:
            rows += other.rows[:_ROWS]
    return replace(export, rows=tuple(rows))


def _others(path: Path, first: Path) -> list[Path]:
    """Return the second file, one in the middle, and the last one."""
    if path.is_dir():
        found = path.rglob(f"*{first.suffix}")
    else:
        found = Path(path.anchor or ".").glob(str(path.relative_to(path.anchor)))
    files = [file for file in sorted(found) if file.is_file() and file != first]
    picked = {0, len(files) // 2, len(files) - 1} if files else set()
    return [files[ix] for ix in sorted(picked)][:_FILES]
