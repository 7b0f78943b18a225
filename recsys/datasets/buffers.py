"""Scratch arrays for compiled loops, kept from one call to the next.

In: sizes. Out: arrays of zeros. Used by loops that add up over a whole catalogue for one customer
at a time: they use a handful of entries, and clearing those is a fraction of the work of allocating
an array as long as the catalogue.

A loop that is done with its arrays leaves them as zeros. One that ends with an error may not have
got there, so its arrays are thrown away. Tests set ``check_returned``, which verifies every array
that comes back.
"""

import threading
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

#: Whether to verify that arrays come back as zeros: a pass over the whole array, for tests.
check_returned = False

_held = threading.local()

Array = npt.NDArray[Any]


class zeroed:  # noqa: N801 - read as the statement that it is used in
    """Arrays of zeros for the length of a ``with`` block, which leaves them as zeros.

    While the block runs, nobody else uses them: each thread has its own, and a block inside another
    gets others. A block that ends with an error does not give its arrays back.

    Parameters
    ----------
    *sizes : tuple of (int, dtype)
        Least length and type of each array.

    Raises
    ------
    AssertionError
        With ``check_returned``, when the block leaves anything but zeros.
    """

    __slots__ = ("_sizes", "_taken")

    def __init__(self, *sizes: tuple[int, npt.DTypeLike]) -> None:
        self._sizes = sizes

    def __enter__(self) -> tuple[Array, ...]:
        held: dict[Any, list[Array]] = _held.__dict__
        taken = []
        for size, dtype in self._sizes:
            free = held.get(dtype)
            if free and len(free[-1]) >= size:  # nearly always: sizes are those of one catalogue
                taken.append(free.pop())
            else:
                taken.append(_take(held.setdefault(dtype, []), size, dtype))
        self._taken = tuple(taken)
        return self._taken

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            return
        if check_returned:
            _check_cleared(self._taken)
        held: dict[Any, list[Array]] = _held.__dict__
        for (_, dtype), array in zip(self._sizes, self._taken, strict=True):
            held[dtype].append(array)


def _take(free: list[Array], size: int, dtype: npt.DTypeLike) -> Array:
    """Take an array out of those that this thread holds, or make one."""
    for at in range(len(free) - 1, -1, -1):
        if len(free[at]) >= size:
            return free.pop(at)
    if free:
        free.pop()  # all are too short; a longer one takes the place of one of them
    return np.zeros(size + size // 8, dtype)


def _check_cleared(arrays: tuple[Array, ...]) -> None:
    for at, array in enumerate(arrays):
        if array.any():
            raise AssertionError(
                f"array {at} came back with {np.count_nonzero(array)} entries not cleared."
            )
