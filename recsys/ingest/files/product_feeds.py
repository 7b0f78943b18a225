"""Reads product feeds in XML as records: Google Merchant's RSS 2.0, Atom and similar formats.

In: an XML file. Out: its entries, one column per element. Called by ``export_files`` and by
``training.init.exports``.

Documents that declare types or entities are refused: these may load other files or expand without
bound.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.parsers import expat

from recsys.errors import DataError
from recsys.ingest.files.cleaning import clean
from recsys.ingest.files.survey import BLOCK, open_bytes

_ENTRIES_TEXT = (
    "item entry product offer article record row produkt shopitem o artikel producto produit "
    "prodotto"
)
#: Local names of elements that are records.
ENTRIES = tuple(_ENTRIES_TEXT.split())
_GOOGLE = "g:"


def feed_records(path: Path, shown: str) -> Iterator[tuple[int, str, dict[str, str]]]:
    """Read the entries of a feed.

    Parameters
    ----------
    path : Path
    shown : str
        The file's name, for messages.

    Yields
    ------
    line : int
        Where the entry begins, from 1.
    text : str
        Empty.
    record : dict
        Column → text. A prefix such as ``g:`` is dropped; an element with Google's prefix takes
        precedence over one without. Nested elements are named with a dot, repeated ones are joined
        with commas, and attributes are named like elements.

    Raises
    ------
    DataError
        When the XML is damaged, with line and column, or has no entries.
    """
    reader = _Reader(shown)
    has_entries = False
    try:
        with open_bytes(path) as stream:
            while block := stream.read(BLOCK):
                reader.parser.Parse(block, False)
                for line, record in reader.taken():
                    has_entries = True
                    yield line, "", record
            reader.parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise DataError(
            f"{shown}: damaged XML on line {error.lineno}, column {error.offset + 1} "
            f"({expat.ErrorString(error.code)}). It may be truncated; download the "
            "feed again, or correct this position."
        ) from None
    for line, record in reader.taken():
        has_entries = True
        yield line, "", record
    if not has_entries:
        raise DataError(
            f"{shown}: XML without entries: it has none of {', '.join(ENTRIES[:6])}. "
            "Export the rows as CSV."
        )


class _Reader:
    """Collects the entries of a feed while its blocks are parsed."""

    def __init__(self, shown: str) -> None:
        self.shown = shown
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._data
        self._ready: list[tuple[int, dict[str, str]]] = []
        self._entry: str | None = None
        """The element that is an entry in this feed: the first candidate found."""
        self._line = 0
        self._path: list[str] = []
        self._inside = False
        self._texts: list[list[str]] = []
        self._cells: dict[str, list[str]] = {}
        self._google: set[str] = set()

    def taken(self) -> list[tuple[int, dict[str, str]]]:
        """Return the finished entries and forget them."""
        ready, self._ready = self._ready, []
        return ready

    def _refuse(self, *_: Any) -> None:
        raise DataError(
            f"{self.shown}: line {self.parser.CurrentLineNumber} declares a document type (DTD), "
            "which is refused: it could load other files. Export the feed without it."
        )

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        local = tag.rsplit(":", 1)[-1]
        if not self._inside:
            name = local.lower()
            if name not in ENTRIES or (self._entry is not None and name != self._entry):
                return
            self._entry, self._inside, self._line = name, True, self.parser.CurrentLineNumber
            self._path, self._texts, self._cells, self._google = [], [], {}, set()
            for key, value in attributes.items():
                self._put(key.rsplit(":", 1)[-1], value, google=False)
            return
        self._path.append(local)
        self._texts.append([])
        if local == "link" and attributes.get("rel", "alternate") == "alternate":
            self._texts[-1].append(attributes.get("href", ""))

    def _data(self, text: str) -> None:
        if self._inside and self._texts:
            self._texts[-1].append(text)

    def _end(self, tag: str) -> None:
        if not self._inside:
            return
        if not self._path:
            self._inside = False
            self._ready.append((self._line, {k: ",".join(v) for k, v in self._cells.items()}))
            return
        self._put(".".join(self._path), "".join(self._texts.pop()), tag.startswith(_GOOGLE))
        self._path.pop()

    def _put(self, name: str, text: str, google: bool) -> None:
        value = clean(text)
        if not value or (name in self._google and not google):
            return
        if google and name not in self._google:
            self._google.add(name)
            self._cells.pop(name, None)
        self._cells.setdefault(name, []).append(value)
