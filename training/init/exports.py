"""Reads the beginning of an export: its columns, its first rows and its text format.

In: a file, folder or glob. Out: an ``Export`` with sample rows as text, named and cleaned as the
ingest does it. Only the beginning is read, so files of any size are fast. Called by ``questions``.
"""

import io
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from recsys.errors import DataError
from recsys.ingest.files import (
    clean,
    detected_encoding,
    feed_records,
    flat_record,
    json_records,
    open_bytes,
    sniffing,
)

SAMPLE_ROWS = 5_000
_ENDINGS = (".csv", ".tsv", ".txt", ".parquet", ".ndjson", ".jsonl", ".json", ".xml", ".gz")
_EVENT_NAMES = {"event", "event_name"}


@dataclass(frozen=True)
class Export:
    """The beginning of an export.

    Attributes
    ----------
    path : Path
        The file that was read: the first one of a folder or glob.
    form : str
        ``csv``: a table, including one made from JSON objects or XML entries. ``ndjson``: events
        in JSON, one per line or in an array. ``parquet``.
    columns : tuple of str
        Names from the header, cleaned and made unique as in the ingest.
    rows : tuple of dict
        At most ``SAMPLE_ROWS`` rows, column → clean text; empty where missing.
    typed : frozenset of str
        Columns whose type in the file is time or number.
    encoding : str
        Python name of the text's encoding.
    header_line : int
        Line of the column names, from 1.
    delimiter : str
        Separator of a delimited text, else empty.
    """

    path: Path
    form: Literal["csv", "parquet", "ndjson"]
    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    typed: frozenset[str] = frozenset()
    encoding: str = "utf-8"
    header_line: int = 1
    delimiter: str = ""

    def values(self, column: str) -> Counter[str]:
        """Count the texts of a column, empty ones left out."""
        return Counter(row[column] for row in self.rows if row.get(column))


def look(path: Path) -> Export:
    """Read the beginning of an export.

    Parameters
    ----------
    path : Path
        A file, a folder or a glob.

    Raises
    ------
    DataError
        When there is no file, or it has no readable header and rows. The message names columns
        only if they are a header, and never shows values, which may be personal data.
    """
    file = _first(path)
    try:
        with open_bytes(file) as stream:
            start = stream.read(sniffing.SAMPLE)
        with open_bytes(file) as stream:
            encoding = detected_encoding(stream)
        text = sniffing.decode_start(start, encoding)
        form = sniffing.form_of(str(file), start, text)
        if form == "parquet":
            return _parquet(file)
        if form == "xml":
            records = ((cells, cells) for _, _, cells in feed_records(file, str(file)))
            return _records(file, "utf-8", islice(records, SAMPLE_ROWS))
        if form == "json":
            return _json(file, encoding)
        return _csv(file, encoding, text, whole=len(start) < sniffing.SAMPLE)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{file}: cannot be read: {reason}.") from None


def _first(path: Path) -> Path:
    if path.is_file():
        return path
    if path.is_dir():
        found = (file for file in path.rglob("*") if file.suffix.lower() in _ENDINGS)
    else:
        relative = path.relative_to(path.anchor)
        found = (file for file in Path(path.anchor or ".").glob(str(relative)))
    files = sorted(file for file in found if file.is_file())
    if not files:
        raise DataError(f"{path}: no such file, folder or glob with files.")
    return files[0]


def _csv(file: Path, encoding: str, text: str, *, whole: bool) -> Export:
    layout = sniffing.layout(str(file), text, whole=whole)
    sniffing.require_names(str(file), layout)
    with io.TextIOWrapper(
        open_bytes(file), _signed(encoding), errors="replace", newline=""
    ) as stream:
        for _ in range(layout.header_line - 1):
            stream.readline()
        records = sniffing.split_records(
            (line.replace("\0", "") for line in stream), layout.delimiter
        )
        next(records)
        rows = [
            dict(zip(layout.columns, cells, strict=False))
            for cells in (tuple(map(clean, row)) for _, row in islice(records, SAMPLE_ROWS))
            if any(cells) and cells != layout.cells
        ]
    return Export(
        file,
        "csv",
        layout.columns,
        tuple(rows),
        encoding=encoding,
        header_line=layout.header_line,
        delimiter=layout.delimiter,
    )


def _json(file: Path, encoding: str) -> Export:
    found = (record for _, _, record in json_records(file, encoding, str(file)))
    records = ((record, flat_record(record)) for record in found if isinstance(record, dict))
    return _records(file, encoding, islice(records, SAMPLE_ROWS))


def _records(
    file: Path, encoding: str, records: Iterator[tuple[dict[str, Any], dict[str, str]]]
) -> Export:
    """Make an export of records: events unchanged, other records as a table."""
    whole: list[dict[str, Any]] = []
    cells: list[dict[str, str]] = []
    for record, flattened in records:
        whole.append(record)
        cells.append(flattened)
    if not whole:
        raise DataError(f"{file}: JSON without a complete object. Export it again.")
    if any(_EVENT_NAMES & record.keys() for record in whole):
        rows = tuple({str(n): _text(value) for n, value in record.items()} for record in whole)
        columns = tuple(dict.fromkeys(name for row in rows for name in row))
        return Export(file, "ndjson", columns, rows, encoding=encoding)
    keys = list(dict.fromkeys(name for row in cells for name in row))
    columns = sniffing.unique_names(keys)
    named = [{c: row.get(key, "") for key, c in zip(keys, columns, strict=True)} for row in cells]
    return Export(file, "csv", columns, tuple(named), encoding=encoding)


def _parquet(file: Path) -> Export:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as parquet:
            schema = parquet.schema_arrow
            batch = next(parquet.iter_batches(batch_size=SAMPLE_ROWS), None)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{file}: incomplete Parquet file: {str(error).splitlines()[0]}") from None
    columns = sniffing.unique_names(schema.names)
    listed = [column.to_pylist() for column in batch.columns] if batch is not None else []
    rows = [
        {name: _text(value) for name, value in zip(columns, row, strict=True)}
        for row in zip(*listed, strict=True)
    ]
    typed = {n for n, field in zip(columns, schema, strict=True) if _is_typed(field.type)}
    return Export(file, "parquet", columns, tuple(rows), frozenset(typed))


def _is_typed(kind: Any) -> bool:
    import pyarrow.types as types

    return bool(
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_decimal(kind)
        or types.is_timestamp(kind)
        or types.is_date(kind)
        or types.is_boolean(kind)
    )


def _signed(encoding: str) -> str:
    return "utf-8-sig" if sniffing.is_utf8(encoding) else encoding


def _text(value: Any) -> str:
    if value is None or value != value:  # NaN and NaT are missing values
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bytes):
        return clean(value.decode(errors="replace"))
    return clean(value) if isinstance(value, str) else str(value)
