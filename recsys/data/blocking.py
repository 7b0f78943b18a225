"""Values that name nobody: known by how they look, before anything is hashed.

A normalised identifier comes in, or a column of them; out comes whether a rule blocks it. The
rules are the workspace's own patterns (``[identity.blocked]``) and those below: placeholders,
addresses that nobody reads, cards of one repeated digit, masked payment cards. Called by the
adapters while values are still readable; values shared by many are found later by their degree,
see ``recsys.data.sharing``.
"""

import re
from collections.abc import Iterable
from typing import Final

import ibis
import ibis.expr.types as ir

from recsys.data.keyed_hash import normalise
from recsys.settings import Identity

#: What the ``blocked`` column says about a value that a rule caught.
RULE: Final = "rule"

#: In place of a value, whatever its type. Blanks are gone and case does not matter.
PLACEHOLDERS: Final = (
    "null", "nil", "nan", "none", "(none)", "n/a", "n.a.", "#n/a", "na", "undefined", "unknown",
    "unbekannt", "inconnu", "notset", "(notset)", "not_set", "notprovided", "(notprovided)",
    "notavailable", "missing", "empty", "blank", "tbd", "default", "dummy", "test", "testing",
    "guest", "guestuser", "anonymous", "anon", "nobody", "nocard", "noemail", "nophone",
    "walkin", "walk-in", "x", "xx", "xxx", "xxxx", "asdf", "true", "false",
)  # fmt: skip

#: Addresses made up at a counter or read by nobody.
EMAILS: Final = (
    "test@*", "tester@*", "testing@*", "example@*", "dummy@*", "fake@*", "asdf@*",
    "none@*", "n/a@*", "nobody@*", "unknown@*", "anonymous@*", "guest@*",
    "noemail@*", "no-email@*", "no.email@*", "nomail@*", "no-mail@*", "noreply@*", "no-reply@*",
    "no_reply@*", "donotreply@*", "do-not-reply@*", "do_not_reply@*", "mailer-daemon@*",
    "*@localhost", "*@invalid", "*.invalid", "*@none.com", "*@noemail.*", "*@nomail.*", "@*", "*@",
)  # fmt: skip

#: What tills write where the token of a card should be.
PAYMENTS: Final = (
    "cash", "bar", "card", "creditcard", "debitcard", "credit", "debit", "visa", "mastercard",
    "maestro", "amex", "paypal", "klarna", "voucher", "giftcard", "gift_card", "invoice", "cheque",
    "check", "banktransfer", "other", "manual",
)  # fmt: skip

#: Digits typed when nobody has a card at hand: one digit over and over, or counting up and down.
_COUNTER_DIGITS: Final = (
    "|".join(f"{digit}{{6,}}" for digit in "123456789") + "|0?123456(7(8(9(0)?)?)?)?|9?87654321(0)?"
)
#: A card number of which no more than the last digits are left: ``****1234``.
_MASKED: Final = r"[x*#•]+[-x*#•]*[0-9]{0,6}"
#: Only zeros and signs, as in the advertising id of a device whose owner refused one.
_NOTHING: Final = r"[!-/0:-@\[-`{-~]+"
#: An account may well be number 0.
_SIGNS_ONLY: Final = r"[!-/:-@\[-`{-~]+"

_SHAPES: Final = {
    "loyalty_card": (_COUNTER_DIGITS,),
    "payment_token": (_COUNTER_DIGITS, _MASKED),
    "phone": (rf"\+?({_COUNTER_DIGITS})", r"\+?[0-9]{1,4}"),
}
_PATTERNS: Final = {"email": EMAILS, "payment_token": PAYMENTS}


def is_blocked(kind: str, value: str, settings: Identity) -> bool:
    """Tell whether one raw identifier names nobody by a rule.

    Parameters
    ----------
    kind : str
        Identifier type.
    value : str
        As an export or a request gives it.
    settings : Identity
        ``blocked`` holds the workspace's own patterns.
    """
    normal = normalise(kind, value).lower()
    return not normal or re.fullmatch(_rule(kind, settings), normal) is not None


def blocked_expression(kind: str, normal: ir.StringValue, settings: Identity) -> ir.BooleanValue:
    """Do the same as ``is_blocked`` to a column of already normalised identifiers.

    Empty values count as blocked; null stays null.
    """
    text = normal.lower()
    blocked: ir.BooleanValue = (text == "") | text.re_search(f"^(?:{_rule(kind, settings)})$")
    return blocked


def reason_expression(kind: str, normal: ir.StringValue, settings: Identity) -> ir.StringValue:
    """Say why a column of normalised identifiers is blocked by rule; null where it is not."""
    reason: ir.StringValue = ibis.cases(
        (blocked_expression(kind, normal, settings), RULE), else_=ibis.null("string")
    )
    return reason


def _rule(kind: str, settings: Identity) -> str:
    """Make one regular expression of every rule for a type; Python's and RE2's dialects agree."""
    patterns = (*PLACEHOLDERS, *_PATTERNS.get(kind, ()), *_own(kind, settings))
    nothing = _SIGNS_ONLY if kind == "account" else _NOTHING
    return "|".join((nothing, *_SHAPES.get(kind, ()), *map(_translate, patterns)))


def _own(kind: str, settings: Identity) -> Iterable[str]:
    """Bring the workspace's patterns into the form in which values are compared."""
    for pattern in settings.blocked.get(kind, []):
        text = re.sub(r"[^0-9+*?]" if kind == "phone" else r"\s+", "", pattern).lower()
        if text:
            yield text


def _translate(pattern: str) -> str:
    """Turn ``*`` and ``?`` into a regular expression; every other sign means itself."""
    signs = {"*": ".*", "?": "."}
    return "".join(signs.get(sign, re.escape(sign)) for sign in pattern)
