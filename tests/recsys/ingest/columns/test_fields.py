"""Columns of any type become texts and numbers; empty values become null."""

from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ibis.backends.duckdb import Backend

from recsys.config.toml_file import load_config
from recsys.ingest.columns.fields import Fields
from recsys.query_engine import connect, rows


@pytest.fixture
def engine() -> Backend:
    return connect(memory_mb=256, threads=1)


@pytest.mark.parametrize("parquet", [False, True])
def test_floats_are_texts_and_numbers_and_none_of_them_stops_a_file(
    engine: Backend, tmp_path: Path, *, parquet: bool
) -> None:
    settings = '[sources.s]\nkind = "stock"\npath = "x"\n'
    (tmp_path / "omnibasket.toml").write_text(settings)
    values = [1.0, 0.5, float("nan"), float("inf"), 1e300, -2.0, None]
    arrow = pa.table({"_row": range(len(values)), "on_hand": values})
    pq.write_table(arrow, tmp_path / "x.parquet")  # its statistics omit NaN
    table = engine.read_parquet(tmp_path / "x.parquet") if parquet else ibis.memtable(arrow)
    fields = Fields(table, ["on_hand"], load_config(tmp_path), "s", "x.parquet")
    fields.read_numbers(engine, "on_hand")
    parsed = fields.parsed(number=fields.number("on_hand"), text=fields.text("on_hand"))
    found = rows(engine, parsed.order_by("_row"))
    assert [row["number"] for row in found] == [1, 0.5, None, None, None, -2, None]
    assert [row["text"] for row in found] == ["1", "0.5", None, "inf", "1e+300", "-2", None]
    assert [row["bad"] for row in found] == [False, False, False, True, True, False, False]
