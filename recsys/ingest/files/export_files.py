"""Opens exports on disk as rows of text with their position in the file.

In: a source's path. Out: its files in a defined order, and for each file a table in the engine with
a column ``_row`` (1 for the first record), the export's own columns, and the records that could
not be split into columns. The content determines a file's format, not its name. Called by
``staging``.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import duckdb
from ibis.backends.duckdb import Backend

from recsys.config import Config, Source
from recsys.errors import DataError
from recsys.ingest.files.delimited import open_delimited, open_whole_lines, plain_text, read_csv
from recsys.ingest.files.flat_events import event_sql
from recsys.ingest.files.line_positions import WHOLE_LINE
from recsys.ingest.files.parquet import open_parquet as open_parquet
from recsys.ingest.files.parquet import open_parquet_lines
from recsys.ingest.files.product_feeds import feed_records
from recsys.ingest.files.raw_table import LINE as LINE
from recsys.ingest.files.raw_table import ROW as ROW
from recsys.ingest.files.raw_table import RawTable as RawTable
from recsys.ingest.files.raw_table import SourceFile as SourceFile
from recsys.ingest.files.records import flat_record, is_one_a_line, json_records, write_lines
from recsys.ingest.files.sniffing import (
    SAMPLE,
    decode_start,
    encoding_of,
    form_of,
    layout,
    require_names,
    unique_names,
)
from recsys.ingest.files.survey import digest, open_bytes, survey
from recsys.query_engine import quote, quote_name, temporary_name

_TEXT = (".csv", ".tsv", ".txt", ".parquet")
_JSON = (".ndjson", ".jsonl", ".json")
_ENDINGS = {"ga4_events": _JSON, "products": (*_TEXT, ".xml")}
#: Used if a folder has no file with the usual extensions of its kind.
_OTHERS = (*_TEXT, *_JSON, ".xml")


def find(config: Config, name: str, source: Source) -> list[SourceFile]:
    """List a source's files in natural order of their names; later files take precedence.

    Raises
    ------
    DataError
        When no file matches the path, or a file cannot be read.
    """
    path = Path(cast(str, source.path)).expanduser()
    root = path if path.is_absolute() else config.folder / path
    if root.is_dir():
        endings = _ENDINGS.get(source.kind, _TEXT)
        within = [f for f in root.rglob("*") if f.is_file()]
        files = [f for f in within if _ending(f) in endings]
        files = files or [f for f in within if _ending(f) in _OTHERS]
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
    result = []
    for file in sorted(files, key=lambda f: _natural(str(f))):
        within_folder = file.is_relative_to(config.folder)
        shown = (file.relative_to(config.folder) if within_folder else file).as_posix()
        packed = file.suffix.lower() == ".gz"
        content = None if packed else survey(file, shown)
        result.append(SourceFile(file, shown, content.digest if content else digest(file), content))
    return result


def open_text(con: Backend, file: SourceFile, source: Source, folder: Path) -> RawTable:
    """Open an export as columns of text.

    Parameters
    ----------
    con : ibis backend
        The engine.
    file : SourceFile
        Delimited text, JSON, XML or Parquet.
    source : Source
        Its encoding, delimiter and header line.
    folder : Path
        Folder for a copy, which stays until the ingest ends.

    Raises
    ------
    DataError
        When the file has another format, has no header, or is unreadable.
    """
    start, text, encoding = _start(file, source)
    form = form_of(file.name, start, text)
    if form == "parquet":
        return open_parquet(con, file)
    if form == "json":
        return _open_records(con, file, json_records(file.path, encoding, file.name), folder)
    if form == "xml":
        return _open_records(con, file, feed_records(file.path, file.name), folder)
    return _open_table(con, file, source, folder, (start, text, encoding))


def open_lines(con: Backend, file: SourceFile, source: Source, folder: Path) -> RawTable:
    """Open an export of events as one column ``line``, one JSON object per row.

    Parameters
    ----------
    con, file, source, folder
        As in ``open_text``: JSON lines, a JSON array, a table with one row per event, or Parquet.

    Raises
    ------
    DataError
        As in ``open_text``.
    """
    start, text, encoding = _start(file, source)
    form = form_of(file.name, start, text)
    if form == "parquet":
        return open_parquet_lines(con, file)
    if form == "xml":
        raise DataError(f"{file.name}: events in XML are not supported. Export them as JSON lines.")
    if form == "table":
        raw = _open_table(con, file, source, folder, (start, text, encoding))
        view = temporary_name(con, "events")
        con.raw_sql(
            f'CREATE OR REPLACE TEMP VIEW "{view}" AS SELECT {ROW}, '
            f'{event_sql(raw.columns)} AS {LINE} FROM "{raw.table.get_name()}"'
        )
        raw.table, raw.columns = con.table(view), [LINE]
        return raw
    if is_one_a_line(text):
        return open_whole_lines(con, file, *plain_text(file, encoding, folder))
    copy = folder / f"{file.digest[:16]}.lines"
    began = write_lines(json_records(file.path, encoding, file.name), copy)
    raw = open_whole_lines(con, file, copy, survey(copy, file.name))
    raw.began = began
    return raw


def explain(error: Exception, file: SourceFile) -> DataError:
    """Convert an engine's error into one that names the file, the line and a remedy."""
    if isinstance(error, duckdb.OutOfMemoryException):
        return DataError(
            f"{file.name}: not enough memory. Raise `memory_mb` under [ingest], or free disk space "
            "for spilling."
        )
    message = str(error)
    # Engines quote the file's content, which may be personal data.
    first = re.sub(r"'[^']*'|\"[^\"]*\"", "(hidden)", message.splitlines()[0]).rstrip(". ")
    line = re.search(r"\bLine:? (\d+)", message)
    if line:
        return DataError(
            f"{file.name}: cannot be read from line {line[1]} on: {first}. Look at that line in an "
            "editor and correct it, or export the file again."
        )
    if _ending(file.path) == ".parquet" or "parquet" in message.lower():
        remedy = "Part of the file is damaged: copy or export it again."
    elif file.path.suffix.lower() == ".gz":
        remedy = "It may be truncated: copy or export it again."
    else:
        remedy = "Nothing was changed. Please report this message: such a file should be readable."
    return DataError(f"{file.name}: cannot be read: {first}. {remedy}")


def _start(file: SourceFile, source: Source) -> tuple[bytes, str, str]:
    """Return the first bytes of a file, raw and decoded, and the encoding."""
    try:
        with open_bytes(file.path) as stream:
            start = stream.read(SAMPLE)
    except (OSError, EOFError) as error:
        raise DataError(
            f"{file.name}: cannot be read: {getattr(error, 'strerror', None) or error}. "
            "It may be truncated; copy or export it again."
        ) from None
    encoding = encoding_of(start, source.encoding)
    try:
        return start, decode_start(start, encoding), encoding
    except LookupError:
        raise DataError(f"{file.name}: unknown encoding `{encoding}`.") from None


def _open_table(
    con: Backend, file: SourceFile, source: Source, folder: Path, start: tuple[bytes, str, str]
) -> RawTable:
    beginning, text, encoding = start
    detected = layout(
        file.name,
        text,
        whole=len(beginning) < SAMPLE,
        delimiter=source.delimiter,
        header_line=source.header_line,
        mapped=source.mapped,
    )
    require_names(file.name, detected)
    return open_delimited(con, file, encoding, detected, folder)


def _open_records(
    con: Backend, file: SourceFile, records: Iterator[tuple[int, str, Any]], folder: Path
) -> RawTable:
    """Open records as a table with a column for each key of any record."""
    keys: dict[str, None] = {}
    apart: list[dict[str, Any]] = []

    def good() -> Iterator[tuple[int, str, dict[str, str]]]:
        for line, text, record in records:
            if not isinstance(record, dict):
                detail = "Not a JSON object, or damaged."
                apart.append({"line": line, "reason": "not_json", "detail": detail, "row": text})
                continue
            cells = flat_record(record)
            keys.update(dict.fromkeys(cells))
            yield line, text, cells

    copy = folder / f"{file.digest[:16]}.lines"
    began = write_lines(good(), copy, lambda _, cells: json.dumps(cells, ensure_ascii=False))
    if not keys:
        raise DataError(f"{file.name}: contains no JSON object. Export it again.")
    name = temporary_name(con, "text")
    read_csv(con, name, copy, [LINE], delimiter=WHOLE_LINE)
    columns = list(unique_names(list(keys)))
    fields = ", ".join(
        f"nullif(json_extract_string({LINE}, '$.\"{quote(key)}\"'), '') AS {quote_name(column)}"
        for key, column in zip(keys, columns, strict=True)
    )
    con.raw_sql(
        f'CREATE OR REPLACE TEMP TABLE "{name}_cells" AS SELECT {fields} FROM "{name}_rows"'
    )
    con.raw_sql(
        f'CREATE OR REPLACE TEMP VIEW "{name}_table" AS SELECT rowid + 1 AS {ROW}, * '
        f'FROM "{name}_cells"'
    )
    return RawTable(
        con.table(f"{name}_table"),
        columns,
        file,
        copy,
        rejects_table=f"{name}_rejects",
        began=began,
        apart=apart,
    )


def _ending(path: Path) -> str:
    return (path.with_suffix("") if path.suffix.lower() == ".gz" else path).suffix.lower()


def _natural(text: str) -> list[tuple[int, int, str]]:
    parts = re.split(r"(\d+)", text)
    return [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in parts if p]
