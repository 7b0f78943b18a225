"""Counts how products sell at each location, and since when, for the artefact.

In: the lines of a history. Out: ``Sales``. Called by ``publication``.
"""

import ibis
import numpy as np
import pyarrow.compute as pc

from recsys.datasets import ItemIndex, item_key, location_key, map_distinct
from recsys.history import History
from recsys.ranking import Sales
from recsys.units import DAY


def count_sales(history: History, index: ItemIndex, as_of_ts: int) -> Sales:
    """Count the pieces that each location sold lately, and find the first sale of each product.

    Parameters
    ----------
    history : History
    index : ItemIndex
        Products that count.
    as_of_ts : int
        UTC epoch seconds; lines at or after it do not count.

    Returns
    -------
    Sales
    """
    con = history.connect()
    try:
        lines = con.table("lines")
        second = lines.occurred_at.epoch_seconds()
        lines = lines.filter(second < as_of_ts)
        first = lines.filter(lines.quantity > 0).group_by("item_id")
        first = first.aggregate(first_ts=lambda t: t.occurred_at.min().epoch_seconds())
        lately = lines.filter(second >= as_of_ts - Sales.WINDOW_DAYS * DAY)
        net = lately.group_by(["location_id", "item_id"]).aggregate(pieces=ibis._.quantity.sum())
        sold, cells = con.to_pyarrow(first), con.to_pyarrow(net)
    finally:
        con.disconnect()
    sold_ix = index.ix(map_distinct(sold["item_id"], item_key))
    cell_ix = index.ix(map_distinct(cells["item_id"], item_key))
    known, here = sold_ix >= 0, cell_ix >= 0
    first_ts = np.full(len(index), Sales.NEVER_TS)
    first_ts[sold_ix[known]] = sold["first_ts"].to_numpy()[known]
    return Sales.build(
        first_ts,
        map_distinct(cells["location_id"], location_key)[here],
        cell_ix[here],
        pc.cast(cells["pieces"], "float64").to_numpy()[here],
    )
