"""Compiled loops of ``choices``.

In: rows as flat arrays, and the choice of each product. Out: flags and products. Scratch arrays as
long as the catalogue must be zeros and are left as zeros. Called by ``choices``.
"""

import numpy as np
import numpy.typing as npt

from recsys.datasets import IntArray, IxArray, compiled

Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]


@compiled
def expand_choices(
    mark: Bytes,
    indptr: IntArray,
    items: IxArray,
    of: IxArray,
    starts: IntArray,
    order: IxArray,
) -> tuple[IntArray, IxArray]:
    """Find every product of the choices of each row: count them, then write them.

    Walks rows and candidates in order; ``mark`` skips choices already seen. Compiled because the
    length of a row depends on its choices, which numpy would have to sort to find.
    """
    n = len(indptr) - 1
    ends = np.zeros(n + 1, np.int64)
    room = 0
    for r in range(n):
        for at in range(indptr[r], indptr[r + 1]):
            choice = of[items[at]]
            if mark[choice] == 0:
                mark[choice] = 1
                room += starts[choice + 1] - starts[choice]
        for at in range(indptr[r], indptr[r + 1]):
            mark[of[items[at]]] = 0
        ends[r + 1] = room
    out = np.empty(room, np.int32)
    for r in range(n):
        place = ends[r]
        for at in range(indptr[r], indptr[r + 1]):
            choice = of[items[at]]
            if mark[choice] == 0:
                mark[choice] = 1
                for member in range(starts[choice], starts[choice + 1]):
                    out[place] = order[member]
                    place += 1
        for at in range(indptr[r], indptr[r + 1]):
            mark[of[items[at]]] = 0
    return ends, out


@compiled
def lead_candidates(
    place: IntArray,
    indptr: IntArray,
    items: IxArray,
    total: Floats,
    behind: Bools,
    of: IxArray,
) -> Bools:
    """Mark the best candidate of each choice of each row.

    Walks each row once, keeping the best so far of each choice in ``place``. Compiled because numpy
    would sort the candidates of all rows by choice and key.
    """
    out = np.zeros(len(items), np.bool_)
    for r in range(len(indptr) - 1):
        for at in range(indptr[r], indptr[r + 1]):
            first = place[of[items[at]]] - 1
            better = first < 0
            if not better and behind[at] != behind[first]:
                better = behind[first]
            elif not better and total[at] != total[first]:
                better = total[at] > total[first]
            elif not better:
                better = items[at] < items[first]
            if better:
                place[of[items[at]]] = at + 1
        for at in range(indptr[r], indptr[r + 1]):
            first = place[of[items[at]]] - 1
            if first >= 0:
                out[first] = True
                place[of[items[at]]] = 0
    return out


@compiled
def best_chances(
    place: IntArray,
    indptr: IntArray,
    items: IxArray,
    chance: Floats,
    wanted_indptr: IntArray,
    wanted: IxArray,
    of: IxArray,
) -> Floats:
    """Find the best chance of the choice of each requested product.

    Walks each row's candidates, then its requested products. Compiled for the same reason as
    ``lead_candidates``.
    """
    out = np.full(len(wanted), np.nan)
    for r in range(len(indptr) - 1):
        for at in range(indptr[r], indptr[r + 1]):
            best = place[of[items[at]]] - 1
            if best < 0 or chance[at] > chance[best]:
                place[of[items[at]]] = at + 1
        for at in range(wanted_indptr[r], wanted_indptr[r + 1]):
            best = place[of[wanted[at]]] - 1
            if best >= 0:
                out[at] = chance[best]
        for at in range(indptr[r], indptr[r + 1]):
            place[of[items[at]]] = 0
    return out
