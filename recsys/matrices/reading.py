"""Streams what a question to the history's tables answers, as Arrow batches.

An Ibis expression comes in, record batches go out. Called by ``rows`` and ``baskets``.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend

#: Rows in a batch.
SIZE = 200_000


def given(con: Backend, name: str, table: pa.Table) -> ir.Table:
    """Let an Arrow table be asked beside the history's; nothing is copied."""
    con.con.register(name, table)
    return con.table(name)


def moment(ts: int) -> ir.TimestampScalar:
    """Return a time as an expression; ``ts`` in UTC epoch seconds."""
    return ibis.timestamp(datetime.fromtimestamp(ts, UTC))


def batches(con: Backend, table: ir.Table) -> Iterator[pa.RecordBatch]:
    """Yield the rows of an expression over ``con``'s tables, in its order.

    Ibis 12 asks DuckDB 2 for its stream by a name that is gone; a plain query has it.
    """
    yield from con.con.sql(con.compile(table)).to_arrow_reader(SIZE)
