"""Finds the product that a scanner read: by its id, or by the number of its bar code.

A catalogue and a text come in; a position comes out. Called by the pages of a store.
"""

from typing import Final

import numpy as np

from recsys.recommender.catalogue import Catalogue

#: Digits that a GTIN is printed with: GTIN-8, UPC-A, EAN-13, GTIN-14.
_LENGTHS: Final = (8, 12, 13, 14)


def scanned_item(catalogue: Catalogue, text: str) -> int | None:
    """Return the product that a scanned text names.

    Parameters
    ----------
    catalogue : Catalogue
    text : str
        An ``item_id``; or the GTIN of one product, with or without leading zeros.

    Returns
    -------
    int or None
        Position in the catalogue; None where no product is named, or several have the number.
    """
    text = text.strip()
    (item_ix,) = catalogue.index.ix_of([text]).tolist()
    if item_ix >= 0:
        return int(item_ix)
    numbers = catalogue.attributes.columns.get("gtin")
    if numbers is None or not (text.isascii() and text.isdigit()) or len(text) > max(_LENGTHS):
        return None
    digits = text.lstrip("0")
    forms = {digits, text, *(digits.zfill(length) for length in _LENGTHS)}
    found = np.flatnonzero(numbers.is_one_of(forms))
    return int(found[0]) if digits and len(found) == 1 else None
