"""What people read of a check, a parser or the file system is said in their words."""

import errno
import itertools
import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import msgspec
import pytest

from recsys.config.errors import explain_error, nearest_name
from recsys.config.toml_file import Column, Config, PlacementSettings, Source
from recsys.messages import counted, failure, isolated, unreadable

#: Words of the parser, which nobody who did not write it knows.
PARSER = re.compile(
    r"`(int|str|float|bool|array|object|null|datetime)\b|xpected `|enum|regex|JSON is"
)
VALUES: tuple[Any, ...] = (
    "x",
    "",
    1,
    -1,
    1e30,
    10**30,
    2.5,
    True,
    None,
    [],
    ["x"],
    [1],
    [None],
    [[]],
    [{}],
    {},
    {"x": 1},
    {"x": []},
    {"x": {}},
    date(2024, 1, 1),
    datetime(2024, 1, 1),
)


def fields(kind: type[msgspec.Struct]) -> Iterator[Any]:
    for field in msgspec.structs.fields(kind):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from fields(field.type)
        yield field.type


def test_no_wrong_setting_is_told_in_the_parsers_words() -> None:
    kinds = [*fields(Config), *fields(Source), *fields(PlacementSettings), *fields(Column)]
    told = 0
    for kind, value in itertools.product(kinds, VALUES):
        if found := explain_error(value, kind, "setting"):
            told += 1
            said = found[1].removesuffix(f"not {value!r}.")
            assert not PARSER.search(said), (kind, value, said)
    assert told > 1000


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "it is empty"),
        (b'{"a": 1', "it ends too early"),
        (b'{"a": 1,}', "trailing comma in object at byte 8"),
        (b'{"a": "x"}', "`a` must be a whole number, not text"),
        (b"[]", "it must be an object, not a list"),
        (b"{}", "it lacks `a`"),
        (b'{"a": 1, "b": [1, "x"]}', "`b[1]` must be a number, not text"),
    ],
)
def test_a_document_that_cannot_be_read(body: bytes, told: str) -> None:
    kind = msgspec.defstruct("Kind", [("a", int), ("b", list[float], [])])
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)) as error:
        msgspec.json.decode(body, type=kind)
    assert unreadable(error.value, body) == told


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a.npy"), "a.npy: the disk is full. "),
        (OSError(errno.EROFS, "Read-only file system"), "the disk can only be read. "),
        (PermissionError(errno.EACCES, "Permission denied", "x"), "x: permission denied. "),
        (OSError(errno.EIO, "Input/output error", "x"), "x: input/output error."),
        (OSError("cut off"), "cut off."),
    ],
)
def test_a_failure_of_the_system(error: OSError, told: str) -> None:
    assert failure(error).startswith(told)


def test_one_is_not_many() -> None:
    assert [counted(n, "version") for n in (0, 1, 1200)] == [
        "0 versions",
        "1 version",
        "1,200 versions",
    ]
    assert counted(1, "entry", "entries") == "1 entry"


def test_a_name_of_another_direction_keeps_to_itself() -> None:
    assert isolated("Milk, 1 l") == "Milk, 1 l"
    assert isolated("حليب 1 لتر") == "\u2068حليب 1 لتر\u2069"
    # What a name holds of such characters must not end the part that it stands in.
    assert isolated("\u202eחלב\u2069") == "\u2068חלב\u2069"


@pytest.mark.parametrize(
    ("name", "known", "near"),
    [
        ("GROCERY", ("Bakery", "Grocery"), "Grocery"),
        ("emial", ("email", "phone"), "email"),
        (
            "dairy",
            ("Bread", "Miscellaneous dairy", "Dairy, cheese and much more of it"),
            "Miscellaneous dairy",
        ),
        ("xq", ("Bread", "Milk"), None),
        ("", ("Bread",), None),
    ],
)
def test_the_nearest_name(name: str, known: tuple[str, ...], near: str | None) -> None:
    assert nearest_name(name, known) == (f" Did you mean `{near}`?" if near else "")
