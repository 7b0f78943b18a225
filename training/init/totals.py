"""Maps the money of whole orders, and compares orders with their stated totals.

Called by ``money`` and ``discounts``.
"""

from math import isnan

from training.init.evidence import close
from training.init.levels import firsts, sums
from training.init.money_columns import MOST, MoneyColumns


def is_of_order(money: MoneyColumns, field: str, column: str) -> None:
    """Map money that is constant within orders to the field of whole orders."""
    name = "order_discount" if field == "discount" else "order_total"
    if name in money.taken:
        return
    what = "the discount" if field == "discount" else "the total"
    money.taken[name] = column
    money.proposal.check(
        f"`{column}` is the same on all lines of an order, so it is read as {what} of the "
        "whole order"
    )


def ask_level(money: MoneyColumns, field: str, column: str) -> None:
    """Ask whether money is of the line or of the order."""
    whole = "order_discount" if field == "discount" else "order_total"
    money.proposal.ask(
        f"is `{column}` money of the line or of the whole order? The first rows do not show it",
        f"columns.{field}",
        f"columns.{whole}",
        example=column,
    )


def take_order_level(money: MoneyColumns) -> None:
    """Map columns named as money of the order, unless values contradict it."""
    for name in ("order_total", "order_discount"):
        for column in money.free(name):
            if name in money.taken:
                break
            level = money.level(column)
            if level == "line":
                _is_of_line(money, name, column)
                continue
            money.taken[name] = column


def _is_of_line(money: MoneyColumns, name: str, column: str) -> None:
    field = "discount" if name == "order_discount" else "amount"
    if field in money.taken:
        return
    if field == "amount" and "unit_price" in money.taken and not money.tells_line(column, None):
        return
    money.taken[field] = column
    money.proposal.check(
        f"`{column}` differs between the lines of an order, so it is read as the line's"
    )


def compare(money: MoneyColumns) -> None:
    """Compare orders with their stated totals; map postage and tax that explain a difference."""
    if "order_total" not in money.taken:
        return
    lines = sums(money.orders, _line_amounts(money))
    totals = firsts(money.orders, money.values("order_total"))
    less = [
        0.0 if isnan(n) else abs(n) for n in firsts(money.orders, money.values("order_discount"))
    ]
    best = -1
    extra: tuple[str, ...] = ()
    shipping = [c for c in money.free("order_shipping") if money.level(c) != "line"][:1]
    tax = [c for c in money.free("order_tax") if money.level(c) != "line"][:1]
    for used in ((), *((c,) for c in (*shipping, *tax)), (*shipping, *tax)):
        more = [firsts(money.orders, money.numbers_or_zero(c)) for c in used]
        n_fit = sum(
            close(line - d + sum(m[ix] for m in more), total, 3)
            for ix, (line, d, total) in enumerate(zip(lines, less, totals, strict=True))
        )
        if n_fit > best:
            best, extra = n_fit, used
    for column in extra:
        money.taken["order_shipping" if column in shipping else "order_tax"] = column
    known = sum(not isnan(total) for total in totals)
    if "unit_price" not in money.taken and "amount" not in money.taken:
        money.proposal.check(
            f"`{money.taken['order_total']}` is of whole orders, and no column has the amount "
            "of a line: lines will count without money"
        )
    elif known and best < MOST * known:
        money.proposal.check(
            f"{known - best} of {known} orders differ from `{money.taken['order_total']}`"
        )


def _line_amounts(money: MoneyColumns) -> list[float]:
    if "amount" in money.taken:
        return money.values("amount")
    less = [0.0 if isnan(n) else n for n in money.values("discount")]
    return [
        e - (abs(d) if e >= 0 else -abs(d)) for e, d in zip(money.expected(), less, strict=True)
    ]
