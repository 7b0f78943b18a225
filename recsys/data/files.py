"""Exports on disk become rows of text with their place in the file.

A source's path comes in; out come its files in a stated order, and for each one a table in the
engine with a column ``row`` (1 for the first record) and the export's own columns, beside the
records that could not even be split into columns. Called by ``staging``.
"""

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import duckdb
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend

from recsys.config import Config, Source
from recsys.data.engine import quote
from recsys.data.positions import WHOLE_LINE, count_lines, lines_at, open_bytes, start_lines
from recsys.errors import DataError

ROW = "_row"
LINE = "line"
_DELIMITERS = ",;\t|"
_BLOCK = 1 << 22
_TEXT = (".csv", ".tsv", ".txt")
_ENDINGS = {"ga4_events": (".ndjson", ".jsonl", ".json")}
_MARKS = ((b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32"),
          (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))  # fmt: skip


@dataclass(frozen=True)
class SourceFile:
    """One file of a source."""

    path: Path
    name: str
    """Path relative to the workspace, as it is shown."""
    digest: str
    """SHA-256 of the content."""


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

    def broken(self, con: Backend) -> list[dict[str, Any]]:
        """Records that could not be split into columns; only after the table has been read."""
        if self.text is None or self.rejects_table is None:
            return []
        found = con.raw_sql(
            "SELECT line_byte_position, min(error_type::VARCHAR), min(error_message), "
            f'any_value(csv_line) FROM "{self.rejects_table}" GROUP BY ALL ORDER BY 1'
        ).fetchall()
        lines = lines_at(self.text, [position for position, *_ in found])
        return [
            {
                "line": line,
                "reason": error.lower().replace(" ", "_"),
                "detail": message.split("\n")[0],
                "row": text,
            }
            for line, (_, error, message, text) in zip(lines, found, strict=True)
        ]

    def line_numbers(self, rows: list[int], broken: list[int], accepted: int) -> list[int]:
        """Translate record numbers to lines of the file.

        Parameters
        ----------
        rows : list of int
            Values of ``_row``, ascending.
        broken : list of int
            Lines of the records that could not be split.
        accepted : int
            How many records could be.
        """
        if self.text is None or not rows:
            return rows
        physical = count_lines(self.text)
        if physical == self.header_lines + accepted + len(broken):
            numbers = []
            for row in rows:
                line = row + self.header_lines
                for skipped in broken:
                    line += skipped <= line
                numbers.append(line)
            return numbers
        return start_lines(self.text, self.delimiter, self.header_lines, rows, set(broken))


def find(config: Config, name: str, source: Source) -> list[SourceFile]:
    """List a source's files in the order in which later ones win: by name, numbers as numbers.

    Raises
    ------
    DataError
        When nothing lies at the path, or a file cannot be read.
    """
    path = Path(cast(str, source.path)).expanduser()
    root = path if path.is_absolute() else config.folder / path
    if root.is_dir():
        endings = _ENDINGS.get(source.kind, (*_TEXT, ".parquet"))
        files = [f for f in root.rglob("*") if f.is_file() and _ending(f) in endings]
    elif root.is_file():
        files = [root]
    else:
        pattern = str(path.relative_to(path.anchor)) if path.is_absolute() else str(path)
        base = Path(path.anchor) if path.is_absolute() else config.folder
        files = [f for f in base.glob(pattern) if f.is_file()]
    if not files:
        raise DataError(
            f"sources.{name}: no file at `{source.path}` (looked in {config.folder.resolve()}). "
            "Put the export there, or correct `path`."
        )
    found = []
    for file in sorted(files, key=lambda f: _natural(str(f))):
        shown = file.relative_to(config.folder) if file.is_relative_to(config.folder) else file
        found.append(SourceFile(file, shown.as_posix(), _digest(file)))
    return found


def open_text(con: Backend, file: SourceFile, source: Source, folder: Path) -> RawTable:
    """Open a delimited text file as columns of text.

    Parameters
    ----------
    con : ibis backend
        The engine.
    file : SourceFile
        What to open.
    source : Source
        Its encoding and delimiter.
    folder : Path
        Where a re-encoded copy may be put until the ingest ends.

    Raises
    ------
    DataError
        When the file is empty or not in the encoding that it should be in.
    """
    text = _as_utf8(file, source, folder)
    columns, header_lines, delimiter = _header(file, text, source)
    raw = _read_csv(con, text, columns, delimiter=delimiter, quote_sign='"', header=True)
    return RawTable(
        con.table(raw),
        columns,
        file,
        text,
        header_lines,
        delimiter,
        f"{raw}_rejects",
        _end_notes(text),
    )


def open_lines(con: Backend, file: SourceFile, source: Source, folder: Path) -> RawTable:
    """Open a text file as one column ``line``, for formats with one record a line.

    Raises
    ------
    DataError
        As ``open_text``.
    """
    text = _as_utf8(file, source, folder)
    raw = _read_csv(con, text, [LINE], delimiter=WHOLE_LINE, quote_sign="", header=False)
    return RawTable(
        con.table(raw),
        [LINE],
        file,
        text,
        rejects_table=f"{raw}_rejects",
        notes=_end_notes(text),
    )


def open_parquet(con: Backend, file: SourceFile) -> RawTable:
    """Open a Parquet file with its own types.

    Raises
    ------
    DataError
        When it is not a whole Parquet file.
    """
    try:
        schema = pq.read_schema(file.path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{file.name}: not a readable Parquet file ({str(error).splitlines()[0]}). "
            "It may have been cut while copying; export it again."
        ) from None
    columns = schema.names
    fields = ", ".join(
        _trimmed(column)
        if pa.types.is_string(kind) or pa.types.is_large_string(kind)
        else '"' + column.replace('"', '""') + '"'
        for column, kind in zip(columns, schema.types, strict=True)
    )
    name = _name(file)
    con.raw_sql(
        f'CREATE OR REPLACE TEMP VIEW "{name}" AS SELECT file_row_number + 1 AS {ROW}, '
        f"{fields} "
        f"FROM read_parquet('{quote(file.path)}', file_row_number = true)"
    )
    return RawTable(con.table(name), columns, file)


def explain(error: Exception, file: SourceFile) -> DataError:
    """Turn an engine's error about a file into one that names the file."""
    if isinstance(error, duckdb.OutOfMemoryException):
        return DataError(
            f"{file.name}: not enough memory. Raise `memory_mb` under [ingest], or free disk space "
            "for spilling."
        )
    return DataError(
        f"{file.name}: cannot be read: {str(error).splitlines()[0]} Export it again, or check "
        "`encoding` and `delimiter`."
    )


def _read_csv(
    con: Backend, text: Path, columns: list[str], *, delimiter: str, quote_sign: str, header: bool
) -> str:
    name = f"text_{hashlib.sha256(str(text).encode()).hexdigest()[:16]}"
    types = ", ".join(f"'{quote(column)}': 'VARCHAR'" for column in columns)
    con.raw_sql(f'DROP TABLE IF EXISTS "{name}_rejects"')
    con.raw_sql(f'DROP TABLE IF EXISTS "{name}_scans"')
    fields = ", ".join(_trimmed(column) for column in columns) if header else LINE
    # A table knows its rows by number without the window that would hold the engine to one thread.
    con.raw_sql(
        f'CREATE OR REPLACE TEMP TABLE "{name}_rows" AS SELECT {fields} '
        f"FROM read_csv('{quote(text)}', auto_detect = false, columns = {{{types}}}, "
        f"header = {str(header).lower()}, delim = '{quote(delimiter)}', "
        f"quote = '{quote_sign}', escape = '{quote_sign}', all_varchar = true, "
        f"null_padding = false, store_rejects = true, rejects_table = '{name}_rejects', "
        f"rejects_scan = '{name}_scans')"
    )
    con.raw_sql(
        f'CREATE OR REPLACE TEMP VIEW "{name}" AS SELECT rowid + 1 AS {ROW}, * FROM "{name}_rows"'
    )
    return name


def _trimmed(column: str) -> str:
    """Return SQL that takes blanks from a text column's ends, and makes empty text null."""
    name = '"' + column.replace('"', '""') + '"'
    return f"nullif(trim({name}), '') AS {name}"


def _as_utf8(file: SourceFile, source: Source, folder: Path) -> Path:
    """Return the file, or a UTF-8 copy of it where it is in another encoding."""
    with open_bytes(file.path) as stream:
        start = stream.read(4)
    if not start:
        raise DataError(f"{file.name}: the file is empty. Export it again.")
    encoding = source.encoding
    for mark, name in _MARKS:
        if start.startswith(mark):
            encoding = name
            break
    if re.sub(r"[-_]", "", encoding.lower()) in ("utf8", "utf8sig"):
        return file.path
    copy = folder / f"{file.digest[:16]}.utf8"
    try:
        with (
            io.TextIOWrapper(open_bytes(file.path), encoding=encoding, newline="") as reader,
            copy.open("w", encoding="utf-8", newline="") as writer,
        ):
            while block := reader.read(_BLOCK):
                writer.write(block)
    except LookupError:
        raise DataError(f"{file.name}: unknown encoding `{encoding}`.") from None
    except UnicodeDecodeError as error:
        raise DataError(
            f"{file.name}: not {encoding}: {error.reason} at byte {error.start} of a block. "
            "Correct `encoding`."
        ) from None
    return copy


def _header(file: SourceFile, text: Path, source: Source) -> tuple[list[str], int, str]:
    with io.TextIOWrapper(
        open_bytes(text), encoding="utf-8-sig", errors="replace", newline=""
    ) as stream:
        start = stream.readline()
        bare = re.sub(r'"[^"]*"?', "", start)
        delimiter = source.delimiter or max(_DELIMITERS, key=bare.count)
        reader = csv.reader(_chain(start, stream), delimiter=delimiter)
        names = [name.strip() for name in next(reader, [])]
        lines = reader.line_num
    if not any(names):
        raise DataError(f"{file.name}: the first line holds no column names.")
    columns: list[str] = []
    for position, name in enumerate(names, 1):
        unique = name or f"column_{position}"
        while unique.lower() in (column.lower() for column in columns):
            unique += "_2"
        columns.append(unique)
    return columns, lines, delimiter


def _chain(first: str, rest: Iterable[str]) -> Iterator[str]:
    yield first
    yield from rest


def _end_notes(text: Path) -> dict[str, int]:
    """Note a file whose last line has no end: it may have been cut."""
    if _ending(text) != text.suffix.lower() or text.suffix.lower() == ".gz":
        return {}
    with text.open("rb") as stream:
        stream.seek(-1, io.SEEK_END)
        return {} if stream.read(1) in b"\r\n" else {"no_line_end_at_end_of_file": 1}


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.") from None


def _ending(path: Path) -> str:
    return (path.with_suffix("") if path.suffix == ".gz" else path).suffix.lower()


def _natural(text: str) -> list[tuple[int, int, str]]:
    parts = re.split(r"(\d+)", text)
    return [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in parts if p]


def _name(file: SourceFile) -> str:
    return f"file_{hashlib.sha256(str(file.path).encode()).hexdigest()[:16]}"
