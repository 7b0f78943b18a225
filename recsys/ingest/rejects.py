"""Writes the rejected rows of a file with their line and reason, and counts them.

The typed rows of one opened file come in; the table of its rejects and the counts of its part go
out. Called by ``staging``.
"""

from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend

from recsys.config import Config
from recsys.errors import DataError
from recsys.ingest.columns.fields import Fields
from recsys.ingest.files.delimited import only
from recsys.ingest.files.export_files import ROW, RawTable
from recsys.ingest.parts import REJECTED, Part
from recsys.query_engine import keep
from recsys.query_engine import rows as fetch_rows
from recsys.schema import REJECTS

#: Fewer rejects than this never fail a file, whatever their share.
_FEW_REJECTS = 20
#: Up to this many rows are passed to the engine as a list.
_LISTED = 1_000
#: Kinds whose rows are read independently of each other.
_ROW_BY_ROW = ("till_tickets", "order_lines")
#: Kinds without personal data; the text of a row that cannot be split is kept for these only.
_IMPERSONAL = ("products", "locations", "stock")


def count_rejects(
    con: Backend, raw: RawTable, table: ir.Table, fields: Fields, part: Part, folder: Path
) -> None:
    """Write the part's rejects with their lines, and count them and all rows."""
    lines = table[ROW].count()
    if "added" in table.columns:
        lines = lines - table.added.sum().fill_null(0)
    # One record may give several rows; events are counted by record, orders by line.
    several = part.kind in ("ga4_events", "woocommerce_orders")
    records = table[ROW].nunique() if several else lines
    (counts,) = fetch_rows(
        con, table.aggregate(records=records, lines=lines, bad=table.bad.sum().fill_null(0))
    )
    accepted = int(counts["records"])
    rows = int(counts["lines"]) if part.kind == "woocommerce_orders" else accepted
    broken = raw.broken(con)
    n_bad = int(counts["bad"])
    found = _rejected(con, raw, table, fields, part, n_bad) if n_bad else []
    bad_rows = sorted({row[ROW] for row in found})
    numbers = raw.line_numbers(bad_rows, [b["line"] for b in broken], accepted)
    line_of = dict(zip(bad_rows, numbers, strict=True))
    rejects = [
        {"line": line_of[r[ROW]], "reason": r["reason"], "detail": r["detail"], "row": r["raw"]}
        for r in found
    ] + [{**b, "row": b["row"] if part.kind in _IMPERSONAL else "(hidden)"} for b in broken]
    for reject in rejects:
        part.rejected[reject["reason"]] = part.rejected.get(reject["reason"], 0) + 1
    part.rows = rows + len(broken)
    if rejects:
        rejects.sort(key=lambda reject: reject["line"])
        located = [{"source": part.source, "file": part.file, **reject} for reject in rejects]
        pq.write_table(pa.Table.from_pylist(located, schema=REJECTS), folder / REJECTED)


def _rejected(
    con: Backend, raw: RawTable, table: ir.Table, fields: Fields, part: Part, at_most: int
) -> list[dict[str, Any]]:
    bad = table.filter(table.bad).select(ROW).distinct()
    if at_most > _LISTED:
        return _explained(con, fields, keep(con, "bad", bad))
    # With a list, the engine skips work that a join would do for every row.
    few = sorted(row[ROW] for row in fetch_rows(con, bad))
    if part.kind not in _ROW_BY_ROW:
        return _explained(con, fields, few)
    with only(con, raw, few) as alone:
        return _explained(con, fields, None if alone else few)


def _explained(
    con: Backend, fields: Fields, bad: ir.Table | list[int] | None
) -> list[dict[str, Any]]:
    found = fetch_rows(con, fields.rejected(bad).order_by(ROW))
    if any(row["reason"] == "bad_time" for row in found) and fields.find_hint(bad):
        found = fetch_rows(con, fields.rejected(bad).order_by(ROW))
    return found


def check_rejects(config: Config, part: Part, folder: Path) -> None:
    """Refuse a file of which too many rows were rejected: its mapping is wrong, not the rows.

    Raises
    ------
    DataError
        With the reasons, and the first reject.
    """
    rejected = sum(part.rejected.values())
    share = rejected / max(part.rows, 1)
    if share <= config.ingest.max_reject_share or rejected < _FEW_REJECTS:
        return
    counts = sorted(part.rejected.items(), key=lambda item: -item[1])
    first = pq.read_table(folder / REJECTED).slice(0, 1).to_pylist()[0]
    raise DataError(
        f"{part.file}: {rejected:,} of {part.rows:,} rows cannot be read "
        f"({', '.join(f'{reason} {count:,}' for reason, count in counts)}); the first on line "
        f"{first['line']}: {first['reason']}, {first['detail']}. Correct [sources.{part.source}] "
        "(columns, decimal, time_format, encoding), or raise `max_reject_share` under [ingest]. "
        "Nothing was changed."
    )
