"""Reads the numbers of a sample, each column in the format of its values.

In: texts of one column. Out: their numbers, format and currency signs. The format is detected by
the rules of the ingest. Called by ``evidence``.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Literal

from recsys.ingest.columns import number_formats


@dataclass(frozen=True)
class Numbers:
    """The numbers of one column.

    Attributes
    ----------
    values : list of float
        One per row; NaN where missing.
    n_read : int
        Number of texts that are numbers or placeholders such as ``nan`` and ``n/a``.
    decimal : {".", ","} or None
        Decimal sign.
    problem : {"ambiguous", "mixed"} or None
        Why some texts cannot be read: no value shows the sign, or values contradict each other.
    ambiguous : tuple of str
        Examples of such texts.
    currencies : frozenset of str
        Currency signs and codes beside the numbers, lower case.
    units : frozenset of str
        Units beside them: ``pcs``, ``kg``.
    """

    values: list[float]
    n_read: int
    decimal: Literal[".", ","] | None
    problem: Literal["ambiguous", "mixed"] | None
    ambiguous: tuple[str, ...]
    currencies: frozenset[str]
    units: frozenset[str] = frozenset()


def read(
    texts: Sequence[str],
    minor_digits: int | None,
    decimal: Literal[".", ","] | None = None,
    beside: Literal[".", ","] | None = None,
) -> Numbers:
    """Read the texts of a column.

    Parameters
    ----------
    texts : sequence of str
        One per row.
    minor_digits : int or None
        Digits of the currency's minor unit.
    decimal : {".", ","}, optional
        The decimal sign, if the user stated it.
    beside : {".", ","}, optional
        The decimal sign of the other columns.
    """
    counts = Counter(text for text in texts if text)
    form = number_formats.detect_format(list(counts.elements()), minor_digits, beside)
    if decimal is not None:
        form = type(form)(decimal)
    shapes = {text: number_formats.shape_of(text) for text in counts}
    read = {
        text: number_formats.read_number(
            text, form, money=shape.currency not in number_formats.UNITS
        )
        for text, shape in shapes.items()
    }
    signs = frozenset(shape.currency for shape in shapes.values() if shape.currency)
    ambiguous = [text for text, shape in shapes.items() if shape.kind in (".?", ",?")]
    known = {text for text, shape in shapes.items() if shape.kind == "none"}.union(ambiguous)
    return Numbers(
        [float(number) if (number := read.get(text)) is not None else nan for text in texts],
        sum(n for text, n in counts.items() if read[text] is not None or text in known),
        form.decimal,
        form.problem if ambiguous or form.decimal is None else None,
        tuple(ambiguous[:3]),
        signs - number_formats.UNITS,
        signs & number_formats.UNITS,
    )
