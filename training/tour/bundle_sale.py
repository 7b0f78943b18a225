"""Sells a bundle the whole way: found, approved, offered in a cart, redeemed in a store, once.

A running service and a customer come in; every step and its reply go out in a ``Sale``. Called by
the tour; ``output`` prints it and ``checks`` judges it.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from recsys.values import AGE_ATTRIBUTES, is_restricted
from training.tour.customer import Customer
from training.tour.service import Reply, Service

Body = dict[str, Any]
#: Bundles that are approved until one of them is offered: what somebody will buy anyway, or has
#: had an offer of before, is not.
_MAX_TRIED: Final = 8
_HOURS: Final = 48
#: Baskets from which on a bundle is no coincidence to a reader either.
_ENOUGH: Final = 30


@dataclass(frozen=True)
class Sale:
    """One bundle on its way.

    Attributes
    ----------
    bundle : dict
        As the marketer found it.
    approved, stale : Reply
        The approval, and the same once more from what is out of date by then.
    cart : Reply
        Recommendations for a cart with a part of it.
    offer : dict
        What that answer offers.
    everywhere : Reply
        All that stands for the customer, as the store asks.
    redeemed, repeated, refused : Reply
        At the till; the till again; the web shop with an order of its own.
    counted : Reply
        The bundle afterwards.
    """

    bundle: Body
    approved: Reply
    stale: Reply
    cart: Reply
    offer: Body
    everywhere: Reply
    redeemed: Reply
    repeated: Reply
    refused: Reply
    counted: Reply


def sell(service: Service, customer: Customer, bundles: Sequence[Body]) -> Sale | None:
    """Sell a bundle to a customer.

    Parameters
    ----------
    service : Service
    customer : Customer
    bundles : sequence of dict
        Those to try.

    Returns
    -------
    Sale or None
        None where none was offered.
    """
    for bundle in bundles[:_MAX_TRIED]:
        where = f"/v1/bundles/{bundle['bundle_id']}"
        mark = f'"{bundle["revision"]}"'
        # Who took the tour before may have had one.
        terms = {
            "status": "approved",
            "offer_hours": _HOURS,
            "per_customer": bundle["offers"]["issued"] + 1,
        }
        approved = service.patch(where, terms, mark)
        if approved.status != 200:
            continue
        for item in bundle["items"]:
            request = {"placement": "web_cart", "cart": [{"item_id": item["item_id"]}], "count": 3}
            cart = service.post("/v1/recommendations", {**request, **customer.identification})
            offers = (cart.body or {}).get("offers") or []
            mine = [offer for offer in offers if offer["bundle_id"] == bundle["bundle_id"]]
            if mine:
                stale = service.patch(where, terms, mark)
                return _redeem(service, customer, bundle, (approved, stale, cart), mine[0])
    return None


def find_bundles(service: Service) -> list[Body]:
    """Return bundles of one basket that are worth a decision, the one to try first at first.

    Where none is, as in a history of few customers, any that a discount is suggested for.
    """
    found: list[Body] = []
    query = "".join(f"&attributes={name}" for name in AGE_ATTRIBUTES)
    for show in ("worth", "all"):
        path = f"/v1/bundles?kind=together&show={show}&limit=100{query}"
        answer = service.get(path).body or {}
        found = found or rank_bundles(answer.get("bundles", []))
    return found


def rank_bundles(bundles: Sequence[Body]) -> list[Body]:
    """Order bundles that may be sold at a discount by how much of an idea they are to a person.

    Products of different departments come before those of different categories only, these before
    the rest; then what many baskets hold, and then what is bought together most above chance.
    """
    found = [
        bundle
        for bundle in bundles
        if bundle["status"] in ("suggested", "approved")
        and bundle["pricing"]
        and bundle["pricing"]["suggested_price"]
        and bundle["support"]
        and all(item["active"] and not _for_adults(item) for item in bundle["items"])
    ]
    return sorted(
        found,
        key=lambda bundle: (
            not _apart(bundle, "department"),
            not _apart(bundle, "category"),
            bundle["support"] < _ENOUGH,
            -bundle["lift_low"],
        ),
    )


def _apart(bundle: Body, label: str) -> bool:
    """Whether each product has a label of its own."""
    labels = [item[label] for item in bundle["items"]]
    return None not in labels and len(set(labels)) == len(labels)


def _for_adults(item: Body) -> bool:
    """Whether a product has a minimum age: the cart's placement offers no such bundle."""
    said = item.get("attributes") or {}
    return any(is_restricted(said[name]) for name in AGE_ATTRIBUTES if name in said)


def _redeem(
    service: Service,
    customer: Customer,
    bundle: Body,
    before: tuple[Reply, Reply, Reply],
    offer: Body,
) -> Sale:
    approved, stale, cart = before
    where = f"/v1/offers/{offer['offer_id']}/redemptions"
    ticket = {
        "transaction_id": f"TOUR-{uuid.uuid4().hex[:12]}",
        "channel": "pos",
        "item_ids": [item["item_id"] for item in offer["items"]],
        **customer.identification,
        **({"location_id": customer.location_id} if customer.location_id else {}),
    }
    order = {
        "transaction_id": f"TOUR-{uuid.uuid4().hex[:12]}",
        "channel": "web",
        **customer.identification,
    }
    everywhere = service.get(f"/v1/customers/{customer.customer_id}/offers")
    return Sale(
        bundle=bundle,
        approved=approved,
        stale=stale,
        cart=cart,
        offer=offer,
        everywhere=everywhere,
        redeemed=service.post(where, ticket),
        repeated=service.post(where, ticket),
        refused=service.post(where, order),
        counted=service.get(f"/v1/bundles/{bundle['bundle_id']}"),
    )
