"""Lays out the windows that settings are chosen on, all of them before every test window.

The plan of a training comes in; pairs of windows come out: one to learn weights on, and the one
after it to judge on. Called by ``omnibasket tune``.
"""

from typing import Final, NamedTuple

from recsys.errors import DataError
from recsys.validation.splits import DAY, MAX_SHARE, Split, Window

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


def folds(plan: list[Split], wanted: int) -> list[Fold]:
    """Lay windows one before the other, the last of them before the first test window.

    Parameters
    ----------
    plan : list of Split
        What ``omnibasket train`` would do; no test window of it is touched.
    wanted : int
        Windows to judge on, at least 1; there are fewer where the history has no room.

    Returns
    -------
    list of Fold
        The latest first: it is most like the days that are asked about.

    Raises
    ------
    DataError
        When two windows would leave less than half of what was before the test to learn from.
    """
    first = plan[0]
    length = first.validation.end_ts - first.validation.start_ts
    before = first.test.start_ts - first.first_ts // DAY * DAY
    room = int(MAX_SHARE * before) // length
    if room < _LEAST:
        days, most = before // DAY, int(MAX_SHARE * before) // DAY // _LEAST
        raise DataError(
            f"the history has {days} days before the test window ({first.test}), and settings "
            f"are chosen on two windows of {length // DAY} days in the last half of them: one to "
            "learn weights on, one to judge on. "
            + (
                "Take shorter windows, as in `omnibasket tune "
                f"--set train.validation_days={most}`, or add older exports to [sources]."
                if most
                else "Add older exports to [sources]."
            )
        )
    newest = first.validation
    windows = [
        Window(newest.start_ts - back * length, newest.end_ts - back * length)
        for back in range(min(room, wanted + 1))
    ]
    return [Fold(*pair) for pair in zip(windows[1:], windows[:-1], strict=True)]
