"""Threads that compare the same expressions, and drop others, disturb each other in nothing."""

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import ibis
import pytest
from ibis.common.bases import Comparable

from recsys.expression_comparison import guard


def test_threads_find_what_is_equal_and_leave_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    guard()
    troubles: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", troubles.append)
    table = ibis.table({"a": "int64", "b": "string"}, name="compared by threads")
    shared = [(table.a + n).op() for n in range(6)]
    addresses = {id(one) for one in shared}

    def found(_: int) -> list[list[int]]:
        made = ((table.a + n % 6).op() for n in range(1_200))
        return [[at for at, one in enumerate(shared) if one == new] for new in made]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(found, range(4)))
    finally:
        sys.setswitchinterval(interval)
    assert answers == [[[n % 6] for n in range(1_200)]] * 4
    assert troubles == []
    kept = {at for at in addresses for _ in Comparable.__cache__.get(at, ())}
    # What is left of the shared ones is told of living expressions alone.
    assert all(set(Comparable.__cache__[at]) <= addresses for at in kept)
