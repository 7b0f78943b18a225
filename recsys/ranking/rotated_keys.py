"""Moves candidates down that their customers were shown and ignored.

In: sort keys and chances of candidates, and the logarithms of factors on odds. Out: sort keys.
Called by ``Ranker`` where a request has factors.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.datasets import Floats, IntArray, Ragged, compiled, fixed

#: Chances nearer to 0 or 1 are taken as this.
_LEAST: Final = 1e-9


def rotated_keys(
    keys: Floats,
    chance: Floats,
    log_factor: Floats,
    candidates: Ragged,
    by_margin: npt.NDArray[np.bool_],
) -> Floats:
    """Lower the keys of candidates to where others of their lowered chance stand.

    Keys are learned for the order and lie further apart than log-odds do. So a factor on the odds
    takes as much of a key as lies between a candidate of that chance and one of the lowered chance,
    in the same request; the logarithm of the factor at least.

    Parameters
    ----------
    keys : ndarray of shape (m,), float64
        Of ``m`` candidates of ``n`` requests; stays as it is.
    chance : ndarray of shape (m,), float64
        Of purchase.
    log_factor : ndarray of shape (m,), float64
        0 for candidates that stay where they are.
    candidates : Ragged
    by_margin : ndarray of shape (n,), bool
        Whose keys are logarithms of expected margins, which a factor lowers by its logarithm; none
        where it is empty.

    Returns
    -------
    ndarray of shape (m,), float64
    """
    bounds = fixed(candidates.indptr)
    return _lowered(fixed(keys), fixed(chance), fixed(log_factor), bounds, fixed(by_margin))


@compiled
def _lowered(
    keys: Floats,
    chance: Floats,
    log_factor: Floats,
    indptr: IntArray,
    by_margin: npt.NDArray[np.bool_],
) -> Floats:
    out = keys + log_factor
    for r in range(len(indptr) - 1):
        begin, end = indptr[r], indptr[r + 1]
        mine = log_factor[begin:end]
        if not mine.any() or (len(by_margin) and by_margin[r]):
            continue
        certain = np.minimum(np.maximum(chance[begin:end], _LEAST), 1.0 - _LEAST)
        odds = np.log(certain / (1.0 - certain))
        # The nth lowest chance has the nth lowest key; of equal chances the lowest.
        ordered, sorted_keys = np.sort(odds), np.sort(keys[begin:end])
        first = np.ones(len(ordered), np.bool_)
        first[1:] = ordered[1:] != ordered[:-1]
        levels, key_at = ordered[first], sorted_keys[first]
        at = np.flatnonzero(mine)
        low = odds[at] + mine[at]
        fall = np.interp(low, levels, key_at) - np.interp(odds[at], levels, key_at)
        fall += np.minimum(low - levels[0], 0.0)  # below the last
        out[begin + at] = keys[begin + at] + np.minimum(fall, mine[at])
    return out
