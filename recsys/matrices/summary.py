"""The part of a history that no longer fits, a product a line.

Lines that fell out of a customer's row come in, out comes the bounded summary. Called by
``histories.append``.
"""

import heapq
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.matrices.returns import UNITS, to_units

#: One line: what was bought or, with a negative quantity, returned.
LINES: Final = np.dtype(
    [
        ("item_key", "<i8"),  # ids.item_key
        ("ts", "<i8"),  # UTC epoch seconds
        ("quantity", "<f4"),  # negative for a return; may be a weight
        ("order", "<i8"),  # ids.order_key; of the returned order, where a return names one
        ("channel", "u1"),  # index into schema.CHANNELS
        ("location", "<i8"),  # ids.location_key, 0 for none
        ("amount_minor", "<i4"),  # paid for the line
    ]
)

#: What is left of the lines of one product that no longer fit.
OLDER: Final = np.dtype(
    [
        ("item_key", "<i8"),
        ("count", "<i4"),  # lines of sale less lines of return
        ("quantity", "<f8"),  # sum of the lines, each rounded to 1/1024: exact in any order
        ("last_ts", "<i8"),  # of the newest line
    ]
)

MAX_OLDER: Final = 512

_NEW: Final = (0, 0.0, -(1 << 63))

Structured = npt.NDArray[np.void]


def summarise(
    older: Structured, held: Structured, arrived: Structured, out: Structured
) -> Structured:
    """Add lines that fell out to a summary.

    Parameters
    ----------
    older : ndarray of OLDER
        The summary so far.
    held, arrived : ndarray of LINES
        The lines held before, and those that came, in order of arrival.
    out : ndarray of LINES
        The lines that fell out, sorted by ``ts``.

    Returns
    -------
    ndarray of OLDER, at most ``MAX_OLDER``, sorted by ``last_ts``, then ``item_key``
        As if the lines had fallen out one by one.
    """
    keys, product = np.unique(
        np.concatenate([older["item_key"], out["item_key"]]), return_inverse=True
    )
    if len(keys) > MAX_OLDER:
        return _one_by_one(older, held, arrived, out)
    merged = np.zeros(len(keys), OLDER)
    merged["item_key"], merged["last_ts"] = keys, _NEW[2]
    change, units = _worth(out)
    np.add.at(merged["count"], product, np.concatenate([older["count"], change]))
    np.add.at(merged["quantity"], product, np.concatenate([older["quantity"], units]))
    np.maximum.at(merged["last_ts"], product, np.concatenate([older["last_ts"], out["ts"]]))
    return merged[np.lexsort((merged["item_key"], merged["last_ts"]))]


def _one_by_one(
    older: Structured, held: Structured, arrived: Structured, out: Structured
) -> Structured:
    """``summarise`` where products must be forgotten, so that the order of falling out matters."""
    kept = {key: (count, quantity, ts) for key, count, quantity, ts in older.tolist()}
    oldest = [(entry[2], key) for key, entry in kept.items()]
    heapq.heapify(oldest)
    in_time = np.all(arrived["ts"][1:] >= arrived["ts"][:-1]) and (
        not len(held) or arrived["ts"][0] >= held["ts"][-1]
    )
    fell = out if in_time else _falling(held, arrived, len(out))
    change, units = _worth(fell)
    columns = (fell["item_key"].tolist(), fell["ts"].tolist(), change.tolist(), units.tolist())
    for key, ts, one, amount in zip(*columns, strict=True):
        count, total, last_ts = kept.get(key, _NEW)
        kept[key] = (count + one, total + amount, max(ts, last_ts))
        if ts > last_ts:
            heapq.heappush(oldest, (ts, key))
        while len(kept) > MAX_OLDER:
            longest_ago, oldest_key = heapq.heappop(oldest)
            if kept.get(oldest_key, _NEW)[2] == longest_ago:  # not outdated by a newer line
                del kept[oldest_key]
    rows = [(key, *entry) for key, entry in kept.items()]
    merged = np.array(rows, OLDER)
    return merged[np.lexsort((merged["item_key"], merged["last_ts"]))]


def _worth(lines: Structured) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]:
    """What each line adds to its product's ``count`` and ``quantity``."""
    change = np.where(lines["quantity"] < 0, -1, 1).astype(np.int32)
    return change, to_units(lines["quantity"]) / UNITS


def _falling(held: Structured, arrived: Structured, n_out: int) -> Structured:
    """Lines in the order in which they fall out, when some arrive late."""
    both = np.concatenate([held, arrived])
    seen = [(ts, position) for position, ts in enumerate(both["ts"].tolist())]
    capacity = len(both) - n_out
    window = seen[:capacity]
    heapq.heapify(window)
    return both[[heapq.heappushpop(window, line)[1] for line in seen[capacity:]]]
