"""When a customer last bought each of some choices.

The stored row of a customer comes in; times come out. Called by ``recommender.contact_checks``, and
by the service to tell what was ignored from what was bought.
"""

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from recsys.datasets.batches import Floats
from recsys.datasets.compilation import all_fixed, compiled
from recsys.datasets.customer_history import CustomerHistory
from recsys.datasets.item_index import IntArray, ItemIndex, IxArray, place

#: Of what was not bought, instead of a time.
NEVER: Final = -(1 << 62)


def choices_bought(
    index: ItemIndex,
    choice_of: IxArray,
    row: CustomerHistory,
    choices: npt.NDArray[np.integer[Any]],
    as_of_ts: int,
    since_ts: float = -math.inf,
) -> IntArray:
    """Return when each of some choices of the catalogue was last bought.

    Parameters
    ----------
    index : ItemIndex
    choice_of : ndarray of shape (n_items,), int32
        Position of the first product of the choice of each.
    row : CustomerHistory
    choices : ndarray of shape (n,)
        Position of the first product of each; -1 for none.
    as_of_ts : int
        UTC epoch seconds; only what was bought before counts.
    since_ts : float
        UTC epoch seconds; only what was bought after it counts.

    Returns
    -------
    ndarray of shape (n,), int64
        UTC epoch seconds, whether it was returned later or not; ``NEVER`` where it was not bought.
        Of what no longer fits into the row, the last line counts, also a return.
    """
    lines, older = row.lines, row.older
    columns: list[Any] = [
        choices.astype(np.int64),
        choice_of,
        *(lines[name] for name in ("item_key", "ts", "quantity")),
        *(older[name] for name in ("item_key", "last_ts")),
    ]
    arrays = all_fixed(*map(np.ascontiguousarray, columns))
    given: list[Any] = [*arrays, max(since_ts, float(NEVER)), as_of_ts, *index.search]
    return _last_ts(*given)


@compiled
def _last_ts(
    wanted: IntArray,
    choice_of: IxArray,
    keys: IntArray,
    times: IntArray,
    pieces: Floats,
    older_keys: IntArray,
    older_times: IntArray,
    since_ts: float,
    as_of_ts: int,
    shift: int,
    depth: int,
    start: IxArray,
    sorted_keys: IntArray,
    sorted_ix: IxArray,
) -> IntArray:
    """Return ``choices_bought`` of columns in the order of time."""
    last = np.full(len(wanted), NEVER)
    order = np.argsort(wanted)
    ordered = wanted[order]
    for n in range(len(older_keys) + len(keys)):
        k = n - len(older_keys)
        ts = older_times[n] if k < 0 else times[k]
        if not since_ts < ts < as_of_ts or (k >= 0 and pieces[k] <= 0):
            continue
        key = older_keys[n] if k < 0 else keys[k]
        item_ix = place(key, shift, depth, start, sorted_keys, sorted_ix)
        if item_ix < 0:
            continue
        at = np.searchsorted(ordered, choice_of[item_ix])
        while at < len(ordered) and ordered[at] == choice_of[item_ix]:
            last[order[at]] = max(last[order[at]], ts)
            at += 1
    return last
