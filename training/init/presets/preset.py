"""Presets of known systems: what their exports mean, and how their headers are recognised.

Each module of this package knows one system; ``Headers`` finds its columns whatever their case,
blanks and underscores, ``Preset`` says what they mean.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recsys.config import Column
from training.init.exports import Export
from training.init.proposal import Question

#: Without an id on more rows than this, another column is proposed. As ``ingest`` gives up then.
_FEW = 0.1


@dataclass
class Preset:
    """What an export of a known system means.

    Attributes
    ----------
    name : str
        System and export, as people call it: ``Square item sales``.
    kind : str
        Kind of source.
    columns, identifiers : dict
        Field or identifier type → column of the export, or a ``Column``.
    settings : dict
        Other settings of the source. Never a number or time format: these are told from values.
    checks : list of str
        What a person should look at.
    questions : list of Question
        What a person has to say, because a wrong guess would change money or people.
    rules : dict of str to list of str
        Settings under ``[rules]`` that the system's own words call for.
    blocked : dict of str to list of str
        Values under ``[identity.blocked]`` that name nobody, by identifier type.
    """

    name: str
    kind: str
    columns: dict[str, str | Column] = field(default_factory=dict)
    identifiers: dict[str, str | Column] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    checks: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    rules: dict[str, list[str]] = field(default_factory=dict)
    blocked: dict[str, list[str]] = field(default_factory=dict)


class Headers:
    """An export's columns by plain names: lower case, letters and digits only.

    Parameters
    ----------
    export : Export
    """

    def __init__(self, export: Export) -> None:
        self.export = export
        self._columns = {plain(column): column for column in reversed(export.columns)}

    def get(self, *names: str) -> str | None:
        """Return the first of some columns that the export has."""
        return next((self._columns[n] for n in map(plain, names) if n in self._columns), None)

    def has(self, *names: str) -> bool:
        """Tell whether the export has all of these columns; ``a|b`` is either."""
        return all(self.get(*name.split("|")) for name in names)

    def fields(self, wanted: Mapping[str, str]) -> dict[str, str | Column]:
        """Map fields to the first of their columns, ``a|b``; fields without one are left out."""
        found = {name: self.get(*columns.split("|")) for name, columns in wanted.items()}
        return {name: column for name, column in found.items() if column is not None}

    def values(self, column: str) -> list[str]:
        """Return the distinct texts of a column."""
        return sorted(self.export.values(column))

    def blank_share(self, column: str, kind: tuple[str, str] | None = None) -> float:
        """Share of rows where a column is empty; of those rows only whose ``kind`` holds a value.

        Parameters
        ----------
        column : str
        kind : tuple of str, optional
            Another column and the value that counts.
        """
        rows = self.export.rows
        if kind is not None:
            rows = tuple(row for row in rows if row.get(kind[0]) == kind[1])
        return sum(not row.get(column) for row in rows) / max(len(rows), 1)

    def repeats(self, order_id: str, column: str) -> bool:
        """Tell whether all lines of an order have the same value there, and not only zeros."""
        orders: dict[str, list[str]] = {}
        for row in self.export.rows:
            orders.setdefault(row.get(order_id, ""), []).append(row.get(column, ""))
        several = [texts for texts in orders.values() if len(texts) > 1]
        said = any(text.strip("0.,- ") for texts in several for text in texts)
        return said and all(len(set(texts)) == 1 for texts in several)


def plain(name: str) -> str:
    """Bring a header or a word into the form that is compared."""
    text = unicodedata.normalize("NFKC", name).casefold().removeprefix("g:")
    return re.sub(r"[\W_]", "", text)


def words(
    headers: Headers, column: str, meaning: Mapping[str, str], preset: Preset, what: str
) -> Column:
    """Map the words of a column to ours, those that were seen and those that may come.

    Words that the system is not known to write are left out, which makes their rows rejects, and a
    check says so.
    """
    ours = {plain(word): value for word, value in meaning.items()}
    seen = {word: ours[plain(word)] for word in headers.values(column) if plain(word) in ours}
    unknown = [word for word in headers.values(column) if plain(word) not in ours]
    if unknown:
        listed = ", ".join(f"`{word}`" for word in unknown[:12])
        preset.checks.append(f"what {listed} in `{column}` mean for {what} is not known; map them")
    others = {word: value for word, value in meaning.items() if word not in seen}
    return Column(column=column, map={**seen, **others})


def ids(
    headers: Headers,
    preset: Preset,
    first: str,
    other: str | None,
    kind: tuple[str, str] | None = None,
    most: float = _FEW,
) -> str | Column:
    """Choose the column of product ids: the first, or another where many rows have none."""
    share = headers.blank_share(first, kind)
    if not share:
        return first
    if other is None or share <= most:
        preset.checks.append(f"{share:.0%} of the first rows have no `{first}` and are rejected")
        return first
    preset.checks.append(
        f"{share:.0%} of the first rows have no `{first}`, so products are known by `{other}`; "
        "other exports have to name them alike"
    )
    return other
