"""Parquet exports: columns of any type become texts, whatever the file's name."""

import io
import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.ingest.files.export_files import (
    RawTable,
    SourceFile,
    open_parquet,
)
from tests.recsys.ingest.files.opening import CON, Open


def _arrow(raw: RawTable) -> dict[str, pa.ChunkedArray]:
    table = CON.to_pyarrow(raw.table)
    return dict(zip(table.column_names, table.columns, strict=True))


def test_parquet_of_every_type(tmp_path: Path) -> None:
    table = pa.table(
        {
            "cat": pa.array([" a\xa0", "b", None]).dictionary_encode(),
            "text": pa.array(["'007", "\u200f1", " "], pa.large_string()),
            "id": pa.array([101.0, float("nan"), 2.0**53]),
            "huge": pa.array([1e300, float("nan"), 1.0]),
            "price": pa.array([1.25, float("nan"), 3.0]),
            "small": pa.array([0.1, np.nan, 1.5], pa.float32()),
            "inf": pa.array([1.0, float("inf"), float("nan")]),
            "ns": pa.array([1, None, 3], pa.timestamp("ns")),
            "tz": pa.array([1, None, 3], pa.timestamp("ns", "Europe/Berlin")),
            "day": pa.array([1, None, 3], pa.date32()),
            "time": pa.array([1, None, 3], pa.time64("us")),
            "dec": pa.array([Decimal("1.50"), None, Decimal(3)], pa.decimal128(9, 2)),
            "yes": pa.array([True, None, False]),
            "list": pa.array([["a", "b"], None, []]),
            "struct": pa.array([{"a": 1}, None, {"a": 2}]),
            "bytes": pa.array([b" x", None, b"\xff"]),
            "none": pa.nulls(3),
            "Text": pa.array(["x", "y", "z"]),
        }
    )
    pq.write_table(table, tmp_path / "x.parquet")
    raw = open_parquet(CON, SourceFile(tmp_path / "x.parquet", "x.parquet", "0" * 64))
    columns = {name: tuple(c.to_pylist()) for name, c in _arrow(raw).items() if name != "ns"}
    assert columns["cat"] == ("a", "b", None)
    assert columns["text"] == ("007", "1", None)
    assert columns["id"] == (101, None, 2**53)
    assert str(columns["id"][0]) == "101"
    assert columns["huge"] == (1e300, None, 1.0)
    assert columns["price"] == (1.25, None, 3.0)
    assert columns["small"] == (0.1, None, 1.5)
    assert columns["inf"] == ("1", "inf", None)
    assert columns["list"][0] == '["a","b"]'
    assert columns["struct"][0] == '{"a":1}'
    assert columns["bytes"] == ("x", None, "FF")
    assert columns["none"] == (None, None, None)
    assert columns["Text_2"] == ("x", "y", "z")
    schema = raw.table.schema()
    assert schema["ns"].is_timestamp()
    assert schema["tz"].timezone
    assert schema["yes"].is_boolean()


def test_parquet_whatever_it_is_called(opened: Open) -> None:
    out = io.BytesIO()
    pq.write_table(pa.table({"id": ["1"]}), out)
    assert opened(out.getvalue(), "x.csv")[1] == [(1, "1")]
    out = io.BytesIO()
    pq.write_table(pa.table({"event_name": ["a"], "items": [[{"item_id": "b"}]]}), out)
    _, rows = opened(out.getvalue(), "x.parquet", "ga4_events")
    assert json.loads(rows[0][1]) == {"event_name": "a", "items": [{"item_id": "b"}]}
