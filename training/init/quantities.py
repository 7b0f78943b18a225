"""Finds the quantity where no column of that name holds numbers.

An export's evidence and a proposal come in; the quantity is mapped, asked about, or taken for one
piece a row. Called by ``mapping``.
"""

from recsys.config import Column
from training.init.evidence import NEARLY_ALL, Evidence
from training.init.headers import ranked
from training.init.names import ORDER_NAMES
from training.init.proposal import Proposal, listed, shown, used_columns
from training.init.roles import small

_MOST_PIECES = 1_000
_FEW = 12


def find_quantity(evidence: Evidence, proposal: Proposal) -> None:
    """Map the quantity of lines, whatever its column is called."""
    used = set(used_columns(proposal))

    def free(field: str) -> list[str]:
        named = ranked(evidence.export.columns, (field, *ORDER_NAMES[field]), measure=True)
        return [c for c in named if c not in used and evidence.filled(c)]

    named = free("quantity")
    for column in sorted(named, key=lambda c: not evidence.numeric(c)):
        if _mostly_numbers(evidence, column) and small(evidence, column):
            proposal.columns["quantity"] = column
            _say_odd(evidence, proposal, column)
            return
    for column in named:
        if not evidence.numeric(column):
            _ask_unread(evidence, proposal, column)
            return
    prices = [c for c in free("unit_price") if evidence.numeric(c)]
    for column in free("amount"):
        if prices and _counts_pieces(evidence, column, prices[0]):
            proposal.columns["quantity"] = column
            proposal.check(
                f"`{column}` holds small whole numbers that are no multiples of `{prices[0]}`, so "
                "it was taken for the quantity"
            )
            return
    proposal.columns["quantity"] = Column(value="1")
    left = [c for c in evidence.export.columns if c not in used and _may_count(evidence, c)]
    is_it = f" (or is it {listed(left)}?)" if left else ""
    proposal.check(f"no column says how many; every row was taken for one piece{is_it}")


def _mostly_numbers(evidence: Evidence, column: str) -> bool:
    """Tell whether most values are numbers; what is none will be rejected, row by row."""
    return 2 * evidence.numbers(column).n_read > len(evidence.filled(column))


def _say_odd(evidence: Evidence, proposal: Proposal, column: str) -> None:
    odd = evidence.unread(column)
    if odd:
        proposal.check(f"`{shown(odd[0])}` in `{column}` is not a number; such rows are rejected")


def _may_count(evidence: Evidence, column: str) -> bool:
    """Tell whether a column of no known name may count pieces: small whole numbers, not all one."""
    counts = evidence.counts(column)
    small_ones = all(text.isascii() and text.isdigit() and len(text) < 4 for text in counts)
    return small_ones and len(counts) > 1 and "1" in counts


def _ask_unread(evidence: Evidence, proposal: Proposal, column: str) -> None:
    """Ask what texts of a quantity mean: taken for one piece each, money would be wrong."""
    proposal.columns["quantity"] = Column(value="1")
    texts = sorted(evidence.counts(column))
    words = ", ".join(f"`{shown(text)}`" for text in texts[:3])
    pairs = ", ".join(f'"{shown(text)}" = "…"' for text in texts[:_FEW])
    proposal.ask(
        f"how many is {words} in `{column}`? These are no numbers",
        "columns.quantity",
        example=f'{{ column = "{column}", map = {{ {pairs} }} }}',
    )


def _counts_pieces(evidence: Evidence, column: str, price: str) -> bool:
    """Tell whether what is called an amount counts pieces: it is no price times anything."""
    if column == price or not evidence.numeric(column):
        return False
    pairs = [
        (abs(n), abs(each))
        for n, each in zip(
            evidence.numbers(column).values, evidence.numbers(price).values, strict=True
        )
        if n == n and each == each and n and each
    ]
    if not pairs or any(n % 1 or n > _MOST_PIECES for n, _ in pairs):
        return False
    multiples = sum(abs(n / each - round(n / each)) < 1e-9 and n >= each for n, each in pairs)
    return multiples <= (1 - NEARLY_ALL) * len(pairs)
