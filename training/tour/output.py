"""Prints the tour: each answer as a table, how well customers were linked, and what to open.

Called by the tour.
"""

from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from recsys.evaluation import IdentityQuality
from training import console
from training.tour.api_key import VARIABLE
from training.tour.bundle_sale import Sale
from training.tour.check import Check
from training.tour.conversation import Conversation, Turn
from training.tour.customer import Customer
from training.tour.service import Service
from training.tour.store_walk import Stop

_ROWS = 4
_KEY = f' -H "Authorization: Bearer ${VARIABLE}"'


def answers(conversation: Conversation, customer: Customer, at: datetime | None) -> None:
    """Print every answer, and the purchase between them."""
    out = console.output()
    if at is not None:
        out.print(f"\nThe history ended long ago; the tour asks for {at:%Y-%m-%d %H:%M} UTC.")
    who = customer.email or customer.customer_id
    out.print(f"\nCustomer {who}: {customer.lines:,} order lines in their history.", markup=False)
    for turn in conversation.turns:
        if turn is conversation.after and conversation.bought is not None:
            out.print(f"\nBought online just now: {conversation.bought['title']}.", markup=False)
        _turn(turn, conversation.carried)
    pairs = (conversation.bundles.body or {}).get("bundles") or []
    rows = [
        (
            " + ".join(str(item["title"] or item["item_id"]) for item in pair["items"]),
            pair["support"],
            f"{pair['lift']:.1f}",
            *(_earns(pair["pricing"]) if pair["pricing"] else ("", "")),
        )
        for pair in pairs
        if pair["support"]
    ]
    headings = ("bought together", "baskets", "lift", "price", "margin a month (estimate)")
    out.print(console.table(headings, rows, "Bundles worth a decision"))
    if conversation.sale is not None:
        _sale(conversation.sale)


def walk(stops: list[Stop]) -> None:
    """Print where the customer went in the shop and the store, and what was seen there."""
    if stops:
        rows = [(stop.page, stop.path, stop.seen) for stop in stops]
        console.output().print(
            console.table(("where", "page", "seen"), rows, "A walk through shop and store")
        )


def _sale(sale: Sale) -> None:
    """Print a bundle's way from the evidence to the till."""
    bundle, offer, pricing = sale.bundle, sale.offer, sale.bundle["pricing"]
    titles = " + ".join(str(item["title"] or item["item_id"]) for item in offer["items"])
    labels = [(item["category"], item["department"]) for item in bundle["items"]]
    kinds = [f"{category} ({department})" for category, department in labels if category]
    price = f"{console.money(offer['price'])} instead of {console.money(offer['full_price'])}"
    _, month = _earns(pricing)
    refused = (sale.refused.body or {}).get("title")
    rows = [
        *([("from", " + ".join(kinds))] if kinds else []),
        (
            "found",
            f"{bundle['lift']:.1f} times as often as by chance ({bundle['support']:,} baskets)",
        ),
        ("priced", f"{price}; estimated to add {month} a month"),
        ("approved", f"revision {(sale.approved.body or {}).get('revision')}"),
        ("offered in the cart", f"code {offer['code']}, until {offer['expires_at'][:10]}"),
        ("redeemed in the store", f"{sale.redeemed.status}"),
        ("asked for again on the web", f"{sale.refused.status} {refused}"),
    ]
    out = console.output()
    out.print(
        console.table(("", "what happened"), rows, f"A bundle from evidence to the till: {titles}")
    )


def _earns(pricing: dict[str, Any]) -> tuple[str, str]:
    """Say what a bundle costs together, instead of what, and what that is estimated to add."""
    full, suggested, month = (
        pricing[name] for name in ("full_price", "suggested_price", "expected_margin")
    )
    ends = [
        console.money({"amount_minor": round(month[end]), "currency": full["currency"]})
        for end in ("low", "high")
    ]
    price = f"{console.money(suggested or full)} instead of {console.money(full)}"
    return price, f"{ends[0]} to {ends[1]}"


def _turn(turn: Turn, carried: str) -> None:
    out = console.output()
    body = turn.reply.body or {}
    title = f"{turn.title} ({turn.request['placement']})"
    if "item_ids" in turn.request:
        title += f", of {carried}"
    if "cart" in turn.request:
        title += f", with {carried}"
    if turn.reply.status != 200:
        out.print(f"\n{title}: {turn.reply.status} {body.get('detail')}", markup=False)
        return
    shown = turn.items[:_ROWS]
    headings: tuple[str, ...] = ("", "product", "price", "why")
    rows: list[tuple[object, ...]] = [_row(item) for item in shown]
    if any(item.get("availability") for item in shown):
        headings += ("on hand",)
        stock = [(item.get("availability") or {}).get("on_hand") for item in shown]
        rows = [(*row, there) for row, there in zip(rows, stock, strict=True)]
    out.print(console.table(headings, rows, title))
    more = len(turn.items) - len(rows)
    notes = [f"and {more} more"] if more > 0 else []
    if heading := body.get("heading"):
        notes.append(f"heading: {heading['text']}")
    if body.get("fallback"):
        notes.append(f"fallback: {body['fallback']}")
    left_out = [f"{n} {why.replace('_', ' ')}" for why, n in body["left_out"].items() if n]
    if left_out:
        notes.append(f"left out: {', '.join(left_out)}")
    if notes:
        out.print(f"  {'; '.join(notes)}", markup=False)


def _row(item: dict[str, Any]) -> tuple[object, ...]:
    price = item.get("price")
    return (
        item["rank"],
        item.get("title") or item["item_id"],
        console.money(price),
        (item.get("reason") or {}).get("text"),
    )


def linking(quality: IdentityQuality | None) -> None:
    """Print how well identifiers were linked into customers, where it is known."""
    if quality is None:
        return
    shown = [
        (name, *(f"{value:.4f}" for value in values))
        for name, *values in (
            ("precision", quality.precision, *quality.precision_interval),
            ("recall", quality.recall, *quality.recall_interval),
        )
    ]
    out = console.output()
    title = "Linked identifiers against the truth"
    out.print(console.table(("", "share", "95% from", "to"), shown, title))
    out.print(f"  {quality.right_pairs:,} of {quality.true_pairs:,} pairs of identifiers")


def checks(found: list[Check]) -> None:
    """Print what was checked."""
    rows = [("ok" if check.passed else "WRONG", check.what, check.seen) for check in found]
    console.output().print(console.table(("", "check", "seen"), rows, "Checks"))


def what_to_open(
    workspace: Path, service: Service, customer: Customer, at: datetime | None, shop: bool
) -> None:
    """Print addresses to open, that of the example shop where there is one, and how to ask."""
    query = {"placement": "web_home"}
    if customer.email is not None:
        query |= {"identifier_type": "email", "identifier_value": customer.email}
    else:
        query["customer_id"] = customer.customer_id
    if at is not None:
        query["as_of"] = at.isoformat(timespec="seconds").replace("+00:00", "Z")
    key = _KEY if service.key else ""
    lines = (
        "",
        f"The service listens on {service.url}",
        *([f"  {service.url}/shop                     a shop's page that asks it"] if shop else []),
        f"  {service.url}/docs                     every call, to be tried out",
        f"  {service.url}/dashboard                bundles, their evidence and their prices",
        f"  {service.url}/v1/bundles?sort=lift     the same, as JSON or CSV",
        *(
            [f"  {service.url}/screens/{customer.location_id}              a screen in a store"]
            if customer.location_id
            else []
        ),
        f"  {service.url}/associate                the tablet of whoever serves customers",
        f"  {service.url}/till                     redeem offers at a till",
        f"  {service.url}/customers                everything about one customer",
        f"  curl '{service.url}/v1/recommendations?{urlencode(query)}'{key}",
        "In another terminal:",
        f"  omnibasket week{console.at(workspace)}    a customer's week on every channel",
        f"  omnibasket why RECOMMENDATION_ID{console.at(workspace)}    why an answer is as it is",
        f"Its log: {service.log}",
        "Ctrl-C ends it.",
    )
    out = console.output()
    for line in lines:
        out.print(line, markup=False, soft_wrap=True)
