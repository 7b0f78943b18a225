"""Delimited text becomes a table of clean text in the engine.

A text, its layout and its content come in; out comes a ``RawTable`` whose rows are the file's,
without headers that are said again, and whose records that could not be split are known by their
lines. A quote that is never closed costs its own line and not what stands below it. Called by
``export_files``.
"""

import hashlib
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
from recsys.query_engine import quote, quote_name

#: How often a text is read again because of quotes that were never closed.
_ATTEMPTS = 20
#: After so many, all lines that look alike are taken out at once.
_ONE_BY_ONE = 3
_CANDIDATES = 1_000
_QUOTES = "('UNQUOTED VALUE', 'LINE SIZE OVER MAXIMUM', 'INVALID STATE')"


def plain_text(
    file: SourceFile, encoding: str, folder: Path, skip: int = 0, without: tuple[int, ...] = ()
) -> tuple[Path, Content]:
    """Return a text that the engine can read and its content: the export itself, or a copy of it.

    Parameters
    ----------
    file : SourceFile
    encoding : str
    folder : Path
        Where a copy may be put until the ingest ends.
    skip, without
        As ``copy_text`` has them.

    Raises
    ------
    DataError
        When the file cannot be read to its end, or is not in its encoding.
    """
    content = file.content or survey(file.path, file.name)
    strange = content.marked or content.nul or not content.even or not is_utf8(encoding)
    if not strange and not skip and not without:
        return file.path, content
    copy = folder / f"{file.digest[:16]}.utf8"
    copy_text(file.path, copy, shown=file.name, encoding=encoding, skip=skip, without=without)
    return copy, survey(copy, file.name)


def open_delimited(
    con: Backend, file: SourceFile, encoding: str, found: Layout, folder: Path
) -> RawTable:
    """Open a delimited text.

    Raises
    ------
    DataError
        When quotes that are never closed are too many, or another header stands in the middle.
    """
    without: set[int] = set()
    skip = found.header_line - 1
    apart: list[dict[str, object]] = []
    for attempt in range(_ATTEMPTS):
        text, content = plain_text(file, encoding, folder, skip, tuple(without))
        name = read_csv(con, text, list(found.columns), delimiter=found.delimiter)
        raw = RawTable(
            con.table(name),
            list(found.columns),
            file,
            text,
            found.header_lines,
            found.delimiter,
            f"{name}_rejects",
            _end_note(content),
            skip,
            apart=apart,
            blanked=sorted(line - skip for line in without),
        )
        several = content.lines > found.header_lines + _count(con, name, "_rows")
        unclosed = _unclosed(con, raw, name) if several else {}
        if not unclosed.keys() - set(raw.blanked):
            break
        if attempt == _ONE_BY_ONE:
            unclosed |= _odd_lines(text, found)
        for line, row in unclosed.items():
            if line + skip in without:
                continue
            without.add(line + skip)
            apart.append(
                {
                    "line": line + skip,
                    "reason": "unquoted_value",
                    "detail": "A quote is opened that is never closed.",
                    "row": row,
                }
            )
    else:
        raise DataError(
            f"{file.name}: line {min(without)} opens a quote that is never closed, and so do "
            f"{len(without) - 1:,} other lines. Export it with quotes doubled inside of values."
        )
    for column in found.columns if not _is_clean(content, found, several=several) else ():
        name_sql = quote_name(column)
        changed = (
            unclean_sql(name_sql)
            if not content.plain or content.tabs
            else f"contains({name_sql}, '\n')"
        )
        con.raw_sql(f'UPDATE "{name}_rows" SET {name_sql} = {clean_sql(name_sql)} WHERE {changed}')
    _leave_out_no_rows(con, raw, name, found)
    return raw


def open_whole_lines(con: Backend, file: SourceFile, text: Path, content: Content) -> RawTable:
    """Open a text as one column ``line``, for formats with one record a line."""
    name = read_csv(con, text, [LINE], delimiter=WHOLE_LINE)
    return RawTable(
        con.table(name),
        [LINE],
        file,
        text,
        rejects_table=f"{name}_rejects",
        notes=_end_note(content),
    )


def read_csv(con: Backend, text: Path, columns: list[str], *, delimiter: str) -> str:
    """Read a text into a table of the engine; return the name of a view that numbers its rows.

    Parameters
    ----------
    con : ibis backend
    text : Path
        UTF-8, lines ending alike; the first one is a header, but for ``WHOLE_LINE``.
    columns : list of str
    delimiter : str
        ``WHOLE_LINE`` where a line is one value and quotes mean nothing.
    """
    name = f"text_{hashlib.sha256(str(text).encode()).hexdigest()[:16]}"
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
    # A table knows its rows by number without the window that would hold the engine to one thread.
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
    return name


@contextmanager
def only(con: Backend, raw: RawTable, rows: Sequence[int]) -> Iterator[None]:
    """Let an opened text show some of its rows alone, for questions that concern one row each.

    A condition on ``_row`` does not keep the engine from typing every row before it looks at it.
    """
    own = raw.rejects_table is not None and isinstance(raw.table.op(), ops.DatabaseTable)
    name = raw.table.get_name() if own else ""
    if raw.rejects_table != f"{name}_rejects":  # the rows were made into another table
        yield
        return
    ((before,),) = con.raw_sql(
        f"SELECT sql FROM duckdb_views() WHERE view_name = '{name}'"
    ).fetchall()
    wanted = ", ".join(str(row - 1) for row in rows)
    con.raw_sql(
        f'CREATE OR REPLACE TEMP TABLE "{name}_some" AS SELECT rowid + 1 AS {ROW}, r.* '
        f'FROM "{name}_rows" r JOIN (SELECT unnest([{wanted}]::BIGINT[]) AS _at) w '
        "ON r.rowid = w._at"
    )
    con.raw_sql(f'CREATE OR REPLACE TEMP VIEW "{name}" AS SELECT * FROM "{name}_some"')
    try:
        yield
    finally:
        con.raw_sql(before.replace("CREATE ", "CREATE OR REPLACE ", 1))


def _is_clean(content: Content, found: Layout, *, several: bool) -> bool:
    tabs = content.tabs and found.delimiter != "\t"
    return content.plain and not tabs and not several


def _end_note(content: Content) -> dict[str, int]:
    """Note a file whose last line has no end: it may have been cut."""
    return {} if content.ended else {"no_line_end_at_end_of_file": 1}


def _count(con: Backend, name: str, table: str) -> int:
    ((count,),) = con.raw_sql(f'SELECT count(*) FROM "{name}{table}"').fetchall()
    return int(count)


def _unclosed(con: Backend, raw: RawTable, name: str) -> dict[int, str]:
    """Return the lines of the text on which a quote begins that swallowed other lines."""
    found = con.raw_sql(
        f'SELECT line_byte_position, any_value(csv_line) FROM "{name}_rejects" '
        f"WHERE error_type::VARCHAR IN {_QUOTES} GROUP BY 1 ORDER BY 1"
    ).fetchall()
    several = [(at, row) for at, row in found if not row or "\n" in row.rstrip("\r\n")]
    lines = lines_at(raw.text, [at for at, _ in several]) if raw.text else []
    unclosed = {
        line: (row or "").split("\n")[0] for line, (_, row) in zip(lines, several, strict=True)
    }
    swallowing = list(_swallowing(con, raw, name))
    if swallowing and raw.text:
        broken = con.raw_sql(
            f'SELECT DISTINCT line_byte_position FROM "{name}_rejects" ORDER BY 1'
        ).fetchall()
        gone = {*lines_at(raw.text, [at for (at,) in broken]), *raw.blanked}
        begin = start_lines(raw.text, raw.delimiter, raw.header_lines, swallowing, gone)
        unclosed |= dict.fromkeys(begin, "")
    return unclosed


def _odd_lines(text: Path, found: Layout) -> dict[int, str]:
    """Return lines as wide as the header by themselves that open a quote and do not close it."""
    wide = len(found.columns) - 1
    odd = {}
    with open_bytes(text) as stream:
        for number, line in enumerate(stream, 1):
            if line.count(b'"') % 2 and line.count(found.delimiter.encode()) == wide:
                odd[number] = line.decode(errors="replace").rstrip("\r\n")
    return odd


def _swallowing(con: Backend, raw: RawTable, name: str) -> Iterator[int]:
    """Return rows of which one value holds other rows of the file: quotes that met by chance."""
    width, sign = len(raw.columns), re.escape(raw.delimiter)
    if width < 4:
        return
    inner = rf"\n(?:[^\n{sign}]*{sign}){{{width - 1}}}[^\n{sign}]*(?:\n|$)"
    asked = " OR ".join(
        f"(contains({c}, '\n') AND regexp_matches({c}, '{quote(inner)}'))"
        for c in map(quote_name, raw.columns)
    )
    rows = con.raw_sql(
        f'SELECT rowid + 1, * FROM "{name}_rows" WHERE {asked} ORDER BY 1 LIMIT {_CANDIDATES}'
    ).fetchall()
    for row, *values in rows:
        at = next(n for n, value in enumerate(values) if value and re.search(inner, value))
        within = [line.split(raw.delimiter) for line in values[at].split("\n")[1:]]
        whole = [cells for cells in within if len(cells) == width]
        known = [n for n in range(at) if values[n]]
        if known and any(all(_shape(c[n]) == _shape(values[n]) for n in known) for c in whole):
            yield row


def _shape(text: str) -> str:
    return re.sub(r"\d+", "9", re.sub(r"[^\W\d_]+", "a", text.strip(' "')))


def _leave_out_no_rows(con: Backend, raw: RawTable, name: str, found: Layout) -> None:
    """Leave out blank rows, and those that say the header again: two exports put together."""
    cells = [
        (quote_name(c), cell) for c, cell in zip(found.columns, found.cells, strict=True) if cell
    ]
    names = ", ".join(f"'{quote(cell)}'" for _, cell in cells)
    first = cells[0][0]
    rows = con.raw_sql(
        f'SELECT rowid + 1, * FROM "{name}_rows" WHERE {first} IN ({names}) ORDER BY 1'
    ).fetchall()
    again = [row for row, *values in rows if tuple(v or "" for v in values) == found.cells]
    for row, *values in rows:
        known = [v for v in values if v in found.cells]
        if row not in again and len(set(known)) >= max(2, len(cells) / 2):
            (line,) = raw.line_numbers(
                [row], [b["line"] for b in raw.broken(con)], _count(con, name, "_rows")
            )
            raise DataError(
                f"{raw.file.name}: line {line} is another header, with the columns in another "
                "order. Put what follows it into a file of its own."
            )
    if again:
        raw.notes["repeated_header"] = len(again)
    same = " AND ".join(f"{c} IS NOT DISTINCT FROM '{quote(cell)}'" for c, cell in cells)
    blank = " AND ".join(f"{quote_name(c)} IS NULL" for c in found.columns)
    ((blanks,),) = con.raw_sql(f'SELECT count(*) FROM "{name}_rows" WHERE {blank}').fetchall()
    raw.no_rows = len(again) + blanks
    if raw.no_rows:
        con.raw_sql(
            f'CREATE OR REPLACE TEMP VIEW "{name}" AS SELECT rowid + 1 AS {ROW}, * '
            f'FROM "{name}_rows" WHERE NOT ({same}) AND NOT ({blank})'
        )
        raw.table = con.table(name)
