"""An export in any format reads back the cells that were written."""

import csv
import gzip
import io
import json
import random
import re
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.errors import DataError
from recsys.ingest.files.cleaning import clean
from recsys.ingest.files.export_files import (
    LINE,
    SourceFile,
    explain,
)
from tests.recsys.ingest.files.opening import CON, HEADER, Open, cells, lines

_CELL = st.text(st.sampled_from(list("aZ9é ,;\t|\"'\n\xa0\u200f.-")), max_size=6).map(
    lambda text: text.replace("\r", "")
)


@given(
    rows=st.lists(st.lists(_CELL, min_size=4, max_size=4), min_size=1, max_size=8),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1256"]),
    ends=st.just(["\r"]) | st.lists(st.sampled_from(["\n", "\r\n"]), min_size=1, max_size=5),
    title=st.sampled_from(["", "sep=", "A report\n\n", "\n"]),
    last=st.booleans(),
    again=st.booleans(),
    seed=st.integers(0, 99),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_way_of_writing_reads_back_with_its_lines(
    opened: Open,
    rows: list[list[str]],
    delimiter: str,
    encoding: str,
    ends: list[str],
    title: str,
    last: bool,
    again: bool,
    seed: int,
) -> None:
    rows = [[str(n), *row[1:3], "x" + row[3]] for n, row in enumerate(rows)]
    if title == "sep=":
        title = f"sep={delimiter}\n"
    text, expected = title, []
    written = [HEADER, *rows[:2], *([HEADER] if again else []), *rows[2:]]
    for number, row in enumerate(written):
        out = io.StringIO()
        quoting = (
            csv.QUOTE_ALL if random.Random(seed + number).random() < 0.3 else csv.QUOTE_MINIMAL
        )
        csv.writer(out, delimiter=delimiter, lineterminator="\n", quoting=quoting).writerow(row)
        if row is not HEADER:
            expected.append(text.count("\n") + 1)
        text += out.getvalue()
    pieces = text.split("\n")
    if not last and pieces[-1] == "":
        pieces.pop()
    text = "".join(
        piece + (ends[n % len(ends)] if n < len(pieces) - 1 else "")
        for n, piece in enumerate(pieces)
    )
    raw, found = opened(
        text.encode(encoding), encoding=encoding if encoding == "cp1256" else "utf-8"
    )
    assert raw.columns == HEADER
    assert cells(found) == [[clean(cell) for cell in row] for row in rows]
    assert lines(raw, found) == expected
    assert raw.broken(CON) == []
    assert raw.notes.get("repeated_header", 0) == again


@pytest.mark.parametrize("ends", [("\r\n", "\n"), ("\n", "\r\n"), ("\n", "\r"), ("\r", "\r")])
def test_line_ends_of_two_kinds(opened: Open, ends: tuple[str, str]) -> None:
    a, b = ends
    text = f'id,name{a}1,"two{b}lines"{a}2,tea{b}3,jam{a}bad{b}4,"x{a}{a}y"{b}'
    raw, rows = opened(text)
    assert cells(rows) == [["1", "two\nlines"], ["2", "tea"], ["3", "jam"], ["4", "x\n\ny"]]
    assert lines(raw, rows) == [2, 4, 5, 7]
    assert [b["line"] for b in raw.broken(CON)] == [6]


def test_two_exports_put_together(opened: Open) -> None:
    one, two = 'order,"sku"\n1,tea\n', 'order,"sku"\n2,jam\n'
    for joined in (
        one.encode() + two.encode(),
        b"\xef\xbb\xbf" + one.encode() + b"\xef\xbb\xbf" + two.encode(),
        b'"order","sku"\r\n1,tea\r\n\xef\xbb\xbf"order","sku"\n2,jam\n',
    ):
        raw, rows = opened(joined)
        assert rows == [(1, "1", "tea"), (3, "2", "jam")]
        assert lines(raw, rows) == [2, 4]
        assert raw.notes == {"repeated_header": 1}
    with pytest.raises(DataError, match=r"x\.csv: line 3 is another header"):
        opened(one + "sku,order\njam,2\n")


def test_a_quote_that_is_never_closed_costs_its_own_line(opened: Open) -> None:
    good = "".join(f"{n},tea,1.5,x\n" for n in range(3, 5000))
    for tail in (good, good + '5000,"quoted, later",1,x\n', good + '5000,plain 12",1,x\n'):
        raw, rows = opened(f'id,name,price,note\n1,tea,1,x\n2,"open,1,x\n{tail}', "q.csv")
        assert len(rows) == len(tail.splitlines()) + 1
        assert [(b["line"], b["reason"]) for b in raw.broken(CON)] == [(3, "unquoted_value")]
        assert lines(raw, rows[:2]) == [2, 4]


def test_a_file_of_such_quotes_is_read_but_for_them(opened: Open) -> None:
    bad = [n for n in range(400) if n % 8 == 3]
    text = "id,name,price,note\n" + "".join(
        f'{n},"open,1,x\n' if n in bad else f"{n},tea,1,x\n" for n in range(400)
    )
    raw, rows = opened(text)
    assert [b["line"] for b in raw.broken(CON)] == [n + 2 for n in bad]
    assert [int(values[0]) for _, *values in rows] == [n for n in range(400) if n not in bad]
    assert lines(raw, rows) == [n + 2 for n in range(400) if n not in bad]


def test_long_values_with_line_breaks_and_commas_are_no_open_quotes(opened: Open) -> None:
    text = 'id,name,price,note\nA1,"Street 5, 1st floor, Berlin, Germany\nPhone, 1, 2, 3\n",1,x\n'
    raw, rows = opened(text)
    assert len(rows) == 1
    assert raw.broken(CON) == []


@pytest.mark.parametrize("packed", [False, True])
def test_invisible_signs_blanks_and_zero_bytes(opened: Open, packed: bool) -> None:
    text = (
        "\ufeffid;name;price;note\nA1 ;\xa0tea\u200f;1\xa0234,50;'007\n"
        'A\0 2;jam;;"it\'s"\n"";\'t;1;\tx\n'
    )
    content = gzip.compress(text.encode()) if packed else text.encode()
    _, rows = opened(content, "x.csv.gz" if packed else "x.csv")
    assert rows == [
        (1, "A1", "tea", "1 234,50", "007"),
        (2, "A 2", "jam", None, "it's"),
        (3, None, "'t", "1", "x"),
    ]


def test_an_encoding_that_is_not_the_files_says_the_line(opened: Open) -> None:
    with pytest.raises(DataError, match=r"not cp932 on line 3\. Correct `encoding`"):
        opened("id,name\n1,a\n2,ü\xff\n".encode("latin-1"), encoding="cp932")
    with pytest.raises(DataError, match="unknown encoding `utf-9`"):
        opened("id,name\n1,a\n", encoding="utf-9")


EVENTS = [{"event_name": "view_item", "n": 1.50, "items": [{"item_id": "[}\n{"}]} for _ in range(3)]


@pytest.mark.parametrize(
    ("text", "began"),
    [
        ("".join(json.dumps(e) + "\n" for e in EVENTS), [1, 2, 3]),
        (json.dumps(EVENTS), [1, 1, 1]),
        ("[" + ",\r\n".join(map(json.dumps, EVENTS)) + "]\r\n", [1, 2, 3]),
        (json.dumps(EVENTS, indent=2), [2, 11, 20]),
        (json.dumps({"count": 3, "events": EVENTS, "next": None}, indent=1), [4, 13, 22]),
        (json.dumps({"items": EVENTS}), [1, 1, 1]),
        (json.dumps({"meta": {"pages": [1, 2]}, "data": EVENTS}), [1, 1, 1]),
        ("\n".join(json.dumps(e, indent=2) for e in EVENTS), [1, 10, 19]),
        (json.dumps(EVENTS[:1]) + "\n" + json.dumps(EVENTS[1:]), [1, 2, 2]),
        ("\n".join(json.dumps(e) + "," for e in EVENTS), [1, 2, 3]),
    ],
)
def test_events_in_json_however_they_are_put(opened: Open, text: str, began: list[int]) -> None:
    raw, rows = opened(text, "x.json", "ga4_events")
    assert [json.loads(line) for _, line in rows] == EVENTS
    assert lines(raw, rows) == began


@pytest.mark.parametrize("damage", ['{"event_name": "x", "items": [{"a": 1}, {"b" 2}]}', "{cut"])
def test_a_damaged_object_is_one_record_and_the_others_are_read(opened: Open, damage: str) -> None:
    good = json.dumps(EVENTS[0])
    raw, rows = opened(f"[\n{good},\n{damage},\n{good}\n]", "x.json", "ga4_events")
    read = [line for _, line in rows if line == good]
    assert (len(read), len(rows), lines(raw, rows)) == (2, 3, [2, 3, 4])
    raw, rows = opened(f"[{good},\n{good[:30]}", "x.json", "ga4_events")
    assert (len(rows), lines(raw, rows)) == (2, [1, 2])


def test_lists_inside_of_several_objects_are_refused(opened: Open) -> None:
    one = json.dumps({"order_id": 1, "lines": [{"sku": "a"}]}, indent=1)
    with pytest.raises(DataError, match=r"x\.json: line \d+: another object follows"):
        opened(one + "\n" + one, "x.json")


def test_rows_in_json(opened: Open) -> None:
    rows = [
        {"id": "007", "price": 12345678901234567890, "paid": True, "ship": {"city": " Berlin\xa0"}},
        {"id": 8, "price": None, "tags": ["a", "b"], "more": [{"x": 1}]},
    ]
    raw, found = opened(json.dumps(rows, indent=1).replace('"id": 8', '"id": 8.50'), "x.json")
    assert raw.columns == ["id", "price", "paid", "ship.city", "tags", "more"]
    assert cells(found) == [
        ["007", "12345678901234567890", "true", "Berlin", "", ""],
        ["8.50", "", "", "", "a,b", '[{"x": "1"}]'],
    ]
    raw, found = opened('{"id": 1}\nnot json\n{"id": 2}\n', "y.jsonl")
    assert cells(found) == [["1"], ["2"]]
    assert [(b["line"], b["reason"]) for b in raw.broken(CON)] == [(2, "not_json")]
    assert lines(raw, found) == [1, 3]


def test_events_in_a_table(opened: Open) -> None:
    header = (
        "Event name,event_timestamp,event_date,user_pseudo_id,event_params.ga_session_id,"
        "items[0].item_id,items.price,ecommerce.transaction_id,phone\n"
    )
    text = (
        header + "purchase,1714550401000000,20240501,d.1,11,TR-9,9.90,T1,+49\n"
        "view_item,,20240501,d.1,,,,,\nlogin,2024-05-01 10:00:00 UTC,,d.2,,,,,\n"
    )
    raw, rows = opened(text, "e.csv", "ga4_events")
    assert raw.columns == [LINE]
    first, second, third = (json.loads(line) for _, line in rows)
    assert first["items"] == [{"item_id": "TR-9", "price": "9.90"}]
    assert first["event_timestamp"] == "1714550401000000"
    assert first["ecommerce"] == {"transaction_id": "T1"}
    assert first["event_params"][0]["key"] == "ga_session_id"
    assert first["event_params"][0]["value"]["string_value"] == "11"
    assert (first["event_name"], first["phone"], first["occurred_at"]) == ("purchase", "+49", None)
    assert (second["occurred_at"], second["items"]) == ("2024-05-01", None)
    assert third["occurred_at"] == "2024-05-01 10:00:00 UTC"


def test_items_as_json_text_in_a_table(opened: Open) -> None:
    items = json.dumps([{"item_id": "A", "price": 2.5}])
    out = io.StringIO()
    csv.writer(out).writerows(
        [
            ["event_name", "event_timestamp", "items"],
            ["purchase", "1714550401000000", items],
            ["purchase", "1714550401000000", "[{'item_id': 'A'}]"],
            ["view_item", "1", ""],
        ]
    )
    raw, rows = opened(out.getvalue(), "e.csv", "ga4_events")
    assert json.loads(rows[0][1])["items"] == [{"item_id": "A", "price": 2.5}]
    assert rows[1][1] == "[{'item_id': 'A'}]"  # invalid JSON: rejected, not an empty purchase
    assert json.loads(rows[2][1])["items"] is None
    assert lines(raw, rows) == [2, 3, 4]


def test_an_engines_error_names_the_file_and_shows_no_value() -> None:
    file = SourceFile(Path("x.csv"), "x.csv", "0" * 64)
    error = explain(duckdb.InvalidInputException("CSV Error on Line: 7\nmore"), file)
    assert re.search(r"x\.csv: cannot be read from line 7 on: .*correct it", str(error))
    error = explain(duckdb.ConversionException("Could not convert 'ann@shop.test' to INT"), file)
    assert "ann@" not in str(error)
    file = SourceFile(Path("x.parquet"), "x.parquet", "0" * 64)
    assert "damaged: copy or export it again" in str(explain(duckdb.IOException("bad page"), file))
