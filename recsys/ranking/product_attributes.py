"""One attribute of all products, such as their material, for filters and answers.

The texts, one per product, are stored as codes into the sorted distinct texts, which may be
memory-mapped. In: a condition and products. Out: one flag per product. Called by
``product_filter`` and by the recommender.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.config import Condition

Bools = npt.NDArray[np.bool_]
Items = npt.NDArray[np.int32]
#: What counts as a number: as JSON writes one, without an exponent.
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]+)?")


def number_of(text: str) -> float:
    """Return the number that a text is; NaN for other texts."""
    return float(text) if _NUMBER.fullmatch(text) else np.nan


class Attribute:
    """The values of one attribute, as texts.

    Parameters
    ----------
    texts : sequence of str
        Distinct texts, ascending.
    number : ndarray of shape (n_texts,), float64
        Number that each text is; NaN where it is none.
    code : ndarray of shape (n_items,), int32
        Position in ``texts``; -1 if the product has no value.
    more : sequence of str
        Texts added since the others were sorted, in no order.
    """

    def __init__(
        self,
        texts: Sequence[str],
        number: npt.NDArray[np.float64],
        code: Items,
        more: Sequence[str] = (),
    ) -> None:
        self._texts = texts
        self._number = number
        self.code = code
        self._added = list(more)
        self._more = {text: len(texts) + ix for ix, text in enumerate(more)}

    @classmethod
    def of(cls, values: Sequence[str | None]) -> "Attribute":
        """Build the attribute from the text of each product.

        Parameters
        ----------
        values : sequence of (str or None), length n_items
            None where a product has no value.

        Returns
        -------
        Attribute
            Texts that are numbers compare as numbers too, see ``number_of``.
        """
        texts = sorted({text for text in values if text is not None})
        position: dict[str | None, int] = {text: ix for ix, text in enumerate(texts)}
        number = np.array([number_of(text) for text in texts], np.float64)
        return cls(texts, number, np.array([position.get(text, -1) for text in values], np.int32))

    def arrays(self) -> tuple[Sequence[str], npt.NDArray[np.float64], Items]:
        """Return the texts, their numbers and the codes, as the constructor takes them."""
        return self._texts, self._number, self.code

    def text(self, item_ix: int) -> str | None:
        """Return the text of a product.

        Parameters
        ----------
        item_ix : int
            Position in the catalogue.

        Returns
        -------
        str or None
            None where it has no value.
        """
        code = int(self.code[item_ix])
        return None if code < 0 else self._text(code)

    def saying(self, found: Callable[[str], bool]) -> Bools:
        """Say which products have a text that passes a test.

        Parameters
        ----------
        found : callable
            Takes one text and returns whether it passes; asked once for each distinct text.

        Returns
        -------
        ndarray of shape (n_items,), bool
            False where a product has no value.
        """
        said = [*map(found, self._texts), *map(found, self._added), False]
        flags: Bools = np.array(said, bool)[self.code]
        return flags

    def known(self, text: str) -> bool:
        """Whether any product has this text.

        Parameters
        ----------
        text : str
            Compared letter by letter, case included.

        Returns
        -------
        bool
            True as well for a text that ``changed`` took from its last product.
        """
        return self._find(text) >= 0

    def is_one_of(self, texts: Iterable[str]) -> Bools:
        """Say which products have one of some texts.

        Parameters
        ----------
        texts : iterable of str
            Compared letter by letter, case included.

        Returns
        -------
        ndarray of shape (n_items,), bool
        """
        return np.isin(self.code, [at for at in map(self._find, texts) if at >= 0])

    def changed(self, values: Mapping[int, str | None]) -> "Attribute":
        """Return the attribute with other texts for some products; this one stays as it is.

        Parameters
        ----------
        values : mapping of int to (str or None)
            Position in the catalogue → new text; None removes the value.

        Returns
        -------
        Attribute
        """
        new = dict.fromkeys(text for text in values.values() if text is not None)
        added = [text for text in new if self._find(text) < 0]
        number = np.append(self._number, [number_of(text) for text in added])
        code = np.array(self.code)
        found = Attribute(self._texts, number, code, [*self._added, *added])
        for item_ix, text in values.items():
            code[item_ix] = -1 if text is None else found._find(text)
        return found

    def allows(self, one: Condition, items: Items) -> Bools:
        """Return for which products a condition holds; it holds for no product without a value.

        Parameters
        ----------
        one : Condition
            Of any operator but ``ne`` and ``not_in``. A number is compared with texts that are
            numbers, a text with texts.
        items : ndarray of shape (m,), int32
        """
        code = self.code[items]
        if one.op == "exists":
            said: Bools = np.equal(code >= 0, one.value)
            return said
        if one.op == "contains":
            return self._containing(one.value.casefold(), code)
        values = one.value if one.op == "in" else (one.value,)
        texts = [value for value in values if isinstance(value, str)]
        numbers = [value for value in values if not isinstance(value, str)]
        held: Bools = np.isin(code, [at for at in map(self._find, texts) if at >= 0])
        if numbers:
            number = np.append(self._number, np.nan)[code]
            held |= _compared(one.op, number, numbers)
        return held & (code >= 0)

    def _containing(self, wanted: str, code: Items) -> Bools:
        codes, at = np.unique(code, return_inverse=True)
        held = [ix >= 0 and wanted in self._text(ix).casefold() for ix in codes.tolist()]
        return np.array(held, bool)[at.ravel()]

    def _text(self, code: int) -> str:
        if code < len(self._texts):
            return self._texts[code]
        return self._added[code - len(self._texts)]

    def _find(self, text: str) -> int:
        """Return the position of a text; -1 if no product has it."""
        at = bisect_left(self._texts, text)
        if at < len(self._texts) and self._texts[at] == text:
            return at
        return self._more.get(text, -1)


def _compared(op: str, said: npt.NDArray[np.float64], values: Sequence[float]) -> Bools:
    if op in ("eq", "in"):
        return np.isin(said, values)
    compare = {"lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal}
    held: Bools = compare[op](said, values[0])
    return held
