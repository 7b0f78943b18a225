"""Compiles the inner loops that numpy cannot say.

Functions of arrays and numbers come in, compiled ones come out, kept on disk so that the next
process need not compile again. Called by whatever walks ragged rows: a loop over customers, their
purchases and what goes with those has no form that numpy does fast for one customer and for many.
"""

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile a function of arrays and numbers at its first call.

    Other threads run meanwhile. Additions keep their order, so that a row gives the same numbers
    to the last bit whatever stands beside it.

    Parameters
    ----------
    function : callable
        Of positional arguments: numpy arrays, tuples of them, numbers.
    """
    return cast(Function, njit(cache=True, nogil=True, error_model="numpy")(function))
