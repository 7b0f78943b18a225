"""Arrow between the engine and numpy.

Called by ``reading`` and ``rows``.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from ibis.backends.duckdb import Backend

from recsys.data.engine import batches as fetch
from recsys.matrices.ids import IntArray

#: Rows in a batch.
SIZE: Final = 200_000


def batches(con: Backend, table: ir.Table) -> Iterator[pa.RecordBatch]:
    """Yield the rows of an expression over ``con``'s tables, in its order."""
    return fetch(con, table, SIZE)


def given(con: Backend, name: str, table: pa.Table) -> ir.Table:
    """Let an Arrow table be asked beside the history's; nothing is copied."""
    con.con.register(name, table)
    return con.table(name)


def moment(ts: int) -> ir.TimestampScalar:
    """Return a time as an expression; ``ts`` in UTC epoch seconds."""
    return ibis.timestamp(datetime.fromtimestamp(ts, UTC))


def mapped(texts: pa.Array, number: Callable[[Any], int]) -> IntArray:
    """Give each text its number, working each different one out once."""
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    encoded = texts.dictionary_encode(null_encoding="encode")
    unique = [number(text) for text in encoded.dictionary.to_pylist()]
    return np.array(unique, np.int64).take(column(encoded.indices))


def column(array: pa.Array) -> npt.NDArray[Any]:
    """Return an Arrow column as numpy."""
    numbers: npt.NDArray[Any] = array.to_numpy(zero_copy_only=False)
    return numbers
