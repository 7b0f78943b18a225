"""Infers decimal signs from arithmetic: an amount is a quantity times a price.

``1,859`` may be 1859 or the price of a litre. Its column alone may not tell, but an amount of
``74,59`` for ``40,123`` litres does. In: an export's evidence and a proposal with its quantity.
Out: the decimal signs, which ``evidence`` then uses. Called by ``mapping``.
"""

from itertools import product
from typing import Literal

from training.init.evidence import Evidence
from training.init.figures import read
from training.init.headers import fields_of
from training.init.levels import fit
from training.init.names import ORDER_NAMES
from training.init.proposal import Proposal, columns_of

#: Maximum number of columns tried per field.
_MOST_COLUMNS = 3
#: Share of rows that must fit.
_MOST = 0.8


def settle_by_products(evidence: Evidence, proposal: Proposal) -> None:
    """Set the decimal signs of quantity, price and amount if only one combination fits."""
    quantity = columns_of(proposal.columns.get("quantity"))
    if len(quantity) != 1:
        return
    names = {name: ORDER_NAMES[name] for name in ("unit_price", "amount")}
    candidates = fields_of(evidence.export.columns, names)
    filled = {
        name: [c for c in columns if c != quantity[0] and evidence.filled(c)][:_MOST_COLUMNS]
        for name, columns in candidates.items()
    }
    for price, amount in product(filled["unit_price"], filled["amount"]):
        columns = (quantity[0], price, amount)
        ambiguous = [c for c in columns if _is_ambiguous(evidence, c, pieces=c == quantity[0])]
        if ambiguous and price != amount and _settle(evidence, columns, ambiguous):
            return


def _is_ambiguous(evidence: Evidence, column: str, *, pieces: bool) -> bool:
    """Return whether a column's decimal sign is unknown; for pieces, currency does not help."""
    if column in evidence.export.typed or column in evidence.settled:
        return False
    numbers = evidence.without_currency(column) if pieces else evidence.numbers(column)
    return numbers.problem == "ambiguous" and bool(numbers.ambiguous)


def _settle(evidence: Evidence, columns: tuple[str, str, str], ambiguous: list[str]) -> bool:
    """Try all combinations of signs, and use the only one that fits."""
    either: tuple[Literal[".", ","], ...] = (".", ",")
    fitting = []
    for signs in product(either, repeat=len(ambiguous)):
        decimal_signs = dict(zip(ambiguous, signs, strict=True))
        pieces, prices, paid = (
            read(evidence.texts(column), None, decimal_signs[column]).values
            if column in decimal_signs
            else evidence.numbers(column).values
            for column in columns
        )
        expected = [n * price for n, price in zip(pieces, prices, strict=True)]
        share = fit(list(range(evidence.n_rows)), expected, paid)
        if share is not None and share >= _MOST:
            fitting.append(decimal_signs)
    if len(fitting) != 1:
        return False
    for column, sign in fitting[0].items():
        evidence.say_decimal(column, sign)
        evidence.settled[column] = sign
    return True
