"""Detects money columns in cents by their names. Called by ``money_columns``."""

import re

from training.init.evidence import Evidence
from training.init.headers import phrases

_CENTS = phrases("cent, cents, centimes, centavos, céntimos, grosze, kuruş")
_MINOR = phrases("minor, minor unit, minor units, fils, paise, pence, öre, ore, subunits")
_BETWEEN = ("in", "en")


def factor_of(name: str, minor_digits: int | None) -> float:
    """Return the factor that converts the column's numbers to major units."""
    words = {folded for word in re.split(r"[\W_]+", name) for folded in phrases(word)}
    return 0.01 if words & set(_CENTS) else 10.0 ** -(2 if minor_digits is None else minor_digits)


def without_cents(name: str) -> str | None:
    """Return a column's name without the word for cents; None if it has none.

    >>> without_cents("unit_price_cents"), without_cents("Total (in cents)"), without_cents("Total")
    ('unit price', 'Total', None)
    """
    words = [
        word for word in re.split(r"[\W_]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name)) if word
    ]
    known = {*_CENTS, *_MINOR}
    left = [word for word in words if not set(phrases(word)) & known]
    if len(left) == len(words) or not left:
        return None
    return " ".join(left[:-1] if left[-1].lower() in _BETWEEN and len(left) > 1 else left)


def in_cents(evidence: Evidence, column: str) -> bool:
    """Return whether a column named so has whole numbers only."""
    numbers = [n for n in evidence.numbers(column).values if n == n]
    return bool(numbers) and all(n == round(n) for n in numbers)
