"""Finds the columns that identify the customer, by their names and by the shapes of values.

In: an export's evidence and a proposal. Out: mapped ``identifiers``, and notes on values that do
not identify a customer. Messages never contain values of such columns. Called by ``mapping``.
"""

import re

from recsys.config import Column
from training.init.evidence import Evidence
from training.init.headers import fields_of, fold, forms, phrases
from training.init.names import IDENTIFIER_NAMES
from training.init.proposal import Proposal, columns_of, used_columns
from training.init.vocabulary import GUEST_WORDS

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@.]+")
_PHONE = re.compile(r"['+]{0,2}\(?\d[\d\s()./+-]{5,20}")
_ABROAD = re.compile(r"'?(\+|00)[1-9][\d\s()./-]{7,18}")
_MASKED = re.compile(r".*([*•●#]{2,}|[xX]{3,}).*")
_PERSON = re.compile(r"[^\W\d_][^\d@]*[\s,][^\d@]*[^\W\d_]\.?")
#: Names of columns with either a customer's number or name.
_BARE = set(
    phrases("customer, client, buyer, Kunde, cliente, klient, müşteri, العميل, مشتری, მომხმარებელი")
)
_MOST = 0.8
_HALF = 0.5
_ENOUGH_ROWS = 10


def map_people(evidence: Evidence, proposal: Proposal) -> None:
    """Map identifiers whose values fit."""
    used = set(used_columns(proposal))
    found = fields_of((c for c in evidence.export.columns if c not in used), IDENTIFIER_NAMES)
    taken: set[str] = set()
    for kind, candidates in found.items():
        for column in candidates:
            if column in taken:
                continue
            problem = _problem(evidence, kind, column)
            if problem is None:
                proposal.identifiers[kind] = column
                taken.add(column)
                break
            if not _emails(evidence, column):
                proposal.check(f"`{column}` is not used to identify customers: it {problem}")
    for column in evidence.export.columns:
        if column not in taken and column not in used:
            _by_shape(evidence, proposal, column)
    order = list(IDENTIFIER_NAMES)
    proposal.identifiers = dict(
        sorted(proposal.identifiers.items(), key=lambda pair: order.index(pair[0]))
    )


def _problem(evidence: Evidence, kind: str, column: str) -> str | None:
    """Return why a column cannot be identifiers of a type; None if it can."""
    filled = evidence.filled(column)
    if not filled:
        return None
    if kind == "email":
        return None if evidence.share(column, _EMAIL.fullmatch) >= _HALF else "has no e-mails"
    if kind == "phone":
        good = evidence.share(column, _PHONE.fullmatch) >= _HALF
        return None if good or evidence.scientific(column) else "has no phone numbers"
    if _emails(evidence, column):
        return "holds e-mails"
    if evidence.share(column, _MASKED.fullmatch) >= _HALF:
        return "has masked numbers, which many people share"
    bare = kind == "account" and any(form in _BARE for form in forms(column))
    is_person = _has_no_digit if bare else _is_person
    if kind in ("account", "loyalty_card") and evidence.share(column, is_person) >= _HALF:
        return "has names, and two people may have the same name"
    if kind in ("loyalty_card", "payment_token", "device"):
        if evidence.share(column, lambda t: re.search(r"\d", t)) < _HALF:
            return "has words, not ids"
        if kind != "device" and max(map(len, filled)) <= 4 and len(filled) >= _ENOUGH_ROWS:
            return "has numbers of up to four digits, which many people share"
    return None


def _emails(evidence: Evidence, column: str) -> bool:
    filled = evidence.filled(column)
    return bool(filled) and evidence.share(column, _EMAIL.fullmatch) >= _MOST


def _is_person(text: str) -> bool:
    return bool(_PERSON.fullmatch(text)) and fold(text) not in GUEST_WORDS


def _has_no_digit(text: str) -> bool:
    """Return whether a text is likely a name, not an id: it has no digit."""
    return not any(sign.isdigit() for sign in text) and fold(text) not in GUEST_WORDS


def _by_shape(evidence: Evidence, proposal: Proposal, column: str) -> None:
    """Map e-mail addresses and international phone numbers, whatever their column's name."""
    filled = evidence.filled(column)
    if not filled:
        return
    if _emails(evidence, column):
        if "email" not in proposal.identifiers:
            proposal.identifiers["email"] = column
            proposal.check(f"`{column}` has e-mail addresses and is used as the customer's")
        return
    abroad = any(text.lstrip("'").startswith("+") for text in filled)
    shaped = abroad and evidence.share(column, _ABROAD.fullmatch) >= _MOST
    if shaped and "phone" not in proposal.identifiers:
        proposal.identifiers["phone"] = column
        proposal.check(f"`{column}` has phone numbers and is used as the customer's")


def check_people(evidence: Evidence, proposal: Proposal) -> None:
    """Note identifiers that identify nobody: guests, defaults, and corrupted numbers."""
    for kind, spec in proposal.identifiers.items():
        for column in columns_of(spec):
            _check_guests(evidence, proposal, kind, column)
            if evidence.scientific(column):
                proposal.check(
                    f"`{column}` has numbers such as 5.01E+12, corrupted by a spreadsheet: they "
                    "identify nobody. Export the file again, and do not open it in a spreadsheet"
                )


def _check_guests(evidence: Evidence, proposal: Proposal, kind: str, column: str) -> None:
    counts = evidence.counts(column)
    total = counts.total()
    guests = {text: n for text, n in counts.items() if _is_guest(kind, text)}
    if guests:
        words = ", ".join(f"`{text}`" for text in sorted(guests))
        proposal.check(
            f"{words} in `{column}` means a guest ({sum(guests.values())} of {total} "
            "rows): it does not identify a customer"
        )
        proposal.blocked[kind] = sorted(guests)
    others = [(n, text) for text, n in counts.items() if text not in guests]
    if not others or total < _ENOUGH_ROWS:
        return
    most = max(others)[0]
    orders = proposal.columns.get("order_id")
    if most > total / 2 and (orders is None or _orders_of(evidence, orders, column) > 1):
        proposal.check(
            f"{most} of {total} rows have the same `{column}`; if it is a default value that "
            "identifies nobody, add it to [identity.blocked]"
        )


def _orders_of(evidence: Evidence, orders: str | Column, column: str) -> int:
    """Count the orders with a column's most frequent value."""
    (text, _), *_ = evidence.counts(column).most_common(1)
    texts = evidence.texts(column)
    return sum(any(texts[ix] == text for ix in rows) for rows in evidence.groups(orders).values())


def _is_guest(kind: str, text: str) -> bool:
    if kind == "account" and re.fullmatch(r"-1|0+(\.0+)?", text):
        return True
    return fold(text) in GUEST_WORDS
