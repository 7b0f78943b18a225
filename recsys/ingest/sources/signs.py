"""Interprets the signs of a line's quantity and amount, and finds contradictions between them.

The numbers of an order export come in; rows whose signs cannot both be right are rejected, all
others are read by one rule. Called by the order adapters.

The rule, which every line of the history keeps:

==============  ==============  ===================================================================
line            quantity        amount
==============  ==============  ===================================================================
sale            > 0             >= 0
return          < 0             <= 0
correction      0               of either sign: a voucher, a discount that is a line of its own
==============  ==============  ===================================================================

A row with a positive quantity and a negative amount is marked ``minus``: ``unify`` takes it for a
return where the product is sold elsewhere, else for a correction. Money that a row of no quantity
gives back, by its sign or its type, is a correction.
"""

from dataclasses import dataclass
from typing import Final, cast

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.ingest.columns.fields import Fields
from recsys.query_engine import rows
from recsys.schema import CORRECTION

#: Line type of rows that take money off without saying whether goods came back.
MINUS: Final = "minus"


@dataclass(frozen=True)
class Numbers:
    """The numbers of an export's lines, as they stand there; null where one is missing."""

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
        The engine; looks at the whole export to tell in which manner it writes signs.
    fields : Fields
        The export.
    numbers : Numbers
    line_type : string column
        ``sale``, ``return``, ``void``, ``voided`` or null.
    notes : dict
        Given ``amount_of_a_return_without_sign``: rows that were believed.
    """
    quantity, amount = numbers.quantity, numbers.amount
    struck = line_type.isin(["void", "voided"]).fill_null(False)
    counted = ~struck
    manner = _manner(con, fields, numbers)
    back = counted & (quantity < 0) & (amount > 0)
    if manner["signed"]:
        fields.reject("sign_contradiction", "amount", back, amount)
    elif manner["unsigned"]:
        notes["amount_of_a_return_without_sign"] = int(manner["unsigned"])
    taken_off = (amount < 0).fill_null(False)
    price = numbers.price
    fields.reject("negative_price", "unit_price", (price < 0) & ~taken_off, price)
    discount = numbers.discount
    over = counted & amount.isnull() & (discount.abs() > (price * quantity).abs())
    fields.reject("discount_over_price", "discount", over, discount)
    if manner["reduced"] and manner["raised"]:
        usual = manner["reduced"] >= manner["raised"]
        odd = (quantity > 0) & ((discount < 0) if usual else (discount > 0))
        fields.reject("sign_contradiction", "discount", counted & odd & amount.isnull(), discount)


def meaning(
    line_type: ir.StringValue, quantity: ir.Value, amount: ir.Value
) -> tuple[ir.StringValue, ir.Value]:
    """Return the line type and the amount, as the history will have them.

    Returns
    -------
    line_type : string column
        ``minus`` where a sale's amount is negative, ``correction`` where money came back and no
        goods did; else as it was.
    amount : int64 column
        Negative where money came back without goods.
    """
    plain, negative = line_type.fill_null("sale") == "sale", (amount < 0).fill_null(False)
    minus = plain & (quantity > 0) & negative
    refund = line_type.isin(["return"]).fill_null(False) & (amount != 0).fill_null(False)
    money_alone = (quantity == 0) & ((plain & negative) | refund)
    found = ibis.cases((minus, MINUS), (money_alone, CORRECTION), else_=line_type)
    return cast(ir.StringValue, found), ibis.ifelse(money_alone, -amount.abs(), amount)


def _manner(con: Backend, fields: Fields, numbers: Numbers) -> dict[str, int]:
    """Count how the export writes signs; nothing where it lacks the columns."""
    found = dict.fromkeys(("signed", "unsigned", "reduced", "raised"), 0)
    counts: dict[str, ir.Value] = {}
    back = numbers.quantity < 0
    if fields.has("amount"):
        counts["signed"] = (back & (numbers.amount < 0)).sum()
        counts["unsigned"] = (back & (numbers.amount > 0)).sum()
    if fields.has("discount"):
        sold = numbers.quantity > 0
        counts["reduced"] = (sold & (numbers.discount > 0)).sum()
        counts["raised"] = (sold & (numbers.discount < 0)).sum()
    if counts:
        (row,) = rows(con, fields.table.aggregate(**counts))
        found.update({name: int(count or 0) for name, count in row.items()})
    return found
