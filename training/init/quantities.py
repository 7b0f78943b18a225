"""Finds the quantity if no column of that name has numbers.

In: an export's evidence and a proposal. The quantity is mapped, asked about, or set to one piece
per row. Called by ``mapping``.
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
    """Map the quantity of lines, whatever its column's name."""
    used = set(used_columns(proposal))

    def free(field: str) -> list[str]:
        candidates = ranked(evidence.export.columns, (field, *ORDER_NAMES[field]), measure=True)
        return [c for c in candidates if c not in used and evidence.filled(c)]

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
                f"`{column}` has small whole numbers that are not multiples of `{prices[0]}`, so "
                "it is used as the quantity"
            )
            return
    proposal.columns["quantity"] = Column(value="1")
    left = [c for c in evidence.export.columns if c not in used and _may_count(evidence, c)]
    is_it = f" (or is it {listed(left)}?)" if left else ""
    proposal.check(f"no column has the quantity; every row counts as one piece{is_it}")


def _mostly_numbers(evidence: Evidence, column: str) -> bool:
    """Return whether most values are numbers; rows with other values will be rejected."""
    return 2 * evidence.numbers(column).n_read > len(evidence.filled(column))


def _say_odd(evidence: Evidence, proposal: Proposal, column: str) -> None:
    odd = evidence.unread(column)
    if odd:
        proposal.check(f"`{shown(odd[0])}` in `{column}` is not a number; such rows are rejected")


def _may_count(evidence: Evidence, column: str) -> bool:
    """Return whether a column may count pieces: small whole numbers, not all one."""
    counts = evidence.counts(column)
    small_ones = all(text.isascii() and text.isdigit() and len(text) < 4 for text in counts)
    return small_ones and len(counts) > 1 and "1" in counts


def _ask_unread(evidence: Evidence, proposal: Proposal, column: str) -> None:
    """Ask what texts of a quantity mean; counting one piece each would falsify money."""
    proposal.columns["quantity"] = Column(value="1")
    texts = sorted(evidence.counts(column))
    words = ", ".join(f"`{shown(text)}`" for text in texts[:3])
    pairs = ", ".join(f'"{shown(text)}" = "…"' for text in texts[:_FEW])
    proposal.ask(
        f"how many is {words} in `{column}`? These are not numbers",
        "columns.quantity",
        example=f'{{ column = "{column}", map = {{ {pairs} }} }}',
    )


def _counts_pieces(evidence: Evidence, column: str, price: str) -> bool:
    """Return whether a column named amount counts pieces: it is not a multiple of the price."""
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
