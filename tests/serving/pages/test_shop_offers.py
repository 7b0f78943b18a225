"""An offer on a shop's page, in a real browser: drawn, taken off the total, redeemed."""

import json
import time
from typing import Any

import msgspec
from flask import Flask
from playwright.sync_api import Page, Request, expect

from recsys.bundles.bundle_table import bundle_id
from recsys.bundles.terms import Terms
from recsys.config.toml_file import PLACEMENTS, Config
from tests.serving.conftest import Serve, Start, needs_browser, state

pytestmark = needs_browser

ITEMS = ("beer", "milk")  # a title with HTML in it
BUNDLE = bundle_id("together", ITEMS)


def shop(config: Config, serve: Serve, offers: int = 1) -> Flask:
    """The example shop, with a bundle that is approved."""
    settings = msgspec.structs.replace(config.serve, example_shop=True)
    cart = msgspec.structs.replace(PLACEMENTS["web_cart"], offers=offers)
    app = serve(msgspec.structs.replace(config, serve=settings, placements={"web_cart": cart}))
    approve(app, ITEMS, 250)
    return app


def approve(app: Flask, items: tuple[str, ...], price_minor: int) -> str:
    name = bundle_id("together", items)
    terms = Terms(status="approved", price_minor=price_minor, currency="EUR")
    state(app).ledger.decisions.change(
        name, "together", items, terms, expected_revision=0, by="anna", now_ts=int(time.time())
    )
    return name


def put(page: Page, origin: str, item: str) -> None:
    page.goto(f"{origin}/shop/items/{item}")
    page.get_by_role("button", name="Put into cart").click()
    expect(page.get_by_role("status")).to_contain_text("is in your cart")


def test_an_offer_is_drawn_and_redeemed_with_the_order(
    config: Config, serve: Serve, start: Start, page: Page
) -> None:
    app = shop(config, serve)
    origin = start(app)
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda line: line.type == "error" and troubles.append(line.text))
    put(page, origin, "beer")
    page.goto(f"{origin}/shop/cart")
    offer = page.locator(".omnibasket-offer")
    expect(offer).to_have_count(1)
    expect(offer).to_contain_text("Beer + Milk <img")
    expect(offer).to_contain_text("Together €2.50")
    expect(offer).to_contain_text("instead of €3.00")
    expect(page.locator("#total")).to_have_text("Total €1.50")  # a part of it earns nothing

    put(page, origin, "milk")
    page.goto(f"{origin}/shop/cart")
    expect(page.locator("#total")).to_have_text("Total €2.50, €0.50 less as offered")
    page.get_by_role("button", name="Order").click()
    expect(page.get_by_role("status")).to_contain_text("Thank you")
    expect(page.get_by_role("status")).to_contain_text("€0.50 was taken off")
    until = time.monotonic() + 10
    ledger = state(app).ledger.offers
    while not ledger.counts([BUNDLE], now_ts=state(app).now_ts())[BUNDLE].redeemed:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert page.title() != "hacked"
    assert not troubles


def test_offers_that_share_a_piece_are_used_as_the_total_says(
    config: Config, serve: Serve, start: Start, page: Page
) -> None:
    """One beer carries one of two offers, and the order asks for both in one call."""
    app = shop(config, serve, offers=2)
    other = approve(app, ("beer", "item04"), 280)
    origin = start(app)
    asked: list[dict[str, Any]] = []

    def note(request: Request) -> None:
        if request.url.endswith("/v1/redemptions"):
            asked.append(json.loads(request.post_data or ""))
        assert "/v1/offers/" not in request.url

    page.on("request", note)
    put(page, origin, "beer")
    page.goto(f"{origin}/shop/cart")
    expect(page.locator(".omnibasket-offer")).to_have_count(2)  # both are promised
    for item in ("milk", "item04"):
        put(page, origin, item)
    page.goto(f"{origin}/shop/cart")
    expect(page.locator("#total")).to_have_text("Total €4.00, €0.50 less as offered")
    page.get_by_role("button", name="Order").click()
    expect(page.get_by_role("status")).to_contain_text("€0.50 was taken off")
    (order,) = [body for body in asked if not body["dry_run"]]
    assert len(order["codes"]) == 2
    counts = state(app).ledger.offers.counts([BUNDLE, other], now_ts=state(app).now_ts())
    assert (counts[BUNDLE].redeemed, counts[other].redeemed) == (1, 0)
    assert counts[BUNDLE].spent_minor == 50
