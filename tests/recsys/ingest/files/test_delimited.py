from pathlib import Path

import pytest

from recsys.ingest.files.delimited import only, open_delimited
from recsys.ingest.files.raw_table import ROW, SourceFile
from recsys.ingest.files.sniffing import Layout
from recsys.query_engine import connect, rows

TEXT = "id,name\n1,a\nid,name\n2,b\n,\n3,c\n"


@pytest.mark.parametrize("fails", [False, True])
def test_some_rows_are_shown_alone_and_then_all_again(tmp_path: Path, fails: bool) -> None:
    path = tmp_path / "lines.csv"
    path.write_text(TEXT, encoding="utf-8")
    con = connect(memory_mb=256, threads=1)
    names = ("id", "name")
    found = Layout(",", 1, 1, names, names, has_header=True)
    raw = open_delimited(con, SourceFile(path, "lines.csv", "d" * 64), "utf-8", found, tmp_path)
    everything = rows(con, raw.table.order_by(ROW))
    assert [row["id"] for row in everything] == ["1", "2", "3"]
    wanted = [row[ROW] for row in everything if row["id"] != "2"]
    try:
        with only(con, raw, wanted) as alone:
            assert alone
            some = rows(con, raw.table.order_by(ROW))
            if fails:
                raise KeyError
    except KeyError:
        assert fails
    assert some == [row for row in everything if row["id"] != "2"]
    assert rows(con, raw.table.order_by(ROW)) == everything
    con.disconnect()
