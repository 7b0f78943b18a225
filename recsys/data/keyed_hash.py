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

    Notes
    -----
    ``sha256(outer || sha256(inner || type || value))`` with two keys derived from ``key``: the
    nested construction of HMAC, in a form that any SQL engine can compute.
    """

    key: str = field(repr=False)
    plain: frozenset[str] = frozenset()

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
        return cls(key, plain)

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
        normal = normalise(kind, value)
        if not normal:
            return None
        if kind in self.plain:
            return normal
        inner = hashlib.sha256(f"{self._inner}{kind}\t{normal}".encode()).hexdigest()
        outer = hashlib.sha256(f"{self._outer}{inner}".encode()).hexdigest()
        return outer[:_HEX_DIGITS]

    def expression(self, kind: str, normal: "ir.StringValue") -> "ir.StringValue":
        """Hash a column of already normalised identifiers; the same result as ``identifier``."""
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


_NOT_DIGITS = r"[^0-9+]"
_BLANKS = r"\s+"


def normalise(kind: str, value: str) -> str:
    """Bring one identifier into the form that is compared; empty where nothing is left.

    E-mails are trimmed and lower-cased; of phone numbers digits and ``+`` are kept; from
    everything else blanks are removed.
    """
    if kind == "phone":
        return re.sub(_NOT_DIGITS, "", value)
    text = re.sub(_BLANKS, "", value)
    return text.lower() if kind == "email" else text


def normalise_expression(kind: str, value: "ir.StringValue") -> "ir.StringValue":
    """Do the same as ``normalise`` to a whole column."""
    if kind == "phone":
        return value.re_replace(_NOT_DIGITS, "")
    text = value.re_replace(_BLANKS, "")
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
