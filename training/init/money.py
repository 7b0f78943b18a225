"""Decides whether the money of an export is per piece, per line or per order.

In: an export's evidence and a proposal with its orders, products and quantities. Out: the mapping
of prices, discounts and amounts. Matching sums and values that are constant within an order decide;
names count only if values do not contradict them. An order's total is never used as a line's
amount. Called by ``mapping``.
"""

from itertools import product

from recsys.config import Column
from training.init.discounts import look_at_amount, take_discount
from training.init.evidence import NEARLY_ALL, Evidence, close
from training.init.headers import forms, phrases
from training.init.levels import firsts, fit, sums
from training.init.money_columns import CENTS, MOST, MoneyColumns
from training.init.names import MONEY
from training.init.proposal import Proposal, listed, shown, used_columns
from training.init.totals import ask_level, compare, is_of_order, take_order_level

_UNIT_NAMES = set(
    phrases(
        "unit price, price per unit, price piece, price each, Einzelpreis, "
        "Stückpreis, prix unitaire, precio unitario, prezzo unitario, "
        "cena jednostkowa, birim fiyat, birim fiyatı, 単価"
    )
)


def map_money(evidence: Evidence, proposal: Proposal) -> None:
    """Map prices, discounts and amounts.

    Parameters
    ----------
    evidence : Evidence
    proposal : Proposal
        With ``order_id``, ``item_id`` and ``quantity``; its fields of money are set.
    """
    money = MoneyColumns(evidence, proposal)
    for name in MONEY:
        money.proposal.columns.pop(name, None)
    _take_price(money)
    _take_amount(money)
    _take_price_as_amount(money)
    take_discount(money)
    take_order_level(money)
    look_at_amount(money)
    compare(money)
    _look_at_signs(money)
    _take_refunds(money)
    _look_at_unread(money)
    for name in MONEY:
        if name in money.taken:
            money.proposal.columns[name] = _in_whole_units(money, money.taken[name])
    _look_for_money(money)


def _in_whole_units(money: MoneyColumns, column: str) -> str | Column:
    """Set the factor of a column in cents."""
    factor = money.factors.get(column, 1.0)
    if factor == 1.0:
        return column
    money.proposal.check(f"`{column}` is read as money in cents because of its name")
    return Column(column=column, times=factor)


def _take_price(money: MoneyColumns) -> None:
    for column in money.free("unit_price"):
        if money.level(column) == "order" and len(money.free("unit_price")) > 1:
            continue
        money.taken["unit_price"] = column
        return
    if not money.candidates["unit_price"] and money.empty["unit_price"]:
        money.taken["unit_price"] = money.empty["unit_price"][0]


def _take_amount(money: MoneyColumns) -> None:
    """Map the line's amount: the column that fits price × quantity, else by name and level."""
    free = money.free("amount")
    levels = {column: money.level(column) for column in free}
    lines = [c for c in free if levels[c] != "order"]
    for column in free:
        if levels[column] == "order":
            is_of_order(money, "amount", column)
    if not lines:
        if not free and money.empty["amount"]:
            money.taken["amount"] = money.empty["amount"][0]
        return
    chosen = _best(money, lines)
    scale = money.scale(chosen)
    if scale == "piece":
        _is_of_one(money, chosen)
        return
    if levels[chosen] is None and money.several and not money.tells_line(chosen, scale):
        ask_level(money, "amount", chosen)
        return
    money.taken["amount"] = chosen


def _is_of_one(money: MoneyColumns, column: str) -> None:
    """Map a column named amount as the price, because it does not grow with the quantity."""
    price = money.taken.get("unit_price")
    if price is not None and money.scale(price) != "line":
        money.proposal.ask(
            f"`{column}` does not grow with the quantity, so it is not the amount of a line, "
            f"and `{price}` is named as the price; which column is the amount paid?",
            "columns.amount",
            "columns.unit_price",
            example="",
        )
        return
    if price is not None:
        money.taken["amount"] = price
    money.taken["unit_price"] = column
    money.proposal.check(
        f"`{column}` does not grow with the quantity, so it is read as the price per piece"
    )


def _best(money: MoneyColumns, columns: list[str]) -> str:
    """Choose the paid amount among the lines' amounts: after discount, with tax."""
    best = columns[0]
    if len(columns) == 1:
        return best
    numbers = {c: money.evidence.numbers(c).values for c in columns}
    for before, after in product(columns, columns):
        if before == after or best != before:
            continue
        for change in (*money.candidates["discount"], *money.candidates["order_tax"]):
            if change in (before, after):
                continue
            steps = money.numbers_or_zero(change)
            is_tax = change in money.candidates["order_tax"]
            fitting = [
                n + d if is_tax else n - (abs(d) if n >= 0 else -abs(d))
                for n, d in zip(numbers[before], steps, strict=True)
            ]
            rows = [ix for ix in money.rows if steps[ix]]
            share = fit(rows, fitting, numbers[after])
            if share is not None and share >= NEARLY_ALL:
                best = after
    return best


def _take_price_as_amount(money: MoneyColumns) -> None:
    """Map a price as the amount if it grows with the quantity, or if order totals say so."""
    price = money.taken.get("unit_price")
    if price is None or "amount" in money.taken or money.quantity_column is None:
        return
    if money.scale(price) == "line" or _prices_add_up(money, price):
        if _UNIT_NAMES & set(forms(price)):
            money.proposal.ask(
                f"`{price}` grows with the quantity: is it the price of a piece or of a line?",
                "columns.amount",
                "columns.unit_price",
                example=price,
            )
            return
        del money.taken["unit_price"]
        money.taken["amount"] = price
        money.proposal.check(
            f"`{price}` grows with the quantity, so it is read as the amount of the line"
        )


def _prices_add_up(money: MoneyColumns, price: str) -> bool:
    """Return whether order totals are sums of prices, not of price × quantity."""
    telling = [rows for rows in money.orders if any(abs(money.quantity[ix]) != 1 for ix in rows)]
    if not telling:
        return False
    once = sums(telling, money.evidence.numbers(price).values)
    times = sums(telling, money.expected())
    for column in (*money.candidates["order_total"], *money.candidates["amount"]):
        totals = firsts(telling, money.evidence.numbers(column).values)
        as_once = sum(close(a, b) for a, b in zip(once, totals, strict=True))
        as_times = sum(close(a, b) for a, b in zip(times, totals, strict=True))
        if as_once >= MOST * len(telling) and as_times < as_once:
            return True
    return False


def _look_at_signs(money: MoneyColumns) -> None:
    """Leave out a price that is negative for returns."""
    price = money.taken.get("unit_price")
    if price is None:
        return
    numbers = money.values("unit_price")
    below = [ix for ix in money.rows if numbers[ix] < 0]
    if not below:
        return
    back = sum(money.quantity[ix] < 0 for ix in below)
    if "amount" in money.taken:
        del money.taken["unit_price"]
        money.proposal.check(
            f"`{price}` is negative in {len(below)} rows, so it is not used; the "
            "price follows from the amount"
        )
    elif back > len(below) / 2:
        money.proposal.ask(
            f"`{price}` and the quantity are both negative for returns, and no column "
            "has the amount paid per line",
            "columns.amount",
            "columns.unit_price",
        )


def _look_at_unread(money: MoneyColumns) -> None:
    """Note values of the mapped columns that are not numbers."""
    for column in money.taken.values():
        numbers = money.evidence.numbers(column)
        odd = money.evidence.unread(column)
        if odd and (numbers.problem is None or numbers.decimal is not None):  # otherwise init asks
            money.proposal.check(
                f"`{shown(odd[0])}` in `{column}` is not a number; {len(odd)} "
                "such rows will be rejected"
            )


def _look_for_money(money: MoneyColumns) -> None:
    """Ask for the amount paid if no column is mapped to it but one may be it."""
    evidence, proposal = money.evidence, money.proposal
    is_asked = any(question.settings[0] == "columns.amount" for question in proposal.questions)
    if is_asked or {"unit_price", "amount", "order_total"} & set(money.taken):
        return
    used = {*used_columns(proposal), *money.percent}
    unreadable = {*money.unreadable["amount"], *money.unreadable["unit_price"]}
    left = [c for c in evidence.export.columns if c not in used and evidence.filled(c)]
    may_be = [
        c
        for c in left
        if c in unreadable
        or (evidence.numeric(c) and evidence.share(c, CENTS.search) >= MOST)
        or evidence.numbers(c).currencies
    ]
    if not may_be:
        proposal.check("no column has the amount paid per line; lines will count without money")
        return
    proposal.ask(
        "no column is known to have the amount or the price of a line; is it one of "
        f"{listed(may_be)}? An empty value counts lines without money",
        "columns.amount",
        "columns.unit_price",
    )


def _take_refunds(money: MoneyColumns) -> None:
    for column in money.free("refunded_amount"):
        if set(money.evidence.counts(column)) <= {"0", "1"}:
            continue  # yes and no
        level = money.level(column)
        if level == "order":
            money.proposal.check(
                f"`{column}` is the refund of whole orders; it is not used, because it does "
                "not show the refunded lines"
            )
            continue
        money.taken["refunded_amount"] = column
        return
