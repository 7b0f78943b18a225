"""Tells whether a product's minimum age in a catalogue keeps it from being shown to everybody.

The text of ``age_restriction`` or ``adult`` comes in, yes or no comes out. Called by ``ranking``.
"""

import re
import unicodedata
from typing import Final

from recsys.values.vocabulary import NO, fold

#: Attributes that say it: a minimum age, and what Google Merchant calls goods for adults.
AGE_ATTRIBUTES: Final = ("age_restriction", "adult")
#: Below it a minimum age is advice, as toys carry it, and no rule of sale: films and games are
#: rated from 12 on, beer and wine are sold from 16 on at the earliest.
LEAST_AGE: Final = 12
_NUMBER: Final = re.compile(r"(\d+(?:[.,]\d+)?)\s*(mon|mois|mes|miesi|mth)?", re.IGNORECASE)
_MONTHS: Final = 12
_EVERYBODY: Final = frozenset(
    map(fold, ("all", "all ages", "everyone", "everybody", "unrestricted", "not restricted", "-"))
)


def is_restricted(text: str) -> bool:
    """Say whether a text restricts a product: ``18``, ``16+``, ``FSK 18``, ``yes``.

    ``0``, ``3+``, ``18 months``, ``no`` and an empty text do not; what is not understood does.

    Parameters
    ----------
    text : str
        Value of one of ``AGE_ATTRIBUTES``, an age in years unless it says months.

    Returns
    -------
    bool
        True where the product is not for everybody.
    """
    folded = fold(text)
    number = _NUMBER.search(unicodedata.normalize("NFKC", text))
    if number is not None:
        age = float(number[1].replace(",", ".")) / (_MONTHS if number[2] else 1)
        return age >= LEAST_AGE or folded == "1"  # 1: yes
    return bool(folded) and folded not in NO and folded not in _EVERYBODY
