"""A history of a few lines, written as ingest writes it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.history.versions import History
from recsys.schema import TABLES

LINE = {
    "line_no": 1,
    "channel": "pos",
    "quantity": 1.0,
    "unit_price_minor": 100,
    "discount_minor": 0,
    "amount_minor": 100,
    "currency": "EUR",
    "kind": "sale",
    "source": "till",
}
PRODUCT = {"currency": "EUR", "active": True, "in_catalogue": True}

WriteHistory = Callable[..., History]


def _line(row: dict[str, Any]) -> dict[str, Any]:
    line = {**LINE, **row}
    line["occurred_at"] = datetime.fromtimestamp(line.pop("ts"), UTC)
    if line["quantity"] < 0:
        line["kind"] = "return"
    return line


def write(
    lines: list[dict[str, Any]], base: Path, products: list[dict[str, Any]] = (), **tables: Any
) -> History:
    """Write a history under a folder; rows name only what matters, see ``write_history``."""
    folder = base / "history" / "v1"
    folder.mkdir(parents=True, exist_ok=True)
    rows = {
        "lines": sorted(map(_line, lines), key=lambda line: line["occurred_at"]),
        "products": [{**PRODUCT, **product} for product in products],
        **tables,
    }
    for name, schema in TABLES.items():
        table = pa.Table.from_pylist(rows.get(name, []), schema)
        pq.write_table(table, folder / f"{name}.parquet")
    (folder / "summary.json").write_text(json.dumps({"lines": len(lines)}))
    return History(folder, "v1")


@pytest.fixture
def write_history(tmp_path: Path) -> WriteHistory:
    """Write a history; rows name only what matters, ``ts`` stands for ``occurred_at``."""

    def written(
        lines: list[dict[str, Any]], products: list[dict[str, Any]] = (), **tables: Any
    ) -> History:
        return write(lines, tmp_path, products, **tables)

    return written
