"""Reads the lead time of a product's delivery, in days, as a catalogue says it.

The text of the attribute ``delivery_days`` comes in, a number comes out, or nothing where it is no
whole number of days. Called by the ingest and the service for what they are told, and by
``recommender``.
"""

import re
from typing import Final

#: Attribute of products that says in how many days they are delivered, wherever they come from.
DELIVERY_DAYS: Final = "delivery_days"
#: More than this is no lead time.
MOST_DAYS: Final = 365
#: What ``read_days`` reads, as RE2 and Python both have it.
DAYS_PATTERN: Final = r"^\s*([0-9]{1,3})(?:[.,]0+)?\s*$"


def read_days(text: str) -> int | None:
    """Read a number of days: ``3``, ``14``, ``2.0``.

    Parameters
    ----------
    text : str

    Returns
    -------
    int or None
        0 to ``MOST_DAYS``; None for anything else, such as ``2-3``, ``48 h`` or ``-1``.

    Examples
    --------
    >>> [read_days(text) for text in ("3", "14.0", "2-3", "soon", "400")]
    [3, 14, None, None, None]
    """
    found = re.fullmatch(DAYS_PATTERN.strip("^$"), text, re.ASCII)
    days = None if found is None else int(found[1])
    return days if days is not None and days <= MOST_DAYS else None
