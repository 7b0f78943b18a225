"""Looks single things up in the current history, without an engine.

An order number or identifiers come in; customers or links come out. Called by the service, for
pages about one customer.
"""

from collections.abc import Collection, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from recsys.history.versions import History


def customers_of_order(history: History, order_ids: Sequence[str]) -> list[str]:
    """Return whose an order is.

    Parameters
    ----------
    history : History
    order_ids : sequence of str
        As the history has them; an order has one of them.

    Returns
    -------
    list of str
        Customers of the orders that have such an id, sorted; orders of nobody are left out.
    """
    wanted = ds.field("order_id").isin(list(order_ids)) & ds.field("customer_id").is_valid()
    found = ds.dataset(history.path("lines")).to_table(columns=["customer_id"], filter=wanted)
    return sorted(pc.unique(found["customer_id"]).to_pylist())


def links_of(history: History, identifiers: Collection[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return the links that have an end in some identifiers, the latest first.

    Parameters
    ----------
    history : History
    identifiers : collection of (str, str)
        Types and stored values.

    Returns
    -------
    list of dict
        As the table ``links`` of ``recsys.schema``.
    """
    values = pa.array(sorted({value for _, value in identifiers}), pa.string())
    near = ds.field("value_a").isin(values) | ds.field("value_b").isin(values)
    rows = ds.dataset(history.path("links")).to_table(filter=near).to_pylist()
    ends = set(identifiers)
    found = [
        row
        for row in rows
        if (row["type_a"], row["value_a"]) in ends or (row["type_b"], row["value_b"]) in ends
    ]
    return sorted(found, key=lambda row: (-_epoch(row["last_at"]), row["link_id"]))


def has_link(history: History, link_id: str) -> bool:
    """Return whether the history has a link.

    Parameters
    ----------
    history : History
    link_id : str
    """
    wanted = ds.field("link_id") == link_id
    return bool(ds.dataset(history.path("links")).count_rows(filter=wanted))


def _epoch(at: Any) -> float:
    return 0.0 if at is None else float(at.timestamp())
