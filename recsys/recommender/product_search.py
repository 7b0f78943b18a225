"""Finds products by the words of their titles, brands and categories, or by their numbers.

What somebody typed or scanned comes in; products come out, the best match first. Which of them
may be shown is not decided here. Called by ``engine``.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.datasets import IxArray
from recsys.ranking import LabelColumn
from recsys.recommender.bar_codes import scanned_item
from recsys.recommender.catalogue import Catalogue
from recsys.recommender.product_attributes import ChangedAttributes
from recsys.recommender.word_index import WordIndex
from recsys.values import query_words

#: Labels that are searched besides titles.
LABELS: Final = ("brand", "category")
#: How well a word fits a product, best first: it stands in the title, in a label; a word of the
#: title, of a label begins so. The last: it does not fit.
TITLE_WORD, LABEL_WORD, TITLE_BEGINS, LABEL_BEGINS, NOWHERE = range(5)

Shares = npt.NDArray[np.floating]


class ProductSearch:
    """Searches one catalogue.

    Parameters
    ----------
    catalogue : Catalogue
        As the artefact has it.
    shares : ndarray of shape (n_items,)
        How well each product sells.

    Notes
    -----
    The words are read when they are first searched, and shared by ``over``. A search then costs a
    few passes over the catalogue for each word.
    """

    def __init__(self, catalogue: Catalogue, shares: Shares) -> None:
        self._catalogue = catalogue
        self._shares = shares
        self._titles = WordIndex(catalogue.titles)
        self._labels = {
            name: (len(catalogue.labels[name].names), WordIndex(catalogue.labels[name].names))
            for name in LABELS
        }

    def over(self, catalogue: Catalogue) -> "ProductSearch":
        """Return the same over the catalogue with later updates.

        Parameters
        ----------
        catalogue : Catalogue
            Of the same products.
        """
        newer = ProductSearch.__new__(ProductSearch)
        newer._catalogue, newer._shares = catalogue, self._shares
        newer._titles, newer._labels = self._titles, self._labels
        return newer

    def find(self, text: str) -> IxArray:
        """Find products.

        Parameters
        ----------
        text : str
            Words, or the id or the GTIN of a product.

        Returns
        -------
        ndarray, int32
            Every product in whose title, brand or category each of the words begins a word. First
            the product whose id or GTIN the text is; then by how well the word that fits worst
            does: it stands in the title, in brand or category, begins a word of the title, of
            brand or category. Among equals what sells best comes first.
        """
        words = query_words(text)
        fit = np.full(len(self._catalogue.index), NOWHERE if not words else 0, np.uint8)
        for word in words:
            np.maximum(fit, self._fit(word), out=fit)
        found = np.flatnonzero(fit < NOWHERE).astype(np.int32)
        found = found[np.lexsort((found, -self._shares[found], fit[found]))]
        scanned = scanned_item(self._catalogue, text)
        if scanned is None:
            return found
        return np.concatenate([np.array([scanned], np.int32), found[found != scanned]])

    def _fit(self, word: str) -> npt.NDArray[np.uint8]:
        """How well a word fits each product; the better overwrites the worse."""
        fit = np.full(len(self._catalogue.index), NOWHERE, np.uint8)
        for whole, of_label, of_title in (
            (False, LABEL_BEGINS, TITLE_BEGINS),
            (True, LABEL_WORD, TITLE_WORD),
        ):
            for column, names in self._searched_labels:
                holds = np.zeros(len(column.names) + 1, bool)  # the last, for -1, stays false
                holds[names.find(word, whole=whole)] = True
                fit[holds[column.code]] = of_label
            fit[self._searched_titles.find(word, whole=whole)] = of_title
        return fit

    @cached_property
    def _searched_titles(self) -> WordIndex:
        titles = self._catalogue.titles
        if not isinstance(titles, ChangedAttributes) or not titles.changes:
            return self._titles
        return self._titles.changed(titles.changes)

    @cached_property
    def _searched_labels(self) -> Sequence[tuple[LabelColumn, WordIndex]]:
        found = []
        for name, (n_names, words) in self._labels.items():
            column = self._catalogue.labels[name]
            new = {ix: column.names[ix] for ix in range(n_names, len(column.names))}
            found.append((column, words.changed(new) if new else words))
        return found
