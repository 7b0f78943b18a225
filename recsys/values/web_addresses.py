"""Web addresses of pages and pictures that a shop's page may follow: only http and https.

What a catalogue says comes in, an address that may be put into a link or a picture comes out, or
nothing: ``javascript:``, ``data:`` and paths without a host are none. Called by ``catalogue`` for
columns, by the service for what it is told, and again when an artefact is made; needs no engine.
"""

import re
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: Attributes that are addresses, and may be answered as such only.
ADDRESSES: Final = ("url", "image_url")
# Class and quantifiers are written as RE2 and Python both have them.
_SIGN: Final = r"[^\x00-\x20\x7f\"<>\\^`{|}]"
_ADDRESS: Final = rf"^[hH][tT][tT][pP][sS]?://[^/?#\x00-\x20\x7f\"<>\\^`{{|}}]{_SIGN}*$"
#: Several pictures in one cell, as WooCommerce writes them; the first counts.
_BEGIN: Final = "(?:[hH][tT][tT][pP][sS]?:)?//"
_FIRST: Final = rf"^({_BEGIN}.*?)(?:\s*[,|;]\s*{_BEGIN}.*)?$"


def is_address(text: str) -> bool:
    """Tell whether a text is an address by http or https.

    Parameters
    ----------
    text : str
        As it would stand in a link.

    Returns
    -------
    bool
        False for other schemes, and for paths without a host.

    Examples
    --------
    >>> [is_address(text) for text in ("https://shop.test/a.jpg", "javascript:alert(1)", "/a.jpg")]
    [True, False, False]
    """
    return re.fullmatch(_ADDRESS.rstrip("$"), text) is not None


def address_expression(column: "ir.StringValue") -> "ir.StringValue":
    """Return the first address of a column; null where there is none.

    An address that leaves its scheme to the page (``//cdn.shop.test/a.jpg``) becomes https, and
    blanks inside are written as ``%20``.

    Parameters
    ----------
    column : string column
        As a catalogue gives them, several in one cell allowed.

    Returns
    -------
    string column
        Addresses by http or https, or null.
    """
    import ibis

    first = column.re_extract(_FIRST, 1)
    whole = ibis.ifelse(first.startswith("//"), ibis.literal("https:") + first, first)
    whole = whole.replace(" ", "%20")
    return cast(
        "ir.StringValue", ibis.ifelse(whole.re_search(_ADDRESS), whole, ibis.null("string"))
    )
