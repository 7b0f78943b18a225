"""Splits a history by time, so that test data are later than all training data.

In: the first and last time of a history and the window lengths. Out: half-open windows. Called by
training and by ``analysis.workspace``; ``customer_splits`` splits by customer.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from recsys.errors import DataError
from recsys.units import DAY

#: Maximum share of the history for all windows; the rest is for training.
MAX_SHARE: Final = 0.5
_MIN_DAYS: Final = 3


@dataclass(frozen=True)
class Window:
    """A period, ``[start_ts, end_ts)``, UTC epoch seconds."""

    start_ts: int
    end_ts: int

    @property
    def days(self) -> float:
        """Its length in days."""
        return (self.end_ts - self.start_ts) / DAY

    def __str__(self) -> str:
        return f"{_day(self.start_ts)} to {_day(self.end_ts - 1)}"


@dataclass(frozen=True)
class Split:
    """A validation window and a test window; training data precede each.

    Parameters
    ----------
    first_ts : int
        Time of the history's first line.
    validation, test : Window
        ``validation`` ends where ``test`` starts.
    note : str
        Why the windows are shorter or fewer than requested; empty if they are not.
    earlier : tuple of Window
        Further validation windows before ``validation``, oldest first.
    """

    first_ts: int
    validation: Window
    test: Window
    note: str = ""
    earlier: tuple[Window, ...] = ()

    @property
    def validations(self) -> tuple[Window, ...]:
        """All validation windows, oldest first."""
        return (*self.earlier, self.validation)


def by_time(first_ts: int, last_ts: int, test_days: int, validation_days: int) -> Split:
    """Place the test window at the end of a history and the validation window before it.

    Windows begin and end at midnight UTC. If both together exceed half of the history, they are
    shortened by the same factor, to whole days and at least one.

    Parameters
    ----------
    first_ts, last_ts : int
        Times of the first and the last line, UTC epoch seconds.
    test_days, validation_days : int
        Requested lengths, at least 1.

    Returns
    -------
    Split

    Raises
    ------
    DataError
        When the history spans fewer than three days.
    """
    start_ts = first_ts // DAY * DAY
    end_ts = (last_ts // DAY + 1) * DAY
    span_days = (end_ts - start_ts) // DAY
    if span_days < _MIN_DAYS:
        raise DataError(
            f"the history spans {span_days} day{'s' if span_days > 1 else ''} "
            f"({Window(start_ts, end_ts)}): training and evaluation need at least {_MIN_DAYS}. "
            "Add older exports to [sources]."
        )
    factor = min(1.0, MAX_SHARE * span_days / (test_days + validation_days))
    test, validation = (max(1, int(days * factor)) for days in (test_days, validation_days))
    note = ""
    if (test, validation) != (test_days, validation_days):
        note = (
            f"The history spans only {span_days} days: the test window is {test} instead of "
            f"{test_days} days long, the validation window {validation} instead of "
            f"{validation_days}, so that half of the history is left for training."
        )
    test_start = end_ts - test * DAY
    return Split(
        first_ts,
        Window(test_start - validation * DAY, test_start),
        Window(test_start, end_ts),
        note,
    )


def rolling(
    first_ts: int,
    last_ts: int,
    test_days: int,
    validation_days: int,
    *,
    tests: int = 1,
    validations: int = 1,
) -> list[Split]:
    """Place several consecutive test windows, each with its own validation windows.

    The last split is that of ``by_time``; each earlier one ends one test window sooner, so that
    test windows are adjacent and never overlap. If all windows together exceed half of the history,
    the oldest are left out.

    Parameters
    ----------
    first_ts, last_ts, test_days, validation_days
        As in ``by_time``.
    tests : int
        Number of test windows, at least 1.
    validations : int
        Number of validation windows before each, at least 1.

    Returns
    -------
    list of Split
        Oldest first; only the last has a note.

    Raises
    ------
    DataError
        As in ``by_time``.
    """
    last = by_time(first_ts, last_ts, test_days, validation_days)
    test, validation = (window.end_ts - window.start_ts for window in (last.test, last.validation))
    span = last.test.end_ts - first_ts // DAY * DAY
    room = max(0, int(MAX_SHARE * span) - test - validation)
    more_validations = min(validations - 1, room // validation)
    more_tests = min(tests - 1, (room - more_validations * validation) // test)
    notes = [last.note] if last.note else []
    for requested, fit, name in (
        (tests, more_tests + 1, "test"),
        (validations, more_validations + 1, "validation"),
    ):
        if fit < requested:
            notes.append(
                f"There is room for {fit} {name} window{'s' if fit > 1 else ''} instead of "
                f"{requested}, so that half of the history is left for training."
            )
    rolled: list[Split] = []
    for back in range(more_tests, -1, -1):
        chosen = _moved(last.validation, -back * test)
        earlier = tuple(_moved(chosen, -n * validation) for n in range(more_validations, 0, -1))
        judged = _moved(last.test, -back * test)
        note = "" if back else " ".join(notes)
        rolled.append(Split(first_ts, chosen, judged, note, earlier))
    return rolled


def _moved(window: Window, seconds: int) -> Window:
    return Window(window.start_ts + seconds, window.end_ts + seconds)


def _day(ts: int) -> str:
    return datetime.fromtimestamp(ts, UTC).date().isoformat()
