"""What events say of the contact with customers: refusals, clicks, carts, what became of answers.

In: events with their customers. Out: changes of contact states, and reports of answers, which
``contacts`` writes. Called by ``recording``.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from recsys.decisions import CartChange, Click, ContactState, Refusal, Report
from recsys.ledger.customers.contact_reports import Change, Reported
from recsys.ledger.customers.identity_lookup import session_own_id
from recsys.ledger.events.event_types import OF_MESSAGES, REFUSALS, Event
from recsys.ledger.events.visit_state import SHARED_CHANNELS

_REPORTS: Final[dict[str, Report]] = {
    "email_sent": "sent",
    "email_failed": "failed",
    "email_opened": "seen",
    "email_clicked": "seen",
    "view_item_list": "seen",
    "view_promotion": "seen",
    "select_item": "seen",
    "select_promotion": "seen",
}
#: Reports that name the products that were seen; a click or an open proves all of them seen.
_OF_PRODUCTS: Final = ("view_item_list",)
_CLICKS: Final = ("select_item", "email_clicked")
_CARTS: Final = {"add_to_cart": 1, "remove_from_cart": -1, "view_cart": 0, "begin_checkout": 0}


class Told(NamedTuple):
    """An event with its customer."""

    event: Event
    own_id: str | None
    named: bool
    """Whether it is a customer, not a visit before a login."""


class News(NamedTuple):
    """What a batch of events says of contacts."""

    changes: list[Change]
    reports: list[Reported]


def of_events(
    told: Sequence[Told], logged_in: Mapping[str, tuple[str, Mapping[str, float]]], *, page: bool
) -> News:
    """Return what events say of contacts.

    Parameters
    ----------
    told : sequence of Told
    logged_in : mapping
        Visits in which somebody logged in just now: their ``own_id``, and what is in the cart,
        which goes to what the customer left elsewhere.
    page : bool
        Whether a page reports them, which speaks of its own visits only.
    """
    changes: list[Change] = []
    reports: list[Reported] = []
    for one in told:
        event, own_id = one.event, one.own_id
        clicks = [_click(event, item.item_id) for item in event.items]
        clicks = clicks if event.event in _CLICKS else []
        report = _REPORTS.get(event.event)
        if report is not None and event.recommendation_id is not None:
            seen = event.event in _OF_PRODUCTS
            reports.append(
                Reported(
                    event.recommendation_id,
                    report,
                    event.occurred_ts,
                    tuple(item.item_id for item in event.items) if seen else (),
                    session_own_id(event.session_id or "") if page else None,
                    tuple(clicks) if own_id is None else (),
                )
            )
        if own_id is None or (not one.named and event.channel in SHARED_CHANNELS):
            continue  # of a kiosk, nobody knows whose it is
        changes += [(own_id, change) for change in _refusals(event)]
        if clicks and (one.named or event.recommendation_id):
            changes.append((own_id, partial(_with_clicks, clicks=clicks)))
        if event.event in _CARTS and one.named and event.session_id not in logged_in:
            changes.append((own_id, partial(_with_cart, change=_cart_change(event))))
    latest = {one.event.session_id: one.event.occurred_ts for one in told}
    for session_id, (own_id, cart) in logged_in.items():
        if cart:
            whole = CartChange(latest[session_id], tuple(cart.items()))
            changes.append((own_id, partial(_with_cart, change=whole)))
    return News(changes, reports)


def _refusals(event: Event) -> Iterator[partial[ContactState]]:
    """Yield what a customer refuses or wants again."""
    if event.event in REFUSALS:
        for item in event.items:
            refusal = Refusal(
                item.item_id,
                event.extent == "category",
                event.occurred_ts,
                event.event == "dismiss",
            )
            yield partial(_with_refusal, refusal=refusal)


def _with_refusal(state: ContactState, refusal: Refusal) -> ContactState:
    return state.with_refusal(refusal)


def _with_clicks(state: ContactState, clicks: Sequence[Click]) -> ContactState:
    return state.with_clicks(clicks)


def _with_cart(state: ContactState, change: CartChange) -> ContactState:
    return state.with_cart([change])


def _click(event: Event, item_id: str) -> Click:
    channel = "email" if event.event in OF_MESSAGES else event.channel
    return Click(item_id, channel, event.occurred_ts)


def _cart_change(event: Event) -> CartChange:
    sign = _CARTS[event.event]
    pieces: dict[str, float] = {}
    for item in event.items:
        pieces[item.item_id] = pieces.get(item.item_id, 0.0) + item.quantity * (sign or 1)
    return CartChange(event.occurred_ts, tuple(pieces.items()), whole=not sign and bool(pieces))
