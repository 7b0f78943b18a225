"""One customer's week over all channels: six things happen, and after each every channel is asked.

In: a workspace's settings. Out: a ``Week``, what each channel answered after each step and why.
Everything goes through the service's own routes, on a copy of the ledger. Called by
``omnibasket week`` and by the notebook of the week; ``checks`` judges it, ``chart`` draws it.
"""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

from recsys.config import Config
from recsys.errors import DataError
from recsys.history import History
from serving.in_process import Called, InProcess
from training.tour.customer import Customer, likely_customers
from training.week.answers import (
    CART,
    CHANNELS,
    CLICK,
    MAIL,
    OPT_OUT,
    PURCHASE,
    RETURN,
    Answer,
    Body,
    Step,
    Week,
)
from training.week.copied_workspace import CopiedWorkspace, copied

#: Day of the week (Monday is 0) and hour of each step.
_TIMES: Final = {
    MAIL: (0, 9),
    CLICK: (1, 19),
    CART: (2, 18),
    PURCHASE: (4, 17),
    RETURN: (5, 11),
    OPT_OUT: (6, 10),
}
#: Channels answer so long after what happened: a cart is left by then.
_LATER: Final = timedelta(hours=1, minutes=30)
#: Between the last purchase of the history and the week, at least: built-in weekly e-mails keep out
#: what was bought in the last three days.
_QUIET: Final = timedelta(days=3)
#: Customers that are looked at, at most: those before them want no e-mail.
_MOST_CUSTOMERS: Final = 50
#: Place on the web shop's list, from 0, of what is clicked, where that can be chosen.
_PLACE: Final = 2
_TICKET: Final = "WEEK-1"


def play(config: Config) -> Week:
    """Play the week after the last purchase of a workspace's history.

    Parameters
    ----------
    config : Config
        Nothing of the workspace is changed.

    Raises
    ------
    ConfigError
        When its ledger can't be copied.
    DataError
        When nobody may be written to, or there is nothing to show them.
    ArtefactError
        When there is no model.
    """
    history = History.open(config)
    monday = _monday_after(history, config.workspace.time_zone)
    with (
        copied(config, int(time.time())) as workspace,
        InProcess(workspace.config) as service,
    ):
        customer = _reachable(service, workspace, likely_customers(config, history))
        return _Script(service, workspace, customer, monday).run()


def _monday_after(history: History, zone: str) -> datetime:
    """Return the beginning of the first Monday, local time, of which the past is no news.

    What was bought last is not kept out any more by then.
    """
    last = history.summary["last_at"]
    if not last:
        raise DataError(f"{history.folder}: nothing was bought, so no week can follow.")
    local = datetime.fromisoformat(last).astimezone(ZoneInfo(zone)) + _QUIET
    monday = local + timedelta(days=7 - local.weekday())
    return monday.replace(hour=0, minute=0, second=0, microsecond=0)


def _reachable(
    service: InProcess, workspace: CopiedWorkspace, customers: Iterator[Customer]
) -> Customer:
    """Return the first customer who did not refuse e-mails."""
    for customer in islice(customers, _MOST_CUSTOMERS):
        path = f"/v1/customers/{customer.customer_id}/consents"
        found = service.call("GET", path, headers=workspace.headers)
        if found.status == 200 and not _refused(found.body):
            return customer
    raise DataError("Of the customers with the longest histories, nobody may be written to.")


def _refused(consents: Body) -> bool:
    """Whether a customer refused e-mails; saying nothing is no refusal."""
    if consents["effective"]["marketing"]["email"]:
        return False
    return any(not one["given"] for one in consents["consents"] if one["purpose"] == "marketing")


class _Script:
    """The week, as it is played.

    Parameters
    ----------
    service : InProcess
    workspace : CopiedWorkspace
    customer : Customer
    monday : datetime
        Begin of the week, local time.
    """

    def __init__(
        self,
        service: InProcess,
        workspace: CopiedWorkspace,
        customer: Customer,
        monday: datetime,
    ) -> None:
        self._service, self._headers = service, workspace.headers
        self._customer, self._monday = customer, monday
        self._titles: dict[str, str] = {}
        self._pair: tuple[str, ...] = ()

    def run(self) -> Week:
        """Play all of it."""
        first = self._mail()
        clicked, other = _choose(first)
        self._pair = pair = (clicked, other)
        steps = (
            first,
            self._click(first, clicked),
            self._put_into_cart(pair),
            self._purchase(pair),
            self._return(pair),
            self._opt_out(),
        )
        return Week(self._customer, steps, clicked, other, self._titles)

    def _mail(self) -> Step:
        self._consent(MAIL, given=True, source="account page")
        step = self._step(MAIL, "Agrees to e-mails; the week's e-mail goes out.")
        mail = step.answers["weekly e-mail"]
        if not mail.items:
            raise DataError(f"The week's e-mail would not go out: {' '.join(mail.why())}")
        self._report(MAIL, "email_sent", mail=mail, channel="email")
        return step

    def _click(self, first: Step, clicked: str) -> Step:
        mail = first.answers["weekly e-mail"]
        self._report(CLICK, "email_clicked", (clicked,), mail=mail, channel="email")
        return self._step(CLICK, "Clicks a product in the e-mail and comes to the web shop.")

    def _put_into_cart(self, pair: Sequence[str]) -> Step:
        self._report(CART, "add_to_cart", pair, **self._online, session_id="week-visit")
        return self._step(CART, "Puts it into the cart with another product, and leaves.")

    def _purchase(self, pair: Sequence[str]) -> Step:
        self._report(PURCHASE, "purchase", pair, **self._in_store, transaction_id=_TICKET)
        return self._step(PURCHASE, "Buys both in the store, with the card.")

    def _return(self, pair: Sequence[str]) -> Step:
        self._report(RETURN, "refund", pair, **self._in_store, transaction_id=_TICKET)
        return self._step(RETURN, "Brings both back to the store.")

    def _opt_out(self) -> Step:
        self._consent(OPT_OUT, given=False, source="link in the e-mail")
        return self._step(OPT_OUT, "Wants no more e-mails.")

    @property
    def _online(self) -> Body:
        return {"channel": "web", **self._customer.identification}

    @property
    def _in_store(self) -> Body:
        """How a till names the customer: by the card where it is known, not by the address."""
        customer = self._customer
        card = {"identifier": {"type": "loyalty_card", "value": customer.card}}
        who = card if customer.card else customer.identification
        return {"channel": "pos", "location_id": customer.location_id, **who}

    def _at(self, name: str) -> datetime:
        day, hour = _TIMES[name]
        return self._monday + timedelta(days=day, hours=hour)

    def _consent(self, name: str, *, given: bool, source: str) -> None:
        at = self._at(name)
        said = {
            "purpose": "marketing",
            "channel": "email",
            "given": given,
            "source": source,
            "at": at.isoformat(),
        }
        self._service.set_clock(int(at.timestamp()))
        path = f"/v1/customers/{self._customer.customer_id}/consents"
        self._call("PUT", path, {"consents": [said]})

    def _report(
        self,
        name: str,
        event: str,
        item_ids: Sequence[str] = (),
        *,
        mail: Answer | None = None,
        **fields: Any,
    ) -> None:
        """Report what happens in a step."""
        at = self._at(name)
        self._service.set_clock(int(at.timestamp()))
        body = {
            "event_id": f"week-{name}",
            "event": event,
            "occurred_at": at.isoformat(),
            "items": [{"item_id": item_id, "quantity": 1} for item_id in item_ids],
            **({} if mail is None else {"recommendation_id": mail.body["recommendation_id"]}),
            **fields,
        }
        self._call("POST", "/v1/events", {"events": [body]})

    def _step(self, name: str, happened: str) -> Step:
        """Ask every channel a while after something happened."""
        at = self._at(name)
        self._service.set_clock(int((at + _LATER).timestamp()))
        answers = {channel: self._ask(channel, name) for channel in CHANNELS}
        return Step(name, happened, at, answers)

    def _ask(self, channel: str, name: str) -> Answer:
        placement = CHANNELS[channel]
        request: Body = {"placement": placement, **self._customer.identification}
        if placement == "associate_tablet" and self._customer.location_id:
            request["location_id"] = self._customer.location_id
        if placement.startswith("email"):
            request["mailing_id"] = f"week-{name}"
        called = self._call("POST", "/v1/recommendations", request, allowed=(200, 409))
        found = self._call("GET", f"/v1/decisions/{called.body['recommendation_id']}")
        for item in (*called.body.get("items", ()), *(called.body.get("left_cart") or ())):
            self._titles[item["item_id"]] = item.get("title") or item["item_id"]
        may_show = self._may_show(request) if self._pair and called.status == 200 else ()
        return Answer(channel, called.status, called.body, found.body, may_show)

    def _may_show(self, request: Body) -> tuple[str, ...]:
        """Ask for the two products of the week alone; nobody sees that answer."""
        only = {"field": "item_id", "op": "in", "value": list(self._pair)}
        asked = {name: value for name, value in request.items() if name != "mailing_id"}
        called = self._call(
            "POST", "/v1/recommendations", {**asked, "filter": only, "dry_run": True}
        )
        found = {item["item_id"] for item in called.body["items"]}
        return tuple(item_id for item_id in self._pair if item_id in found)

    def _call(
        self, method: str, path: str, body: Any = None, allowed: Sequence[int] = (200,)
    ) -> Called:
        called = self._service.call(method, path, body, self._headers)
        if called.status not in allowed:
            raise DataError(f"{method} {path} was answered {called.status}: {called.body}")
        return called


def _choose(first: Step) -> tuple[str, str]:
    """Choose the product to click, and another one for the cart.

    Both are on as many channels as possible, so that one sees them go, and in the midst of the
    web shop's list, so that one sees them lead it.
    """
    mail, web, tablet = (
        first.answers[channel].items
        for channel in ("weekly e-mail", "web shop", "associate's tablet")
    )
    middle = [*web[_PLACE:], *web[1:_PLACE]]
    fitting = [item_id for item_id in middle if item_id in mail and item_id in tablet]
    fitting += [item_id for item_id in (*middle, *mail) if item_id not in (*fitting, *web[:1])]
    fitting = [item_id for item_id in fitting if item_id in mail]
    if len(fitting) < 2:
        raise DataError("The week's e-mail names too few products to click.")
    return fitting[0], fitting[1]
