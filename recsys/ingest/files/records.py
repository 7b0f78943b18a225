"""Converts JSON and XML exports to lines: one record each, with its line in the export.

JSON may be one array, a sequence of objects, or a list inside an object (``{"events": [...]}``).
It is read in blocks, so memory does not grow with the file. Called by ``export_files`` and by
``training.init.exports``.
"""

import io
import json
import re
from array import array
from collections.abc import Callable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO

from recsys.errors import DataError
from recsys.ingest.files.cleaning import clean
from recsys.ingest.files.sniffing import is_utf8
from recsys.ingest.files.survey import open_bytes

_LISTS_TEXT = (
    "events items data rows records results result orders products value hits entries lines "
    "order_lines customers stock locations"
)
#: Keys under which an object may hold its list of records.
LISTS = tuple(_LISTS_TEXT.split())
_BLOCK = 1 << 22
#: Maximum length of a record; a longer one is damaged.
_LONGEST = 1 << 24
_BLANKS = re.compile(r"\s*")
_GAP = re.compile(r"[\s,\[\]]*")
_MORE = re.compile(r"\}[\s,]*\{")
_KEY = re.compile(r'\s*"([^"]+)"\s*:\s*')
#: Keeps numbers as text: an id of twenty digits, a price of 2.50.
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)


def is_one_a_line(start: str) -> bool:
    """Return whether a JSON text has one object per line, which the engine reads directly.

    Parameters
    ----------
    start : str
        The beginning of the text.
    """
    lines = (line.strip() for line in io.StringIO(start.lstrip("\ufeff"), newline=None))
    first, second = islice(chain((line for line in lines if line), ("", "")), 2)
    if not (first.startswith("{") and first.endswith("}")):
        return second.startswith("{") and second.endswith("}") and first != "["
    return bool(second) or _wrapper(first) is None


def json_records(path: Path, encoding: str, shown: str) -> Iterator[tuple[int, str, Any]]:
    """Read the records of a JSON file.

    Parameters
    ----------
    path : Path
    encoding : str
        Encoding of the file.
    shown : str
        The file's name, for messages.

    Yields
    ------
    line : int
        Where the record begins, from 1.
    text : str
        The record's own text, on one line.
    record
        The parsed record, numbers as text; None where it is damaged.

    Raises
    ------
    DataError
        When several objects each hold a list.
    """
    name = "utf-8-sig" if is_utf8(encoding) else encoding
    with io.TextIOWrapper(open_bytes(path), name, "replace", newline=None) as reader:
        yield from _records(reader, shown)


def _records(reader: TextIO, shown: str) -> Iterator[tuple[int, str, Any]]:
    text, at, line, has_more = reader.read(_BLOCK), 0, 1, True
    list_start = _wrapper(text)
    if list_start is not None:
        line, at = line + text.count("\n", 0, list_start), list_start
    while True:
        blank = _GAP.match(text, at)
        end = blank.end() if blank else at
        line += text.count("\n", at, end)
        if list_start is not None and "]" in text[at:end]:
            if _MORE.search(text, end):
                raise DataError(
                    f"{shown}: line {line}: another object follows the one with the "
                    "list of records. Write each record as an object of its own."
                )
            return
        at = end
        value = None
        try:
            if at < len(text):
                value, end = _DECODER.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError):
            pass
        if (end == at or end == len(text)) and has_more and len(text) - at < _LONGEST:
            block = reader.read(_BLOCK)
            text, at, has_more = text[at:] + block, 0, bool(block)
            continue
        if at == len(text):
            return
        if end == at:
            end = _next(text, at)
        record_text = text[at:end]
        breaks = record_text.count("\n")
        yield line, record_text.replace("\n", " ").strip() if breaks else record_text, value
        line, at = line + breaks, end


def write_lines(
    records: Iterator[tuple[int, str, Any]],
    copy: Path,
    as_line: Callable[[str, Any], str] = lambda text, _: text,
) -> "array[int]":
    """Write records to a file, one per line; return each record's line in the export."""
    began = array("q")
    with copy.open("w", encoding="utf-8", newline="") as writer:
        for line, text, record in records:
            writer.write(as_line(text, record) + "\n")
            began.append(line)
    return began


def flat_record(record: dict[str, Any]) -> dict[str, str]:
    """Turn a record into columns: ``{"a": {"b": 1}}`` becomes ``a.b``.

    A list of plain values becomes one comma-separated text; any other list stays JSON.

    Parameters
    ----------
    record : dict
        One record of an export, nested or flat.

    Returns
    -------
    dict of str to str
        By column: an empty text for null, ``true`` and ``false`` for booleans.
    """
    texts: dict[str, str] = {}
    for key, value in record.items():
        name = clean(str(key)).replace('"', "'")
        if isinstance(value, dict):
            texts |= {f"{name}.{inner}": text for inner, text in flat_record(value).items()}
        elif isinstance(value, list):
            if any(isinstance(entry, dict | list) for entry in value):
                texts[name] = json.dumps(value, ensure_ascii=False)
            else:
                texts[name] = ",".join(_text(entry) for entry in value)
        else:
            texts[name] = _text(value)
    return texts


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else clean(str(value))


def _wrapper(text: str) -> int | None:
    """Return where the list of records inside an object begins; None if there is none."""
    at = len(text) - len(text.lstrip())
    before: dict[str, Any] = {}
    while text[at : at + 1] == ("," if before else "{") and (match := _KEY.match(text, at + 1)):
        key, at = match[1].lower(), match.end()
        if key in LISTS and text[at : at + 1] == "[":
            begin = _BLANKS.match(text, at + 1)
            return begin.end() if begin and _holds_records(text, begin.end(), key, before) else None
        try:
            before[key], at = _DECODER.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError):
            return None
        at += len(text[at : at + 4096]) - len(text[at : at + 4096].lstrip())
    return None


def _holds_records(text: str, at: int, key: str, before: dict[str, Any]) -> bool:
    """Return whether a list inside an object is the export, not the lines of one record."""
    nested = any(isinstance(value, dict | list) for value in before.values())
    if nested and any(name == "id" or name.endswith("_id") for name in before):
        return False
    if key != "items":
        return True
    # An event has `items` too; the keys of the items distinguish the two.
    if {"event", "event_name"} & before.keys():
        return False
    try:
        first, _ = _DECODER.raw_decode(text, at)
    except (json.JSONDecodeError, RecursionError):
        return False
    return isinstance(first, dict) and bool({"event", "event_name"} & first.keys())


def _next(text: str, at: int) -> int:
    """Return where the record after a damaged one begins: at the next equal first key."""
    key = re.compile(r'\{\s*"[^"]*"\s*:').match(text, at)
    if key is None:
        match = re.compile(r"\n").search(text, at + 1)
        return match.start() if match else len(text)
    same = r"\s*".join(re.escape(part) for part in re.findall(r'\{|"[^"]*"|:', key[0]))
    match = re.compile(rf"(?:(?<=[,\[])|(?<=\n))\s*(?={same})").search(text, key.end())
    return match.end() if match else len(text)
