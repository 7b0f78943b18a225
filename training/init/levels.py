"""Distinguishes money of a whole order, repeated on its lines, from money of a line.

In: columns of an export's sample. Out: the level of each column, and whether it is per piece or
per line. Called by ``money``.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Literal

from training.init.evidence import NEARLY_ALL, Evidence, close

Level = Literal["order", "line"]
#: Orders with equal money on all lines needed to assign it to the order.
_ENOUGH_ORDERS = 3
_MANY_ITEMS = 0.8
#: Tolerance between an order's total and its lines, for postage and discounts.
_ABOUT = 0.3


def level_of(
    evidence: Evidence,
    orders: list[list[int]],
    column: str,
    expected: list[float] | None,
    items: list[str] | None = None,
) -> Level | None:
    """Return whether a column's money is per order or per line; None if unclear.

    Parameters
    ----------
    evidence : Evidence
    orders : list of list of int
        The rows of each order.
    column : str
    expected : list of float or None
        Price × quantity of each line; equal lines are ignored.
    items : list of str, optional
        The product of each row; equal lines of one product are ignored.
    """
    numbers = evidence.numbers(column).values
    constant = varied = blank = whole = 0
    for rows in orders:
        if len(rows) < 2:
            continue
        distinct = {numbers[ix] for ix in rows if numbers[ix] == numbers[ix]}
        if len(distinct) > 1:
            varied += 1
            continue
        if not distinct or distinct == {0.0}:
            continue
        if sum(numbers[ix] == numbers[ix] for ix in rows) < len(rows):
            first = numbers[rows[0]] == numbers[rows[0]]
            blank += first  # may be on the order's first row only
            varied += not first
            continue
        if expected is not None and not _differ(expected[ix] for ix in rows):
            continue
        if items is not None and len({items[ix] for ix in rows}) < 2:
            continue
        constant += 1
        whole += _is_whole(next(iter(distinct)), [expected[ix] for ix in rows] if expected else [])
    seen = constant + varied
    if not seen:
        return "order" if blank >= _ENOUGH_ORDERS else None
    if varied / seen > 1 - NEARLY_ALL:
        return "line"
    if whole or (constant > 1 and expected is not None) or constant >= _ENOUGH_ORDERS:
        return "order"
    return None


def _is_whole(money: float, expected: list[float]) -> bool:
    """Return whether money is close to the sum of an order's lines."""
    total = sum(value for value in expected if value == value)
    return total > 0 and abs(money - total) <= _ABOUT * total


def _differ(values: Iterable[float]) -> bool:
    known = [value for value in values if value == value]
    return any(not close(value, known[0]) for value in known)


def scale_of(
    evidence: Evidence, item_id: str, quantity: str, column: str
) -> Literal["piece", "line"] | None:
    """Return whether a product's money grows with its quantity; None if unclear.

    Compares products that were bought in several quantities.
    """
    counts, numbers = evidence.numbers(quantity).values, evidence.numbers(column).values
    seen: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for item, n, money in zip(evidence.texts(item_id), counts, numbers, strict=True):
        if item and n == n and money == money and n and money:
            seen[item].append((abs(n), abs(money)))
    same = grows = total = 0
    for pairs in seen.values():
        by_number = dict(pairs)
        if len(by_number) < 2:
            continue
        total += 1
        prices = [money for _, money in pairs]
        each = [money / n for n, money in pairs]
        largest = max(n for n, _ in pairs)
        same += all(close(price, prices[0]) for price in prices)
        grows += all(abs(one - each[0]) <= 0.011 + 0.001 * each[0] for one in each) or all(
            close(one * largest, each[0] * largest, largest) for one in each
        )
    if total and same / total >= _MANY_ITEMS and same > grows:
        return "piece"
    if total and grows / total >= _MANY_ITEMS and grows > same:
        return "line"
    return None


def follows_items(
    evidence: Evidence, orders: list[list[int]], item_id: str, quantity: list[float], column: str
) -> bool:
    """Return whether products have the same price per piece in all orders."""
    numbers, items = evidence.numbers(column).values, evidence.texts(item_id)
    seen: dict[str, list[float]] = defaultdict(list)
    for rows in orders:
        for ix in rows:
            if numbers[ix] == numbers[ix] and quantity[ix] == quantity[ix] and quantity[ix]:
                seen[items[ix]].append(abs(numbers[ix] / quantity[ix]))
    several = [prices for prices in seen.values() if len(prices) > 1]
    same = sum(all(close(price, prices[0]) for price in prices) for prices in several)
    return len(several) > 1 and same / len(several) >= _MANY_ITEMS


def fit(rows: list[int], expected: list[float], actual: list[float]) -> float | None:
    """Return the share of rows in which two columns have equal money; None without rows."""
    pairs = [
        (expected[ix], actual[ix])
        for ix in rows
        if expected[ix] == expected[ix] and actual[ix] == actual[ix]
    ]
    if not pairs:
        return None
    return sum(close(abs(a), abs(b)) for a, b in pairs) / len(pairs)


def sums(orders: list[list[int]], values: list[float]) -> list[float]:
    """Sum a column over each order; NaN counts as zero."""
    return [sum(values[ix] for ix in rows if values[ix] == values[ix]) for rows in orders]


def firsts(orders: list[list[int]], values: list[float]) -> list[float]:
    """Return the first number of each order; NaN if it has none."""
    nan = float("nan")
    return [next((values[ix] for ix in rows if values[ix] == values[ix]), nan) for rows in orders]
