"""Decides whether a discount is money or a percentage, per piece, line or order.

Called by ``money`` once prices and amounts are known.
"""

from statistics import median

from recsys.config import Column
from training.init.evidence import close
from training.init.headers import forms
from training.init.levels import firsts, fit, sums
from training.init.money_columns import CENTS, MOST, MoneyColumns
from training.init.totals import ask_level, is_of_order

#: Amount of a line from which a discount below 1 is a share.
_DEAR = 5.0
_BEFORE_DISCOUNT = ("gross", "brutto", "brut", "subtotal", "bruto", "lordo")
_AFTER_DISCOUNT = ("net", "netto", "paid", "neto", "bezahlt", "paye", "pagado", "final")


def take_discount(money: MoneyColumns) -> None:
    """Map the discount of lines or orders; percentages are not money."""
    for column in money.free("discount"):
        level = money.level(column)
        if level == "order" or (level is None and _totals_fit(money, column)):
            is_of_order(money, "discount", column)
            continue
        if "discount" in money.taken:
            continue
        if _is_share(money, column) or _is_of_piece(money, column):
            continue
        undecided = level is None and money.several and money.matters(column)
        if undecided and not _discount_fits(money, column):
            ask_level(money, "discount", column)
            continue
        money.taken["discount"] = column
    if "discount" not in money.taken and money.empty["discount"]:
        money.taken["discount"] = money.empty["discount"][0]
    for column in money.percent:
        _say_share(money, column)


def _totals_fit(money: MoneyColumns, column: str) -> bool:
    """Return whether orders of several lines cost price × quantity minus this money, once."""
    less = money.evidence.numbers(column).values
    reduced_orders = [
        rows for rows in money.orders if len(rows) > 1 and any(less[ix] > 0 for ix in rows)
    ]
    once = firsts(reduced_orders, less)
    for name in money.candidates["order_total"] + money.candidates["amount"]:
        totals = firsts(reduced_orders, money.evidence.numbers(name).values)
        whole = sums(reduced_orders, money.expected())
        fitting = sum(
            close(a - d, total, 3) for a, d, total in zip(whole, once, totals, strict=True)
        )
        if reduced_orders and fitting >= MOST * len(reduced_orders):
            return True
    return False


def _discount_fits(money: MoneyColumns, column: str) -> bool:
    """Return whether amount = price × quantity − discount, line by line."""
    if "amount" not in money.taken or "unit_price" not in money.taken:
        return False
    less = money.numbers_or_zero(column)
    expected = [e - abs(d) for e, d in zip(money.expected(), less, strict=True)]
    rows = [ix for ix in money.rows if less[ix]]
    share = fit(rows, expected, money.values("amount"))
    return share is not None and share >= MOST


def _is_share(money: MoneyColumns, column: str) -> bool:
    """Return whether a discount is a percentage, and note it."""
    numbers = money.numbers_or_zero(column)
    rows = [ix for ix in money.rows if numbers[ix]]
    if rows and "amount" not in money.taken:
        return _looks_like_share(money, column, rows)
    if not rows:
        return False
    if "unit_price" not in money.taken:
        paid = [abs(n) for n in money.values("amount") if n == n]
        fractions = all(abs(numbers[ix]) <= 1 for ix in rows)
        dear = bool(paid) and median(paid) > _DEAR
        if (
            fractions and dear and not _between_amounts(money, column)
        ):  # a discount of cents on such amounts is implausible
            _say_share(money, column)
            return True
        return False
    shares = [fit(rows, expected, money.values("amount")) for expected in money.reduced(column)]
    is_full = any(share is not None and share >= MOST for share in shares)
    if is_full and not _discount_fits(money, column):
        _say_share(money, column)
        return True
    return False


def _looks_like_share(money: MoneyColumns, column: str, rows: list[int]) -> bool:
    """Return whether a discount beside a price may be a percentage, and ask about it.

    Discounts of cents on expensive goods are implausible, and prices with cents come with discounts
    with cents.
    """
    numbers, price = money.numbers_or_zero(column), money.taken.get("unit_price")
    if price is None or _orders_fit(money, numbers):
        return False
    worth = [abs(e) for e in money.expected() if e == e]
    fractions = all(abs(numbers[ix]) <= 1 for ix in rows) and median(worth) > _DEAR
    texts = {money.evidence.texts(column)[ix] for ix in rows}
    whole = all(text.lstrip("-").isdigit() and int(text.lstrip("-")) <= 100 for text in texts)
    priced = money.evidence.share(price, CENTS.search) >= MOST
    if not fractions and not (whole and priced):
        return False
    shown = min(texts, key=len)
    money.proposal.ask(
        f"is `{shown}` in `{column}` money or a percentage? The first rows do not show it. "
        "If it is money, map it as the discount. Percentages are not supported: export the "
        "amount paid per line, or leave the value empty to ignore discounts",
        "columns.discount",
        "columns.amount",
        example=column,
    )
    return True


def _orders_fit(money: MoneyColumns, less: list[float]) -> bool:
    """Return whether order totals equal price × quantity minus this money."""
    paid = [e - abs(d) for e, d in zip(money.expected(), less, strict=True)]
    reduced_orders = [rows for rows in money.orders if any(less[ix] for ix in rows)]
    for column in money.candidates["order_total"]:
        expected = firsts(reduced_orders, money.evidence.numbers(column).values)
        fitting = sum(
            close(a, b) for a, b in zip(sums(reduced_orders, paid), expected, strict=True)
        )
        if reduced_orders and fitting >= MOST * len(reduced_orders):
            return True
    return False


def _between_amounts(money: MoneyColumns, column: str) -> bool:
    """Return whether a discount is the difference of two columns of amounts."""
    less, paid = money.numbers_or_zero(column), money.values("amount")
    rows = [ix for ix in money.rows if less[ix]]
    expected = [a + abs(d) for a, d in zip(paid, less, strict=True)]
    shares = [fit(rows, expected, money.evidence.numbers(c).values) for c in money.free("amount")]
    return any(share is not None and share >= MOST for share in shares)


def _say_share(money: MoneyColumns, column: str) -> None:
    if "amount" in money.taken:
        money.proposal.check(
            f"`{column}` is a percentage, not money, so it is not used; the amount is what was paid"
        )
    elif any(text.strip("0.,% ") for text in money.evidence.filled(column)):
        money.proposal.ask(
            f"`{column}` is a percentage, and no column has the amount paid per line. Export it "
            "and name its column, or leave the value empty to ignore discounts",
            "columns.discount",
            "columns.amount",
            example="",
        )


def _is_of_piece(money: MoneyColumns, column: str) -> bool:
    """Return whether a discount is per piece, and note it."""
    if "amount" not in money.taken or "unit_price" not in money.taken:
        return False
    less, paid = money.numbers_or_zero(column), money.values("amount")
    rows = [ix for ix in money.rows if less[ix] and abs(money.quantity[ix]) != 1]
    expected = [
        e - n * abs(d) for e, n, d in zip(money.expected(), money.quantity, less, strict=True)
    ]
    share = fit(rows, expected, paid)
    if share is None or share < MOST or _discount_fits(money, column):
        return False
    money.proposal.check(
        f"`{column}` is the discount per piece, so it is not used; the amount is what was paid"
    )
    return True


def look_at_amount(money: MoneyColumns) -> None:
    """Ask about an amount that equals price × quantity despite a discount."""
    amount, discount = money.taken.get("amount"), money.taken.get("discount")
    if amount is None or discount is None:
        return
    less = money.numbers_or_zero(discount)
    if "unit_price" not in money.taken:
        _look_at_pieces(money, amount, discount, less)
        return
    rows = [ix for ix in money.rows if less[ix]]
    share = fit(rows, money.expected(), money.values("amount"))
    if share is None or share < MOST:
        return
    names = "".join(forms(amount))
    if any(word in names for word in _BEFORE_DISCOUNT) or _totals_after_discount(money):
        del money.taken["amount"]
        money.proposal.check(
            f"`{amount}` is before the discount, so it is not used: the amount paid is price × "
            "quantity − discount"
        )
    elif not any(word in names for word in _AFTER_DISCOUNT):
        money.proposal.ask(
            f"`{amount}` is price × quantity although `{discount}` is not zero: was "
            f"`{amount}` paid, or must the discount be deducted? Name the column of the amount, or "
            "leave the value empty",
            "columns.amount",
            "columns.discount",
            example="",
        )


def _look_at_pieces(money: MoneyColumns, amount: str, discount: str, less: list[float]) -> None:
    """Ask if products have the same price per piece with and without a discount."""
    before = after = 0
    for rows in money.evidence.groups(money.item_column or Column(value="")).values():
        known = [ix for ix in rows if money.quantity[ix] and money.values("amount")[ix]]
        plain = [ix for ix in known if not less[ix]]
        for ix in (ix for ix in known if less[ix] and plain):
            n, paid = money.quantity[ix], money.values("amount")[ix]
            each = money.values("amount")[plain[0]] / money.quantity[plain[0]]
            before += close(paid, each * n, n)
            after += close(paid + abs(less[ix]), each * n, n)
    if before > after:
        money.proposal.ask(
            f"`{amount}` is before `{discount}`, and no column has the amount paid per line. "
            "Export it, or the price per piece, or leave the value empty to ignore discounts",
            "columns.discount",
            "columns.amount",
            "columns.unit_price",
            example="",
        )


def _totals_after_discount(money: MoneyColumns) -> bool:
    totals = [c for c in money.candidates["order_total"] if money.level(c) != "line"]
    if "order_total" in money.taken:
        totals.append(money.taken["order_total"])
    less = money.numbers_or_zero(money.taken["discount"])
    paid = [a - abs(d) for a, d in zip(money.values("amount"), less, strict=True)]
    reduced_orders = [rows for rows in money.orders if any(less[ix] for ix in rows)]
    for column in totals:
        expected = firsts(reduced_orders, money.evidence.numbers(column).values)
        fitting = sum(
            close(a, b, 3) for a, b in zip(sums(reduced_orders, paid), expected, strict=True)
        )
        if reduced_orders and fitting >= MOST * len(reduced_orders):
            return True
    return False
