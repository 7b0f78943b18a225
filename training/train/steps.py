"""Times the steps of a training, and says how much of it is done and how long the rest takes.

The names of the steps and how long they took before come in; the progress bar's state and the
seconds of each step come out. Called by ``train``.

The share of the work that each step is comes from an earlier run; how fast this run goes, from
the steps that it has done.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from training.console import Bar

#: Opens a step of a name, inside another one.
Step = Callable[[str], AbstractContextManager[None]]

_TICK_SECONDS: Final = 0.5
#: A step that takes longer than before comes near its end and never there.
_NEARLY: Final = 0.95


class Steps:
    """The steps of one run, in their order.

    Parameters
    ----------
    names : sequence of str
        All steps; parts of one are named ``step.part``, and may be told by ``before`` alone.
    words : mapping of str to str
        What the bar says, by step.
    before : mapping of str to float
        Seconds that steps took in an earlier run; empty where there is none.
    bar : Bar
    """

    def __init__(
        self,
        names: Sequence[str],
        words: Mapping[str, str],
        before: Mapping[str, float],
        bar: Bar,
    ) -> None:
        self.seconds: dict[str, float] = {}
        self._words = words
        self._bar = bar
        names = [part for name in names for part in _parts(name, before)]
        self._known = any(name in before for name in names)
        usual = sum(before.get(name, 0.0) for name in names) / max(1, len(names)) or 1.0
        self._expected = {name: max(before.get(name, usual), 0.01) for name in names}
        self._open: tuple[str, float] | None = None

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Tell what begins, and note how long it took."""
        step, _, part = name.partition(".")
        self._bar.update(f"{self._words[step]}: {part}" if part else self._words[step])
        self._open = (name, time.perf_counter())
        try:
            yield
        finally:
            taken = time.perf_counter() - self._open[1]
            self.seconds[name] = round(self.seconds.get(name, 0.0) + taken, 3)
            self._open = None

    def within(self, step: str) -> Step:
        """Return what opens the parts of a step."""
        return lambda part: self.step(f"{step}.{part}")

    def by_step(self) -> dict[str, float]:
        """Seconds of each step with its parts, and in total."""
        found: dict[str, float] = {}
        for name, taken in self.seconds.items():
            step = name.partition(".")[0]
            found[step] = found.get(step, 0.0) + taken
        found["total"] = sum(found.values())
        return {name: round(taken, 2) for name, taken in found.items()}

    def share(self) -> float:
        """Share of the work that is done."""
        done, doing, whole = self._progress()
        return (done + doing) / whole

    def left_seconds(self) -> float | None:
        """How long the rest takes; None while nothing says it."""
        done, doing, whole = self._progress()
        taken = sum(self.seconds.values())
        if not self._known and done < whole / 20:
            return None
        # One second of doubt on either side: the first steps are short and say little.
        pace = (taken + 1) / (done + 1) if self._known else taken / done
        return pace * (whole - done - doing)

    @contextmanager
    def showing(self) -> Iterator[None]:
        """Keep the bar up to date while the block runs, where there is a bar."""
        if not self._bar.shown:
            yield
            return
        stopped = threading.Event()
        thread = threading.Thread(target=self._tick, args=(stopped,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()

    def _tick(self, stopped: threading.Event) -> None:
        while not stopped.wait(_TICK_SECONDS):
            self._bar.update(done=self.share(), left_seconds=self.left_seconds())

    def _progress(self) -> tuple[float, float, float]:
        """Expected seconds of what is done, of what is done of the open step, and of all."""
        done = sum(self._expected.get(name, 0.0) for name in list(self.seconds))
        doing, opened = 0.0, self._open
        if opened is not None and opened[0] in self._expected:
            expected = self._expected[opened[0]]
            doing = min(time.perf_counter() - opened[1], _NEARLY * expected)
        return done, doing, max(sum(self._expected.values()), 0.01)


def _parts(step: str, before: Mapping[str, float]) -> list[str]:
    """Parts that a step had before; itself, where it had none."""
    return [name for name in before if name.startswith(f"{step}.")] or [step]
