"""Evidence that the sample of an export gives about its columns: repeats, levels, numbers, shapes.

In: an ``Export``. Out: answers to questions such as "is this column constant within an order?".
Column names play no role here. Called by the modules that decide what a column is.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property
from math import isnan
from typing import Literal

from recsys.config import Column
from recsys.ingest.columns import number_formats
from training.init.exports import Export
from training.init.figures import Numbers, read
from training.init.proposal import value_of

#: Share that counts as nearly all values; exports have odd rows.
NEARLY_ALL = 0.9
#: Tolerance for rounded money, in the export's own unit.
_CENTS = 0.021
_SIGNS: tuple[Literal[".", ","], ...] = (".", ",")
_SCIENTIFIC = re.compile(r"[+-]?\d{1,2}([.,]\d+)?[eE]\+?\d{1,3}")


class Evidence:
    """Answers about a sample; results are cached.

    Parameters
    ----------
    export : Export
    minor_digits : int or None
        Decimal digits of the currency; helps to read 24,800 yen.
    decimal : {".", ","}, optional
        The decimal sign, if the user stated it.
    """

    def __init__(
        self,
        export: Export,
        minor_digits: int | None = 2,
        decimal: Literal[".", ","] | None = None,
    ) -> None:
        self.export = export
        self.minor_digits = minor_digits
        self.decimal = decimal
        self._texts: dict[str, list[str]] = {}
        self._numbers: dict[str, Numbers] = {}
        self.settled: dict[str, Literal[".", ","]] = {}
        """Column → decimal sign, if only other columns show it."""

    @cached_property
    def n_rows(self) -> int:
        """Rows of the sample."""
        return len(self.export.rows)

    def texts(self, column: str) -> list[str]:
        """Return a column's texts, one per row."""
        if column not in self._texts:
            self._texts[column] = [row.get(column, "").strip() for row in self.export.rows]
        return self._texts[column]

    def filled(self, column: str) -> list[str]:
        """Return a column's texts that are not empty."""
        return [text for text in self.texts(column) if text]

    def counts(self, column: str) -> Counter[str]:
        """Count a column's texts, empty ones left out."""
        return Counter(self.filled(column))

    def share(self, column: str, test: Callable[[str], object]) -> float:
        """Return the share of filled values that pass a test; 1 if there are none."""
        counts = self.counts(column)
        total = counts.total()
        return sum(n for text, n in counts.items() if test(text)) / total if total else 1.0

    def repeats(self, column: str) -> bool:
        """Return whether any value occurs in more than one row."""
        return len(self.counts(column)) < len(self.filled(column))

    def scientific(self, column: str) -> float:
        """Return the share of values such as 5.01235E+12, corrupted by a spreadsheet."""
        filled = self.filled(column)
        return self.share(column, _SCIENTIFIC.fullmatch) if filled else 0.0

    def numbers(self, column: str) -> Numbers:
        """Return a column's numbers, one per row; NaN where missing."""
        if column not in self._numbers:
            numbers = self.alone(column)
            if numbers.problem == "ambiguous":
                numbers = read(self.texts(column), self.minor_digits, self.decimal, self.beside)
            self._numbers[column] = numbers
        return self._numbers[column]

    def alone(self, column: str) -> Numbers:
        """Return a column's numbers as read without help from other columns."""
        return read(self.texts(column), self.minor_digits, self.decimal)

    @cached_property
    def beside(self) -> Literal[".", ","] | None:
        """The decimal sign of the numeric columns that show one, if they agree."""
        shown: set[Literal[".", ","]] = set()
        for column in self.export.columns:
            if column not in self.export.typed:
                kinds = Counter(
                    number_formats.shape_of(text).kind for text in set(self.filled(column))
                )
                if not kinds["bad"]:
                    shown.update(sign for sign in _SIGNS if kinds[sign])
        return shown.pop() if len(shown) == 1 else None

    def say_decimal(self, column: str, decimal: Literal[".", ","]) -> None:
        """Set the decimal sign of a column."""
        self._numbers[column] = read(self.texts(column), self.minor_digits, decimal)

    def scale(self, column: str, factor: float) -> None:
        """Set a factor for a column's numbers."""
        numbers = self.numbers(column)
        self._numbers[column] = replace(numbers, values=[n * factor for n in numbers.values])

    def without_currency(self, column: str) -> Numbers:
        """Return a column's numbers as read without help from the currency."""
        return read(self.texts(column), None)

    def numeric(self, column: str) -> bool:
        """Return whether nearly all filled values are numbers; true for an empty column."""
        filled = len(self.filled(column))
        return not filled or self.numbers(column).n_read / filled >= NEARLY_ALL

    def unread(self, column: str) -> list[str]:
        """Return a column's texts that are neither numbers nor placeholders, one per row."""
        numbers = self.numbers(column)
        known = (*number_formats.EMPTY, *numbers.ambiguous)
        texts = zip(self.texts(column), numbers.values, strict=True)
        return [text for text, n in texts if isnan(n) and text and text.lower() not in known]

    def groups(self, spec: str | Column) -> dict[str, list[int]]:
        """Return the rows of each value of a field, without rows where it is empty."""
        rows_by_value: dict[str, list[int]] = defaultdict(list)
        for ix, row in enumerate(self.export.rows):
            key = value_of(row, spec)
            if key.strip("/ "):
                rows_by_value[key].append(ix)
        return dict(rows_by_value)

    def distinct(self, column: str, rows: Iterable[int]) -> set[str]:
        """Return a column's filled values in some rows."""
        texts = self.texts(column)
        return {texts[ix] for ix in rows if texts[ix]}


def close(a: float, b: float, n: float = 1.0) -> bool:
    """Return whether two amounts are equal up to the rounding of ``n`` addends."""
    return abs(a - b) <= _CENTS * max(1.0, min(n, 10.0)) + 1e-4 * abs(b)
