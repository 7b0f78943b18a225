"""Loops are compiled when they are first called, together with those that they call."""

import importlib
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


def _compiled_anew(folder, constant, factor):
    """The answer of a loop in ``caller``, which takes a constant and a function from ``other``."""
    (folder / "other.py").write_text(
        "from recsys.datasets.compilation import compiled\n"
        f"CONSTANT = {constant}\n"
        f"@compiled\ndef times(n):\n    return {factor} * n\n"
    )
    (folder / "caller.py").write_text(
        "from other import CONSTANT, times\n"
        "from recsys.datasets.compilation import compiled\n"
        "@compiled\ndef answer(n):\n    return times(n) + CONSTANT\n"
    )
    for name in ("other", "caller"):
        sys.modules.pop(name, None)
    importlib.invalidate_caches()
    return importlib.import_module("caller")


def test_what_is_kept_on_disk_is_not_used_once_another_file_changed(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for constant, factor, hits in ((1, 2, 0), (1, 2, 1), (5, 2, 0), (5, 3, 0), (5, 3, 1)):
        caller = _compiled_anew(tmp_path, constant, factor)
        assert caller.answer(10) == 10 * factor + constant
        assert sum(caller.answer.stats.cache_hits.values()) == hits


def test_an_ingest_loads_nothing_that_it_does_not_use():
    code = f"import sys, training.ingest; print([n for n in {HEAVY} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
