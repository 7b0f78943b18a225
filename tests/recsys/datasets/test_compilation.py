"""Loops are compiled when they are first called, together with those that they call."""

import subprocess
import sys

import numpy as np

from recsys.datasets import compilation as module
from recsys.datasets.compilation import compiled

HEAVY = ("matplotlib", "numba", "pandas", "scipy", "sklearn")


@compiled
def _twice(number):
    return number * 2


@compiled
def _doubled(numbers):
    total = 0
    for number in numbers:
        total += _twice(number)
    return total


def test_a_loop_is_compiled_with_what_it_calls():
    loop = _doubled
    assert isinstance(loop, module._Compiled)
    assert loop.__name__ == "_doubled"
    assert loop(np.arange(4)) == 12
    assert loop(np.arange(5)) == 20
    assert not isinstance(_doubled, module._Compiled)  # called without a detour from now on
    assert _twice(3) == 6


def test_an_ingest_loads_nothing_that_it_does_not_use():
    code = f"import sys, training.ingest; print([n for n in {HEAVY} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
