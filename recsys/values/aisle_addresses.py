"""The address of a product's page in a store's aisle, as its label has it.

A product and a location come in; a path comes out. Called by the service for links between such
pages, and by whatever prints their labels.
"""

import re
from typing import Final
from urllib.parse import quote

_BASE: Final = re.compile(r"https?://[A-Za-z0-9._~:\[\]-]+(/[A-Za-z0-9._~%/-]*)?", re.IGNORECASE)


def aisle_path(item_id: str, location_id: str | None) -> str:
    """Return the path of a product's page at a location.

    Parameters
    ----------
    item_id : str
        Of any characters; all but letters, digits and ``-._~`` are percent-encoded as UTF-8.
    location_id : str or None
        None: without a location.

    Returns
    -------
    str

    Examples
    --------
    >>> aisle_path("A/1 ü", "S 2")
    '/p/A%2F1%20%C3%BC?location=S%202'
    """
    path = f"/p/{quote(item_id, safe='')}"
    return path if location_id is None else f"{path}?location={quote(location_id, safe='')}"


def is_base_url(text: str) -> bool:
    """Tell whether a text is the address of a service that a path may follow.

    Parameters
    ----------
    text : str
        Such as ``https://shop.example`` or ``https://shop.example/omnibasket``.

    Returns
    -------
    bool
        False for other schemes than http and https, for a query, a fragment, and a user.
    """
    return _BASE.fullmatch(text) is not None
