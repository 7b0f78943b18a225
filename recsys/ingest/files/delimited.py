"""Reads delimited text into a table of clean text in the engine.

In: a text, its layout and a survey of its bytes. Out: a ``RawTable`` with the file's rows, without
repeated headers, and with the lines of records that could not be split. An unclosed quote costs
only its own line. Called by ``export_files``.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import ibis.expr.operations as ops
from ibis.backends.duckdb import Backend

from recsys.errors import DataError
from recsys.ingest.files.cleaning import clean_sql, trim_sql, unclean_sql
from recsys.ingest.files.line_positions import WHOLE_LINE, lines_at, start_lines
from recsys.ingest.files.raw_table import LINE, ROW, RawTable, SourceFile
from recsys.ingest.files.sniffing import Layout, is_utf8
from recsys.ingest.files.survey import Content, open_bytes, survey
from recsys.ingest.files.text_copy import copy_text
from recsys.query_engine import quote, quote_name, temporary_name

#: How often a text is read again because of unclosed quotes.
_ATTEMPTS = 20
#: After this many attempts, all suspect lines are removed at once.
_ONE_BY_ONE = 3
_CANDIDATES = 1_000
_QUOTES = "('UNQUOTED VALUE', 'LINE SIZE OVER MAXIMUM', 'INVALID STATE')"


def plain_text(
    file: SourceFile, encoding: str, folder: Path, skip: int = 0, without: tuple[int, ...] = ()
) -> tuple[Path, Content]:
    """Return a text that the engine can read, and its survey: the export itself or a copy.

    Parameters
    ----------
    file : SourceFile
    encoding : str
    folder : Path
        Folder for a copy, which stays until the ingest ends.
    skip, without
        As in ``copy_text``.

    Raises
    ------
    DataError
        When the file cannot be read to its end, or has another encoding.
    """
    content = file.content or survey(file.path, file.name)
    strange = content.marked or content.nul or not content.even or not is_utf8(encoding)
    if not strange and not skip and not without:
        return file.path, content
    copy = folder / f"{file.digest[:16]}.utf8"
    copy_text(file.path, copy, shown=file.name, encoding=encoding, skip=skip, without=without)
    return copy, survey(copy, file.name)


def open_delimited(
    con: Backend, file: SourceFile, encoding: str, layout: Layout, folder: Path
) -> RawTable:
    """Open a delimited text.

    Raises
    ------
    DataError
        When too many quotes are unclosed, or a different header follows further down.
    """
    excluded: set[int] = set()
    skip = layout.header_line - 1
    apart: list[dict[str, object]] = []
    name = temporary_name(con, "text")
    for attempt in range(_ATTEMPTS):
        text, content = plain_text(file, encoding, folder, skip, tuple(excluded))
        read_csv(con, name, text, list(layout.columns), delimiter=layout.delimiter)
        raw = RawTable(
            con.table(name),
            list(layout.columns),
            file,
            text,
            layout.header_lines,
            layout.delimiter,
            f"{name}_rejects",
            _end_note(content),
            skip,
            apart=apart,
            blanked=sorted(line - skip for line in excluded),
        )
        has_multiline = content.lines > layout.header_lines + _count(con, name, "_rows")
        unclosed = _unclosed(con, raw, name) if has_multiline else {}
        if not unclosed.keys() - set(raw.blanked):
            break
        if attempt == _ONE_BY_ONE:
            unclosed |= _odd_lines(text, layout)
        for line, row in unclosed.items():
            if line + skip in excluded:
                continue
            excluded.add(line + skip)
            apart.append(
                {
                    "line": line + skip,
                    "reason": "unquoted_value",
                    "detail": "A quote is never closed.",
                    "row": row,
                }
            )
    else:
        raise DataError(
            f"{file.name}: line {min(excluded)} has a quote that is never closed, and so have "
            f"{len(excluded) - 1:,} other lines. Export it with quotes doubled inside values."
        )
    for column in layout.columns if not _is_clean(content, layout, multiline=has_multiline) else ():
        name_sql = quote_name(column)
        changed = (
            unclean_sql(name_sql)
            if not content.plain or content.tabs
            else f"contains({name_sql}, '\n')"
        )
        con.raw_sql(f'UPDATE "{name}_rows" SET {name_sql} = {clean_sql(name_sql)} WHERE {changed}')
    _leave_out_non_rows(con, raw, name, layout)
    return raw


def open_whole_lines(con: Backend, file: SourceFile, text: Path, content: Content) -> RawTable:
    """Open a text as one column ``line``, for formats with one record per line."""
    name = temporary_name(con, "text")
    read_csv(con, name, text, [LINE], delimiter=WHOLE_LINE)
    return RawTable(
        con.table(name),
        [LINE],
        file,
        text,
        rejects_table=f"{name}_rejects",
        notes=_end_note(content),
    )


def read_csv(con: Backend, name: str, text: Path, columns: list[str], *, delimiter: str) -> None:
    """Read a text into a table of the engine, and make a view that numbers its rows.

    Parameters
    ----------
    con : ibis backend
    name : str
        Of the view; the rows are in ``<name>_rows``. What has the name is replaced.
    text : Path
        UTF-8 with uniform line ends. The first line is a header, except with ``WHOLE_LINE``.
    columns : list of str
    delimiter : str
        ``WHOLE_LINE`` where a line is one value and quotes have no meaning.
    """
    lines = delimiter == WHOLE_LINE
    types = ", ".join(f"'{quote(column)}': 'VARCHAR'" for column in columns)
    con.raw_sql(f'DROP TABLE IF EXISTS "{name}_rejects"')
    con.raw_sql(f'DROP TABLE IF EXISTS "{name}_scans"')
    fields = (
        LINE
        if lines
        else ", ".join(f"{trim_sql(quote_name(c))} AS {quote_name(c)}" for c in columns)
    )
    sign = "" if lines else '"'
    packed = ", compression = 'gzip'" if text.suffix.lower() == ".gz" else ""
    # A table has row numbers without a window, which would limit the engine to one thread.
    con.raw_sql(
        f'CREATE OR REPLACE TEMP TABLE "{name}_rows" AS SELECT {fields} '
        f"FROM read_csv('{quote(text)}', auto_detect = false, columns = {{{types}}}, "
        f"header = {str(not lines).lower()}, delim = '{quote(delimiter)}', "
        f"quote = '{sign}', escape = '{sign}', all_varchar = true, "
        f"null_padding = false, store_rejects = true, rejects_table = '{name}_rejects', "
        f"rejects_scan = '{name}_scans'{packed})"
    )
    con.raw_sql(
        f'CREATE OR REPLACE TEMP VIEW "{name}" AS SELECT rowid + 1 AS {ROW}, * FROM "{name}_rows"'
    )


@contextmanager
def only(con: Backend, raw: RawTable, rows: Sequence[int]) -> Iterator[bool]:
    """Restrict an opened text to some of its rows, for queries on single rows.

    Yields whether it could; else all rows are still there. With a condition on ``_row``, the engine
    would still type every row first.
    """
    own = raw.rejects_table is not None and isinstance(raw.table.op(), ops.DatabaseTable)
    name = raw.table.get_name() if own else ""
    if raw.rejects_table != f"{name}_rejects":  # the rows are in another table
        yield False
        return
    ((before,),) = con.raw_sql(
        f"SELECT sql FROM duckdb_views() WHERE view_name = '{name}'"
    ).fetchall()
    positions = ", ".join(str(row - 1) for row in rows)
    con.raw_sql(
        f'CREATE OR REPLACE TEMP TABLE "{name}_some" AS SELECT rowid + 1 AS {ROW}, r.* '
        f'FROM "{name}_rows" r JOIN (SELECT unnest([{positions}]::BIGINT[]) AS _at) w '
        "ON r.rowid = w._at"
    )
    con.raw_sql(f'CREATE OR REPLACE TEMP VIEW "{name}" AS SELECT * FROM "{name}_some"')
    try:
        yield True
    finally:
        con.raw_sql(before.replace("CREATE ", "CREATE OR REPLACE ", 1))


def _is_clean(content: Content, layout: Layout, *, multiline: bool) -> bool:
    tabs = content.tabs and layout.delimiter != "\t"
    return content.plain and not tabs and not multiline


def _end_note(content: Content) -> dict[str, int]:
    """Note a file without a line end at its end: it may be truncated."""
    return {} if content.ended else {"no_line_end_at_end_of_file": 1}


def _count(con: Backend, name: str, table: str) -> int:
    ((count,),) = con.raw_sql(f'SELECT count(*) FROM "{name}{table}"').fetchall()
    return int(count)


def _unclosed(con: Backend, raw: RawTable, name: str) -> dict[int, str]:
    """Return the lines of the text whose quote swallowed the following lines."""
    rejects = con.raw_sql(
        f'SELECT line_byte_position, any_value(csv_line) FROM "{name}_rejects" '
        f"WHERE error_type::VARCHAR IN {_QUOTES} GROUP BY 1 ORDER BY 1"
    ).fetchall()
    multiline = [(at, row) for at, row in rejects if not row or "\n" in row.rstrip("\r\n")]
    lines = lines_at(raw.text, [at for at, _ in multiline]) if raw.text else []
    unclosed = {
        line: (row or "").split("\n")[0] for line, (_, row) in zip(lines, multiline, strict=True)
    }
    swallowing = list(_swallowing(con, raw, name))
    if swallowing and raw.text:
        broken = con.raw_sql(
            f'SELECT DISTINCT line_byte_position FROM "{name}_rejects" ORDER BY 1'
        ).fetchall()
        excluded = {*lines_at(raw.text, [at for (at,) in broken]), *raw.blanked}
        begin = start_lines(raw.text, raw.delimiter, raw.header_lines, swallowing, excluded)
        unclosed |= dict.fromkeys(begin, "")
    return unclosed


def _odd_lines(text: Path, layout: Layout) -> dict[int, str]:
    """Return lines with all columns of the header and an unclosed quote."""
    wide = len(layout.columns) - 1
    unclosed = {}
    with open_bytes(text) as stream:
        for number, line in enumerate(stream, 1):
            if line.count(b'"') % 2 and line.count(layout.delimiter.encode()) == wide:
                unclosed[number] = line.decode(errors="replace").rstrip("\r\n")
    return unclosed


def _swallowing(con: Backend, raw: RawTable, name: str) -> Iterator[int]:
    """Yield rows with a value that contains other rows: two stray quotes enclosed them."""
    width, sign = len(raw.columns), re.escape(raw.delimiter)
    if width < 4:
        return
    inner = rf"\n(?:[^\n{sign}]*{sign}){{{width - 1}}}[^\n{sign}]*(?:\n|$)"
    matches = " OR ".join(
        f"(contains({c}, '\n') AND regexp_matches({c}, '{quote(inner)}'))"
        for c in map(quote_name, raw.columns)
    )
    rows = con.raw_sql(
        f'SELECT rowid + 1, * FROM "{name}_rows" WHERE {matches} ORDER BY 1 LIMIT {_CANDIDATES}'
    ).fetchall()
    for row, *values in rows:
        at = next(n for n, value in enumerate(values) if value and re.search(inner, value))
        within = [line.split(raw.delimiter) for line in values[at].split("\n")[1:]]
        complete = [cells for cells in within if len(cells) == width]
        filled = [n for n in range(at) if values[n]]
        if filled and any(all(_shape(c[n]) == _shape(values[n]) for n in filled) for c in complete):
            yield row


def _shape(text: str) -> str:
    return re.sub(r"\d+", "9", re.sub(r"[^\W\d_]+", "a", text.strip(' "')))


def _leave_out_non_rows(con: Backend, raw: RawTable, name: str, layout: Layout) -> None:
    """Leave out blank rows and repeated headers, as in two concatenated exports."""
    cells = [
        (quote_name(c), cell) for c, cell in zip(layout.columns, layout.cells, strict=True) if cell
    ]
    names = ", ".join(f"'{quote(cell)}'" for _, cell in cells)
    first = cells[0][0]
    rows = con.raw_sql(
        f'SELECT rowid + 1, * FROM "{name}_rows" WHERE {first} IN ({names}) ORDER BY 1'
    ).fetchall()
    repeated = [row for row, *values in rows if tuple(v or "" for v in values) == layout.cells]
    for row, *values in rows:
        header_cells = [v for v in values if v in layout.cells]
        if row not in repeated and len(set(header_cells)) >= max(2, len(cells) / 2):
            (line,) = raw.line_numbers(
                [row], [b["line"] for b in raw.broken(con)], _count(con, name, "_rows")
            )
            raise DataError(
                f"{raw.file.name}: line {line} is another header, with the columns in another "
                "order. Move this line and the lines below it into a file of their own."
            )
    if repeated:
        raw.notes["repeated_header"] = len(repeated)
    same = " AND ".join(f"{c} IS NOT DISTINCT FROM '{quote(cell)}'" for c, cell in cells)
    blank = " AND ".join(f"{quote_name(c)} IS NULL" for c in layout.columns)
    ((blanks,),) = con.raw_sql(f'SELECT count(*) FROM "{name}_rows" WHERE {blank}').fetchall()
    raw.no_rows = len(repeated) + blanks
    if raw.no_rows:
        con.raw_sql(
            f'CREATE OR REPLACE TEMP VIEW "{name}" AS SELECT rowid + 1 AS {ROW}, * '
            f'FROM "{name}_rows" WHERE NOT ({same}) AND NOT ({blank})'
        )
        raw.table = con.table(name)
