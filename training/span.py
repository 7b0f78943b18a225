"""Finds when a history begins and ends.

In: a history. Out: its first and last times. Called by ``train``, ``tune`` and the benchmarks.
"""

from typing import Final, NamedTuple

from recsys.errors import DataError
from recsys.history import History
from recsys.schema import SALE

#: Cutoff of all metrics: number of places evaluated.
PLACES: Final = 10


class Span(NamedTuple):
    """Ends of a history, UTC epoch seconds: of the sales to known customers, and of all lines."""

    first_ts: int
    last_ts: int
    latest_ts: int


def span(history: History) -> Span:
    """Find the ends of a history.

    Raises
    ------
    DataError
        When no sale names a customer.
    """
    con = history.connect()
    try:
        lines = con.table("lines")
        known = lines.customer_id.notnull() & (lines.kind == SALE)
        at = lines.occurred_at
        ends = lines.aggregate(first=at.min(where=known), last=at.max(where=known), latest=at.max())
        (found,) = con.to_pyarrow(ends).to_pylist()
    finally:
        con.disconnect()
    if found["first"] is None:
        raise DataError(
            f"{history.path('lines')}: no order names a customer, so there is nobody to learn "
            "from. Map a customer's e-mail, card or account under [sources.NAME.identifiers], "
            "then run `omnibasket ingest`."
        )
    return Span(*(int(found[name].timestamp()) for name in ("first", "last", "latest")))
