"""The money columns of one export, and the fields mapped to them so far.

In: the evidence of an export and a proposal. ``money``, ``discounts`` and ``totals`` query the
candidate columns of a field and their level (piece, line, order), and record what they map.
"""

import re
from itertools import product
from math import isnan

from training.init.cents import factor_of, in_cents, without_cents
from training.init.discount_names import is_percentage
from training.init.evidence import Evidence
from training.init.figures import read
from training.init.headers import fields_of, forms, phrases
from training.init.levels import Level, fit, follows_items, level_of, scale_of
from training.init.names import MONEY, ORDER_NAMES
from training.init.proposal import Proposal, columns_of, used_columns

#: Share that counts as most values: money is rounded, and the sample cuts orders.
MOST = 0.8
#: A number with two decimals.
CENTS = re.compile(r"\d[.,]\d\d\D*$")
_LINE_NAMES = set(
    phrases(
        "line amount, line total, item total, Zeilenbetrag, total ligne, "
        "total línea, totale riga, satır tutarı, lineitem total"
    )
)


class MoneyColumns:
    """The money columns of one export.

    Parameters
    ----------
    evidence : Evidence
    proposal : Proposal
        With ``order_id`` and ``quantity``; its money fields are set at the end.
    """

    def __init__(self, evidence: Evidence, proposal: Proposal) -> None:
        self.evidence = evidence
        self.proposal = proposal
        used = set(used_columns(proposal)) - {c for f in MONEY for c in self.mapped(f)}
        columns = [c for c in evidence.export.columns if c not in used]
        self.factors = self._take_cents(columns)
        names = {name: ORDER_NAMES[name] for name in MONEY}
        by_field = {
            name: [self._called[alias] for alias in found]
            for name, found in fields_of(self._called, names).items()
        }
        self.candidates = {
            name: sorted(filter(self._may_be_money, found), key=lambda c: not evidence.numeric(c))
            for name, found in by_field.items()
        }
        for whole in ("order_total", "order_discount"):  # "order amount" is not a line's amount
            for name in ("unit_price", "amount", "discount"):
                self.candidates[name] = [
                    c for c in self.candidates[name] if c not in self.candidates[whole]
                ]
        self.unreadable = {
            name: [c for c in found if evidence.filled(c) and not self._may_be_money(c)]
            for name, found in by_field.items()
        }
        self.empty = {
            name: [c for c in found if not evidence.filled(c) and not is_percentage(c)]
            for name, found in by_field.items()
        }
        self.percent = [
            c
            for c in columns
            if evidence.filled(c)
            and ((c in by_field["discount"] and self._in_percent(c)) or is_percentage(c))
        ]
        for name, found in self.candidates.items():
            self.candidates[name] = [c for c in found if c not in self.percent]
        self.taken: dict[str, str] = {}
        order_id = proposal.columns.get("order_id")
        self.orders = list(evidence.groups(order_id).values()) if order_id else []
        quantity = columns_of(proposal.columns.get("quantity"))
        ones = [1.0] * evidence.n_rows
        self.quantity = evidence.numbers(quantity[0]).values if quantity else ones
        self.quantity_column = quantity[0] if quantity else None
        item = columns_of(proposal.columns.get("item_id"))
        self.item_column = item[0] if len(item) == 1 else None
        self.rows = list(range(evidence.n_rows))
        self.several = any(len(rows) > 1 for rows in self.orders)

    def _take_cents(self, columns: list[str]) -> dict[str, float]:
        """Scale the columns in cents, and drop the word for cents from their names."""
        self._called = {column: column for column in columns}
        factors: dict[str, float] = {}
        for column in columns:
            plain = without_cents(column)
            if plain is None or plain in self._called or not in_cents(self.evidence, column):
                continue
            factor = factor_of(column, self.evidence.minor_digits)
            self.evidence.scale(column, factor)
            factors[column] = factor
            del self._called[column]
            self._called[plain] = column
        return factors

    def _may_be_money(self, column: str) -> bool:
        """Return whether most values are numbers; rows with other values will be rejected."""
        filled = len(self.evidence.filled(column))
        return bool(filled) and 2 * self.evidence.numbers(column).n_read > filled

    def _in_percent(self, column: str) -> bool:
        return self.evidence.share(column, lambda text: text.endswith("%")) > MOST

    def mapped(self, name: str) -> list[str]:
        """Return the columns that a field is mapped to."""
        return columns_of(self.proposal.columns.get(name))

    def free(self, name: str) -> list[str]:
        """List the candidates of a field that no other field has taken."""
        return [c for c in self.candidates[name] if c not in self.taken.values()]

    def values(self, name: str) -> list[float]:
        """Return the numbers of a field's column; zeros if it has none."""
        column = self.taken.get(name)
        return self.evidence.numbers(column).values if column else [0.0] * self.evidence.n_rows

    def scale(self, column: str) -> str | None:
        """Return whether a column is money per piece or per line."""
        if self.item_column is None or self.quantity_column is None:
            return None
        return scale_of(self.evidence, self.item_column, self.quantity_column, column)

    def level(self, column: str) -> Level | None:
        """Return whether a column is money per order or per line."""
        expected = self.expected() if "unit_price" in self.taken else None
        items = self.evidence.texts(self.item_column) if self.item_column else None
        level = level_of(self.evidence, self.orders, column, expected, items)
        unsure = level == "order" and expected is None and self.item_column is not None
        if unsure and follows_items(
            self.evidence, self.orders, self.item_column or "", self.quantity, column
        ):
            return None
        return level

    def expected(self) -> list[float]:
        """Return price × quantity of each row."""
        prices = self.values("unit_price")
        return [n * price for n, price in zip(self.quantity, prices, strict=True)]

    def line_sums(self) -> list[list[float]]:
        """Return a line's possible amounts: price × quantity − discount, with or without tax."""
        expected = self.expected()
        sides: list[list[float]] = []
        for discount, tax in product(
            [None, *self.candidates["discount"]], [None, *self.candidates["order_tax"]]
        ):
            less = self.numbers_or_zero(discount)
            more = self.numbers_or_zero(tax)
            sides.append(
                [
                    e - (abs(d) if e >= 0 else -abs(d)) + t
                    for e, d, t in zip(expected, less, more, strict=True)
                ]
            )
        for column in (*self.candidates["discount"], *self.percent):
            sides += self.reduced(column)
        return sides

    def reduced(self, column: str) -> list[list[float]]:
        """Return price × quantity minus a column as percentages, if it may be percentages."""
        texts = self.evidence.texts(column)
        shares = [abs(n) for n in read([t.rstrip("% ") for t in texts], None).values]
        shares = [0.0 if isnan(share) else share for share in shares]
        wholes = [whole for whole in (100.0, 1.0) if max(shares, default=0.0) <= whole]
        expected = self.expected()
        return [
            [e * (1 - share / whole) for e, share in zip(expected, shares, strict=True)]
            for whole in wholes
        ]

    def numbers_or_zero(self, column: str | None) -> list[float]:
        """Return a column's numbers; zeros where missing."""
        if column is None:
            return [0.0] * self.evidence.n_rows
        return [0.0 if isnan(n) else n for n in self.evidence.numbers(column).values]

    def matters(self, column: str) -> bool:
        """Return whether any order of several lines has a nonzero value."""
        numbers = self.evidence.numbers(column).values
        return any(
            len(rows) > 1 and any(numbers[ix] == numbers[ix] and numbers[ix] for ix in rows)
            for rows in self.orders
        )

    def tells_line(self, column: str, scale: str | None) -> bool:
        """Return whether there is evidence that money is per line if levels are unclear."""
        if scale == "line" or _LINE_NAMES & set(forms(column)):
            return True
        if "unit_price" in self.taken:
            for line_sums in self.line_sums():
                share = fit(self.rows, line_sums, self.evidence.numbers(column).values)
                if share is not None and share >= MOST:
                    return True
        # Only equal lines or zeros: the level makes no difference.
        numbers = self.evidence.numbers(column).values
        return not any(
            len(rows) > 1 and any(numbers[ix] == numbers[ix] and numbers[ix] for ix in rows)
            for rows in self.orders
        )
