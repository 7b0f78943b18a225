"""Detects how a text export is written: encoding, separator and position of its header.

The beginning of a file comes in; out comes a ``Layout``, the same for whoever asks. Called by
``export_files`` when an export is ingested and by ``training.init.exports`` when it is looked at.

The header is the first line that is followed by rows as wide as itself and whose cells look like
names. What stands above it is a title: ``sep=;``, the name of a report, a line of dates.
"""

import codecs
import csv
import io
import re
import unicodedata
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from recsys.errors import DataError
from recsys.ingest.files.cleaning import clean

#: How much of a file is looked at to tell how it is written. Bytes.
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
#: A record of more lines is none: a quote was never closed.
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
csv.field_size_limit(1 << 30)  # a title of pages is no reason to stop


@dataclass(frozen=True)
class Layout:
    """How a delimited text is written.

    Attributes
    ----------
    delimiter : str
    header_line : int
        Line of the column names, from 1, as an editor counts.
    header_lines : int
        How many lines the header takes: more than one where a name has a line break.
    columns : tuple of str
        The names, cleaned and made unique.
    cells : tuple of str
        What stands in the header, cleaned.
    named : bool
        The header's cells look like names. Where they do not, the file may have none, and what
        stands there may be a person's.
    """

    delimiter: str
    header_line: int
    header_lines: int
    columns: tuple[str, ...]
    cells: tuple[str, ...]
    named: bool


def form_of(shown: str, start: bytes, text: str) -> Literal["parquet", "xml", "json", "table"]:
    """Tell what kind of file this is by what stands in it.

    Parameters
    ----------
    shown : str
        The file's name, for messages.
    start : bytes
        Its first bytes.
    text : str
        The same, decoded.

    Raises
    ------
    DataError
        When it is none that can be read; says what was found and what to do.
    """
    if not start:
        raise DataError(f"{shown}: the file is empty. Export it again.")
    if start.startswith(b"PAR1"):
        return "parquet"
    for sign, what, remedy in _KNOWN:
        if start.startswith(sign):
            raise DataError(f"{shown}: this is {what}, not a table of text. {remedy}.")
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
            f"{shown}: line {text.count(chr(10), 0, text.index(chr(0))) + 1} holds no text but "
            "zero bytes: this is a program's own format, or the file is damaged. "
            "Export it as CSV (UTF-8)."
        )
    return "table"


def encoding_of(start: bytes, stated: str = "utf-8") -> str:
    """Return the encoding that the file's first bytes tell, else the stated one."""
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
    """Tell whether a name means UTF-8, with or without a mark."""
    return re.sub(r"[-_]", "", encoding.lower()) in ("utf8", "utf8sig")


def decode_start(start: bytes, encoding: str) -> str:
    """Decode the first bytes of a file as far as they go; a mark is left out."""
    decoder = codecs.getincrementaldecoder("utf-8-sig" if is_utf8(encoding) else encoding)
    return decoder(errors="replace").decode(start)


def layout(
    shown: str,
    text: str,
    *,
    whole: bool,
    delimiter: str | None = None,
    header_line: int | None = None,
) -> Layout:
    """Find separator and header of a delimited text.

    Parameters
    ----------
    shown : str
        The file's name, for messages.
    text : str
        Its beginning.
    whole : bool
        The text is all of the file; else its last record may be cut.
    delimiter, header_line
        Where they are known already.

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
        at, named = (0, True) if header_line is not None else _header(records)
        line, span, cells = records[at]
        after = [len(record) for *_, record in records[at + 1 : at + 1 + _FOLLOWING]]
        same = sum(width == len(cells) for width in after) / len(after) if after else 1.0
        even = len(cells) > 1 and same >= 0.5 and (at == 0 or bool(after))
        perfect = even and at == 0 and same == 1.0 and bool(after)
        score = (perfect, even, len(cells) if even else len(records[0][2]), same)
        if best is None or score > best[0]:
            names = tuple(map(clean, cells))
            best = score, Layout(sign, line, span, unique_names(cells), names, named)
    if best is None:
        where = f"line {header_line}" if header_line else "the file"
        raise DataError(f"{shown}: {where} holds no column names. Export it with a header.")
    return best[1]


def require_names(shown: str, found: Layout) -> None:
    """Refuse a file without a header; its first line is somebody's data and is not shown.

    Raises
    ------
    DataError
        When the cells of the header do not look like names.
    """
    if not found.named:
        raise DataError(
            f"{shown}: line {found.header_line} holds no column names but values, and no line "
            "below it looks like a header. Export it with a header, or say with `header_line` on "
            "which line the names stand."
        )


def unique_names(cells: list[str]) -> tuple[str, ...]:
    """Return column names, cleaned; one without a name is called by its position."""
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
    """Split the first records that are not blank: line of each, how many it takes, cells."""
    stream = io.StringIO(text, newline="")
    for _ in range(skip):
        stream.readline()
    found, line = [], skip + 1
    for span, cells in split_records(stream, delimiter):
        if any(clean(cell) for cell in cells):
            found.append((line, span, cells))
        if len(found) == _RECORDS:
            return found
        line += span
    return found if whole or len(found) < 2 else found[:-1]


def split_records(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Split a delimited text into records; a quote that is never closed costs its own line.

    Parameters
    ----------
    lines : iterable of str
        With their ends.
    delimiter : str

    Yields
    ------
    span : int
        How many lines the record takes.
    cells : list of str
    """
    ahead: deque[str] = deque()
    taken: list[str] = []
    more = iter(lines)
    wide = 0

    def following() -> Iterator[str]:
        while len(taken) < _MOST_LINES and (line := ahead.popleft() if ahead else next(more, "")):
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
        return 0, True  # rows of another width: nothing says that the line above is a title
    if _filled(cells[first]) >= len(cells[first]) - 1:
        return first, True
    for next_rows in likely[1:]:
        # A fuller line of nothing but names with values below it: what stood above was a title.
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
    """Tell whether a cell is a number, a date or a time, and so no name."""
    bare = _TIME_LETTERS.sub("", cell)
    return any(map(str.isdigit, cell)) and not _LETTER.search(bare)


def _is_binary(text: str) -> bool:
    """Tell whether a text has many signs of no text; a few zero bytes are a till's padding."""
    start = text[:4096]
    odd = sum(unicodedata.category(sign) == "Cc" and sign not in "\t\r\n\v\f\x1a" for sign in start)
    return "\0" in start and odd * 10 > len(start)
