"""Loops are compiled when they are first called, together with those that they call."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from recsys.datasets import compilation as module
from recsys.datasets.compilation import compiled

ROOT = Path(__file__).parents[3]
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


def test_of_processes_that_begin_together_one_compiles(tmp_path):
    (tmp_path / "shared.py").write_text(
        "from recsys.datasets.compilation import compiled\n"
        "@compiled\ndef times(n, m):\n    return n * m\n"
    )
    code = (
        "import sys; from shared import times; times.compile()\n"
        "print('ready', flush=True); number = eval(sys.stdin.readline())\n"
        "print(times(number, number), sum(times.compile().stats.cache_misses.values()))"
    )
    numbers, told = ("3", "3", "3", "0.5"), {}
    for round_ in range(2):
        running = [
            subprocess.Popen(
                [sys.executable, "-c", code],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])},
            )
            for _ in numbers
        ]
        for each in running:
            assert each.stdout.readline() == "ready\n"
        for each, number in zip(running, numbers, strict=True):
            each.stdin.write(f"{number}\n")
            each.stdin.flush()
        told[round_] = [each.communicate()[0].split() for each in running]
    for answers in told.values():
        assert [answer for answer, _ in answers] == ["9", "9", "9", "0.25"]
    whole = sorted(misses for _, misses in told[0][:3])
    assert whole == ["0", "0", "1"]  # two found what the third had compiled
    assert {misses for _, misses in told[1]} == {"0"}  # and neither kind overwrote the other


def test_an_ingest_loads_nothing_that_it_does_not_use():
    code = f"import sys, training.ingest; print([n for n in {HEAVY} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
