"""Finds the currency of an export's money: a column of codes, or signs beside the amounts.

In: an export's evidence and a proposal. Out: ``currency`` mapped or set. An amount always keeps the
currency written beside it. Called by ``mapping``.
"""

from recsys.config import Column
from recsys.values import currencies_of_sign
from training.init.evidence import Evidence
from training.init.headers import fold, ranked
from training.init.names import MONEY, ORDER_NAMES
from training.init.proposal import Proposal, columns_of, shown, used_columns
from training.init.roles import fits

_HINTS_TEXT = (
    "curr ccy wahrung waehrung devise moneda divisa valuta waluta parabirimi doviz 通貨 ارز عمله "
    "ვალუტა"
)
_HINTS = tuple(_HINTS_TEXT.split())
_COMMON_TEXT = (
    "EUR USD GBP JPY CHF SEK NOK DKK PLN CZK HUF TRY CAD AUD NZD CNY INR GEL AED SAR IRR BRL MXN "
    "ZAR RON BGN ILS KRW SGD HKD THB UAH RUB KWD QAR EGP"
)
#: Codes that rarely mean anything but a currency.
_COMMON = frozenset(_COMMON_TEXT.split())
_FEW = 12
#: The most frequent meaning of a sign, for examples.
_LIKELY = {"$": "USD", "£": "GBP", "¥": "JPY", "kr": "SEK", "kr.": "SEK", "rs": "INR"}


def map_currency(evidence: Evidence, proposal: Proposal, workspace: str) -> None:
    """Map the currency column by its name or values."""
    if "currency" in proposal.columns:
        return
    columns = evidence.export.columns
    used = set(used_columns(proposal))
    candidates = ranked(columns, ("currency", *ORDER_NAMES["currency"]))
    candidates += [
        c for c in columns if any(fold(h) in fold(c) for h in _HINTS) and c not in candidates
    ]
    candidates = [c for c in candidates if c not in used]
    filled = [c for c in candidates if evidence.filled(c)]
    for column in filled:
        if fits(evidence, "currency", column):
            proposal.columns["currency"] = column
            return
    for column in filled:
        if len(evidence.counts(column)) <= _FEW and _map_signs(
            evidence, proposal, column, workspace
        ):
            return
    for column in columns:
        counts = evidence.counts(column)
        if column not in used and counts and set(counts) <= _COMMON and len(counts) <= _FEW:
            proposal.columns["currency"] = column
            proposal.check(f"`{column}` is used as the currency because of its values")
            return
    if candidates and not filled:
        proposal.columns["currency"] = candidates[0]


def _map_signs(evidence: Evidence, proposal: Proposal, column: str, workspace: str) -> bool:
    """Map a column of currency signs and names to currency codes."""
    counts = evidence.counts(column)
    meant = {value: _code(value, workspace) for value in sorted(counts)}
    if not any(meant.values()) and not any(currencies_of_sign(value) for value in counts):
        return False  # an exchange rate or similar
    if all(meant.values()):
        proposal.columns["currency"] = Column(
            column=column, map={value: code for value, code in meant.items() if code}
        )
        return True
    pairs = ", ".join(f'"{shown(v)}" = "{code or "…"}"' for v, code in meant.items())
    listed = ", ".join(f"`{shown(value)}`" for value, code in meant.items() if not code)
    proposal.ask(
        f"which currency is {listed} in `{column}`?",
        "columns.currency",
        "currency",
        example=f'{{ column = "{column}", map = {{ {pairs} }} }}',
    )
    return True


def _code(value: str, workspace: str) -> str | None:
    """Return the code of a sign: the only one, or the workspace's if possible."""
    codes = currencies_of_sign(value.strip())
    if workspace in codes:
        return workspace
    return next(iter(codes)) if len(codes) == 1 else None


def check_signs(evidence: Evidence, proposal: Proposal, workspace: str) -> None:
    """Set the currency written beside the amounts if it is not the workspace's."""
    if "currency" in proposal.columns or "currency" in proposal.settings:
        return
    signs: set[str] = set()
    for field in MONEY:
        for column in columns_of(proposal.columns.get(field)):
            signs |= evidence.numbers(column).currencies
    codes = {sign: _code(sign, workspace) for sign in sorted(signs)}
    known = {code for code in codes.values() if code}
    if known <= {workspace} and all(codes.values()):
        return
    if len(known) == 1 and all(codes.values()):
        code = known.pop()
        proposal.settings["currency"] = code
        proposal.check(f"amounts are in {code}, not in the workspace's {workspace}")
        return
    listed = ", ".join(f"`{sign}`" for sign in codes)
    example = next((code for code in codes.values() if code), None)
    proposal.ask(
        f"amounts are written with {listed}, but the workspace's currency is {workspace}; which "
        "is it?",
        "currency",
        "columns.currency",
        example=example or _LIKELY.get(next(iter(codes)), "…"),
    )
