"""Maps the money of whole orders, and compares orders with what they say they cost.

Called by ``money`` and ``discounts``.
"""

from math import isnan

from training.init.evidence import close
from training.init.levels import firsts, sums
from training.init.money_columns import MOST, Sheet


def is_of_order(sheet: Sheet, field: str, column: str) -> None:
    """Map money that is constant within orders to the field of whole orders."""
    name = "order_discount" if field == "discount" else "order_total"
    if name in sheet.taken:
        return
    what = "the discount" if field == "discount" else "the total"
    sheet.taken[name] = column
    sheet.proposal.check(
        f"`{column}` is the same on all lines of an order, so it was taken for {what} of the "
        "whole order"
    )


def ask_level(sheet: Sheet, field: str, column: str) -> None:
    """Ask whether money is of the line or of the order."""
    whole = "order_discount" if field == "discount" else "order_total"
    sheet.proposal.ask(
        f"is `{column}` money of the line, or of the whole order? Nothing in the first rows tells",
        f"columns.{field}",
        f"columns.{whole}",
        example=column,
    )


def take_order_level(sheet: Sheet) -> None:
    """Map what names call money of the order, where values do not speak against it."""
    for name in ("order_total", "order_discount"):
        for column in sheet.free(name):
            if name in sheet.taken:
                break
            level = sheet.level(column)
            if level == "line":
                _is_of_line(sheet, name, column)
                continue
            sheet.taken[name] = column


def _is_of_line(sheet: Sheet, name: str, column: str) -> None:
    field = "discount" if name == "order_discount" else "amount"
    if field in sheet.taken:
        return
    if field == "amount" and "unit_price" in sheet.taken and not sheet.tells_line(column, None):
        return
    sheet.taken[field] = column
    sheet.proposal.check(
        f"`{column}` is not the same on all lines of an order, so it was taken for the line's"
    )


def compare(sheet: Sheet) -> None:
    """Compare orders with what they say they cost; postage and tax where they explain it."""
    if "order_total" not in sheet.taken:
        return
    lines = sums(sheet.orders, _line_amounts(sheet))
    totals = firsts(sheet.orders, sheet.values("order_total"))
    less = [
        0.0 if isnan(n) else abs(n) for n in firsts(sheet.orders, sheet.values("order_discount"))
    ]
    best = -1
    extra: tuple[str, ...] = ()
    shipping = [c for c in sheet.free("order_shipping") if sheet.level(c) != "line"][:1]
    tax = [c for c in sheet.free("order_tax") if sheet.level(c) != "line"][:1]
    for used in ((), *((c,) for c in (*shipping, *tax)), (*shipping, *tax)):
        more = [firsts(sheet.orders, sheet.numbers_or_zero(c)) for c in used]
        n_fit = sum(
            close(line - d + sum(m[ix] for m in more), total, 3)
            for ix, (line, d, total) in enumerate(zip(lines, less, totals, strict=True))
        )
        if n_fit > best:
            best, extra = n_fit, used
    for column in extra:
        sheet.taken["order_shipping" if column in shipping else "order_tax"] = column
    known = sum(not isnan(total) for total in totals)
    if "unit_price" not in sheet.taken and "amount" not in sheet.taken:
        sheet.proposal.check(
            f"`{sheet.taken['order_total']}` is of whole orders, and no column says what a line "
            "cost: lines will count without money"
        )
    elif known and best < MOST * known:
        sheet.proposal.check(
            f"{known - best} of {known} orders differ from `{sheet.taken['order_total']}`"
        )


def _line_amounts(sheet: Sheet) -> list[float]:
    if "amount" in sheet.taken:
        return sheet.values("amount")
    less = [0.0 if isnan(n) else n for n in sheet.values("discount")]
    return [
        e - (abs(d) if e >= 0 else -abs(d)) for e, d in zip(sheet.expected(), less, strict=True)
    ]
