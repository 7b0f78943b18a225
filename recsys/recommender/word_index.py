"""Finds texts by the words that they hold, or by how these begin.

Texts come in, such as titles; their positions come out. Built when it is first asked. Called by
``product_search``.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

import numpy as np

from recsys.datasets import IntArray, IxArray
from recsys.values import text_words

#: Comes after every letter.
_LAST: Final = "\U0010ffff"


@dataclass(frozen=True, eq=False)
class WordLists:
    """The words of some texts.

    Attributes
    ----------
    words : list of str
        Of all texts, each once, ascending.
    indptr : ndarray of shape (n_words + 1,), int64
        The texts with word ``i`` are ``rows[indptr[i]:indptr[i + 1]]``.
    rows : ndarray, int32
        Positions of texts.
    """

    words: list[str]
    indptr: IntArray
    rows: IxArray

    @classmethod
    def of(cls, texts: Mapping[int, str] | Sequence[str]) -> "WordLists":
        """Read texts.

        Parameters
        ----------
        texts : mapping of int to str, or sequence of str
            By position.
        """
        found: dict[str, list[int]] = {}
        numbered = texts.items() if isinstance(texts, Mapping) else enumerate(texts)
        for row, text in numbered:
            for word in text_words(text):
                found.setdefault(word, []).append(row)
        words = sorted(found)
        ends = np.cumsum([0, *(len(found[word]) for word in words)])
        rows = np.fromiter((row for word in words for row in found[word]), np.int32, int(ends[-1]))
        return cls(words, ends.astype(np.int64), rows)

    def find(self, word: str, *, whole: bool) -> IxArray:
        """Return the texts with a word, or with one that begins so.

        Parameters
        ----------
        word : str
            As ``query_words`` returns it.
        whole : bool
            Whether the text must hold just this word.

        Returns
        -------
        ndarray, int32
            In no order; a text may come more than once.
        """
        first = bisect_left(self.words, word)
        if whole:
            last = first + (first < len(self.words) and self.words[first] == word)
        else:
            last = bisect_left(self.words, word + _LAST, first)
        return self.rows[self.indptr[first] : self.indptr[last]]


@dataclass(eq=False)
class _ReadOnce:
    """Texts whose words are read when somebody asks; threads that ask meanwhile wait."""

    texts: Sequence[str]
    lock: Lock = field(default_factory=Lock)
    lists: WordLists | None = None

    def read(self) -> WordLists:
        with self.lock:
            if self.lists is None:
                self.lists = WordLists.of(self.texts)
            return self.lists


class WordIndex:
    """Texts, some of which may be others by now, to be found by their words.

    Parameters
    ----------
    texts : sequence of str
        Read when they are first searched.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._base = _ReadOnce(texts)
        self._changed = np.empty(0, np.int32)
        self._changes = _ReadOnce(())

    def changed(self, texts: Mapping[int, str]) -> "WordIndex":
        """Return an index in which some texts are others, or are new; this one stays as it is.

        Parameters
        ----------
        texts : mapping of int to str
            Position → text; all that are not those this index was made from.

        Returns
        -------
        WordIndex
            Shares what was read of the others.
        """
        newer = WordIndex(())
        newer._base = self._base
        newer._changed = np.fromiter(texts, np.int32, len(texts))
        newer._changes = _ReadOnce((), lists=WordLists.of(texts))
        return newer

    def find(self, word: str, *, whole: bool) -> IxArray:
        """Return the texts with a word, or with one that begins so; see ``WordLists.find``.

        Parameters
        ----------
        word : str
            As ``query_words`` returns it.
        whole : bool
            Whether the text must hold just this word.

        Returns
        -------
        ndarray, int32
            In no order; a text may come more than once.
        """
        found = self._base.read().find(word, whole=whole)
        if not len(self._changed):
            return found
        kept = found[~np.isin(found, self._changed)]
        return np.concatenate([kept, self._changes.read().find(word, whole=whole)])
