"""Moves candidates down that their customers were shown and ignored.

In: sort keys and chances of candidates, and the logarithms of factors on odds. Out: sort keys.
Called by ``Ranker`` where a request has factors.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.datasets import Floats, Ragged

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
    out = keys + log_factor
    for r in range(len(candidates.indptr) - 1):
        part = slice(candidates.indptr[r], candidates.indptr[r + 1])
        mine = log_factor[part]
        at = np.flatnonzero(mine)
        if not len(at) or (len(by_margin) and by_margin[r]):
            continue
        certain = np.clip(chance[part], _LEAST, 1.0 - _LEAST)
        odds = np.log(certain / (1.0 - certain))
        # The nth lowest chance has the nth lowest key; of equal chances the lowest.
        levels, first = np.unique(np.sort(odds), return_index=True)
        key_at = np.sort(keys[part])[first]
        low = odds[at] + mine[at]
        fall = np.interp(low, levels, key_at) - np.interp(odds[at], levels, key_at)
        fall += np.minimum(low - levels[0], 0.0)  # below the last
        out[part][at] = keys[part][at] + np.minimum(fall, mine[at])
    return out
