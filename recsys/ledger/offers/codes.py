"""Names of offers: an id for channels, and a code for people to show and type.

The code is derived from the id and the workspace's key, so that it can be shown again; the ledger
holds only its hash. Called by ``offers`` and by the service.
"""

import hashlib
import hmac
import re
import secrets
from typing import Final, NamedTuple

from recsys.bundles import Offer

#: Crockford's base 32: no I, L, O and U.
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH: Final = 16  # 80 bits
_GROUP: Final = 4
_CODE: Final = re.compile(f"[{_ALPHABET}]{{{_LENGTH}}}")
_OFFER_ID: Final = re.compile("o[0-9a-f]{24}")
_MISREAD: Final = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})


def new_offer_id() -> str:
    """Return an id that nobody can guess."""
    return "o" + secrets.token_hex(12)


class OfferName(NamedTuple):
    """Id and code of a new offer."""

    offer_id: str
    code: str
    """The code in groups, as shown."""


class Codes:
    """Derives the codes of offers.

    Parameters
    ----------
    secret : str
        The workspace's key, from which the key for codes is derived.
    """

    def __init__(self, secret: str) -> None:
        self._key = hmac.new(secret.encode(), b"omnibasket.offer_code", hashlib.sha256).digest()

    def new(self) -> OfferName:
        """Return a name for a new offer."""
        offer_id = new_offer_id()
        return OfferName(offer_id, self._made(offer_id))

    def of(self, offer: Offer) -> str:
        """Return the code of an offer, in groups.

        Parameters
        ----------
        offer : Offer
            Its ``kept_code`` is used if it has one; otherwise the code is derived from its id.

        Returns
        -------
        str
            The code as shown; ``read_code`` reads it.
        """
        return self._made(offer.offer_id) if offer.kept_code is None else shown(offer.kept_code)

    def _made(self, offer_id: str) -> str:
        digest = hmac.new(self._key, offer_id.encode(), hashlib.sha256).digest()
        number = int.from_bytes(digest[:10])  # 80 bits, five per letter
        letters = [_ALPHABET[number >> 5 * place & 31] for place in range(_LENGTH)]
        return shown("".join(letters))


def shown(code: str) -> str:
    """Split a code into groups."""
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def hashed(code: str) -> str:
    """Return the hash of a code from ``read_code``, as stored in the ledger.

    A code has 80 random bits, so a fast hash without a key is enough.
    """
    return hashlib.sha256(code.encode()).hexdigest()


def is_offer_id(text: str) -> bool:
    """Return whether a text has the form of an id."""
    return _OFFER_ID.fullmatch(text) is not None


def read_code(text: str) -> str | None:
    """Return a typed code without groups; None if it is not a code.

    Dashes, blanks and the case of letters do not matter; I and L are read as 1, O as 0.
    """
    code = text.upper().translate(_MISREAD)
    return code if _CODE.fullmatch(code) else None
