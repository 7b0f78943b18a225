"""Restores the offers of orders that the history shows as returned.

``give_back`` runs at the end of an ingest, because returns in stores whose tills do not report to
the service are known only from exports. It reads only the returns of orders that use an offer.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from recsys.config import Config
from recsys.history import History
from recsys.ledger.events.event_types import IN_STORE, order_ids, scope_of
from recsys.ledger.ledger import Ledger
from recsys.ledger.offers.returns import ReturnedOrder
from recsys.schema import RETURN, SALE

_NAMES: Final = pa.schema([(name, pa.string()) for name in ("order_id", "number", "scope")])


def give_back(history: History, ledger: Ledger, config: Config, now_ts: int) -> int:
    """Restore the offers of returned orders.

    Parameters
    ----------
    history : History
    ledger : Ledger
        Holds the offers.
    config : Config
        Its sources determine the systems whose orders are in the history, with ids
        ``<system>:<number>``.
    now_ts : int
        UTC epoch seconds; expired offers are not restored.

    Returns
    -------
    int
        Number of restored offers; zero for a repeated call.

    Raises
    ------
    LedgerError
        When the ledger cannot be written.
    """
    in_use = list(ledger.offers.in_use())
    names = [
        {"order_id": name, "number": number, "scope": scope}
        for number, scope in in_use
        for name in order_ids(scope, number, config.order_systems)
    ]
    if not names:
        return 0
    con = history.connect()
    try:
        possible_orders = ibis.memtable(pa.Table.from_pylist(names, schema=_NAMES))
        rows = con.to_pyarrow(_came_back(con.table("lines"), possible_orders)).to_pylist()
    finally:
        con.disconnect()
    return ledger.offers.give_back(_returns(row for row in rows if _is_of(row, in_use)), now_ts)


def _returns(rows: Iterable[dict[str, Any]]) -> list[ReturnedOrder]:
    """Combine the returns of each order.

    If several orders of the history may be the order of a number, their returns are kept separate.
    """
    back: dict[tuple[str, str], dict[str, float]] = {}
    sold: dict[tuple[str, str], dict[str, float]] = {}
    for row in rows:
        key, item_id = (row["number"], row["scope"]), row["item_id"]
        for found, quantity in ((back, row["back"]), (sold, row["sold"])):
            theirs = found.setdefault(key, {})
            theirs[item_id] = max(theirs.get(item_id, 0.0), quantity or 0.0)
    return [
        ReturnedOrder(*key, back=theirs, in_all=True, sold=sold[key])
        for key, theirs in sorted(back.items())
    ]


def _came_back(lines: ir.Table, possible_orders: ir.Table) -> ir.Table:
    """Return returned and ordered quantities of some orders, and their locations."""
    of = possible_orders.select("order_id").distinct()
    back = lines.filter(lines.kind == RETURN)
    back = back.select("item_id", "quantity", order_id=back.return_of).semi_join(of, "order_id")
    back = back.group_by("order_id", "item_id").agg(back=-back.quantity.sum())
    sold = lines.filter(lines.kind == SALE).semi_join(of, "order_id")
    held = sold.group_by("order_id", "item_id").agg(sold=sold.quantity.sum())
    place = sold.group_by("order_id").agg(
        channel=sold.channel.min(), location_id=sold.location_id.min()
    )
    joined = back.left_join(held, ["order_id", "item_id"])
    joined = joined.select("order_id", "item_id", "back", "sold")
    return joined.join(place, "order_id").join(possible_orders, "order_id")


def _is_of(row: dict[str, Any], in_use: Sequence[tuple[str, str]]) -> bool:
    """Return whether an order of the history is the order of that number in its scope."""
    channel, location_id, scope = row["channel"], row["location_id"], str(row["scope"])
    online = scope_of("web", None)
    if channel in IN_STORE and location_id is None:
        # The export has no store: match only if the number is unique.
        stores = {of for number, of in in_use if number == row["number"] and of != online}
        return stores == {scope}
    return scope == scope_of(channel, location_id)
