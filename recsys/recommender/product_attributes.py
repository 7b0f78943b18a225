"""Attributes of products in an artefact: a column each for those that most products have.

JSON objects come in, one a product, and become columns of tables; out come ``Attribute``s by name,
and what an answer says of one product. Called by ``catalogue``, and by ``catalogue_updates`` for
later updates.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, overload

import msgspec
import numpy as np

from recsys.artefacts import Artefact, Column
from recsys.datasets import TextArray
from recsys.ranking import Attribute
from recsys.values import ADDRESSES, AGE_ATTRIBUTES, DELIVERY_DAYS, is_address

#: Attributes that have a column, and that filters may ask. Beyond them an answer still tells.
MOST: Final = 64
#: Those that have one however few products have them.
_ALWAYS: Final = ("url", "image_url", "gtin", *AGE_ATTRIBUTES, DELIVERY_DAYS)
#: Asks for every attribute.
EVERY: Final = "*"
_NAMES: Final = "attributes"
_decode = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(frozen=True)
class Attributes:
    """What is said of products besides what has a place of its own.

    Attributes
    ----------
    columns : dict of str to Attribute
    rest : sequence of str, length n_items
        A JSON object of what has no column; empty where there is nothing.
    """

    columns: dict[str, Attribute]
    rest: Sequence[str]

    def of(self, item_ix: int, requested: Sequence[str]) -> dict[str, str]:
        """Return what is known of a product under the wanted names; ``*`` for all."""
        every = EVERY in requested
        names = self.columns if every else [name for name in requested if name in self.columns]
        known = {name: text for name in names if (text := self.columns[name].text(item_ix))}
        if every or len(names) < len(requested):
            text = self.rest[item_ix]
            more = _decode(text) if text else {}
            known |= {name: more[name] for name in more if every or name in requested}
        return known

    def changed(self, updates: Mapping[int, Mapping[str, str | None]]) -> "Attributes":
        """Return them with updates of products, by position; None removes an attribute."""
        if not updates:
            return self
        by_name: dict[str, dict[int, str | None]] = {}
        beyond: dict[int, dict[str, str | None]] = {}
        for item_ix, named in updates.items():
            for name, text in named.items():
                if name in ADDRESSES and text is not None and not is_address(text):
                    continue
                room = name in self.columns or name in by_name or name in _ALWAYS
                if room or len(self.columns.keys() | by_name.keys()) < MOST:
                    by_name.setdefault(name, {})[item_ix] = text
                else:
                    beyond.setdefault(item_ix, {})[name] = text
        columns = dict(self.columns)
        nothing = np.full(len(self.rest), -1, np.int32)
        for name, texts in by_name.items():
            if name not in columns:
                columns[name] = Attribute([], np.empty(0), nothing)
            columns[name] = columns[name].changed(texts)
        if not beyond:
            return replace(self, columns=columns)
        rest = {ix: _put_over(self.rest[ix], named) for ix, named in beyond.items()}
        return Attributes(columns, ChangedAttributes(self.rest, rest))


class ChangedAttributes(Sequence[str]):
    """Texts of which some are others by now."""

    def __init__(self, base: Sequence[str], changed: Mapping[int, str]) -> None:
        self._base = base
        self._changed = changed

    @property
    def changes(self) -> dict[int, str]:
        """Position → text of those that are others than they were at first."""
        earlier = self._base.changes if isinstance(self._base, ChangedAttributes) else {}
        return {**earlier, **self._changed}

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self._base)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        """Return one text, or a list of several."""
        if isinstance(at, slice):
            return [self[position] for position in range(*at.indices(len(self)))]
        return self._changed[at] if at in self._changed else self._base[at]


def lay_out(
    objects: Sequence[str | None],
) -> tuple[dict[str, Column], dict[str, dict[str, Column]]]:
    """Lay attributes out as columns.

    Parameters
    ----------
    objects : sequence of str or None, length n_items
        JSON objects of texts.

    Returns
    -------
    columns : dict
        Of the table of products.
    tables : dict
        Tables of their own: the names, and the texts of each attribute.
    """
    said = [_texts(text) if text else {} for text in objects]
    counts = Counter(name for one in said for name in one)
    names = sorted(counts, key=lambda name: (name not in _ALWAYS, -counts[name], name))[:MOST]
    columns: dict[str, Column] = {}
    tables: dict[str, dict[str, Column]] = {_NAMES: {"name": names}}
    for number, name in enumerate(names):
        texts, numbers, code = Attribute.of([one.pop(name, None) for one in said]).arrays()
        columns[f"attribute{number}"] = code
        tables[f"attribute{number}"] = {"text": texts, "number": numbers}
    columns["attributes"] = [msgspec.json.encode(one).decode() if one else None for one in said]
    return columns, tables


def load(artefact: Artefact, products: Mapping[str, Any]) -> Attributes:
    """Read the attributes of an artefact.

    Parameters
    ----------
    artefact : Artefact
    products : mapping
        Its table of products.

    Raises
    ------
    KeyError
        When a column is missing.
    """
    columns = {}
    for number, name in enumerate(artefact.table(_NAMES)["name"]):
        table = artefact.table(f"attribute{number}")
        texts, numbers = table["text"], table["number"]
        if not isinstance(texts, TextArray) or isinstance(numbers, TextArray):
            raise KeyError(f"attribute{number}")
        columns[str(name)] = Attribute(texts, numbers, products[f"attribute{number}"])
    return Attributes(columns, products["attributes"])


def _texts(text: str) -> dict[str, str]:
    """Texts of a JSON object; an address that no page may follow is none."""
    return {
        name: value
        for name, value in _decode(text).items()
        if isinstance(value, str) and (name not in ADDRESSES or is_address(value))
    }


def _put_over(text: str, named: Mapping[str, str | None]) -> str:
    merged = {**(_decode(text) if text else {}), **named}
    kept = {name: value for name, value in merged.items() if value is not None}
    return msgspec.json.encode(kept).decode() if kept else ""
