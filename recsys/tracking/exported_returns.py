"""Orders that came back by the history give back the offers they used.

``give_back`` is called at the end of an ingest: what was returned in a store whose tills tell the
service nothing is known from their export only. It reads the returns of orders that use an offer,
nothing else of the history.
"""

from typing import Any, Final

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from recsys.config import ORDER_KINDS, Config
from recsys.data.history import History
from recsys.schema import RETURN, SALE
from recsys.tracking.events import IN_STORE, order_id, scope_of
from recsys.tracking.ledger import Ledger
from recsys.tracking.returning import Returned

_NAMES: Final = pa.schema([(name, pa.string()) for name in ("order_id", "number", "scope")])


def give_back(history: History, ledger: Ledger, config: Config, now_ts: int) -> int:
    """Give back the offers of orders that were returned.

    Parameters
    ----------
    history : History
    ledger : Ledger
        Holds the offers.
    config : Config
        Says which systems' orders the history holds; they name an order ``<system>:<number>``.
    now_ts : int
        UTC epoch seconds; what has expired by then does not stand again.

    Returns
    -------
    int
        Offers that were given back; none the second time.

    Raises
    ------
    LedgerError
        When the ledger cannot be written.
    """
    systems = sorted(
        {s.system or name for name, s in config.sources.items() if s.kind in ORDER_KINDS}
    )
    names = [
        {"order_id": name, "number": number, "scope": scope}
        for number, scope in ledger.offers.in_use()
        for name in [*(f"{system}:{number}" for system in systems), order_id(scope, number)]
    ]
    if not names:
        return 0
    con = history.connect()
    try:
        wanted = ibis.memtable(pa.Table.from_pylist(names, schema=_NAMES))
        rows = con.to_pyarrow(_came_back(con.table("lines"), wanted)).to_pylist()
    finally:
        con.disconnect()
    back: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        if _is_of(row):
            back.setdefault((row["number"], row["scope"]), set()).add(row["item_id"])
    returns = [Returned(*order, frozenset(items)) for order, items in sorted(back.items())]
    return ledger.offers.give_back(returns, now_ts)


def _came_back(lines: ir.Table, wanted: ir.Table) -> ir.Table:
    """Return what came back of some orders, and where each was sold."""
    of = wanted.select("order_id").distinct()
    back = lines.filter(lines.kind == RETURN)
    back = back.select("item_id", order_id=back.return_of).distinct().semi_join(of, "order_id")
    sold = lines.filter(lines.kind == SALE).semi_join(of, "order_id")
    sold = sold.group_by("order_id").agg(
        channel=sold.channel.min(), location_id=sold.location_id.min()
    )
    return back.join(sold, "order_id").join(wanted, "order_id")


def _is_of(row: dict[str, Any]) -> bool:
    """Whether an order of the history is the one of that number in its scope."""
    channel, location_id, scope = row["channel"], row["location_id"], str(row["scope"])
    if channel in IN_STORE and location_id is None:
        return scope != scope_of("web", None)  # the export does not say which store
    return scope == scope_of(channel, location_id)
