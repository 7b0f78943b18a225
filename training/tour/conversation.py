"""Asks the service what its channels would ask, one after the other.

A running service and a customer come in; every request and its reply go out in a ``Conversation``.
Called by the tour; ``output`` prints it and ``checks`` judges it.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from recsys.history import History
from training.tour.bundle_sale import Sale, find_bundles, sell
from training.tour.customer import Customer
from training.tour.service import Reply, Service

Body = dict[str, Any]
#: How old the end of a history may be for a question that is asked for now.
_FRESH = timedelta(days=2)
_LATER = timedelta(minutes=1)


@dataclass(frozen=True)
class Turn:
    """One question and its answer."""

    title: str
    request: Body
    reply: Reply

    @property
    def items(self) -> list[Body]:
        """Items of the answer."""
        return list((self.reply.body or {}).get("items", []))


@dataclass(frozen=True)
class Conversation:
    """Everything that was asked.

    Attributes
    ----------
    email, home, product, cart, screen, stranger, stranger_cart, after : Turn
        One question per channel; ``product`` is the page of what lies in the cart, ``after`` is
        ``home`` again, after the purchase.
    screen_for_customer : Turn
        The store's screen, asked in the customer's name; never shown, only compared.
    carried : str
        Title of what lies in both carts.
    bought : dict or None
        The item that was bought; None where nothing could be.
    purchase, repeated : Reply
        The purchase, reported twice.
    bundles, bundles_csv, wrong, openapi, docs : Reply
    for_sale : int
        Bundles that are worth a decision.
    sale : Sale or None
        One that is sold; None where none was offered.
    """

    email: Turn
    home: Turn
    product: Turn
    cart: Turn
    screen: Turn
    screen_for_customer: Turn
    stranger: Turn
    stranger_cart: Turn
    carried: str
    bought: Body | None
    purchase: Reply
    repeated: Reply
    after: Turn
    bundles: Reply
    bundles_csv: Reply
    wrong: Reply
    openapi: Reply
    docs: Reply
    for_sale: int
    sale: Sale | None

    @property
    def turns(self) -> list[Turn]:
        """The questions that are shown, in order."""
        return [
            self.email,
            self.home,
            self.product,
            self.cart,
            self.screen,
            self.stranger,
            self.stranger_cart,
            self.after,
        ]


def question_time(history: History, now: datetime) -> datetime | None:
    """Return the time to ask for: shortly after the end of a history that ended long ago.

    Parameters
    ----------
    history : History
    now : datetime

    Returns
    -------
    datetime or None
        None: the history is fresh, and questions are asked for now.
    """
    last = history.summary["last_at"]
    end = datetime.fromisoformat(last) if last else now
    return end + _LATER if now - end > _FRESH else None


def run_conversation(service: Service, customer: Customer, at: datetime | None) -> Conversation:
    """Ask one question per channel, buy something, and ask again.

    Parameters
    ----------
    service : Service
    customer : Customer
        Who is asked for.
    at : datetime or None
        Time to ask for and to buy at; None: now.
    """

    def ask(title: str, placement: str, who: Body, wait: timedelta = timedelta()) -> Turn:
        request = {"placement": placement, **who, "dry_run": True}
        if at is not None:
            request["as_of"] = (at + wait).isoformat(timespec="seconds")
        return Turn(title, request, service.post("/v1/recommendations", request))

    identified, nobody = customer.identification, Body()
    store: Body = {"location_id": customer.location_id} if customer.location_id else {}
    bundles = service.get("/v1/bundles?kind=together&limit=5")
    strongest = service.get("/v1/bundles?kind=together&show=all&sort=evidence&limit=1")
    pairs = (strongest.body or {}).get("bundles") or []
    carried = [pair["items"][0] for pair in pairs[:1]]
    cart: Body = {"cart": [{"item_id": item["item_id"], "quantity": 1} for item in carried]}
    page: Body = {"item_ids": [item["item_id"] for item in carried]}
    in_it = ", ".join(str(item["title"]) for item in carried) or "nothing in it"
    home = ask("Home page of the web shop", "web_home", identified)
    bought = home.items[0] if home.items else None
    for_sale = find_bundles(service)
    event = _purchase(customer, bought, at or datetime.now(UTC))
    return Conversation(
        email=ask("E-mail of the week", "email_weekly", identified),
        home=home,
        product=ask("Product page", "web_product", page | identified),
        cart=ask("Cart", "web_cart", cart | identified),
        screen=ask("Screen in the store", "store_screen", store),
        screen_for_customer=ask("Screen in the store, by name", "store_screen", store | identified),
        stranger=ask("Home page of a stranger", "web_home", nobody),
        stranger_cart=ask("Cart of a stranger", "web_cart", cart),
        carried=in_it,
        bought=bought,
        purchase=service.post("/v1/events", {"events": [event]}),
        repeated=service.post("/v1/events", {"events": [event]}),
        after=ask("Home page after the purchase", "web_home", identified, _LATER),
        bundles=bundles,
        bundles_csv=service.get("/v1/bundles?kind=together&limit=5", accept="text/csv"),
        wrong=service.post("/v1/recommendations", {"placement": "web_hom", "cuont": 3}),
        openapi=service.get("/openapi.json"),
        docs=service.get("/docs", accept="text/html"),
        for_sale=len(for_sale),
        sale=sell(service, customer, for_sale),
    )


def _purchase(customer: Customer, item: Body | None, at: datetime) -> Body:
    number = uuid.uuid4().hex[:12]
    event: Body = {
        "event_id": f"tour-{number}",
        "event": "purchase",
        "occurred_at": at.isoformat(timespec="seconds"),
        "transaction_id": f"TOUR-{number}",
        "channel": "web",
        "items": [],
        **customer.identification,
    }
    if item is not None:
        line = {"item_id": item["item_id"], "quantity": 1}
        event["items"] = [line | ({"price": item["price"]} if item.get("price") else {})]
    return event
