"""Blocks values that identify no customer, by what they look like, before they are hashed.

A normalised identifier or a column of them comes in; whether a rule blocks it goes out. The rules
are the patterns of the workspace (``[identity.blocked]``) and those below: placeholders, addresses
that nobody reads, cards of one repeated digit, masked payment cards. Called by ``ingest`` while
values are still readable; values that many customers share are found later by their degree, see
``recsys.identity.shared_identifiers``.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from recsys.config import IdentitySettings
from recsys.identity.hashing import PHONE, lower, normalise
from recsys.values import COUNTER_DIGITS, with_code
from recsys.values import placeholder_pattern as no_id_pattern

if TYPE_CHECKING:
    # Workers of the service judge identifiers too, and need no engine for it.
    import ibis.expr.types as ir

#: Entry of the ``blocked`` column for a value that a rule blocks.
RULE: Final = "rule"

_PLACEHOLDERS_TEXT = (
    "na missing empty blank tbd default dummy test testing true guest guestuser guestcustomer "
    "gast invité invitado ospite gość misafir ضيف زائر مهمان სტუმარი ゲスト notloggedin anonymous "
    "anon anonym anonyme anonimo anónimo anonim ناشناس nobody nocard noemail nophone walkin "
    "walk-in walkincustomer walk-incustomer cashcustomer laufkunde laufkundschaft barverkauf x "
    "xx xxx xxxx asdf"
)
#: In place of a value, whatever its type, besides what can be no id at all (``placeholders``).
#: Blanks are gone and case does not matter.
PLACEHOLDERS: Final = tuple(_PLACEHOLDERS_TEXT.split())

_EMAILS_TEXT = (
    "test@* tester@* testing@* example@* dummy@* fake@* asdf@* none@* n/a@* nobody@* unknown@* "
    "anonymous@* guest@* noemail@* no-email@* no.email@* nomail@* no-mail@* noreply@* no-reply@* "
    "no_reply@* donotreply@* do-not-reply@* do_not_reply@* mailer-daemon@* *@localhost *@invalid "
    "*.invalid *@none.com *@noemail.* *@nomail.* @* *@"
)
#: Addresses made up at a counter or read by nobody.
EMAILS: Final = tuple(_EMAILS_TEXT.split())

_PAYMENTS_TEXT = (
    "cash bar card creditcard debitcard credit debit visa mastercard maestro amex paypal klarna "
    "voucher giftcard gift_card invoice cheque check banktransfer other manual"
)
#: What tills write where the token of a card should be.
PAYMENTS: Final = tuple(_PAYMENTS_TEXT.split())

#: A card number of which no more than the last digits are left: ``****1234``.
_MASKED: Final = r"[x*#•]+[-x*#•]*[0-9]{0,6}"
#: Only zeros and signs, as in the advertising id of a device whose owner refused one, and in the
#: account of a guest.
_NOTHING: Final = r"[!-/0:-@\[-`{-~]+"

_SHAPES: Final = {
    "loyalty_card": (COUNTER_DIGITS,),
    "payment_token": (COUNTER_DIGITS, _MASKED),
    "phone": (rf"\+?({COUNTER_DIGITS})", r"\+?[0-9]{1,4}"),
}
_PATTERNS: Final = {"email": EMAILS, "payment_token": PAYMENTS}


def is_blocked(
    kind: str, value: str, settings: IdentitySettings, country: str | None = None
) -> bool:
    """Tell whether one raw identifier names nobody by a rule.

    Parameters
    ----------
    kind : str
        Identifier type.
    value : str
        As an export or a request gives it.
    settings : IdentitySettings
        ``blocked`` holds the workspace's own patterns.
    country : str, optional
        Where it was typed, ISO 3166; matters to phone numbers only.
    """
    normal = lower(normalise(kind, value, country))
    return not normal or re.fullmatch(_rule(kind, settings, country), normal) is not None


def blocked_expression(
    kind: str, normal: "ir.StringValue", settings: IdentitySettings, country: str | None = None
) -> "ir.BooleanValue":
    """Do the same as ``is_blocked`` to a column of already normalised identifiers.

    Empty values count as blocked; null stays null.

    Parameters
    ----------
    kind : str
        Identifier type of the whole column.
    normal : string column
        As ``normalise`` writes them.
    settings : IdentitySettings
        ``blocked`` holds the workspace's own patterns.
    country : str, optional
        Where they were typed, ISO 3166; matters to the patterns of phone numbers only.

    Returns
    -------
    boolean column
        Whether a rule blocks each value.
    """
    text = normal.lower()
    rule = _rule(kind, settings, country)
    blocked: ir.BooleanValue = (text == "") | text.re_search(f"^(?:{rule})$")
    return blocked


def reason_expression(
    kind: str, normal: "ir.StringValue", settings: IdentitySettings, country: str | None = None
) -> "ir.StringValue":
    """Say why a column of normalised identifiers is blocked by rule; null where it is not."""
    blocked = blocked_expression(kind, normal, settings, country)
    reason: ir.StringValue = blocked.ifelse(RULE, None).cast("string")
    return reason


def _rule(kind: str, settings: IdentitySettings, country: str | None) -> str:
    return _joined(kind, tuple(settings.blocked.get(kind, ())), country)


@lru_cache(maxsize=256)
def _joined(kind: str, own: tuple[str, ...], country: str | None) -> str:
    """Make one regular expression of every rule for a type; Python's and RE2's dialects agree."""
    patterns = (*PLACEHOLDERS, *_PATTERNS.get(kind, ()), *_comparable(kind, own, country))
    nothing = _NOTHING, no_id_pattern("account")
    return "|".join((*nothing, *_SHAPES.get(kind, ()), *map(_translate, patterns)))


def _comparable(kind: str, own: Iterable[str], country: str | None) -> Iterable[str]:
    """Bring the workspace's patterns into the form in which values are compared."""
    for pattern in own:
        text = re.sub(r"[^0-9+*?]" if kind == PHONE else r"\s+", "", lower(pattern))
        if not text:
            continue
        yield text
        if kind == PHONE and (whole := with_code(text, country)) != text:
            yield whole


def _translate(pattern: str) -> str:
    """Turn ``*`` and ``?`` into a regular expression; every other sign means itself."""
    signs = {"*": ".*", "?": "."}
    return "".join(signs.get(sign, re.escape(sign)) for sign in pattern)
