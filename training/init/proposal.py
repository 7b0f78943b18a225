"""The proposal of ``init`` for one export, and its open questions.

Filled by ``mapping`` and the modules that examine values, changed by ``overrides``, written by
``template``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import structs

from recsys.config import Column

_EMAIL = re.compile(r"[^\s\"'`@<>(),;]+@[^\s\"'`@<>(),;]+")
_LONG_NUMBER = re.compile(r"\+?\d(?:[ ()./-]{0,2}\d){6,}")
#: A date with or without a time; its digits are not a phone number.
_DATE = re.compile(r"\d{1,4}([-./])\d{1,2}\1\d{1,4}([ T,]+[\d:.]+ ?[^\W\d]?[^\d@]{0,20})?$")
_NAME_LENGTH = 60
#: Texts that are not column names: e-mails, dates, prices, long numbers, JSON.
_VALUE = re.compile(r"@|^\W*\d+\W*$|\d{1,4}[-./]\d{1,2}[-./]\d{1,4}|\d[.,]\d\d$|\d{6,}|[{\"]")
#: Maximum number of column names in a message.
_LISTED = 30


@dataclass(frozen=True)
class Question:
    """A question that the values do not answer.

    Attributes
    ----------
    text : str
        The question, and why it matters.
    settings : tuple of str
        Settings of the source, each of which answers it; init asks for the first.
    example : str
        An example of a value.
    serious : bool
        A wrong guess would change money or people: nothing is written until it is answered.
    """

    text: str
    settings: tuple[str, ...]
    example: str = "…"
    serious: bool = True


@dataclass
class Proposal:
    """A proposed source for ``omnibasket.toml``.

    Attributes
    ----------
    kind : str
    columns, identifiers : dict
        Field or identifier type → column of the export, or a ``Column``.
    consents : dict
        Purpose → channel → column of the export that says whether the customer consents.
    settings : dict
        Other settings of the source: channel, time_format, currency, encoding.
    needed : list of str
        Required fields that were not found; the ingest will refuse the export.
    optional : list of str
        Other fields that were not found.
    unused : list of str
        Columns without a known meaning.
    values : dict
        Field → its column, and its values with their likely meaning; None if unknown.
    checks : list of str
        Guesses to check.
    questions : list of Question
        Open questions.
    fees : list of str
        Ids of lines that are clearly not products.
    maybe_fees : list of str
        Ids of lines that may not be products.
    blocked : dict
        Identifier type → values that identify nobody.
    rules : dict
        Settings under ``[rules]`` that the export's system requires.
    """

    kind: str
    columns: dict[str, str | Column] = field(default_factory=dict)
    identifiers: dict[str, str | Column] = field(default_factory=dict)
    consents: dict[str, dict[str, str]] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    needed: list[str] = field(default_factory=list)
    optional: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    values: dict[str, tuple[str, dict[str, str | None]]] = field(default_factory=dict)
    checks: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    fees: list[str] = field(default_factory=list)
    maybe_fees: list[str] = field(default_factory=list)
    blocked: dict[str, list[str]] = field(default_factory=dict)
    rules: dict[str, list[str]] = field(default_factory=dict)

    def check(self, text: str) -> None:
        """Add a note for the user to check, once."""
        if text not in self.checks:
            self.checks.append(text)

    def hide_people(self) -> None:
        """Remove personal data from maps: an e-mail or a phone number among words."""
        for name, spec in self.columns.items():
            if isinstance(spec, Column) and any(map(_names_someone, spec.map)):
                kept = {
                    text: meaning for text, meaning in spec.map.items() if not _names_someone(text)
                }
                self.columns[name] = structs.replace(spec, map=kept)
                self.check(
                    f"`{spec.column}` has values with an e-mail or a long number, which are not "
                    "written here; their rows are rejected until they are mapped"
                )
        for name, (column, values) in self.values.items():
            kept_values = {t: meaning for t, meaning in values.items() if not _names_someone(t)}
            self.values[name] = (column, kept_values)

    def ask(self, text: str, *settings: str, example: str = "…", serious: bool = True) -> None:
        """Add a question that the values do not answer."""
        self.questions.append(Question(text, settings, example, serious))


def _names_someone(text: str) -> bool:
    """Return whether a text has an e-mail, or a number as long as a phone or card number."""
    if _DATE.match(text):
        return False
    return bool(_EMAIL.search(text) or _LONG_NUMBER.search(text))


def columns_of(spec: str | Column | None) -> list[str]:
    """List the export's columns that one field is read from."""
    if spec is None or isinstance(spec, str):
        return [spec] if spec else []
    return [spec.column] if spec.column else list(spec.columns)


def used_columns(proposal: Proposal) -> list[str]:
    """List the export's columns that a proposal reads."""
    specs = (*proposal.columns.values(), *proposal.identifiers.values())
    columns = [column for spec in specs for column in columns_of(spec)]
    columns += [column for said in proposal.consents.values() for column in said.values()]
    return columns + [column for column, _ in proposal.values.values()]


def value_of(row: Mapping[str, str], spec: str | Column) -> str:
    """Read a field from a row of the sample, as the ingest will."""
    if isinstance(spec, str):
        return row.get(spec, "")
    if spec.value is not None:
        return spec.value
    text = spec.join.join(
        re.split(r"[ T]", row.get(column, ""), maxsplit=1)[0]
        if column in spec.days
        else row.get(column, "")
        for column in columns_of(spec)
    )
    if spec.map and text:
        text = spec.map.get(text, spec.otherwise or text)
    return (text or spec.default or "").zfill(spec.pad)


def shown(text: str) -> str:
    """Return a text of an export, shortened and without personal data.

    A file without a header has values in its place, and a column of words may have addresses, so
    e-mails and long numbers, which may be phones or cards, are hidden.
    """
    plain = _DATE.match(text) is not None
    hidden = text if plain else _LONG_NUMBER.sub("(hidden)", _EMAIL.sub("(hidden)", text))
    return hidden if len(hidden) <= _NAME_LENGTH else hidden[: _NAME_LENGTH - 1] + "…"


def listed(columns: Sequence[str]) -> str:
    """List an export's columns for a message, or hide them if they are not names.

    A file without a header has values in their place, which may be personal data.
    """
    if any(_VALUE.search(column) for column in columns):
        return "(hidden: the first line has values, not names)"
    names = [shown(column) for column in columns[:_LISTED]]
    more = len(columns) - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")
