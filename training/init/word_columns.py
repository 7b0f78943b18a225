"""Reads columns of a few distinct words, and what these words mean.

In: the evidence of an export and a column. Out: a ``WordColumn``. Called by ``meanings`` and
``channels``.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from recsys.values import WordMeaning, words_by_meaning
from training.init.evidence import Evidence
from training.init.headers import fold
from training.init.proposal import shown
from training.init.vocabulary import DONE_WORDS, NEGATIONS, PARTS, SALE_WORDS, UNPAID_WORDS

#: Maximum number of distinct values in a column of words.
MAX_WORDS = 20


@dataclass(frozen=True)
class WordColumn:
    """A column of a few distinct words, and what they mean.

    Attributes
    ----------
    column : str
    known : dict
        Value → its meaning; None where it is unknown.
    """

    column: str
    known: dict[str, WordMeaning | None]

    def values(self, *meant: str | None) -> list[str]:
        """Return the values that have one of these meanings."""
        return [value for value, meaning in self.known.items() if meaning in meant]


def words_of(evidence: Evidence, column: str) -> WordColumn | None:
    """Read a column as words; None if it has none or more than ``MAX_WORDS`` distinct values."""
    counts = evidence.counts(column)
    if not counts or len(counts) > MAX_WORDS:
        return None
    known = words_by_meaning(list(counts))
    return WordColumn(column, {value: _refined(value, known[value]) for value in sorted(counts)})


def _refined(value: str, meaning: WordMeaning | None) -> WordMeaning | None:
    """Add the meanings that only ``init`` knows: unpaid, completed and partly returned orders."""
    folded, lower = fold(value), value.strip().lower()
    if any(part in folded for part in PARTS):
        return "sale"
    if meaning is not None:
        return meaning
    if folded in UNPAID_WORDS:
        return "cancelled"
    if folded in DONE_WORDS or folded in SALE_WORDS:
        return "sale"
    if lower.startswith(NEGATIONS):
        return "no"
    # wc-completed, Order completed, Refunded (full): one known word among others decides.
    parts = [part for part in re.split(r"[\W_]+", value) if len(part) > 1]
    meanings = {words_by_meaning([part])[part] for part in parts}
    strongest: tuple[WordMeaning, ...] = ("cancelled", "refund", "void", "sale")
    return next((strong for strong in strongest if strong in meanings), None)


def list_values(values: Iterable[str]) -> str:
    """Return values as a list for a message."""
    return ", ".join(f"`{shown(value)}`" for value in values)
