"""The order of customers, which is the same in every workspace that holds the same history.

A history comes in, its customers' ids come out. Called by ``encoded_history``, which
numbers customers in this order, and by ``evaluation.evaluation_set``, which draws some of them.

Customers' ids are hashes under the workspace's key: whatever is sampled, dealt out or summed in
their order comes out differently under another key. What a customer did first has an id of its
own that no key goes into, and nothing that happens later changes what came first.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.datasets.arrow import as_numpy, codes, keys_of
from recsys.history import History

#: Tables in which customers do something, and what names each thing; of things done in the same
#: moment, that of the first table came first.
_DONE: Final = (("lines", "order_id"), ("events", "event_id"))


def shuffled_customers(history: History) -> pa.StringArray:
    """Name every customer of a history, in an order that looks random and is not.

    Parameters
    ----------
    history : History

    Returns
    -------
    StringArray
        Each customer of the lines and events once: by ``item_index.item_key`` of the id of the
        order or event that was their first. Should two customers have begun with the same one,
        which no ingest writes, the smaller id comes first.
    """
    customers, moments, tables, keys = [pa.array([], pa.string())], [], [], []
    for number, (kind, name) in enumerate(_DONE):
        path = history.path(kind)
        code, ids = codes(path, "customer_id")
        at = np.full(len(ids) + 1, len(code), np.int64)
        at[code[::-1]] = np.arange(len(code))[::-1]  # rows are in time order: the first stays
        at = at[:-1]
        done = pq.read_table(path, columns=["occurred_at", name]).take(at)
        customers.append(ids)
        moments.append(as_numpy(done["occurred_at"].cast(pa.int64())))
        tables.append(np.full(len(ids), number))
        keys.append(keys_of(done[name]))
    everybody = pa.chunked_array(customers).combine_chunks()
    moment, table, key = (np.concatenate(parts) for parts in (moments, tables, keys))
    once = pc.unique(everybody)
    who = as_numpy(pc.index_in(everybody, value_set=once)).astype(np.int64)
    first = _firsts(who, np.lexsort((table, moment)))
    rank = as_numpy(pc.rank(once, tiebreaker="first")).astype(np.int64)
    return once.take(pa.array(np.lexsort((rank, table[first], key[first]))))


def _firsts(who: npt.NDArray[np.int64], order: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Position of each one's first, in a given order."""
    found = np.empty(int(who.max(initial=-1)) + 1, np.int64)
    found[who[order[::-1]]] = order[::-1]
    return found
