"""Interprets the signs of a line's quantity and amount, and rejects contradictions.

In: the numbers of an order export. Rows whose signs contradict each other are rejected; all others
follow one rule. Called by the order adapters.

Every line of the history follows this rule:

==============  ==============  ===================================================================
line            quantity        amount
==============  ==============  ===================================================================
sale            > 0             >= 0
return          < 0             <= 0
correction      0               of either sign: a voucher, a discount that is a line of its own
==============  ==============  ===================================================================

A row with a positive quantity and a negative amount is marked ``minus``. ``unify`` makes it a
return if the product is sold elsewhere, else a correction. A refund in a row without quantity,
by sign or by type, is a correction.
"""

from dataclasses import dataclass
from typing import Final, cast

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.ingest.columns.fields import Fields
from recsys.query_engine import rows
from recsys.schema import CORRECTION

#: Line type of rows that refund money without stating whether goods came back.
MINUS: Final = "minus"


@dataclass(frozen=True)
class Numbers:
    """The numbers of an export's lines as exported; null where missing."""

    quantity: ir.DecimalValue
    price: ir.DecimalValue
    discount: ir.DecimalValue
    amount: ir.DecimalValue


def check(
    con: Backend, fields: Fields, numbers: Numbers, line_type: ir.StringValue, notes: dict[str, int]
) -> None:
    """Reject rows whose signs contradict each other.

    Parameters
    ----------
    con : ibis backend
        The engine; scans the whole export to detect its sign convention.
    fields : Fields
        The export.
    numbers : Numbers
    line_type : string column
        ``sale``, ``return``, ``void``, ``voided`` or null.
    notes : dict
        Receives ``amount_of_a_return_without_sign``: number of accepted rows.
    """
    quantity, amount = numbers.quantity, numbers.amount
    void = line_type.isin(["void", "voided"]).fill_null(False)
    valid = ~void
    seen = _sign_counts(con, fields, numbers)
    returned = valid & (quantity < 0) & (amount > 0)
    if seen["signed"]:
        fields.reject("sign_contradiction", "amount", returned, amount)
    elif seen["unsigned"]:
        notes["amount_of_a_return_without_sign"] = int(seen["unsigned"])
    refunded = (amount < 0).fill_null(False)
    price = numbers.price
    fields.reject("negative_price", "unit_price", (price < 0) & ~refunded, price)
    discount = numbers.discount
    excessive = valid & amount.isnull() & (discount.abs() > (price * quantity).abs())
    fields.reject("discount_over_price", "discount", excessive, discount)
    if seen["reduced"] and seen["raised"]:
        usual = seen["reduced"] >= seen["raised"]
        odd = (quantity > 0) & ((discount < 0) if usual else (discount > 0))
        fields.reject("sign_contradiction", "discount", valid & odd & amount.isnull(), discount)


def meaning(
    line_type: ir.StringValue, quantity: ir.Value, amount: ir.Value
) -> tuple[ir.StringValue, ir.Value]:
    """Return the line type and the amount as stored in the history.

    Returns
    -------
    line_type : string column
        ``minus`` where a sale's amount is negative, ``correction`` where money was refunded
        without goods; else unchanged.
    amount : int64 column
        Negative where money was refunded without goods.
    """
    plain, negative = line_type.fill_null("sale") == "sale", (amount < 0).fill_null(False)
    minus = plain & (quantity > 0) & negative
    refund = line_type.isin(["return"]).fill_null(False) & (amount != 0).fill_null(False)
    money_alone = (quantity == 0) & ((plain & negative) | refund)
    types = ibis.cases((minus, MINUS), (money_alone, CORRECTION), else_=line_type)
    return cast(ir.StringValue, types), ibis.ifelse(money_alone, -amount.abs(), amount)


def _sign_counts(con: Backend, fields: Fields, numbers: Numbers) -> dict[str, int]:
    """Count the sign conventions of the export; zero where it lacks the columns."""
    totals = dict.fromkeys(("signed", "unsigned", "reduced", "raised"), 0)
    counts: dict[str, ir.Value] = {}
    returned = numbers.quantity < 0
    if fields.has("amount"):
        counts["signed"] = (returned & (numbers.amount < 0)).sum()
        counts["unsigned"] = (returned & (numbers.amount > 0)).sum()
    if fields.has("discount"):
        sold = numbers.quantity > 0
        counts["reduced"] = (sold & (numbers.discount > 0)).sum()
        counts["raised"] = (sold & (numbers.discount < 0)).sum()
    if counts:
        (row,) = rows(con, fields.table.aggregate(**counts))
        totals.update({name: int(count or 0) for name, count in row.items()})
    return totals
