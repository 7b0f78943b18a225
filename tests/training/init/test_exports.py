"""The beginning of an export is read in any format."""

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.config.toml_file import Source
from recsys.errors import DataError
from recsys.ingest.files.export_files import SourceFile, open_text
from recsys.query_engine import connect
from training.init.exports import look

TEXT = 'id;name;price\n1;Müsli;2,49\n2;"a;b\nc";3\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_text_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "x.csv").write_bytes(TEXT.encode(encoding))
    export = look(tmp_path / "x.csv")
    assert export.columns == ("id", "name", "price")
    assert [row["name"] for row in export.rows] == ["Müsli", "a;b\nc"]
    assert export.encoding == encoding.removesuffix("-sig")


def test_compressed_text(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "x.csv.gz", "wt", encoding="utf-8") as stream:
        stream.write(TEXT)
    assert look(tmp_path / "x.csv.gz").columns == ("id", "name", "price")


@pytest.mark.parametrize(
    "header",
    ["a,b,c", '"a;x",b,"c, d"', "a\tb\tc", " a | b |c", "a,,a,A,", '\ufeffa;"b";c'],
)
def test_columns_are_named_as_ingest_names_them(tmp_path: Path, header: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"{header}\n" + "1\n", encoding="utf-8")
    engine = connect(memory_mb=256, threads=1)
    source = Source(kind="order_lines", path="x.csv")
    raw = open_text(engine, SourceFile(path, "x.csv", "0" * 64), source, tmp_path)
    assert list(look(path).columns) == raw.columns


def test_parquet_keeps_what_its_types_say(tmp_path: Path) -> None:
    table = pa.table({"id": ["007"], "qty": [2.0], "at": pa.array([0], pa.timestamp("s"))})
    pq.write_table(table, tmp_path / "x.parquet")
    export = look(tmp_path / "x.parquet")
    assert export.rows == ({"id": "007", "qty": "2", "at": "1970-01-01 00:00:00"},)
    assert export.typed == {"qty", "at"}


def test_events_on_lines(tmp_path: Path) -> None:
    (tmp_path / "x.ndjson").write_text('{"event": "purchase", "items": []}\n{cut')
    export = look(tmp_path / "x.ndjson")
    assert (export.form, export.columns) == ("ndjson", ("event", "items"))


def test_events_in_an_array_are_events_and_other_objects_are_rows(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('[{"event_name": "view_item",\n"items": []}, {"a": 1}]')
    export = look(tmp_path / "x.json")
    assert (export.form, export.columns) == ("ndjson", ("event_name", "items", "a"))
    (tmp_path / "x.json").write_text('{"orders": [{"id": "07", "ship": {"city": " Bonn "}}]}')
    export = look(tmp_path / "x.json")
    assert (export.form, export.rows) == ("csv", ({"id": "07", "ship.city": "Bonn"},))


def test_a_feed_in_xml_is_a_table(tmp_path: Path) -> None:
    (tmp_path / "x.xml").write_text("<rss><item><g:id>1</g:id><title>Tea</title></item></rss>")
    export = look(tmp_path / "x.xml")
    assert (export.form, export.rows) == ("csv", ({"id": "1", "title": "Tea"},))


def test_titles_and_invisible_signs_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("sep=;\nid;\u200fname\n\xa01;'007\nid;name\n")
    export = look(tmp_path / "x.csv")
    assert (export.columns, export.header_line, export.delimiter) == (("id", "name"), 2, ";")
    assert export.rows == ({"id": "1", "name": "007"},)


def test_nothing_in_parquet_is_nothing(tmp_path: Path) -> None:
    table = pa.table({"id": [7.0, float("nan")], "cat": pa.array([" a", None]).dictionary_encode()})
    pq.write_table(table, tmp_path / "x.parquet")
    export = look(tmp_path / "x.parquet")
    assert export.rows == ({"id": "7", "cat": "a"}, {"id": "", "cat": ""})
    assert export.typed == {"id"}


def test_folders_and_globs_give_their_first_file(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv"):
        (tmp_path / name).write_text("x\n1\n")
    assert look(tmp_path).path == tmp_path / "a.csv"
    assert look(tmp_path / "[b-z]*.csv").path == tmp_path / "b.csv"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.csv", b"", "the file is empty"),
        ("x.csv", b"\n\n", "the file has no column names"),
        ("x.csv", b"a\0b\n1\n", "line 1 contains zero bytes instead of text"),
        (
            "x.csv",
            b"Ann,ann@shop.test,1\nBo,bo@shop.test,2\n",
            "line 1 has values instead of column names",
        ),
        ("x.xlsx", b"PK\x03\x04", "a spreadsheet .*Save the sheet as CSV"),
        ("x.csv", b"<!DOCTYPE html><html>", "a web page"),
        ("x.xml", b"<rss><channel><item>", "damaged XML on line 1"),
        ("x.parquet", b"PAR1 cut", "incomplete Parquet file"),
        ("x.json", b'[{"user_id": "u-1", cut', "JSON without a complete object"),
        ("nothing/*.csv", None, "no such file, folder or glob"),
        ("x.csv.gz", b"not gzip", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_named(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message) as error:
        look(tmp_path / name)
    assert str(tmp_path / name) in str(error.value)
    assert not any(secret in str(error.value) for secret in ("ann@", "Ann", "u-1"))
