"""Lets several threads compare and drop the expressions of Ibis.

Ibis remembers which two expressions are equal by their addresses, and forgets an expression when it
is dropped, without a lock. Two threads that do so at once may leave an entry behind, and whatever
is made at that address later would be taken for equal to something else: a query would get the SQL
of another one. Called by ``query_engine``, whose threads share what was compiled.
"""

from threading import RLock
from typing import Any

from ibis.common.bases import Comparable

#: One thread may drop an expression while it compares others: the collector runs at any time.
_comparing = RLock()
_Known = dict[int, dict[int, bool]]


def guard() -> None:
    """Guard what Ibis remembers of comparisons with a lock, once for the process."""
    if Comparable.__eq__ is not _equal:
        Comparable.__eq__ = _equal
        Comparable.__del__ = _forget


def _equal(one: Any, other: Any) -> bool:
    """Compare as Ibis does, and remember the result."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    known: _Known = Comparable.__cache__
    with _comparing:
        result = known.get(id(one), {}).get(id(other))
        if result is None:
            result = bool(one.__equals__(other))
            known.setdefault(id(one), {})[id(other)] = result
            known.setdefault(id(other), {})[id(one)] = result
    return result


def _forget(one: Any, known: _Known = Comparable.__cache__, comparing: Any = _comparing) -> None:
    """Forget the comparisons of an expression that is dropped, also while the process ends."""
    with comparing:
        for other in known.pop(id(one), ()):
            # It may be gone, too, where one is dropped while another one is.
            results = known.get(other, {})
            results.pop(id(one), None)
            if not results:
                known.pop(other, None)
