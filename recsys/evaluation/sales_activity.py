"""Counts sales by day, channel and location, for the checks before training.

In: a history and the present time. Out: counts from one pass over the lines. Called by
``data_checks``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from ibis.backends.duckdb import Backend
from numpy.typing import NDArray

from recsys.history import History
from recsys.ingest import staged
from recsys.query_engine import rows
from recsys.schema import SALE
from recsys.units import DAY

#: Largest lead of local times over UTC.
_AHEAD_SECONDS: Final = DAY

Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Activity:
    """Sales by age.

    Attributes
    ----------
    end_ts : int
        One second after the last sale that is not in the future; UTC epoch seconds.
    table : pyarrow.Table
        ``age`` (whole days before ``end_ts``), ``channel``, ``location_id``, ``currency``,
        ``orders``, ``lines``, ``unknown`` (lines of products missing from the product exports) and
        ``anonymous`` (lines without a customer).
    events : pyarrow.Table
        ``age`` and ``events``; negative ages are after the last sale.
    listed : bool
        Whether there are product exports.
    future : int
        Number of sales dated after the present.
    future_order : str or None
        One of the orders of such sales.
    future_at : datetime or None
        The latest time of such sales.
    """

    end_ts: int
    table: pa.Table
    events: pa.Table
    listed: bool
    future: int = 0
    future_order: str | None = None
    future_at: datetime | None = None

    @property
    def days(self) -> int:
        """Days from the first sale to the last."""
        ages = self.table["age"].to_numpy()
        return int(ages.max()) + 1 if len(ages) else 0

    def by_day(self, what: str = "orders") -> Counts:
        """Count by age in days."""
        age, counts = self.table["age"].to_numpy(), self.table[what].to_numpy()
        return np.bincount(age, counts, self.days).astype(np.int64)

    def by_day_of_each(self, column: str) -> Iterator[tuple[str, Counts]]:
        """Count orders by age in days for each value of a column, in alphabetical order."""
        table = self.table.filter(self.table[column].is_valid()).sort_by(column)
        names = table[column].to_numpy(zero_copy_only=False)
        starts = np.flatnonzero(np.append(True, names[1:] != names[:-1])[: len(names)])
        age, orders, days = table["age"].to_numpy(), table["orders"].to_numpy(), self.days
        for start, end in pairwise([*starts.tolist(), len(names)]):
            part = slice(start, end)
            yield names[start], np.bincount(age[part], orders[part], days).astype(np.int64)

    def day(self, age: float) -> str:
        """Return the date of an age."""
        return datetime.fromtimestamp(self.end_ts - age * DAY, UTC).date().isoformat()


def has_doubtful(history: History) -> bool:
    """Return whether channels reported orders without a customer that are in no export."""
    con = history.connect()
    try:
        lines = con.table("lines")
        return bool(con.to_pyarrow(lines.filter(~_vouched(lines)).count()).as_py())
    finally:
        con.disconnect()


def read(history: History, at: datetime, *, vouched: bool = False) -> Activity:
    """Count sales.

    Parameters
    ----------
    history : History
    at : datetime
        The present, UTC; sales dated more than a day later are counted separately.
    vouched : bool
        Count only lines that are exported or have a customer.
    """
    con = history.connect()
    try:
        lines = con.table("lines")
        lines = lines.filter(_vouched(lines)) if vouched else lines
        sales = lines.filter(lines.kind == SALE)
        latest = ibis.literal(int(at.timestamp()) + _AHEAD_SECONDS)
        second = sales.occurred_at.epoch_seconds()
        ahead = second > latest
        (ends,) = rows(
            con,
            sales.aggregate(
                end=second.max(where=~ahead),
                future=ahead.sum().fill_null(0),
                future_order=sales.order_id.min(where=ahead),
                future_at=sales.occurred_at.max(where=ahead),
            ),
        )
        end_ts = int(ends["end"] or at.timestamp()) + 1
        products = con.table("products")
        table = _counted(con, sales.filter(~ahead), products, end_ts)
        listed = bool(con.to_pyarrow(products.in_catalogue.any()).as_py())
        events = con.table("events")
        aged = events.mutate(age=_age(events.occurred_at, end_ts))
        by_day = con.to_pyarrow(aged.group_by("age").aggregate(events=aged.count()))
    finally:
        con.disconnect()
    return Activity(
        end_ts,
        table,
        by_day,
        listed,
        int(ends["future"]),
        ends["future_order"],
        ends["future_at"],
    )


def _vouched(lines: ir.Table) -> ir.BooleanValue:
    return (lines.source != staged.LIVE) | lines.customer_id.notnull()


def _counted(con: Backend, sales: ir.Table, products: ir.Table, end_ts: int) -> pa.Table:
    known = products.filter(products.in_catalogue).select(_known="item_id")
    joined = sales.left_join(known, sales.item_id == known["_known"])
    joined = joined.mutate(age=_age(joined.occurred_at, end_ts))
    counted = joined.group_by("age", "channel", "location_id", "currency").aggregate(
        orders=joined.order_id.nunique(),
        lines=joined.count(),
        unknown=joined["_known"].isnull().sum(),
        anonymous=joined.customer_id.isnull().sum(),
    )
    return con.to_pyarrow(counted)


def _age(at: ir.TimestampValue, end_ts: int) -> ir.IntegerValue:
    """Return the age in whole days before the end."""
    age: ir.IntegerValue = ((ibis.literal(end_ts - 1) - at.epoch_seconds()) / DAY).floor()
    return age.cast("int64")
