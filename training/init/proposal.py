"""The proposal of ``init`` for one export, and its open questions.

Filled by ``mapping`` and the modules that look at values, changed by ``overrides``, written by
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
#: A date, with a time or without; its digits are no phone number.
_DATE = re.compile(r"\d{1,4}([-./])\d{1,2}\1\d{1,4}([ T,]+[\d:.]+ ?[^\W\d]?[^\d@]{0,20})?$")
_NAME_LENGTH = 60
#: What a name of a column is not: an e-mail, a date, a price, a long number, a piece of JSON.
_VALUE = re.compile(r"@|^\W*\d+\W*$|\d{1,4}[-./]\d{1,2}[-./]\d{1,4}|\d[.,]\d\d$|\d{6,}|[{\"]")
#: Names of columns that a message lists, at most.
_LISTED = 30


@dataclass(frozen=True)
class Question:
    """Something that values do not tell.

    Attributes
    ----------
    text : str
        What cannot be told, and why it matters.
    settings : tuple of str
        Settings of the source of which each would answer it; the first is asked for.
    example : str
        What could be written there.
    serious : bool
        A wrong guess would change money or people: nothing is written until it is answered.
    """

    text: str
    settings: tuple[str, ...]
    example: str = "…"
    serious: bool = True


@dataclass
class Proposal:
    """What a source in ``omnibasket.toml`` may look like.

    Attributes
    ----------
    kind : str
    columns, identifiers : dict
        Field or identifier type → column of the export, or a ``Column``.
    settings : dict
        Other settings of the source: channel, time_format, currency, encoding.
    needed : list of str
        Fields without which the ingest will refuse the export, and which were not found.
    optional : list of str
        Other fields that were not found.
    unused : list of str
        Columns that mean nothing to us, as far as their names and values tell.
    values : dict
        Field → its column, and its values with what they seem to mean; None where nothing tells.
    checks : list of str
        What was guessed.
    questions : list of Question
        What was not.
    fees : list of str
        Ids of lines that are clearly no products.
    maybe_fees : list of str
        Ids of lines that may be no products.
    blocked : dict
        Identifier type → values that name nobody.
    rules : dict
        Settings under ``[rules]`` that the export's system calls for.
    """

    kind: str
    columns: dict[str, str | Column] = field(default_factory=dict)
    identifiers: dict[str, str | Column] = field(default_factory=dict)
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
        """Remember something for a person to check, once."""
        if text not in self.checks:
            self.checks.append(text)

    def hide_people(self) -> None:
        """Leave out of maps what may name a person: an e-mail or a phone among words."""
        for name, spec in self.columns.items():
            if isinstance(spec, Column) and any(map(_names_someone, spec.map)):
                kept = {text: ours for text, ours in spec.map.items() if not _names_someone(text)}
                self.columns[name] = structs.replace(spec, map=kept)
                self.check(
                    f"`{spec.column}` holds values with an e-mail or a long number, which are not "
                    "written here; their rows are rejected until they are mapped"
                )
        for name, (column, values) in self.values.items():
            kept_values = {t: ours for t, ours in values.items() if not _names_someone(t)}
            self.values[name] = (column, kept_values)

    def ask(self, text: str, *settings: str, example: str = "…", serious: bool = True) -> None:
        """Remember something that values do not tell."""
        self.questions.append(Question(text, settings, example, serious))


def _names_someone(text: str) -> bool:
    """Tell whether a text holds an e-mail, or a number as long as a phone's or a card's."""
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
    """Return a text of an export without what may name a person, short enough to read.

    A header may hold values where the file has no header, and a column of words may hold an
    address: e-mails and long numbers, which may be phones and cards, are hidden.
    """
    plain = _DATE.match(text) is not None
    hidden = text if plain else _LONG_NUMBER.sub("(hidden)", _EMAIL.sub("(hidden)", text))
    return hidden if len(hidden) <= _NAME_LENGTH else hidden[: _NAME_LENGTH - 1] + "…"


def listed(columns: Sequence[str]) -> str:
    """List an export's columns for a message; nothing of it where they are no names.

    In a file without a header, what is taken for names are values, of people too.
    """
    if any(_VALUE.search(column) for column in columns):
        return "(hidden: the first line holds values, not names)"
    names = [shown(column) for column in columns[:_LISTED]]
    more = len(columns) - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")
