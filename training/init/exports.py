"""Looks at the beginning of an export: its columns, its first rows, how its text is written.

A file, folder or glob comes in; out comes an ``Export`` with a sample of rows as text, whatever the
format is. Reads the beginning only, so a file of any size is looked at in a moment. Called by
``mapping`` through the command.
"""

import codecs
import csv
import gzip
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, Literal, cast

from recsys.errors import DataError

SAMPLE_ROWS = 5_000
_DELIMITERS = ",;\t|"
_ENDINGS = (".csv", ".tsv", ".txt", ".parquet", ".ndjson", ".jsonl", ".json", ".gz")
#: How much of a text is decoded to tell its encoding. Bytes.
_DECODED = 64 << 20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class Export:
    """The beginning of an export.

    Attributes
    ----------
    path : Path
        The file that was looked at: the first one of a folder or glob.
    form : str
        Text table, Parquet, or JSON lines.
    columns : tuple of str
        Names from the header, stripped, made unique as ingest does it.
    rows : tuple of dict
        At most ``SAMPLE_ROWS`` rows, column → text; empty text where there is nothing.
    typed : frozenset of str
        Columns that the file itself says are times or numbers.
    encoding : str
        Python name of the text's encoding.
    """

    path: Path
    form: Literal["csv", "parquet", "ndjson"]
    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    typed: frozenset[str] = frozenset()
    encoding: str = "utf-8"

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
        When there is no file, or it holds no header and rows that can be read.
    """
    file = _first(path)
    try:
        if file.suffix.lower() == ".parquet":
            return _parquet(file)
        encoding = _encoding(file)
        with _open(file) as stream:
            text = io.TextIOWrapper(stream, _signed(encoding), errors="replace", newline="")
            start = text.readline()
            if start.lstrip().startswith("{"):
                return _ndjson(file, encoding, start, text)
            return _csv(file, encoding, start, text)
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror or error}.") from None


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


def _open(file: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(file)) if file.suffix == ".gz" else file.open("rb")


def _signed(encoding: str) -> str:
    return "utf-8-sig" if encoding == "utf-8" else encoding


def _encoding(file: Path) -> str:
    """Tell UTF-8, UTF-16 and UTF-32 from a mark, UTF-8 from its bytes; else Windows' Latin."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with _open(file) as stream:
        block = stream.read(1 << 20)
        if not block:
            raise DataError(f"{file}: the file is empty.")
        for mark, name in _MARKS:
            if block.startswith(mark):
                return name
        read = 0
        while block and read < _DECODED:
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                return "cp1252"
            read += len(block)
            block = stream.read(1 << 20)
    return "utf-8"


def _csv(file: Path, encoding: str, start: str, rest: Iterator[str]) -> Export:
    delimiter = _delimiter(start)
    reader = csv.reader(_chain(start, rest), delimiter=delimiter)
    try:
        columns = _unique(next(reader))
        rows = [
            {name: value.strip() for name, value in zip(columns, row, strict=False)}
            for row in islice(reader, SAMPLE_ROWS)
            if row
        ]
    except csv.Error as error:
        raise DataError(f"{file}: not a table of text: {error}.") from None
    if "\0" in start or not any(columns):
        raise DataError(f"{file}: the first line holds no column names.")
    return Export(file, "csv", columns, tuple(rows), encoding=encoding)


def _delimiter(header: str) -> str:
    """Choose the separator that stands in the header most often outside quotes."""
    bare = "".join(header.split('"')[::2])
    return max(_DELIMITERS, key=bare.count)


def _chain(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _unique(names: list[str]) -> tuple[str, ...]:
    columns: list[str] = []
    for position, name in enumerate(names, 1):
        column = name.strip() or f"column_{position}"
        while column.lower() in (other.lower() for other in columns):
            column += "_2"
        columns.append(column)
    return tuple(columns)


def _ndjson(file: Path, encoding: str, start: str, rest: Iterator[str]) -> Export:
    rows = []
    for line in islice(_chain(start, rest), 100):
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(record, dict):
            rows.append({str(name): _text(value) for name, value in record.items()})
    if not rows:
        raise DataError(f"{file}: looks like JSON, but has no object on a line of its own.")
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    return Export(file, "ndjson", columns, tuple(rows), encoding=encoding)


def _parquet(file: Path) -> Export:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as parquet:
            schema = parquet.schema_arrow
            batch = next(parquet.iter_batches(batch_size=SAMPLE_ROWS), None)
            rows = batch.to_pylist() if batch is not None else []
    except pa.ArrowInvalid as error:
        raise DataError(f"{file}: not a whole Parquet file: {str(error).splitlines()[0]}") from None
    typed = {field.name for field in schema if not pa.types.is_string(field.type)}
    return Export(
        file,
        "parquet",
        tuple(schema.names),
        tuple({name: _text(value) for name, value in row.items()} for row in rows),
        frozenset(typed),
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else str(value)
