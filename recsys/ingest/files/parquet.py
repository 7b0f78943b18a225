"""Opens Parquet exports as rows of clean values.

In: a file. Out: a view with cleaned text, null for NaN, and whole numbers for ids that pandas
stored as floats. Columns that are neither numbers nor times become text. Called by
``export_files``.
"""

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend

from recsys.errors import DataError
from recsys.ingest.files.cleaning import clean_sql, unclean_sql
from recsys.ingest.files.raw_table import LINE, ROW, RawTable, SourceFile
from recsys.ingest.files.sniffing import unique_names
from recsys.query_engine import quote, quote_name, temporary_name

#: Largest range in which a 64-bit float holds whole numbers exactly.
_EXACT = 2**53
_FLOATS = ("FLOAT", "DOUBLE")
_KEPT_TEXT = (
    "TINYINT, SMALLINT, INTEGER, BIGINT, HUGEINT, UTINYINT, USMALLINT, UINTEGER, UBIGINT, "
    "UHUGEINT, BOOLEAN, DATE, TIMESTAMP, TIMESTAMP WITH TIME ZONE"
)
_KEPT = tuple(_KEPT_TEXT.split(", "))


def open_parquet(con: Backend, file: SourceFile) -> RawTable:
    """Open a Parquet file: numbers and times keep their types, all else becomes clean text.

    Parameters
    ----------
    con : ibis backend
        The engine.
    file : SourceFile
        What to open.

    Raises
    ------
    DataError
        When it is not a complete Parquet file.
    """
    read, kinds, names = _source(con, file)
    columns = list(unique_names(names))
    integral, infinite = _floats(con, read, kinds)
    fields = []
    for (name, kind), column in zip(kinds.items(), columns, strict=True):
        value = _typed(quote_name(name), kind, name in integral, name in infinite)
        fields.append(f"{value} AS {quote_name(column)}")
    view = temporary_name(con, "file")
    con.raw_sql(
        f'CREATE OR REPLACE TEMP VIEW "{view}" AS SELECT file_row_number + 1 AS {ROW}, '
        f"{', '.join(fields)} FROM {read}"
    )
    return RawTable(con.table(view), columns, file)


def open_parquet_lines(con: Backend, file: SourceFile) -> RawTable:
    """Open a Parquet file of events as one JSON text per row, because items are lists.

    Raises
    ------
    DataError
        As in ``open_parquet``.
    """
    read, kinds, _ = _source(con, file)
    fields = ", ".join(f"{quote_name(name)} := {quote_name(name)}" for name in kinds)
    view = temporary_name(con, "file")
    con.raw_sql(
        f'CREATE OR REPLACE TEMP VIEW "{view}" AS SELECT file_row_number + 1 AS {ROW}, '
        f"to_json(struct_pack({fields}))::VARCHAR AS {LINE} FROM {read}"
    )
    return RawTable(con.table(view), [LINE], file)


def _source(con: Backend, file: SourceFile) -> tuple[str, dict[str, str], list[str]]:
    """Return the SQL that reads a file, the engine's names and types, and the file's own names."""
    read = f"read_parquet('{quote(file.path)}', file_row_number = true)"
    try:
        names = pq.read_schema(file.path).names
        described = con.raw_sql(f"DESCRIBE SELECT * FROM {read}").fetchall()
    except (pa.ArrowException, OSError, duckdb.Error) as error:
        raise DataError(
            f"{file.name}: not a readable Parquet file ({str(error).splitlines()[0]}). "
            "It may be truncated; export it again."
        ) from None
    kinds = {name: kind for name, kind, *_ in described if name != "file_row_number"}
    return read, kinds, names if len(names) == len(kinds) else list(kinds)


def _floats(con: Backend, read: str, kinds: dict[str, str]) -> tuple[set[str], set[str]]:
    """Return the float columns with whole numbers only, and those with an infinity."""
    names = [name for name, kind in kinds.items() if kind in _FLOATS]
    if not names:
        return set(), set()
    # Not `isnan`: the engine derives its answer from Parquet's min and max, which omit NaN.
    tests = ", ".join(
        f"bool_and(NOT isfinite({n}) OR ({n} = floor({n}) AND abs({n}) <= {_EXACT})), "
        f"bool_or(NOT isfinite({n}) AND {n}::VARCHAR <> 'nan')"
        for n in map(quote_name, names)
    )
    answers = con.raw_sql(f"SELECT {tests} FROM {read}").fetchone() or ()
    integral = {name for name, yes in zip(names, answers[::2], strict=True) if yes}
    infinite = {name for name, yes in zip(names, answers[1::2], strict=True) if yes}
    return integral, infinite


def _typed(name: str, kind: str, integral: bool, infinite: bool) -> str:
    if kind in _FLOATS:
        number = f"CASE WHEN isfinite({name}) THEN {name} END"
        if infinite:  # as text, so that only its row is rejected
            return f"nullif(regexp_replace({name}::VARCHAR, '\\.0$', ''), 'nan')"
        if integral:
            return f"({number})::BIGINT"
        # cast 32-bit floats via text, so that 0.1 stays 0.1
        return f"({number})::VARCHAR::DOUBLE" if kind == "FLOAT" else number
    if kind in _KEPT or kind.startswith("DECIMAL"):
        return name
    if kind.startswith("TIMESTAMP"):  # timestamps in seconds or nanoseconds
        return f"{name}::TIMESTAMPTZ" if "Z" in kind else f"{name}::TIMESTAMP"
    text = f"{name}::VARCHAR"
    if kind.endswith("]") or kind.startswith(("STRUCT", "MAP")):
        text = f"to_json({name})::VARCHAR"
    elif kind == "BLOB":
        text = f"coalesce(try(decode({name})), hex({name}))"
    return f"CASE WHEN {unclean_sql(text)} THEN {clean_sql(text)} ELSE {text} END"
