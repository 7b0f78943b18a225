"""Arrow between the engine and numpy.

Called by the modules of this package that read a history's Parquet.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend

from recsys.datasets.item_index import IntArray, IxArray, item_keys, text_keys
from recsys.query_engine import batches as fetch

#: Rows in a batch.
SIZE: Final = 200_000
#: Which rows of a file are read; None: all.
Rows = npt.NDArray[np.int64] | None


def row_batches(con: Backend, table: ir.Table) -> Iterator[pa.RecordBatch]:
    """Yield the rows of an expression over ``con``'s tables, in its order."""
    return fetch(con, table, SIZE)


def register_table(con: Backend, name: str, table: pa.Table) -> ir.Table:
    """Let an Arrow table be asked beside the history's; nothing is copied.

    Parameters
    ----------
    con : Backend
        Connection to the engine that holds the history.
    name : str
        What queries over the connection call the table.
    table : pyarrow.Table
        Rows to join or filter with.

    Returns
    -------
    ibis.expr.types.Table
        Expression over the rows.
    """
    con.con.register(name, table)
    return con.table(name)


def timestamp_of(ts: int) -> ir.TimestampScalar:
    """Turn a time into an expression, to compare with a history's columns.

    Parameters
    ----------
    ts : int
        UTC epoch seconds.

    Returns
    -------
    TimestampScalar
        With time zone UTC.
    """
    return ibis.timestamp(datetime.fromtimestamp(ts, UTC))


def map_distinct(texts: pa.Array, number: Callable[[Any], int]) -> IntArray:
    """Give each text its number, working each different one out once.

    Parameters
    ----------
    texts : Array or ChunkedArray
        Strings or nulls; quickest where equal ones stand together.
    number : callable
        Takes one text, None for a null, and returns an integer.

    Returns
    -------
    ndarray of shape (n_texts,), int64
        In the order of the texts.
    """
    return _spread(texts, lambda once: np.array([number(t) for t in once.to_pylist()], np.int64))


def keys_of(texts: pa.Array, *, again: bool = False) -> IntArray:
    """Give each text its key, as ``item_index.item_key`` makes it.

    Parameters
    ----------
    texts : Array
        None of them null.
    again : bool
        The same texts come again in other batches: their keys are remembered.
    """
    if again:
        return _spread(texts, lambda once: item_keys(as_numpy(once)))
    return _spread(texts, lambda once: text_keys(as_numpy(once.cast(pa.binary()))))


def _spread(texts: pa.Array, numbers: Callable[[pa.StringArray], IntArray]) -> IntArray:
    """Work out the number of each different text, and give it to all that are equal.

    Sorted lines repeat most of their texts at once, and runs are told quicker than texts.
    """
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    runs = pc.run_end_encode(texts)
    once = runs.values.dictionary_encode(null_encoding="encode")
    found = numbers(once.dictionary)[as_numpy(once.indices)]
    return np.repeat(found, np.diff(as_numpy(runs.run_ends), prepend=0))


def codes(path: Path, name: str, rows: Rows = None) -> tuple[IxArray, pa.StringArray]:
    """Read a column of texts from a Parquet file: each different text once, and numbers.

    Parameters
    ----------
    path : Path
    name : str
        The column.
    rows : ndarray of int64, optional
        Which rows are read.

    Returns
    -------
    numbers : ndarray of shape (n_rows,), int32
        Position of each row's text; -1 for null.
    texts : StringArray
        In no order of their own.
    """
    read = pq.read_table(path, columns=[name], read_dictionary=[name])[name]
    if rows is not None:
        read = read.take(rows)
    codes, words = coded(read)
    used = np.zeros(len(words) + 1, bool)
    used[codes] = True
    used[-1] = False  # null has no text
    place = np.where(used, np.cumsum(used) - 1, -1).astype(np.int32)
    return place[codes], words.filter(pa.array(used[:-1]))


def coded(texts: pa.ChunkedArray) -> tuple[IxArray, pa.StringArray]:
    """Return what was read as a dictionary as ``codes`` does; some texts may occur nowhere."""
    if not texts.num_chunks:
        return np.empty(0, np.int32), pa.array([], pa.string())
    whole = texts.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.chunk(0)
    return as_numpy(pc.fill_null(whole.indices, -1)).astype(np.int32), whole.dictionary


def as_numpy(array: pa.Array) -> npt.NDArray[Any]:
    """Return an Arrow column as numpy.

    Parameters
    ----------
    array : Array or ChunkedArray
        Numbers, flags or texts.

    Returns
    -------
    ndarray of shape (n,)
        Of the matching dtype, copied where it must be; texts are Python strings.
    """
    numbers: npt.NDArray[Any] = array.to_numpy(zero_copy_only=False)
    return numbers
