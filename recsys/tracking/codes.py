"""What an offer is called: an id for channels, and a code for people to show and to type.

Called by ``offers``.
"""

import re
import secrets
from typing import Final

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


def new_code() -> str:
    """Return a code that nobody can guess, as it is stored."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def shown(code: str) -> str:
    """Put a stored code into groups."""
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def is_offer_id(text: str) -> bool:
    """Whether a text has the shape of an id."""
    return _OFFER_ID.fullmatch(text) is not None


def read_code(text: str) -> str | None:
    """Return a code as it is stored, however it was typed; None for what is no code.

    Dashes, blanks and the case of letters do not matter; I and L are read as 1, O as 0.
    """
    code = text.upper().translate(_MISREAD)
    return code if _CODE.fullmatch(code) else None
