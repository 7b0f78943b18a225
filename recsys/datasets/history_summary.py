"""The part of a history that no longer fits, a product a line.

Lines that fell out of a customer's row come in, out comes the bounded summary. Called by
``customer_history.add_lines``.
"""

import heapq
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.datasets.item_index import IntArray
from recsys.datasets.return_netting import UNITS, to_units

#: One line: what was bought or, with a negative quantity, returned.
LINES: Final = np.dtype(
    [
        ("item_key", "<i8"),  # item_index.item_key
        ("ts", "<i8"),  # UTC epoch seconds
        ("quantity", "<f4"),  # negative for a return; may be a weight
        ("order", "<i8"),  # item_index.order_key; of the returned order, where a return names one
        ("channel", "u1"),  # index into schema.CHANNELS
        ("location", "<i8"),  # item_index.location_key, 0 for none
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


def summarise_lines(
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
    if len(keys) <= MAX_OLDER:
        return _added_up(keys, product, older, out)
    if _in_time(held, arrived):
        return _least_recent(keys, product, older, out)
    return _one_by_one(older, held, arrived, out)


def _added_up(keys: IntArray, product: IntArray, older: Structured, out: Structured) -> Structured:
    """Sum up older summaries and lines; ``product`` says which of ``keys`` each is, -1 none."""
    change, units = _worth(out)
    merged = np.zeros(len(keys), OLDER)
    merged["item_key"] = keys
    by_product = np.argsort(product, kind="stable")
    by_product = by_product[np.searchsorted(product[by_product], 0) :]
    starts = np.searchsorted(product[by_product], np.arange(len(keys)))
    for name, add, parts in (
        ("count", np.add, (older["count"], change)),
        ("quantity", np.add, (older["quantity"], units)),
        ("last_ts", np.maximum, (older["last_ts"], out["ts"])),
    ):
        merged[name] = add.reduceat(np.concatenate(parts)[by_product], starts)
    return merged[np.lexsort((merged["item_key"], merged["last_ts"]))]


def _least_recent(
    keys: IntArray, product: IntArray, older: Structured, out: Structured
) -> Structured:
    """``summarise`` where products must be forgotten, and lines fell out in the order of time.

    A product stands above another when it was bought later, or in the same second with a larger
    key. It is forgotten as soon as ``MAX_OLDER`` others stand above it, so both what is held in
    the end and since when follow from how many were bought between two of its purchases.
    """
    n, at = len(product), np.arange(len(product))
    ts = np.concatenate([older["last_ts"], out["ts"]])
    by_product = np.argsort(product, kind="stable")
    again = product[by_product[1:]] == product[by_product[:-1]]
    before, following = np.full(n, -1), np.full(n, n)
    before[by_product[1:][again]] = by_product[:-1][again]
    following[by_product[:-1][again]] = by_product[1:][again]
    last = np.flatnonzero(following == n)
    kept = last[np.lexsort((product[last], ts[last]))[-MAX_OLDER:]]
    place = np.full(len(keys), -1)
    stays = np.sort(product[kept])
    place[stays] = np.arange(len(stays))
    # Its lines count from the last purchase before which it had been forgotten.
    begin = np.zeros(len(keys), np.int64)
    start, end = (np.searchsorted(ts, ts, side) for side in ("left", "right"))
    far = (before >= 0) & (at - start[before] > MAX_OLDER) & (place[product] >= 0)
    for here in np.flatnonzero(far)[::-1].tolist():
        one, then = product[here], before[here]
        if begin[one]:
            continue
        second = slice(start[then], min(end[then], here))  # in which it was bought then
        above = np.count_nonzero(before[end[then] : here] < end[then]) + np.count_nonzero(
            (product[second] > one) & (following[second] >= here)
        )
        if above >= MAX_OLDER:
            begin[one] = here
    counts = at >= begin[product]
    return _added_up(keys[stays], np.where(counts, place[product], -1), older, out)


def _one_by_one(
    older: Structured, held: Structured, arrived: Structured, out: Structured
) -> Structured:
    """``summarise`` where products must be forgotten, so that the order of falling out matters."""
    kept = {key: (count, quantity, ts) for key, count, quantity, ts in older.tolist()}
    oldest = [(entry[2], key) for key, entry in kept.items()]
    heapq.heapify(oldest)
    fell = out if _in_time(held, arrived) else _falling(held, arrived, len(out))
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


def _in_time(held: Structured, arrived: Structured) -> bool:
    """Whether every line came after those of earlier times, so that the oldest fall out first."""
    return bool(np.all(arrived["ts"][1:] >= arrived["ts"][:-1])) and (
        not len(held) or bool(arrived["ts"][0] >= held["ts"][-1])
    )


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
