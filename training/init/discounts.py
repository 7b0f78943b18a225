"""Tells what a discount is: money or a percentage, of a piece, of a line or of a whole order.

Called by ``money`` once prices and amounts are known.
"""

from statistics import median

from recsys.config import Column
from training.init.evidence import close
from training.init.headers import forms
from training.init.levels import firsts, fit, sums
from training.init.money_columns import CENTS, MOST, Sheet
from training.init.totals import ask_level, is_of_order

#: Money of a line from which on a discount below 1 is a share.
_DEAR = 5.0
_BEFORE_DISCOUNT = ("gross", "brutto", "brut", "subtotal", "bruto", "lordo")
_AFTER_DISCOUNT = ("net", "netto", "paid", "neto", "bezahlt", "paye", "pagado", "final")


def take_discount(sheet: Sheet) -> None:
    """Take the discount of lines or of orders; a percentage is no money."""
    for column in sheet.free("discount"):
        level = sheet.level(column)
        if level == "order" or (level is None and _totals_fit(sheet, column)):
            is_of_order(sheet, "discount", column)
            continue
        if "discount" in sheet.taken:
            continue
        if _is_share(sheet, column) or _is_of_piece(sheet, column):
            continue
        undecided = level is None and sheet.several and sheet.matters(column)
        if undecided and not _discount_fits(sheet, column):
            ask_level(sheet, "discount", column)
            continue
        sheet.taken["discount"] = column
    if "discount" not in sheet.taken and sheet.empty["discount"]:
        sheet.taken["discount"] = sheet.empty["discount"][0]
    for column in sheet.percent:
        _say_share(sheet, column)


def _totals_fit(sheet: Sheet, column: str) -> bool:
    """Tell whether orders of several lines cost price × quantity less this money, once."""
    less = sheet.evidence.numbers(column).values
    told = [rows for rows in sheet.orders if len(rows) > 1 and any(less[ix] > 0 for ix in rows)]
    once = firsts(told, less)
    for name in sheet.candidates["order_total"] + sheet.candidates["amount"]:
        totals = firsts(told, sheet.evidence.numbers(name).values)
        whole = sums(told, sheet.expected())
        fitting = sum(
            close(a - d, total, 3) for a, d, total in zip(whole, once, totals, strict=True)
        )
        if told and fitting >= MOST * len(told):
            return True
    return False


def _discount_fits(sheet: Sheet, column: str) -> bool:
    """Tell whether amount = price × quantity − discount, line by line."""
    if "amount" not in sheet.taken or "unit_price" not in sheet.taken:
        return False
    less = sheet.numbers_or_zero(column)
    wanted = [e - abs(d) for e, d in zip(sheet.expected(), less, strict=True)]
    rows = [ix for ix in sheet.rows if less[ix]]
    share = fit(rows, wanted, sheet.values("amount"))
    return share is not None and share >= MOST


def _is_share(sheet: Sheet, column: str) -> bool:
    """Tell whether a discount is a percentage, and say so."""
    numbers = sheet.numbers_or_zero(column)
    rows = [ix for ix in sheet.rows if numbers[ix]]
    if rows and "amount" not in sheet.taken:
        return _looks_like_share(sheet, column, rows)
    if not rows:
        return False
    if "unit_price" not in sheet.taken:
        paid = [abs(n) for n in sheet.values("amount") if n == n]
        fractions = all(abs(numbers[ix]) <= 1 for ix in rows)
        dear = bool(paid) and median(paid) > _DEAR
        if (
            fractions and dear and not _between_amounts(sheet, column)
        ):  # nobody takes off cents of such sums
            _say_share(sheet, column)
            return True
        return False
    shares = [fit(rows, wanted, sheet.values("amount")) for wanted in sheet.reduced(column)]
    found = any(share is not None and share >= MOST for share in shares)
    if found and not _discount_fits(sheet, column):
        _say_share(sheet, column)
        return True
    return False


def _looks_like_share(sheet: Sheet, column: str, rows: list[int]) -> bool:
    """Tell whether a discount beside a price may be a percentage, and ask about it.

    Nobody takes cents off dear goods, and who writes prices with cents writes discounts so.
    """
    numbers, price = sheet.numbers_or_zero(column), sheet.taken.get("unit_price")
    if price is None or _orders_fit(sheet, numbers):
        return False
    worth = [abs(e) for e in sheet.expected() if e == e]
    fractions = all(abs(numbers[ix]) <= 1 for ix in rows) and median(worth) > _DEAR
    texts = {sheet.evidence.texts(column)[ix] for ix in rows}
    whole = all(text.lstrip("-").isdigit() and int(text.lstrip("-")) <= 100 for text in texts)
    priced = sheet.evidence.share(price, CENTS.search) >= MOST
    if not fractions and not (whole and priced):
        return False
    shown = min(texts, key=len)
    sheet.proposal.ask(
        f"is `{shown}` in `{column}` money, or a percentage? Nothing in the first rows tells. "
        "Money is named as the discount. Percentages are not read: export what was paid for a "
        "line, or count lines without their discount by an empty value",
        "columns.discount",
        "columns.amount",
        example=column,
    )
    return True


def _orders_fit(sheet: Sheet, less: list[float]) -> bool:
    """Tell whether orders that say their total cost price × quantity less this money."""
    paid = [e - abs(d) for e, d in zip(sheet.expected(), less, strict=True)]
    told = [rows for rows in sheet.orders if any(less[ix] for ix in rows)]
    for column in sheet.candidates["order_total"]:
        wanted = firsts(told, sheet.evidence.numbers(column).values)
        fitting = sum(close(a, b) for a, b in zip(sums(told, paid), wanted, strict=True))
        if told and fitting >= MOST * len(told):
            return True
    return False


def _between_amounts(sheet: Sheet, column: str) -> bool:
    """Tell whether a discount is what lies between two columns of amounts."""
    less, paid = sheet.numbers_or_zero(column), sheet.values("amount")
    rows = [ix for ix in sheet.rows if less[ix]]
    wanted = [a + abs(d) for a, d in zip(paid, less, strict=True)]
    shares = [fit(rows, wanted, sheet.evidence.numbers(c).values) for c in sheet.free("amount")]
    return any(share is not None and share >= MOST for share in shares)


def _say_share(sheet: Sheet, column: str) -> None:
    if "amount" in sheet.taken:
        sheet.proposal.check(
            f"`{column}` is a percentage, not money, so it is not used; the amount says what "
            "was paid"
        )
    elif any(text.strip("0.,% ") for text in sheet.evidence.filled(column)):
        sheet.proposal.ask(
            f"`{column}` is a percentage, and no column says what was paid for a line. Export that "
            "too, and say which column it is; an empty value counts lines without their discount",
            "columns.discount",
            "columns.amount",
            example="",
        )


def _is_of_piece(sheet: Sheet, column: str) -> bool:
    """Tell whether a discount is that of one piece, and say so."""
    if "amount" not in sheet.taken or "unit_price" not in sheet.taken:
        return False
    less, paid = sheet.numbers_or_zero(column), sheet.values("amount")
    rows = [ix for ix in sheet.rows if less[ix] and abs(sheet.quantity[ix]) != 1]
    wanted = [
        e - n * abs(d) for e, n, d in zip(sheet.expected(), sheet.quantity, less, strict=True)
    ]
    share = fit(rows, wanted, paid)
    if share is None or share < MOST or _discount_fits(sheet, column):
        return False
    sheet.proposal.check(
        f"`{column}` is the discount of one piece, so it is not used; the amount says what was paid"
    )
    return True


def look_at_amount(sheet: Sheet) -> None:
    """Ask where an amount is price × quantity though there is a discount."""
    amount, discount = sheet.taken.get("amount"), sheet.taken.get("discount")
    if amount is None or discount is None:
        return
    less = sheet.numbers_or_zero(discount)
    if "unit_price" not in sheet.taken:
        _look_at_pieces(sheet, amount, discount, less)
        return
    rows = [ix for ix in sheet.rows if less[ix]]
    share = fit(rows, sheet.expected(), sheet.values("amount"))
    if share is None or share < MOST:
        return
    names = "".join(forms(amount))
    if any(word in names for word in _BEFORE_DISCOUNT) or _totals_after_discount(sheet):
        del sheet.taken["amount"]
        sheet.proposal.check(
            f"`{amount}` is before the discount, so it is not used: what was paid is price × "
            "quantity − discount"
        )
    elif not any(word in names for word in _AFTER_DISCOUNT):
        sheet.proposal.ask(
            f"`{amount}` is price × quantity although `{discount}` is not zero: was "
            f"`{amount}` paid, or is the discount still to be taken off? Say the amount, or "
            "leave it out with an empty value",
            "columns.amount",
            "columns.discount",
            example="",
        )


def _look_at_pieces(sheet: Sheet, amount: str, discount: str, less: list[float]) -> None:
    """Ask where products cost the same for each piece whether there is a discount or not."""
    before = after = 0
    for rows in sheet.evidence.groups(sheet.item_column or Column(value="")).values():
        known = [ix for ix in rows if sheet.quantity[ix] and sheet.values("amount")[ix]]
        plain = [ix for ix in known if not less[ix]]
        for ix in (ix for ix in known if less[ix] and plain):
            n, money = sheet.quantity[ix], sheet.values("amount")[ix]
            each = sheet.values("amount")[plain[0]] / sheet.quantity[plain[0]]
            before += close(money, each * n, n)
            after += close(money + abs(less[ix]), each * n, n)
    if before > after:
        sheet.proposal.ask(
            f"`{amount}` is before `{discount}`, and no column says what was paid for a line. "
            "Export that too, or the price of one; an empty value counts lines without "
            "their discount",
            "columns.discount",
            "columns.amount",
            "columns.unit_price",
            example="",
        )


def _totals_after_discount(sheet: Sheet) -> bool:
    totals = [c for c in sheet.candidates["order_total"] if sheet.level(c) != "line"]
    if "order_total" in sheet.taken:
        totals.append(sheet.taken["order_total"])
    less = sheet.numbers_or_zero(sheet.taken["discount"])
    paid = [a - abs(d) for a, d in zip(sheet.values("amount"), less, strict=True)]
    told = [rows for rows in sheet.orders if any(less[ix] for ix in rows)]
    for column in totals:
        wanted = firsts(told, sheet.evidence.numbers(column).values)
        fitting = sum(close(a, b, 3) for a, b in zip(sums(told, paid), wanted, strict=True))
        if told and fitting >= MOST * len(told):
            return True
    return False
