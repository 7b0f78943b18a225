"""Walks one customer from the web shop through the store: shop, screen, aisle, tablet, till, view.

A running service and a customer come in; every stop and what was seen there go out. Called by the
tour; ``output`` prints the stops, and ``--check`` fails if one is wrong.
"""

import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from training import console
from training.tour.check import Check
from training.tour.customer import Customer
from training.tour.service import Reply, Service

Body = dict[str, Any]
#: What a key that is not for a call is answered with.
_OTHER_KEY = (401, 403)
_WAIT_SECONDS = 10.0


@dataclass(frozen=True)
class Stop:
    """One page of the walk."""

    page: str
    """Its name."""
    path: str
    """What a person opens."""
    passed: bool
    seen: str


def walk_store(service: Service, customer: Customer) -> list[Stop]:
    """Walk the customer through the pages of shop and store.

    Parameters
    ----------
    service : Service
    customer : Customer

    Returns
    -------
    list of Stop
        Empty where the customer has no store or no identifier that a person could type, or the
        key is not for one of the pages.
    """
    store, typed = customer.location_id, customer.email or customer.card
    if store is None or typed is None:
        return []
    playlist = service.get(f"/v1/screens/{quote(store, safe='')}/playlist?count=6")
    wall = (playlist.body or {}).get("items") or []
    if playlist.status in _OTHER_KEY:
        return []
    if not wall:
        return [Stop("screen", f"/screens/{store}", False, _trouble(playlist))]
    item = wall[0]
    put = service.post("/v1/events", {"events": [_into_cart(customer, item)]})
    scanned = _scan(service, typed, store, "customer")
    if put.status in _OTHER_KEY or scanned.status in _OTHER_KEY:
        return []
    stops = [
        _shop(service, item, put),
        _screen(service, store, wall, playlist),
        _aisle(service, store, item),
        _tablet(service, store, item, scanned),
        _till(service, item),
    ]
    view = _view(service, (scanned.body or {}).get("customer"), item)
    return [*stops, *view]


def checks_of(stops: list[Stop]) -> list[Check]:
    """Return each stop as a check."""
    return [Check(f"walk: {stop.page}", stop.passed, stop.seen) for stop in stops]


def _shop(service: Service, item: Body, put: Reply) -> Stop:
    page = service.get("/shop", accept="text/html")
    accepted = (put.body or {}).get("accepted") == 1
    seen = f"{item['title']} is in the cart" if accepted else _trouble(put)
    # The page is for those who try it out; the cart is what counts.
    return Stop("web shop", "/shop", accepted and page.status in (200, 404), seen)


def _screen(service: Service, store: str, wall: list[Body], playlist: Reply) -> Stop:
    page = service.get(f"/screens/{quote(store, safe='')}", accept="text/html")
    bundle = (playlist.body or {}).get("bundle")
    seen = f"{len(wall)} products that the store has"
    if bundle:
        seen += f", and a bundle for {console.money(bundle['price'])}"
    passed = page.status == 200 and all(one["picture"] and one["title"] for one in wall)
    return Stop("screen on the wall", f"/screens/{store}", passed, seen)


def _aisle(service: Service, store: str, item: Body) -> Stop:
    path = f"/p/{quote(item['item_id'], safe='')}?location={quote(store, safe='')}"
    page = service.get(path, accept="text/html")
    if page.status == 404:
        return Stop("phone in the aisle", path, True, "switched off: [serve] aisle_pages")
    in_stock = "In stock" in page.text
    seen = "in stock, with what goes well with it" if in_stock else f"status {page.status}"
    return Stop("phone in the aisle", path, page.status == 200 and in_stock, seen)


def _tablet(service: Service, store: str, item: Body, scanned: Reply) -> Stop:
    served = (scanned.body or {}).get("customer") or {}
    hand = (_scan(service, item["item_id"], store, "item").body or {}).get("item") or {}
    there = (hand.get("availability") or {}).get("on_hand")
    in_cart = item["item_id"] in [line["item_id"] for line in served.get("cart", [])]
    channels = [one["channel"] for one in served.get("orders", {}).get("by_channel", [])]
    bought = " and ".join(channels) or "nowhere"
    kept = "the cart of the web shop" if in_cart else "no cart"
    seen = f"{kept}, orders on {bought}; {there} of it here"
    passed = in_cart and scanned.status == 200 and there is not None
    return Stop("associate's tablet", "/associate", passed, seen)


def _till(service: Service, item: Body) -> Stop:
    page = service.get("/till", accept="text/html")
    found = service.get(f"/till/products/{quote(item['item_id'], safe='')}")
    known = found.status == 200 and (found.body or {}).get("item_id") == item["item_id"]
    if found.status in _OTHER_KEY:
        return Stop("till", "/till", page.status == 200, "asks for a key")
    seen = f"knows {item['title']}" if known else _trouble(found)
    return Stop("till", "/till", page.status == 200 and known, seen)


def _view(service: Service, served: Body | None, item: Body) -> list[Stop]:
    """Look at the customer until what happened is there: answers are written within seconds."""
    if served is None:
        return []
    customer_id, end = served["customer_id"], time.monotonic() + _WAIT_SECONDS
    while True:
        told = service.get(f"/v1/customers/{customer_id}?reason=tour")
        if told.status in _OTHER_KEY:
            return []
        body = told.body or {}
        in_cart = item["item_id"] in [line["item_id"] for line in body.get("cart", [])]
        if in_cart or time.monotonic() > end:
            break
        time.sleep(0.5)
    looks = service.get(f"/v1/looks?customer_id={customer_id}").body or {}
    n_orders = body.get("orders", {}).get("count", 0)
    n_looks = len(looks.get("looks", []))
    seen = f"{n_orders} orders, {len(body.get('shown', []))} answers with reasons"
    seen += f", {n_looks} looks noted" if n_looks else ""
    passed = told.status == 200 and in_cart and n_orders > 0
    return [Stop("one view of the customer", "/customers", passed, seen)]


def _scan(service: Service, text: str, store: str, of: str) -> Reply:
    asked = {"text": text, "location_id": store, "of": of, "reason": "tour"}
    return service.post("/v1/associate/scans", asked)


def _into_cart(customer: Customer, item: Body) -> Body:
    number = uuid.uuid4().hex[:12]
    return {
        "event_id": f"tour-cart-{number}",
        "event": "add_to_cart",
        "occurred_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "session_id": f"tour-{number}",
        "channel": "web",
        "items": [{"item_id": item["item_id"]}],
        **customer.identification,
    }


def _trouble(reply: Reply) -> str:
    return str((reply.body or {}).get("detail") or f"status {reply.status}")
