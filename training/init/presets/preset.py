"""Presets of known systems: their mappings, and how to recognise their headers.

Each module of this package covers one system. ``Headers`` finds columns regardless of case, blanks
and underscores; ``Preset`` holds their mapping.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recsys.config import Column
from training.init.exports import Export
from training.init.proposal import Question

#: Share of rows without an id above which another column is proposed; ``ingest`` would stop.
_FEW = 0.1


@dataclass
class Preset:
    """The mapping of a known system's export.

    Attributes
    ----------
    name : str
        Usual name of system and export: ``Square item sales``.
    kind : str
        Kind of source.
    columns, identifiers : dict
        Field or identifier type → column of the export, or a ``Column``.
    consent : str or None
        Column that says who accepts marketing by e-mail.
    settings : dict
        Other settings of the source, never number or time formats, which values show.
    checks : list of str
        Notes for the user to check.
    questions : list of Question
        Questions for the user, because a wrong guess would change money or people.
    rules : dict of str to list of str
        Settings under ``[rules]`` for the system's own words.
    blocked : dict of str to list of str
        Values under ``[identity.blocked]`` that identify nobody, by identifier type.
    """

    name: str
    kind: str
    columns: dict[str, str | Column] = field(default_factory=dict)
    identifiers: dict[str, str | Column] = field(default_factory=dict)
    consent: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    checks: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    rules: dict[str, list[str]] = field(default_factory=dict)
    blocked: dict[str, list[str]] = field(default_factory=dict)


class Headers:
    """An export's columns by normalised names: lower case, letters and digits only.

    Parameters
    ----------
    export : Export
    """

    def __init__(self, export: Export) -> None:
        self.export = export
        self._columns = {plain(column): column for column in reversed(export.columns)}

    def get(self, *names: str) -> str | None:
        """Return the first of these columns that the export has."""
        return next((self._columns[n] for n in map(plain, names) if n in self._columns), None)

    def has(self, *names: str) -> bool:
        """Return whether the export has all of these columns; ``a|b`` means either."""
        return all(self.get(*name.split("|")) for name in names)

    def fields(self, names: Mapping[str, str]) -> dict[str, str | Column]:
        """Map fields to the first of their columns, ``a|b``; fields without one are left out."""
        present = {name: self.get(*columns.split("|")) for name, columns in names.items()}
        return {name: column for name, column in present.items() if column is not None}

    def values(self, column: str) -> list[str]:
        """Return the distinct texts of a column."""
        return sorted(self.export.values(column))

    def blank_share(self, column: str, kind: tuple[str, str] | None = None) -> float:
        """Return the share of rows where a column is empty, optionally among rows of a ``kind``.

        Parameters
        ----------
        column : str
        kind : tuple of str, optional
            Another column and the value that selects rows.
        """
        rows = self.export.rows
        if kind is not None:
            rows = tuple(row for row in rows if row.get(kind[0]) == kind[1])
        return sum(not row.get(column) for row in rows) / max(len(rows), 1)

    def repeats(self, order_id: str, column: str) -> bool:
        """Return whether all lines of an order have the same value in a column, not only zeros."""
        orders: dict[str, list[str]] = {}
        for row in self.export.rows:
            orders.setdefault(row.get(order_id, ""), []).append(row.get(column, ""))
        several = [texts for texts in orders.values() if len(texts) > 1]
        is_filled = any(text.strip("0.,- ") for texts in several for text in texts)
        return is_filled and all(len(set(texts)) == 1 for texts in several)


def plain(name: str) -> str:
    """Normalise a header or a word for comparison."""
    text = unicodedata.normalize("NFKC", name).casefold().removeprefix("g:")
    return re.sub(r"[\W_]", "", text)


def words(
    headers: Headers, column: str, meaning: Mapping[str, str], preset: Preset, what: str
) -> Column:
    """Map the words of a column, both those that occur and those that may occur later.

    Unknown words are left out, so their rows will be rejected, and a check notes it.
    """
    known = {plain(word): value for word, value in meaning.items()}
    seen = {word: known[plain(word)] for word in headers.values(column) if plain(word) in known}
    unknown = [word for word in headers.values(column) if plain(word) not in known]
    if unknown:
        listed = ", ".join(f"`{word}`" for word in unknown[:12])
        preset.checks.append(
            f"the meaning of {listed} in `{column}` for {what} is unknown; map them"
        )
    unseen = {word: value for word, value in meaning.items() if word not in seen}
    return Column(column=column, map={**seen, **unseen})


def ids(
    headers: Headers,
    preset: Preset,
    first: str,
    other: str | None,
    kind: tuple[str, str] | None = None,
    most: float = _FEW,
) -> str | Column:
    """Choose the column of product ids: the first, or another if many rows have none."""
    share = headers.blank_share(first, kind)
    if not share:
        return first
    if other is None or share <= most:
        preset.checks.append(f"{share:.0%} of the first rows have no `{first}` and are rejected")
        return first
    preset.checks.append(
        f"{share:.0%} of the first rows have no `{first}`, so products are identified by "
        f"`{other}`; other exports must use the same ids"
    )
    return other
