"""Lays out the windows that settings are chosen on, all of them before every test window.

The plan of a training comes in; pairs of windows come out: one to learn weights on, and the one
after it to judge on. Called by ``omnibasket tune``.
"""

from typing import Final, NamedTuple

from recsys.errors import DataError
from recsys.evaluation import Split, Window, rolling, splits
from recsys.units import DAY

#: Two windows are the least: one to learn on, one to judge on.
_LEAST: Final = 2


class Fold(NamedTuple):
    """Models are learned before each window; weights on the first, figures come from the second.

    Attributes
    ----------
    learn, judge : Window
        ``learn`` ends where ``judge`` starts.
    """

    learn: Window
    judge: Window


def folds(plan: list[Split], wanted: int, test_days: int) -> list[Fold]:
    """Lay windows one before the other, the last of them before the first test window.

    Parameters
    ----------
    plan : list of Split
        What ``omnibasket train`` would do; no test window of it is touched.
    wanted : int
        Windows to judge on, at least 1; there are fewer where the history has no room.
    test_days : int
        As ``[train]`` asks for.

    Returns
    -------
    list of Fold
        The latest first: it is most like the days that are asked about.

    Raises
    ------
    DataError
        When two windows would leave less than half of what was before the test to learn from.
    """
    if _room(plan) < _LEAST:
        raise DataError(_too_short(plan, test_days))
    newest = plan[0].validation
    length = newest.end_ts - newest.start_ts
    windows = [
        Window(newest.start_ts - back * length, newest.end_ts - back * length)
        for back in range(min(_room(plan), wanted + 1))
    ]
    return [Fold(*pair) for pair in zip(windows[1:], windows[:-1], strict=True)]


def _room(plan: list[Split]) -> int:
    """Windows that fit before the first test window, with half of it left to learn from."""
    first = plan[0]
    before = first.test.start_ts - first.first_ts // DAY * DAY
    return int(splits.MAX_SHARE * before) // (first.validation.end_ts - first.validation.start_ts)


def _too_short(plan: list[Split], test_days: int) -> str:
    split, last_ts = plan[0], plan[-1].test.end_ts - 1
    days = (split.test.start_ts - split.first_ts // DAY * DAY) // DAY
    problem = (
        f"the history has {days} days before the test window ({split.test}), and settings are "
        f"chosen on two windows of {split.validation.days:.0f} days in the last half of them: one "
        "to learn weights on, one to judge on."
    )
    for fewer in range(round(split.validation.days) - 1, 0, -1):
        shorter = rolling(split.first_ts, last_ts, test_days, fewer, tests=len(plan))
        if _room(shorter) >= _LEAST:
            return (
                f"{problem} Take shorter windows, as in `omnibasket tune --set "
                f"train.validation_days={fewer}`, or add older exports to [sources]."
            )
    return f"{problem} Add older exports to [sources]."
