"""Many short texts as two arrays, for artefacts that are shared by processes.

Texts come in; offsets and bytes come out, and a sequence that reads single texts from them. Used
for ids and titles of a catalogue: a million of them are two memory-mapped arrays, not a million
objects in every worker.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import overload

import numpy as np
import numpy.typing as npt

from recsys.datasets.item_index import IntArray


class TextArray(Sequence[str]):
    """A read-only sequence of texts.

    Parameters
    ----------
    offsets : ndarray of shape (n + 1,), int64
        Text ``i`` is ``utf8[offsets[i]:offsets[i + 1]]``.
    utf8 : ndarray, uint8
        All texts, one after the other.
    """

    def __init__(self, offsets: IntArray, utf8: npt.NDArray[np.uint8]) -> None:
        self.offsets = offsets
        self.utf8 = utf8

    @classmethod
    def of(cls, texts: Iterable[str | None]) -> "TextArray":
        """Pack texts.

        Parameters
        ----------
        texts : iterable of (str or None)
            None becomes the empty text.

        Returns
        -------
        TextArray
            In the same order.
        """
        encoded = [(text or "").encode() for text in texts]
        offsets = np.zeros(len(encoded) + 1, np.int64)
        np.cumsum([len(text) for text in encoded], out=offsets[1:])
        return cls(offsets, np.frombuffer(b"".join(encoded), np.uint8))

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        """Return one text, or a list of several."""
        if isinstance(at, slice):
            return [self[position] for position in range(*at.indices(len(self)))]
        position = at + len(self) if at < 0 else at
        if not 0 <= position < len(self):
            raise IndexError(f"text {at} of {len(self)}")
        return self.utf8[self.offsets[position] : self.offsets[position + 1]].tobytes().decode()

    def __iter__(self) -> Iterator[str]:
        """Yield all texts, faster than one by one."""
        utf8, bounds = self.utf8.tobytes(), self.offsets.tolist()
        for start, stop in pairwise(bounds):
            yield utf8[start:stop].decode()

    def __eq__(self, other: object) -> bool:
        """Texts are equal to any sequence of the same texts."""
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # equal to lists, which have no hash either
