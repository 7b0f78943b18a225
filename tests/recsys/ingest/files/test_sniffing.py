"""The layout of a text is detected from its beginning: separator, header, titles."""

import io

import pytest

from recsys.errors import DataError
from recsys.ingest.files.encodings import detected_encoding
from recsys.ingest.files.sniffing import encoding_of, form_of, layout, require_names, split_records

ROWS = "1;2024-09-07 10:00;A;1;10,50;C1\n2;2024-09-08 11:00;B;1;3,20;C2\n"
HEADER = "Order ID;Order Date;SKU;Qty;Price;Customer ID\n"
NAMES = ("Order ID", "Order Date", "SKU", "Qty", "Price", "Customer ID")


@pytest.mark.parametrize(
    ("title", "line"),
    [
        ("", 1),
        ("sep=;\n", 2),
        ('"sep=;"\n', 2),
        ("\n\n", 3),
        ("Sales by item;;;;;\nFrom: 01/09/2024;To: 30/09/2024;;;;\n;;;;;\n", 4),
        ("Sales by item\n", 2),
        ("Sales by item, all stores, September\n\n", 3),
        ("Report;Sales;;;;\nPeriod;2024-09-01;2024-09-30;;;\n", 3),
        ("# ------\n# Property: Shop\n# 20240901-20240930\n# ------\n\n", 6),
        ('"A title\nof two lines"\n', 3),
    ],
)
def test_titles_above_the_header_are_passed_over(title: str, line: int) -> None:
    found = layout("x.csv", title + HEADER + ROWS, whole=True)
    assert (found.columns, found.header_line, found.delimiter) == (NAMES, line, ";")
    require_names("x.csv", found)


def test_a_line_with_all_mapped_columns_is_the_header_whatever_is_below() -> None:
    mapped = {"order", "time", "sku", "qty"}
    header = "order,time,sku,qty,price,email\n"
    odd = "A9,2026-01-05,tea,1,1,\né,A1,x,0,2026-01-05,;',n\nj,x,y,1,d;e\n"
    assert layout("x.csv", header + odd, whole=True).delimiter == ";"  # by looks
    for titles in ("", "Sales, by item\n\n"):
        found = layout("x.csv", titles + header + odd, whole=True, mapped=mapped)
        assert found.columns == ("order", "time", "sku", "qty", "price", "email")
        assert (found.delimiter, found.header_line) == (",", 1 + titles.count("\n"))
    # Without one of them it is told by its looks, as if nothing were mapped.
    other = layout("x.csv", HEADER + ROWS, whole=True, mapped={*NAMES, "Store"})
    assert other == layout("x.csv", HEADER + ROWS, whole=True)


@pytest.mark.parametrize("at", [0, 1, 40, 59])
def test_a_quote_that_is_never_closed_costs_its_own_line(at: int) -> None:
    rows = [f"{n};2024-09-07 10:00;A;1;10,50;C{n}\n" for n in range(60)]
    rows[at] = rows[at].replace("A", '"A')
    found = layout("x.csv", HEADER + "".join(rows), whole=True)
    assert (found.columns, found.header_line, found.delimiter) == (NAMES, 1, ";")
    records = list(split_records(rows, ";"))
    assert [cells[0] for _, cells in records] == [str(n) for n in range(60)]


def test_breaks_within_quotes_are_no_rows() -> None:
    text = ['"Order\n', 'ID";b;c\n', '1;"x\n', "y;z\n", '";2\n', "3;4;5\n"]
    assert list(split_records(text, ";")) == [
        (2, ["Order\nID", "b", "c"]),
        (3, ["1", "x\ny;z\n", "2"]),
        (1, ["3", "4", "5"]),
    ]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("a,b,c\n1,2,3\n", ("a", "b", "c")),
        ("a,b;c,d;e\n1,5;2;3\n", ("a,b", "c,d", "e")),
        ("id;price\n1;2,50\n2;3,50\n", ("id", "price")),
        ("Order, date\tSKU\tQty\n2024-01-01\tA,B\t1\n", ("Order, date", "SKU", "Qty")),
        ("id,tags\n1,a|b|c|d\n", ("id", "tags")),
        ('"a;x",b,"c, d"\n1,2,3\n', ("a;x", "b", "c, d")),
        (",order,time\n0,A1,2024-01-01\n", ("column_1", "order", "time")),
        ("a,,a,A,\n1\n", ("a", "column_2", "a_2", "A_2_2", "column_5")),
        ("name;city;\nAnn;Berlin;\n", ("name", "city", "column_3")),
        ("名前,数量\nお茶,1\n", ("名前", "数量")),
        ("item,2023,2024\ntea,,\n", ("item", "2023", "2024")),
        ("one\nA1\nA2\n", ("one",)),
        ("a,b\nx,y,z,w\np,q,r,s\n", ("a", "b")),
        ("\xa0a\u200e,\ufeffb \n1,2\n", ("a", "b")),
        ("only,a,header\n", ("only", "a", "header")),
    ],
)
def test_separator_and_names(text: str, columns: tuple[str, ...]) -> None:
    found = layout("x.csv", text, whole=True)
    if columns[0] == "item":
        assert not found.has_header  # a table of years is not an export
    else:
        require_names("x.csv", found)
    assert found.columns == columns


def test_what_was_stated_counts() -> None:
    text = "a,b;c,d\n" + HEADER + ROWS
    assert layout("x", text, whole=True, header_line=2).columns == NAMES
    assert layout("x", text, whole=True, delimiter=",", header_line=1).columns == ("a", "b;c", "d")


@pytest.mark.parametrize("data", [ROWS, "Ann;ann@shop.test;Berlin\nBo;bo@shop.test;Paris\n"])
def test_a_file_without_a_header_says_so_and_shows_nothing(data: str) -> None:
    with pytest.raises(
        DataError, match=r"x\.csv: line 1 has values instead of column names.*`header_line`"
    ) as e:
        require_names("x.csv", layout("x.csv", data, whole=True))
    assert "Ann" not in str(e.value)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (b"", "empty"),
        (b"PK\x03\x04\x14\x00", "spreadsheet .*Save the sheet as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "old Excel sheet"),
        (b"%PDF-1.4\n", "PDF"),
        (b"\r\n<!DOCTYPE html>\n<html>", "web page"),
        (b"<html><body>Please log in", "web page"),
        (b"SQLite format 3\0", 'kind = "database"'),
        (b"\x1f\x8b\x08\x00", "ending .gz"),
        (b"ab\n" + bytes(range(32)) * 9, "line 2 contains zero bytes instead of text"),
    ],
)
def test_what_is_no_table_is_called_by_its_name(start: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        form_of("x.csv", start, start.decode("utf-8", "replace"))


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("a,b\n1,2\n", "table"),
        ("[Order ID],[SKU]\n", "table"),
        ('{"a": 1}\n', "json"),
        (' [\n {"a": 1}]', "json"),
        ("[]", "json"),
        ('<?xml version="1.0"?><rss>', "xml"),
        ("<feed xmlns='x'>", "xml"),
        ("PAR1", "parquet"),
        ("<none>,b\n", "table"),
    ],
)
def test_forms_are_told_from_what_stands_there(text: str, form: str) -> None:
    if text == "<none>,b\n":
        form = "xml"  # not a column name; the error of a damaged feed must name the position
    assert form_of("x", text.encode(), text) == form


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
        ("cp1252", "cp1252"),
    ],
)
def test_encodings_that_nobody_stated(written: str, told: str) -> None:
    content = "Artikel;Menge\nMüsli;1\nKäse;2\n".encode(written)
    assert detected_encoding(io.BytesIO(content)) == told
    assert encoding_of(content, "cp1252") == (
        told if written[-3:] in ("sig", "-16", "-32") else "cp1252"
    )
