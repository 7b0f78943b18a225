"""Compiles the inner loops that numpy cannot say.

Functions of arrays and numbers come in, compiled ones come out, kept on disk so that the next
process need not compile again; of processes that begin together, one compiles and the others wait
for it. Called by whatever walks ragged rows: a loop over customers, their
purchases and what goes with those has no form that numpy does fast for one customer and for many.
The compiler is loaded at the first call, which commands that never compute (ingest, the ledger's)
do not make.
"""

import fcntl
import functools
import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numpy.typing as npt

Function = TypeVar("Function", bound=Callable[..., object])

#: Sums may be split into as many as the processor adds at once; nothing else is bent.
_SPLIT: Final = ("reassoc", "contract", "nsz")
_every: "list[_Compiled]" = []


def compiled(function: Function) -> Function:
    """Compile a function of arrays and numbers at its first call.

    Other threads run meanwhile. Additions keep their order, so that a row gives the same numbers
    to the last bit whatever stands beside it.

    Parameters
    ----------
    function : callable
        Of positional arguments: numpy arrays, tuples of them, numbers.
    """
    return cast(Function, _Compiled(function))


def summing(function: Function) -> Function:
    """Compile a function whose inner sums may be taken in another order than they are written.

    For inner products, of which many are needed: several times as fast. The order depends on the
    length alone, not on what stands beside a row, but it is another one in each function: what
    must be equal to the last bit has to come from one.

    Parameters
    ----------
    function : callable
        As for ``compiled``.
    """
    return cast(Function, _Compiled(function, fastmath=set(_SPLIT)))


def inlined(function: Function) -> Function:
    """Compile a function into those that call it.

    For what is asked of each candidate with many arrays, which a call would hand over each time.

    Parameters
    ----------
    function : callable
        As for ``compiled``; called by compiled functions alone.
    """
    return cast(Function, _Compiled(function, inline="always"))


def compiled_signatures() -> dict[str, int]:
    """Return for how many kinds of arguments each function was compiled in this process.

    Once the first questions were asked nothing more may come: whoever asks would wait.
    """
    return {
        f"{each.function.__module__}.{each.function.__qualname__}": len(each.dispatcher.overloads)
        for each in _every
        if each.dispatcher is not None
    }


class _Compiled:
    """A function that is handed to the compiler when it is first called."""

    def __init__(self, function: Callable[..., object], **options: Any) -> None:
        self.function = function
        self.options = options
        self.dispatcher: Any = None
        _every.append(self)
        functools.update_wrapper(self, function)

    def __call__(self, *arguments: Any) -> Any:
        return (self.dispatcher or self.compile())(*arguments)

    def compile(self) -> Any:
        """Return what the compiler makes of it, and of the compiled functions it calls."""
        if self.dispatcher is None:
            from numba import njit  # loads for half a second

            known = self.function.__globals__
            for name in self.function.__code__.co_names:
                called = known.get(name)
                if isinstance(called, _Compiled) and called is not self:
                    known[name] = called.compile()
            options = {"cache": True, "nogil": True, "error_model": "numpy", **self.options}
            self.dispatcher = njit(**options)(self.function)
            kept = getattr(self.dispatcher._cache, "_cache_file", None)
            if kept is not None:
                self._depend_on(known, kept)
                self._wait_for_other_processes(kept)
            if known.get(self.function.__name__) is self:
                known[self.function.__name__] = self.dispatcher
        return self.dispatcher

    def _depend_on(self, known: Mapping[str, Any], kept: Any) -> None:
        """Compile again when a constant or a compiled function of another file has changed.

        numba discards what it kept on disk when the function's own file changes. Here the stamp of
        that file is joined by the constants that the function names, and by the stamps of what it
        calls.
        """
        uses = []
        for name in self.function.__code__.co_names:
            value = known.get(name)
            called = getattr(getattr(value, "_cache", None), "_cache_file", None)
            if called is not None and called is not kept:
                uses.append((name, called._source_stamp))
            elif isinstance(value, bool | int | float | str | tuple):
                uses.append((name, repr(value)))
        stamp = repr((kept._source_stamp, uses)).encode()
        kept._source_stamp = hashlib.sha256(stamp).hexdigest()

    def _wait_for_other_processes(self, kept: Any) -> None:
        """Have one process at a time read or compile this function.

        So none compiles what another is compiling. numba itself would let two that compile for
        different arguments give their results one name, and a later process run the wrong one.
        """
        from numba.core.compiler_lock import global_compiler_lock

        compile_kept = self.dispatcher.compile
        self.dispatcher._cache._impl.locator.ensure_cache_path()

        def compile_alone(signature: Any) -> Any:
            # The threads' lock first, as where one compiled function calls another.
            with global_compiler_lock, _locked(f"{kept._index_path}.lock"):
                return compile_kept(signature)

        self.dispatcher.compile = compile_alone


@contextmanager
def _locked(path: str) -> Iterator[None]:
    try:
        file = Path(path).open("ab")  # noqa: SIM115
    except OSError:  # others may read what is kept here, and nobody writes it
        yield
        return
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def fixed(array: Any) -> npt.NDArray[Any]:
    """Return a view that cannot be written to, as what is read from a file is.

    Compiled functions tell the two apart: with views like this they are compiled once, not once
    for training and once for serving.

    Parameters
    ----------
    array : ndarray
        Of any shape and dtype; left as it is.

    Returns
    -------
    ndarray
        A view; the array itself where it is read-only already.
    """
    view: npt.NDArray[Any] = array
    if view.flags.writeable:
        view = array[...]  # as `view()` gives it, in a third of the time
        view.setflags(write=False)
    return view


def all_fixed(*arrays: Any) -> Any:
    """Return a tuple of ``fixed`` views of several arrays.

    Parameters
    ----------
    *arrays : ndarray
        As ``fixed`` takes one.

    Returns
    -------
    tuple of ndarray
        In the same order.
    """
    return tuple(map(fixed, arrays))
