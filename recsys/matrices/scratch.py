"""Room for compiled loops to work in, kept from one call to the next.

Sizes come in, arrays of zeros come out. Called by whatever adds up over a whole catalogue for one
customer at a time: it uses a handful of entries, and clearing those is a fraction of the work of
asking for a new array as long as the catalogue.
"""

import threading
from typing import Any

import numpy as np
import numpy.typing as npt

_held = threading.local()


def zeros(size: int, dtype: npt.DTypeLike, place: int = 0) -> npt.NDArray[Any]:
    """Return an array of zeros, which the caller leaves as zeros.

    Parameters
    ----------
    size : int
        Entries needed.
    dtype : dtype
    place : int
        Tells apart arrays of one dtype that are needed at the same time.

    Returns
    -------
    ndarray of shape (size,) at least
        The same for each call of a thread: whoever writes into it writes zeros before it ends.
    """
    name = f"{np.dtype(dtype).char}{place}"
    held: npt.NDArray[Any] | None = _held.__dict__.get(name)
    if held is None or len(held) < size:
        held = _held.__dict__[name] = np.zeros(size + size // 8, dtype)
    return held
