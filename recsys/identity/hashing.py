"""Personal identifiers become keyed hashes before anything is written.

A raw e-mail, card or token comes in; out comes the same 32 hex digits every time for the same
workspace key, and nothing that could be turned back without that key. Called by the adapters for
whole columns (as an Ibis expression) and by the service for one identifier at a time; both give
the same text, and a test says so.
"""

import hashlib
import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from recsys.config import Config
from recsys.errors import ConfigError
from recsys.values import country_of, is_no_id, normalise_phone, placeholders

if TYPE_CHECKING:
    # Workers of the service hash identifiers too, and need no engine for it.
    import ibis.expr.types as ir

KEY_FILE = "key"
KEY_VARIABLE = "OMNIBASKET_KEY"
_HEX_DIGITS = 32


@dataclass(frozen=True)
class KeyedHash:
    """Normalises identifiers and hashes the personal ones under the workspace's key.

    Parameters
    ----------
    key : str
        At least 32 characters, kept secret.
    plain : frozenset of str
        Identifier types that are no personal data and stay readable.
    country : str, optional
        Where phone numbers are typed that do not say their country, ISO 3166.

    Notes
    -----
    ``sha256(outer || sha256(inner || type || value))`` with two keys derived from ``key``: the
    nested construction of HMAC, in a form that any SQL engine can compute.
    """

    key: str = field(repr=False)
    plain: frozenset[str] = frozenset()
    country: str | None = None

    @classmethod
    def load(cls, config: Config, *, create: bool = False) -> "KeyedHash":
        """Read the workspace's key from ``OMNIBASKET_KEY`` or the state folder.

        Parameters
        ----------
        config : Config
            Settings of the workspace.
        create : bool
            Make a key file where there is none.

        Raises
        ------
        ConfigError
            When there is no key and none may be made, or it is too short.
        """
        plain = frozenset(config.identity.plain)
        path = config.state / KEY_FILE
        key = os.environ.get(KEY_VARIABLE)
        if key is None and path.exists():
            key = path.read_text(encoding="ascii").strip()
        if key is None and create:
            key = _create_key(path)
        if key is None:
            raise ConfigError(
                f"{path}: no key for hashing identifiers. `omnibasket ingest` makes one; "
                f"elsewhere set {KEY_VARIABLE} to the same key."
            )
        if len(key) < 32:
            raise ConfigError(f"{KEY_VARIABLE}: the key needs at least 32 characters.")
        return cls(key, plain, country_of(config))

    def identifier(self, kind: str, value: str) -> str | None:
        """Normalise one raw identifier and hash it, unless its type is plain.

        Parameters
        ----------
        kind : str
            Identifier type: ``email``, ``loyalty_card``, ``payment_token``, ...
        value : str
            As an export or a request gives it.

        Returns
        -------
        str or None
            What the history stores; None where nothing is left after normalising.
        """
        normal = normalise(kind, value, self.country)
        if not normal:
            return None
        if kind in self.plain:
            return normal
        inner = hashlib.sha256(f"{self._inner}{kind}\t{normal}".encode()).hexdigest()
        outer = hashlib.sha256(f"{self._outer}{inner}".encode()).hexdigest()
        return outer[:_HEX_DIGITS]

    def expression(self, kind: str, normal: "ir.StringValue") -> "ir.StringValue":
        """Hash a column of already normalised identifiers; the same result as ``identifier``.

        Parameters
        ----------
        kind : str
            Identifier type of the whole column.
        normal : string column
            As ``normalise`` writes them.

        Returns
        -------
        string column
            32 hex digits each; the values themselves where the type is plain.
        """
        if kind in self.plain:
            return normal
        inner = (self._inner + kind + "\t" + normal).hexdigest("sha256")
        return (self._outer + inner).hexdigest("sha256").left(_HEX_DIGITS)

    @property
    def _inner(self) -> str:
        return hashlib.sha256(f"inner{self.key}".encode()).hexdigest()

    @property
    def _outer(self) -> str:
        return hashlib.sha256(f"outer{self.key}".encode()).hexdigest()


_BLANKS = re.compile(placeholders.BLANK)
#: Phone numbers take the library, so they are brought into form by Python, a distinct one once.
PHONE = "phone"


def normalise(kind: str, value: str, country: str | None = None) -> str:
    """Bring one identifier into the form that is compared; empty where nothing is left.

    Blanks are removed; e-mails are lower-cased; phone numbers are written in E.164 where their
    country can be told, see ``phone_numbers``, and are digits and ``+`` where it cannot.

    Parameters
    ----------
    kind : str
        Identifier type.
    value : str
        As an export or a request gives it.
    country : str, optional
        Where it was typed, ISO 3166; matters to phone numbers only.
    """
    text = _BLANKS.sub("", value)
    if kind == PHONE:
        # What a spreadsheet made of a number must stay what it is: its digits are those of many.
        return lower(text) if is_no_id(value) else normalise_phone(value, country)
    return lower(text) if kind == "email" else text


def lower(text: str) -> str:
    """Write a text in small letters, each by itself, as an engine does.

    Python makes two letters of a Turkish ``İ``, and of ``Σ`` another one at the end of a word.
    """
    return text.lower() if text.isascii() else "".join(sign.lower()[0] for sign in text)


def normalise_expression(kind: str, value: "ir.StringValue") -> "ir.StringValue":
    """Begin to do the same to a whole column; ``identifiers`` does the rest to distinct values.

    Only phone numbers need the rest; they are left as they were typed.

    Parameters
    ----------
    kind : str
        Identifier type of the whole column.
    value : string column
        As an export gives them.

    Returns
    -------
    string column
        Without blanks, e-mails in small letters; of phone numbers only the ends are stripped.
    """
    if kind == PHONE:
        return value.strip()
    # Most have plain signs only, which is told in half of the time.
    text = value.re_search("^[!-~]*$").ifelse(value, value.re_replace(placeholders.BLANK, ""))
    return text.lower() if kind == "email" else text


def customer_id_of(kind: str, value: str) -> str:
    """Return the customer id that an identifier has alone.

    Parameters
    ----------
    kind : str
        Identifier type.
    value : str
        As stored: hashed where it is personal.
    """
    return "c" + hashlib.sha256(f"{kind}\0{value}".encode()).hexdigest()[:20]


def _create_key(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    key = secrets.token_hex(32)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key + "\n")
    return key
