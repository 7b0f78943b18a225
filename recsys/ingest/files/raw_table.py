"""Holds an opened export: its rows in the engine, and the line of each row in the file.

Created by ``export_files`` and read by the adapters; ``staging`` gets the lines of rejects from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.ingest.files.cleaning import clean
from recsys.ingest.files.line_positions import WHOLE_LINE, count_lines, lines_at, start_lines
from recsys.ingest.files.survey import Content

ROW = "_row"
LINE = "line"


@dataclass(frozen=True)
class SourceFile:
    """One file of a source."""

    path: Path
    name: str
    """Path relative to the workspace, for messages."""
    digest: str
    """SHA-256 of the content."""
    content: Content | None = field(default=None, compare=False)
    """Survey of the bytes, made along with the digest."""


@dataclass
class RawTable:
    """A file opened in the engine.

    Attributes
    ----------
    table : ibis table
        ``_row`` and the export's columns; text files have text columns only.
    columns : list of str
        The export's columns.
    """

    table: ir.Table
    columns: list[str]
    file: SourceFile
    text: Path | None = None
    """The UTF-8 text that the engine reads; None for Parquet."""
    header_lines: int = 0
    delimiter: str = WHOLE_LINE
    rejects_table: str | None = None
    notes: dict[str, int] = field(default_factory=dict)
    skipped_lines: int = 0
    """Lines of the export above the first line of ``text``."""
    no_rows: int = 0
    """Number of records in the text that are blank or repeat the header."""
    began: Sequence[int] | None = None
    """The export's line for each line of ``text``, if those lines were made from records."""
    apart: list[dict[str, Any]] = field(default_factory=list)
    """Rejects found before the engine read the text, with lines of the export."""
    blanked: list[int] = field(default_factory=list)
    """Lines of ``text`` that were blanked because they are among ``apart``."""
    _gone: list[int] = field(default_factory=list)
    """Lines of ``text`` without rows; set by ``broken``."""

    def broken(self, con: Backend) -> list[dict[str, Any]]:
        """Return the records that could not be split into columns; call after reading the table."""
        if self.text is None or self.rejects_table is None:
            return self.apart
        rejects = con.raw_sql(
            "SELECT line_byte_position, min(error_type::VARCHAR), min(error_message), "
            f'any_value(csv_line) FROM "{self.rejects_table}" GROUP BY ALL ORDER BY 1'
        ).fetchall()
        lines = lines_at(self.text, [position for position, *_ in rejects])
        self._gone = sorted([*lines, *self.blanked])
        broken = [
            {
                "line": self._exported(line),
                "reason": error.lower().replace(" ", "_"),
                "detail": message.split("\n")[0],
                "row": text,
            }
            for line, (_, error, message, text) in zip(lines, rejects, strict=True)
            if not self._is_blank(text)
        ]
        return sorted([*broken, *self.apart], key=lambda reject: reject["line"])

    def line_numbers(self, rows: list[int], broken: list[int], accepted: int) -> list[int]:
        """Translate record numbers to lines of the file.

        Parameters
        ----------
        rows : list of int
            Values of ``_row``, ascending.
        broken : list of int
            Lines of the records that could not be split.
        accepted : int
            How many records could be split.
        """
        if self.text is None or not rows:
            return rows
        excluded = self._gone if self.rejects_table else broken
        physical = count_lines(self.text)
        if physical == self.header_lines + accepted + self.no_rows + len(excluded):
            numbers = []
            for row in rows:
                line = row + self.header_lines
                for skipped in excluded:
                    line += skipped <= line
                numbers.append(line)
        else:
            numbers = start_lines(self.text, self.delimiter, self.header_lines, rows, set(excluded))
        return [self._exported(line) for line in numbers]

    def _is_blank(self, line: str | None) -> bool:
        """Return whether a line that could not be split contains only separators."""
        lines = self.delimiter == WHOLE_LINE
        return not lines and line is not None and not clean(line.replace(self.delimiter, " "))

    def _exported(self, line: int) -> int:
        """Return the line of the export for a line of the text."""
        return self.began[line - 1] if self.began is not None else line + self.skipped_lines
