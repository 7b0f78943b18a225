"""Detects how a text export is written: encoding, separator and position of its header.

In: the beginning of a file. Out: a ``Layout``. Called by ``export_files`` during an ingest and by
``training.init.exports`` during ``omnibasket init``.

The header is the first line whose cells look like names and that is followed by rows of equal
width. The lines above it are titles: ``sep=;``, the name of a report, a line of dates.
"""

import codecs
import csv
import io
import re
import unicodedata
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from recsys.errors import DataError
from recsys.ingest.files.cleaning import clean

#: How much of a file is examined to detect its layout. Bytes.
SAMPLE = 1 << 20
DELIMITERS = ",;\t|"
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_RECORDS = 60
#: Maximum lines of a record; beyond that, a quote was never closed.
_MOST_LINES = 1_000
_FOLLOWING = 20
_SEP = re.compile(r'\ufeff?"?sep=(.)"?[\s,;|"]*$', re.IGNORECASE)
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_LETTER = re.compile(r"[^\W\d_]")
_TIME_LETTERS = re.compile(r"(?<=\d)[TZ]|[ap]m$", re.IGNORECASE)
_KNOWN = (
    (
        b"PK\x03\x04",
        "a spreadsheet (.xlsx, .ods) or another zip archive",
        "Save the sheet as CSV (UTF-8)",
    ),
    (b"\xd0\xcf\x11\xe0", "an old Excel sheet (.xls)", "Save the sheet as CSV (UTF-8)"),
    (b"%PDF", "a PDF", "Export the rows as CSV"),
    (b"SQLite format 3", "an SQLite database", 'Read it with `kind = "database"`'),
    (b"\x1f\x8b", "gzipped", "Give its name the ending .gz, or unpack it"),
    (b"7z\xbc\xaf", "a 7z archive", "Unpack it"),
    (b"Rar!", "a RAR archive", "Unpack it"),
    (b"BZh", "bzipped", "Unpack it"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd", "Unpack it"),
    (b"\x89PNG", "a picture", "Export the rows as CSV"),
    (b"\xff\xd8\xff", "a picture", "Export the rows as CSV"),
)
csv.field_size_limit(1 << 30)  # HTML may be part of a title


@dataclass(frozen=True)
class Layout:
    """The layout of a delimited text.

    Attributes
    ----------
    delimiter : str
    header_line : int
        Line of the column names, from 1, as an editor counts.
    header_lines : int
        How many lines the header spans: several if a name contains a line break.
    columns : tuple of str
        The names, cleaned and made unique.
    cells : tuple of str
        The header's cells, cleaned.
    has_header : bool
        The header's cells look like names. If not, the file may have no header, and the cells may
        be personal data.
    """

    delimiter: str
    header_line: int
    header_lines: int
    columns: tuple[str, ...]
    cells: tuple[str, ...]
    has_header: bool


def form_of(shown: str, start: bytes, text: str) -> Literal["parquet", "xml", "json", "table"]:
    """Detect the format of a file from its content.

    Parameters
    ----------
    shown : str
        The file's name, for messages.
    start : bytes
        Its first bytes.
    text : str
        The same bytes, decoded.

    Raises
    ------
    DataError
        When the format is not supported; the message names it and the remedy.
    """
    if not start:
        raise DataError(f"{shown}: the file is empty. Export it again.")
    if start.startswith(b"PAR1"):
        return "parquet"
    for sign, kind, remedy in _KNOWN:
        if start.startswith(sign):
            raise DataError(f"{shown}: this is {kind}, not a table of text. {remedy}.")
    bare = text.lstrip(" \t\r\n\ufeff\xa0")
    if re.match(r"<(!doctype\s+html|html|head|body|table)\b", bare, re.IGNORECASE):
        raise DataError(
            f"{shown}: this is a web page, not a table of text: perhaps a page that asks to log in "
            "was saved in its place. Download the export again, or save the sheet as CSV."
        )
    if re.match(r"<(\?xml|!--|!doctype|[A-Za-z_][\w.:-]*[\s>/])", bare, re.IGNORECASE):
        return "xml"
    if re.match(r'\[\s*([{\]]|$)|\{\s*(["}]|$)', bare):
        return "json"
    if _is_binary(text):
        raise DataError(
            f"{shown}: line {text.count(chr(10), 0, text.index(chr(0))) + 1} contains "
            "zero bytes instead of text: this is a binary format, or the file is damaged. "
            "Export it as CSV (UTF-8)."
        )
    return "table"


def encoding_of(start: bytes, stated: str = "utf-8") -> str:
    """Return the encoding of the byte order mark, else the stated one."""
    for mark, name in BYTE_ORDER_MARKS:
        if start.startswith(mark):
            return name
    pairs = len(start[:2000]) // 2
    if pairs > 4 and stated.lower().replace("-", "").replace("_", "").startswith("utf8"):
        even, odd = start[: 2 * pairs : 2][:pairs], start[1 : 2 * pairs : 2][:pairs]
        if odd.count(0) * 10 > pairs * 7 and even.count(0) == 0:
            return "utf-16-le"
        if even.count(0) * 10 > pairs * 7 and odd.count(0) == 0:
            return "utf-16-be"
    return stated


def is_utf8(encoding: str) -> bool:
    """Return whether an encoding is UTF-8, with or without a byte order mark."""
    return re.sub(r"[-_]", "", encoding.lower()) in ("utf8", "utf8sig")


def decode_start(start: bytes, encoding: str) -> str:
    """Decode the first bytes of a file, without the byte order mark."""
    decoder = codecs.getincrementaldecoder("utf-8-sig" if is_utf8(encoding) else encoding)
    return decoder(errors="replace").decode(start)


def layout(
    shown: str,
    text: str,
    *,
    whole: bool,
    delimiter: str | None = None,
    header_line: int | None = None,
    mapped: Collection[str] = (),
) -> Layout:
    """Find the separator and the header of a delimited text.

    Parameters
    ----------
    shown : str
        The file's name, for messages.
    text : str
        Its beginning.
    whole : bool
        The text is the whole file; otherwise its last record may be truncated.
    delimiter, header_line
        If already known.
    mapped : collection of str
        Columns that the settings name. A line that holds all of several is the header, whatever
        the lines below it look like.

    Raises
    ------
    DataError
        When there are no column names.
    """
    first = next(iter(io.StringIO(text[:200], newline="")), "")
    stated, skip = _SEP.match(first.rstrip("\r\n")), 0
    if header_line is not None:
        skip = header_line - 1
    elif stated:
        skip = 1
    if stated and delimiter is None:
        delimiter = stated[1]
    best: tuple[tuple[bool, bool, int, float], Layout] | None = None
    for sign in delimiter or DELIMITERS:
        records = _records(text, sign, skip, whole=whole)
        if not records:
            continue
        named = _named(records, mapped) if header_line is None and len(mapped) > 1 else None
        if named is not None:
            line, span, cells = named
            return Layout(sign, line, span, unique_names(cells), tuple(map(clean, cells)), True)
        at, has_header = (0, True) if header_line is not None else _header(records)
        line, span, cells = records[at]
        after = [len(record) for *_, record in records[at + 1 : at + 1 + _FOLLOWING]]
        same = sum(width == len(cells) for width in after) / len(after) if after else 1.0
        even = len(cells) > 1 and same >= 0.5 and (at == 0 or bool(after))
        perfect = even and at == 0 and same == 1.0 and bool(after)
        score = (perfect, even, len(cells) if even else len(records[0][2]), same)
        if best is None or score > best[0]:
            names = tuple(map(clean, cells))
            best = score, Layout(sign, line, span, unique_names(cells), names, has_header)
    if best is None:
        where = f"line {header_line}" if header_line else "the file"
        raise DataError(f"{shown}: {where} has no column names. Export it with a header.")
    return best[1]


def require_names(shown: str, detected: Layout) -> None:
    """Refuse a file without a header; the message does not show its data.

    Raises
    ------
    DataError
        When the cells of the header do not look like names.
    """
    if not detected.has_header:
        raise DataError(
            f"{shown}: line {detected.header_line} has values instead of column names, and no line "
            "below it looks like a header. Export it with a header, or set `header_line` to the "
            "line of the column names."
        )


def unique_names(cells: list[str]) -> tuple[str, ...]:
    """Return cleaned, unique column names; a column without a name is named by its position."""
    columns: list[str] = []
    taken: set[str] = set()
    for position, cell in enumerate(cells, 1):
        column = clean(cell) or f"column_{position}"
        while column.lower() in taken:
            column += "_2"
        taken.add(column.lower())
        columns.append(column)
    return tuple(columns)


def _records(
    text: str, delimiter: str, skip: int, *, whole: bool
) -> list[tuple[int, int, list[str]]]:
    """Split the first non-blank records; return line, number of lines and cells of each."""
    stream = io.StringIO(text, newline="")
    for _ in range(skip):
        stream.readline()
    records, line = [], skip + 1
    for span, cells in split_records(stream, delimiter):
        if any(clean(cell) for cell in cells):
            records.append((line, span, cells))
        if len(records) == _RECORDS:
            return records
        line += span
    return records if whole or len(records) < 2 else records[:-1]


def split_records(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Split a delimited text into records; an unclosed quote costs only its own line.

    Parameters
    ----------
    lines : iterable of str
        With their line ends.
    delimiter : str

    Yields
    ------
    span : int
        How many lines the record spans.
    cells : list of str
    """
    ahead: deque[str] = deque()
    taken: list[str] = []
    rest = iter(lines)
    wide = 0

    def following() -> Iterator[str]:
        while len(taken) < _MOST_LINES and (line := ahead.popleft() if ahead else next(rest, "")):
            taken.append(line)
            yield line

    reader = csv.reader(following(), delimiter=delimiter)
    while True:
        cells = next(reader, None)
        if cells is None:
            return
        wide = max(wide, len(cells) - 1)
        swallowed = len(taken) == _MOST_LINES or any(
            line.count(delimiter) >= max(wide, 2) and not line.count('"') % 2 for line in taken[1:]
        )
        if swallowed:
            ahead.extendleft(reversed(taken[1:]))
            plain = csv.reader(taken[:1], delimiter=delimiter, quoting=csv.QUOTE_NONE)
            taken, cells = taken[:1], next(plain)
            yield 1, cells
        else:
            yield len(taken), cells
        taken.clear()
        reader = csv.reader(following(), delimiter=delimiter)


def _named(
    records: list[tuple[int, int, list[str]]], mapped: Collection[str]
) -> tuple[int, int, list[str]] | None:
    """Return the first record that holds every mapped column."""
    for record in records:
        if len(record[2]) >= len(mapped) and set(mapped) <= set(unique_names(record[2])):
            return record
    return None


def _header(records: list[tuple[int, int, list[str]]]) -> tuple[int, bool]:
    """Return which record is the header, and whether it looks like one."""
    cells = [[clean(cell) for cell in record] for *_, record in records]
    likely = [n for n in range(len(cells)) if _may_be_header(cells, n)]
    if not likely:
        names = [cell for cell in cells[0] if cell]
        return 0, not any(map(_EMAIL.search, names)) and 2 * sum(map(_is_value, names)) < len(names)
    first = likely[0]
    above = any(_filled(row) > 1 for row in cells[:first])
    if above and not _values_below(cells, first):
        return 0, True  # rows of another width: the line above need not be a title
    if _filled(cells[first]) >= len(cells[first]) - 1:
        return first, True
    for next_rows in likely[1:]:
        # A wider line of names with values below it: the lines above were titles.
        if (
            _filled(cells[next_rows]) > _filled(cells[first])
            and not any(map(_is_value, cells[next_rows]))
            and _values_below(cells, next_rows)
        ):
            return next_rows, True
    return first, True


def _may_be_header(cells: list[list[str]], at: int) -> bool:
    after = [len(row) for row in cells[at + 1 : at + 1 + _FOLLOWING]]
    wide = [width for width in after if width > 1] or after
    width = Counter(wide).most_common(1)[0][0] if wide else len(cells[at])
    names = [cell for cell in cells[at] if cell]
    if len(cells[at]) < max(width - 1, min(width, 2)) or len(names) < min(len(cells[at]), 2):
        return False
    if 2 * len(names) < min(width, len(cells[at])):
        return False
    return not any(map(_EMAIL.search, names)) and 2 * sum(map(_is_value, names)) < len(names)


def _values_below(cells: list[list[str]], at: int) -> bool:
    return any(_is_value(cell) for row in cells[at + 1 : at + 4] for cell in row)


def _filled(cells: list[str]) -> int:
    return sum(map(bool, cells))


def _is_value(cell: str) -> bool:
    """Return whether a cell is a number, a date or a time, hence not a name."""
    bare = _TIME_LETTERS.sub("", cell)
    return any(map(str.isdigit, cell)) and not _LETTER.search(bare)


def _is_binary(text: str) -> bool:
    """Return whether a text has many control characters; tills pad with a few zero bytes."""
    start = text[:4096]
    odd = sum(unicodedata.category(sign) == "Cc" and sign not in "\t\r\n\v\f\x1a" for sign in start)
    return "\0" in start and odd * 10 > len(start)
