"""What a customer bought and returned, order by order, and what they looked at, for people to read.

A customer's stored history and a catalogue come in; plain dictionaries come out. Called by the
service for pages about one customer.
"""

from typing import Any, Final

import numpy as np

from recsys.datasets import CustomerHistory, interactions
from recsys.recommender.bundles.documents import money, time
from recsys.recommender.catalogue import Catalogue
from recsys.schema import CHANNELS

#: Views and carts that are told.
_MOST_VIEWS: Final = 30


def orders_document(
    history: CustomerHistory, catalogue: Catalogue, currency: str, most: int
) -> dict[str, Any]:
    """Say what a customer bought and returned.

    Parameters
    ----------
    history : CustomerHistory
    catalogue : Catalogue
        Knows titles and the names of locations.
    currency : str
        ISO 4217 code of the amounts.
    most : int
        Orders told one by one, the latest.

    Returns
    -------
    dict
        ``count``, ``by_channel``, ``recent`` and ``older``, as
        ``serving.schemas.customer_view.CustomerOrders``. A return is told with the order that it
        names; one that names none, or whose order is among the summarised lines, stands alone.
    """
    lines = history.lines
    cut = 0
    if len(history.older) and len(lines):
        # Of the oldest order some lines may be summarised already: it is told in sum, too.
        whole = lines["order"] != lines["order"][0]
        cut, lines = int((~whole).sum()), lines[whole]
    orders: dict[int, dict[str, Any]] = {}
    channels: dict[str, dict[str, Any]] = {}
    index = catalogue.index.ix(lines["item_key"]).tolist()
    for place, ix in enumerate(index):
        line = lines[place]
        channel, at = CHANNELS[int(line["channel"])], int(line["ts"])
        amount, quantity = int(line["amount_minor"]), float(line["quantity"])
        returned = quantity < 0
        order = orders.setdefault(int(line["order"]), _new_order())
        order["latest"] = at
        told = _item(ix, catalogue) | {
            "quantity": _rounded(abs(quantity)),
            "amount": money(abs(amount), currency),
        }
        of_channel = channels.setdefault(channel, _new_channel())
        of_channel["last_ts"] = at
        if returned:
            place_of = catalogue.place(int(line["location"]))
            order["returns"].append(told | {"at": time(at), "channel": channel, **place_of})
            of_channel["returned"] += -amount
            continue
        if order["at"] is None:
            order |= {"at": at, "channel": channel, **catalogue.place(int(line["location"]))}
            of_channel["orders"] += 1
        order["items"].append(told)
        order["amount"] += amount
        of_channel["bought"] += amount
    newest = sorted(orders.values(), key=lambda one: one["latest"], reverse=True)
    return {
        "count": sum(one["at"] is not None for one in newest),
        "by_channel": [
            {
                "channel": name,
                "orders": of["orders"],
                "bought": money(of["bought"], currency),
                "returned": money(of["returned"], currency),
                "last_at": time(of["last_ts"]),
            }
            for name, of in sorted(channels.items(), key=lambda one: -one[1]["last_ts"])
        ],
        "recent": [_order(one, currency) for one in newest[:most]],
        "older": {
            "products": len(history.older),
            "lines": int(history.older["count"].sum()) + cut,
            "last_at": time(int(history.older["last_ts"].max())) if len(history.older) else None,
        },
    }


def views_document(history: CustomerHistory, catalogue: Catalogue) -> list[dict[str, Any]]:
    """Say what a customer looked at and put into carts, the latest first.

    Parameters
    ----------
    history : CustomerHistory
    catalogue : Catalogue

    Returns
    -------
    list of dict
        ``item_id`` and ``title``, null of a product that is in the catalogue no more; ``kind``,
        ``view`` or ``cart``; ``channel`` and ``at``.
    """
    events = history.events
    newest = events[np.argsort(-events["ts"], kind="stable")[:_MOST_VIEWS]]
    index = catalogue.index.ix(newest["item_key"]).tolist()
    return [
        _item(ix, catalogue)
        | {
            "kind": interactions.KINDS[int(event["kind"])],
            "channel": CHANNELS[int(event["channel"])],
            "at": time(int(event["ts"])),
        }
        for ix, event in zip(index, newest, strict=True)
    ]


def _new_order() -> dict[str, Any]:
    nowhere = {"location_id": None, "name": None}
    return {"at": None, "channel": None, **nowhere, "items": [], "returns": [], "amount": 0}


def _new_channel() -> dict[str, Any]:
    return {"orders": 0, "bought": 0, "returned": 0, "last_ts": 0}


def _order(one: dict[str, Any], currency: str) -> dict[str, Any]:
    return {
        "at": None if one["at"] is None else time(one["at"]),
        "channel": one["channel"],
        "location_id": one["location_id"],
        "location_name": one["name"],
        "amount": money(one["amount"], currency),
        "items": one["items"],
        "returns": [
            {name: value for name, value in back.items() if name != "name"}
            | {"location_name": back["name"]}
            for back in one["returns"]
        ],
    }


def _item(ix: int, catalogue: Catalogue) -> dict[str, Any]:
    """Name a product; the history has only a key of it, so that one that is gone has no id."""
    if ix < 0:
        return {"item_id": None, "title": None}
    return {"item_id": catalogue.index.item_ids[ix], "title": catalogue.titles[ix] or None}


def _rounded(quantity: float) -> float:
    """Write 1.5 kg, not 1.5000000596 of a 32-bit number."""
    return round(quantity, 3)
