"""Orders over time, by channel.

A history comes in; orders a day, in stretches that are long enough for a picture, come out.
Called by ``page``.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from recsys.datasets import Floats, as_numpy
from recsys.history import History
from recsys.schema import SALE
from recsys.units import DAY

#: Stretches in the picture, at most.
_STRETCHES: Final = 120


#: Beginnings of stretches of time, and orders a day in them by channel.
Sold = tuple[NDArray[np.int64], dict[str, Floats]]


def read(history: History) -> Sold:
    """Count orders.

    Parameters
    ----------
    history : History

    Returns
    -------
    starts : ndarray of shape (n,), int64
        Beginning of each stretch, UTC epoch seconds.
    orders : dict of str to ndarray of shape (n,)
        Orders a day in it, by channel, the largest first.
    """
    con = history.connect()
    try:
        lines = con.table("lines")
        sales = lines.filter(lines.kind == SALE)
        orders = sales.group_by("order_id", "channel").agg(at=sales.occurred_at.min())
        days = orders.group_by("channel", day=(orders.at.epoch_seconds() // DAY)).agg(
            orders=orders.count()
        )
        table = con.to_pyarrow(days)
    finally:
        con.disconnect()
    day = as_numpy(table["day"]).astype(np.int64)
    if not len(day):
        return np.empty(0, np.int64), {}
    length = -(-int(day.max() - day.min() + 1) // _STRETCHES)
    length = length if length < 7 else -(-length // 7) * 7  # whole weeks look alike
    stretch = (day - day.min()) // length
    n = int(stretch.max()) + 1
    long = np.full(n, float(length))
    long[-1] = day.max() - day.min() + 1 - (n - 1) * length
    counts = as_numpy(table["orders"])
    channels = table["channel"].to_numpy(zero_copy_only=False)
    found = {
        str(channel): np.bincount(
            stretch[channels == channel], counts[channels == channel], minlength=n
        )
        / long
        for channel in np.unique(channels)
    }
    starts = (day.min() + length * np.arange(n)) * DAY
    return starts, dict(sorted(found.items(), key=lambda pair: -pair[1].sum()))
