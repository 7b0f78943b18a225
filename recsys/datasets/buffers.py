"""Room for compiled loops to work in, kept from one call to the next.

Sizes come in, arrays of zeros come out. Used by whatever adds up over a whole catalogue for one
customer at a time: it uses a handful of entries, and clearing those is a fraction of the work of
asking for a new array as long as the catalogue.
"""

import threading
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

_held = threading.local()

Array = npt.NDArray[Any]


class zeroed:  # noqa: N801 - read as the statement that it is used in
    """Arrays of zeros for the length of a ``with`` block, which leaves them as zeros.

    While the block runs they are nobody else's; a block that ends by an error does not give them
    back, so that whatever it left behind is in nobody's numbers.

    Parameters
    ----------
    *wanted : tuple of (int, dtype)
        Entries needed at least, and of which type; each is another array.
    """

    __slots__ = ("_taken", "_wanted")

    def __init__(self, *wanted: tuple[int, npt.DTypeLike]) -> None:
        self._wanted = wanted

    def __enter__(self) -> tuple[Array, ...]:
        self._taken = tuple(_take(size, dtype) for size, dtype in self._wanted)
        return self._taken

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            for array in self._taken:
                _held.__dict__[array.dtype.char].append(array)


def _take(size: int, dtype: npt.DTypeLike) -> Array:
    """Take an array out of what this thread holds, or make one."""
    free: list[Array] = _held.__dict__.setdefault(np.dtype(dtype).char, [])
    for at in range(len(free) - 1, -1, -1):
        if len(free[at]) >= size:
            return free.pop(at)
    if free:
        free.pop()  # too short by now; a longer one takes its place
    return np.zeros(size + size // 8, dtype)
