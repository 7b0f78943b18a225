"""Opens exports of the tests, and reads their cells and lines."""

from collections.abc import Callable
from typing import Any

from recsys.ingest.files.export_files import RawTable
from recsys.query_engine import connect

CON = connect(memory_mb=512, threads=2)
HEADER = ["id", "Name", "price", "note"]
Open = Callable[..., tuple[RawTable, list[tuple[Any, ...]]]]


def cells(rows: list[tuple[Any, ...]]) -> list[list[str]]:
    return [[value or "" for value in values] for _, *values in rows]


def lines(raw: RawTable, rows: list[tuple[Any, ...]]) -> list[int]:
    broken = raw.broken(CON)
    return raw.line_numbers([row for row, *_ in rows], [b["line"] for b in broken], len(rows))
