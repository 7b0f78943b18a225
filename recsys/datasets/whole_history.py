"""All customers' lines at once, for histories that fit in memory as numbers.

A history's Parquet comes in; out come its lines in the form that rows store, customer by customer.
Each different text is looked at once, and nothing is sorted but the customers: the lines lie in
time order already. Called by ``history_rows``, which streams the lines of larger histories.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.datasets.arrow import as_numpy, coded
from recsys.datasets.history_summary import LINES, Structured
from recsys.datasets.item_index import IntArray, IxArray, location_key, text_keys
from recsys.history import History
from recsys.schema import CHANNELS, CORRECTION

#: What a line takes while it is read, with its texts. Bytes.
_LINE_BYTES: Final = 200
_TEXTS: Final = (
    "customer_id",
    "order_id",
    "return_of",
    "channel",
    "location_id",
    "item_id",
    "kind",
)
_NUMBERS: Final = ("occurred_at", "quantity", "amount_minor")
_INT32: Final = np.iinfo(np.int32)


def lines_of_all(history: History) -> tuple[list[str], Structured, IntArray] | None:
    """Read the lines of every customer.

    Parameters
    ----------
    history : History

    Returns
    -------
    customer_ids : list of str, length n
        Ascending; lines without a customer are left out, and corrections.
    lines : ndarray of customer_history.LINES
        Customer by customer, in the history's order within each.
    bounds : ndarray of shape (n + 1,), int64
        Customer ``r`` has ``lines[bounds[r]:bounds[r + 1]]``, at least one.

    None
        Where the history is too large for its memory, or its lines are in no time order.
    """
    path = history.path("lines")
    if pq.read_metadata(path).num_rows > (history.memory_mb << 20) // _LINE_BYTES:
        return None
    read = pq.read_table(path, columns=[*_TEXTS, *_NUMBERS], read_dictionary=[*_TEXTS])
    at = as_numpy(read["occurred_at"].cast(pa.int64()))
    if np.any(at[1:] < at[:-1]):
        return None
    customer, ids = coded(read["customer_id"])
    kind, kinds = coded(read["kind"])
    goods = np.append(as_numpy(pc.not_equal(kinds, CORRECTION)), True)[kind]
    order = pc.sort_indices(ids)
    rank = np.full(len(ids) + 1, -1, np.int32)
    rank[as_numpy(order)] = np.arange(len(ids), dtype=np.int32)
    who = np.where(goods, rank[customer], np.int32(-1))
    counts = np.bincount(who + 1, minlength=len(ids) + 1)
    taken = _by_number(who)[counts[0] :]
    lines = np.empty(len(taken), LINES)
    lines["item_key"] = _each(*coded(read["item_id"]), _keys)[taken]
    lines["ts"] = (at // 1_000_000)[taken]
    lines["quantity"] = as_numpy(read["quantity"])[taken]
    lines["order"] = _orders(read)[taken]
    lines["channel"] = _each(*coded(read["channel"]), _numbered(CHANNELS.index))[taken]
    lines["location"] = _each(*coded(read["location_id"]), _numbered(location_key))[taken]
    paid = as_numpy(pc.fill_null(read["amount_minor"], 0))
    lines["amount_minor"] = np.clip(paid, _INT32.min, _INT32.max)[taken]
    there = np.flatnonzero(counts[1:])
    bounds = np.append(0, np.cumsum(counts[1:][there])).astype(np.int64)
    return ids.take(order).take(pa.array(there)).to_pylist(), lines, bounds


def _by_number(who: IxArray) -> IntArray:
    """Rows sorted by small numbers from -1 on, those of one number in their order."""
    if int(who.max(initial=0)) < np.iinfo(np.uint16).max - 1:
        # Of 16 bits numpy counts, where it compares larger ones.
        return np.argsort((who + 1).astype(np.uint16), kind="stable")
    return np.argsort(who, kind="stable")


def _orders(read: pa.Table) -> IntArray:
    """Key of each line's order: of a return the one it belongs to, where that is known."""
    keys = _each(*coded(read["order_id"]), _keys)
    back, of = coded(read["return_of"])
    named = np.flatnonzero(back >= 0)
    if len(named):
        keys[named] = _each(back[named], of, _keys)
    return keys


def _each(
    codes: IxArray, texts: pa.StringArray, number: Callable[[pa.StringArray], IntArray]
) -> IntArray:
    """Number of each row's text; 0 for none."""
    found: IntArray = np.append(number(texts), 0)[codes]
    return found


def _keys(texts: pa.StringArray) -> IntArray:
    return text_keys(as_numpy(texts.cast(pa.binary())))


def _numbered(number: Callable[[Any], int]) -> Callable[[pa.StringArray], IntArray]:
    return lambda texts: np.array([number(text) for text in texts.to_pylist()], np.int64)
