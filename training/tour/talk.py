"""Asks the service what its channels would ask, one after the other.

A running service and a person come in, every request and its reply go out in a ``Talk``. Called by
the tour; ``show`` prints it and ``checks`` judges it.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from training.tour.people import Person
from training.tour.service import Reply, Service

Body = dict[str, Any]


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
class Talk:
    """Everything that was asked.

    Attributes
    ----------
    email, home, cart, screen, stranger, after : Turn
        One question per channel; ``after`` is ``home`` again, after the purchase.
    screen_for_person : Turn
        The store's screen, asked in the person's name; never shown, only compared.
    bought : dict or None
        The item that was bought; None where nothing could be.
    purchase, repeated : Reply
        The purchase, told twice.
    bundles, bundles_csv, wrong, openapi, docs : Reply
    """

    email: Turn
    home: Turn
    cart: Turn
    screen: Turn
    screen_for_person: Turn
    stranger: Turn
    bought: Body | None
    purchase: Reply
    repeated: Reply
    after: Turn
    bundles: Reply
    bundles_csv: Reply
    wrong: Reply
    openapi: Reply
    docs: Reply

    @property
    def turns(self) -> list[Turn]:
        """The questions that are shown, in order."""
        return [self.email, self.home, self.cart, self.screen, self.stranger, self.after]


def hold(service: Service, person: Person, at: datetime | None = None) -> Talk:
    """Ask one question per channel, buy something, and ask again.

    Parameters
    ----------
    service : Service
    person : Person
        Who is asked for.
    at : datetime, optional
        Time of the purchase; now by default.
    """

    def ask(title: str, placement: str, **more: Any) -> Turn:
        request = {"placement": placement, **more}
        return Turn(title, request, service.post("/v1/recommendations", request))

    store = {"location_id": person.location_id} if person.location_id else {}
    bundles = service.get("/v1/bundles?limit=5")
    pairs = (bundles.body or {}).get("bundles") or []
    carried = [pair["items"][0] for pair in pairs[:1]]
    cart = [{"item_id": item["item_id"], "quantity": 1} for item in carried]
    home = ask("The web shop's home page", "web_home", **person.named)
    bought = home.items[0] if home.items else None
    event = _purchase(person, bought, at or datetime.now(UTC))
    return Talk(
        email=ask("This week's e-mail", "email_weekly", **person.named),
        home=home,
        cart=ask(
            f"The cart, with {', '.join(str(i['title']) for i in carried) or 'nothing in it'}",
            "web_cart",
            cart=cart,
            **person.named,
        ),
        screen=ask(f"The screen in store {person.location_id or '-'}", "store_screen", **store),
        screen_for_person=ask("The same screen", "store_screen", **store, **person.named),
        stranger=ask("A stranger on the home page", "web_home"),
        bought=bought,
        purchase=service.post("/v1/events", {"events": [event]}),
        repeated=service.post("/v1/events", {"events": [event]}),
        after=ask("The home page again, after the purchase", "web_home", **person.named),
        bundles=bundles,
        bundles_csv=service.get("/v1/bundles?limit=5", accept="text/csv"),
        wrong=service.post("/v1/recommendations", {"placement": "web_hom", "cuont": 3}),
        openapi=service.get("/openapi.json"),
        docs=service.get("/docs", accept="text/html"),
    )


def _purchase(person: Person, item: Body | None, at: datetime) -> Body:
    number = uuid.uuid4().hex[:12]
    event: Body = {
        "event_id": f"tour-{number}",
        "event": "purchase",
        "occurred_at": at.isoformat(timespec="seconds"),
        "transaction_id": f"TOUR-{number}",
        "channel": "web",
        "items": [],
        **person.named,
    }
    if item is not None:
        line = {"item_id": item["item_id"], "quantity": 1}
        event["items"] = [line | ({"price": item["price"]} if item.get("price") else {})]
    return event
