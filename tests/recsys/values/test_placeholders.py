"""Texts that stand where an id should be, as exports and shops' pages have them."""

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibis.backends.duckdb import Backend

from recsys.config.toml_file import Column, Config, Source
from recsys.ingest.columns.fields import Fields
from recsys.ingest.columns.missing_ids import reject_no_id
from recsys.query_engine import connect, keep
from recsys.values.placeholders import (
    IdKind,
    is_no_id,
    no_id_expression,
    part_is_no_id_expression,
)

NOTHING = [
    "5.01235E+12",
    "4.47701e+11",
    "5,01235E+12",
    "-5.01235E+12",
    "1E+05",
    "2.1E+012",
    "5.01235E12",
    "1.2e-7",
    "٥٫٠١E+١٢",
    "(not set)",
    "not set",
    "(Not Set)",
    "NOT_SET",
    "notset",
    "not-set",
    "undefined",
    "UNDEFINED",
    "null",
    "(null)",
    "<null>",
    "[NULL]",
    "'null'",
    '"null"',
    "nil",
    "none",
    "None",
    "(none)",
    "nan",
    "NaN",
    "-nan",
    "n/a",
    "N/A",
    "n.a.",
    "#N/A",
    "#NA",
    "#NV",
    "#REF!",
    "#VALUE!",
    "#NAME?",
    "#DIV/0!",
    "#NULL!",
    "#NUM!",
    "#WERT!",
    "#BEZUG!",
    "#¡VALOR!",
    "#¿NOMBRE?",
    "Err:502",
    "[object Object]",
    "[object Undefined]",
    "object Object",
    "-",
    "--",
    "?",
    "???",
    ".",
    "_",
    "########",
    "\u2013",
    "\u2026",
    "",
    " ",
    "\u00a0",
    "\u200b",
    "\t",
    "\u3000",
    "<NA>",
    "(empty)",
    "[blank]",
    "\\N",
    "{{order_id}}",
    "{{ product.sku }}",
    "${sku}",
    "<%= id %>",
    "*|SKU|*",
    "%%id%%",
    "null/null",
    "undefined-undefined",
    "(not set) / (not set)",
    "unknown",
    "unbekannt",
    " undefined ",
    "False",
]
ITEMS = [
    "0",
    "NA",
    "na",
    "TEST",
    "X",
    "00123",
    "-1",
    "A",
    "P010",
    "SKU-1",
    "50%OFF",
    "C#7",
    "AB/12",
    "A B",
    "Ünï-1",
    "dot..dot",
    "q?x=1",
    "a+b",
    "x;y",
    "2E10",
    "2E-10",
    "1E5",
    "12E3",
    "5E12",
    "E+12",
    "5012350000019",
    "5.01235",
    "NULL-1",
    "nonesuch",
    "unknown soldier",
    "nanotube",
    "nilgiri",
    "#1001",
    "empty",
    "blank",
    "other",
    "T-6",
    "(A)",
    "🍵",
    "قهوة",
    "お茶",
    "ნ",
    "1,5",
]


@pytest.fixture(scope="module")
def con() -> Backend:
    return connect(memory_mb=256, threads=1)


@pytest.mark.parametrize("text", NOTHING)
def test_is_no_id_of_anything(text: str) -> None:
    assert is_no_id(text)
    assert is_no_id(text, "order")
    assert is_no_id(text, "account")


@pytest.mark.parametrize("text", ITEMS)
def test_may_well_be_a_product(text: str) -> None:
    assert not is_no_id(text)


@pytest.mark.parametrize("text", ["0", "000", "0.0", "0,00", "-1", " 0 ", "-1.0", "+0", "0-0"])
@pytest.mark.parametrize("kind", ["order", "account"])
def test_number_nothing(text: str, kind: IdKind) -> None:
    assert is_no_id(text, kind)


@pytest.mark.parametrize("text", ["1", "10", "-10", "#1001", "0001", "T-0", "0A", "NA", "-2"])
def test_may_well_be_an_order(text: str) -> None:
    assert not is_no_id(text, "order")


TEXTS = (
    st.sampled_from(NOTHING + ITEMS)
    | st.text("0123456789eE+-.,()[]<>{}#!?/ \u00a0\u200b\u2026nNaAuUlLiIıİſKoO\"'\\", max_size=12)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
    | st.builds("{}{}{}".format, *[st.sampled_from([*NOTHING, *ITEMS, "/", "\n"])] * 3)
)


@settings(max_examples=150)
@given(values=st.lists(TEXTS, min_size=1, max_size=30), kind=st.sampled_from(IdKind.__args__))
def test_a_column_is_judged_as_each_text_is(con: Backend, values: list[str], kind: IdKind) -> None:
    table = ibis.memtable(pa.table({"place": range(len(values)), "raw": pa.array(values)}))
    judged = table.mutate(no_id=no_id_expression(table.raw, kind))
    rows = con.to_pyarrow(judged.order_by("place")).to_pylist()
    assert [row["no_id"] for row in rows] == [is_no_id(value, kind) for value in values]


@given(
    text=st.sampled_from(NOTHING),
    before=st.text(" \t\u00a0", max_size=3),
    after=st.text(" \t\u00a0", max_size=3),
)
def test_blanks_around_make_no_id_of_it(text: str, before: str, after: str) -> None:
    assert is_no_id(before + text + after)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("S1/2024-01-01/(not set)", True),
        ("null/17", True),
        ("S1/undefined/17", True),
        ("S1/5.01235E+12", True),
        ("S1/0/17", False),
        ("S1/-/17", False),
        ("S1/nullify", False),
        ("S1/2024-01-01/17", False),
    ],
)
def test_one_column_of_several_is_no_id(con: Backend, text: str, expected: bool) -> None:
    table = ibis.memtable(pa.table({"raw": [text]}))
    found = con.to_pyarrow(part_is_no_id_expression(table.raw, "/"))
    assert found.to_pylist() == [expected]


def test_null_stays_null(con: Backend) -> None:
    table = ibis.memtable(pa.table({"raw": pa.array([None, "A"], pa.string())}))
    assert con.to_pyarrow(no_id_expression(table.raw)).to_pylist() == [None, False]


def test_rows_of_an_export_are_rejected_and_shown(con: Backend) -> None:
    rows = {
        "_row": [1, 2, 3, 4],
        "store": ["S1", "S1", "null", "S2"],
        "number": ["17", "(not set)", "18", "19"],
        "sku": ["0", "A", "B", "5.01235E+12"],
        "phone": ["07700900001", "07700900002", "07700900003", "(not set)"],
    }
    columns: dict[str, str | Column] = {
        "order_id": Column(columns=["store", "number"]),
        "item_id": "sku",
        "return_of": "phone",
    }
    source = Source(kind="order_lines", columns=columns, identifiers={"phone": "phone"})
    table = keep(con, "export", pa.table(rows))
    fields = Fields(table, [*rows][1:], Config(sources={"till": source}), "till", "till.csv")
    order_id, item_id = fields.text("order_id"), fields.text("item_id")
    reject_no_id(fields, "order_id", order_id, "order")
    reject_no_id(fields, "item_id", item_id)
    reject_no_id(fields, "return_of", fields.text("return_of"), "order")
    parsed = con.to_pyarrow(fields.parsed(order_id=order_id).order_by("_row")).to_pylist()
    assert [row["bad"] for row in parsed] == [False, True, True, True]
    bad = keep(con, "bad", pa.table({"_row": [2, 3, 4]}))
    rejected = con.to_pyarrow(fields.rejected(bad).order_by("_row")).to_pylist()
    assert {row["reason"] for row in rejected} == {"not_an_id"}
    details = [row["detail"] for row in rejected]
    assert details[:2] == ["order_id = S1/(not set)", "order_id = null/18"]
    assert details[2] == "item_id = 5.01235E+12"


def test_what_names_people_is_not_shown(con: Backend) -> None:
    rows = {"_row": [1], "phone": ["07700900001"], "number": ["null"]}
    columns: dict[str, str | Column] = {"order_id": Column(columns=["phone", "number"])}
    source = Source(kind="order_lines", columns=columns, identifiers={"phone": "phone"})
    table = keep(con, "export", pa.table(rows))
    fields = Fields(table, ["phone", "number"], Config(sources={"till": source}), "till", "t.csv")
    reject_no_id(fields, "order_id", fields.text("order_id"), "order")
    (row,) = con.to_pyarrow(fields.rejected(fields.table.select("_row"))).to_pylist()
    assert row["detail"] == "order_id = (hidden)"
    assert "07700" not in row["raw"]
