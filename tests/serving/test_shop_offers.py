"""An offer on a shop's page, in a real browser: drawn, taken off the total, redeemed."""

import time

import msgspec
from flask import Flask
from playwright.sync_api import Page, expect

from recsys.bundles.found import bundle_id
from recsys.bundles.terms import Terms
from recsys.config import Config

from .conftest import Serve, Start, needs_browser, state

pytestmark = needs_browser

ITEMS = ("beer", "milk")  # a title with HTML in it
BUNDLE = bundle_id("together", ITEMS)


def shop(config: Config, serve: Serve) -> Flask:
    """The example shop, with a bundle that is approved."""
    settings = msgspec.structs.replace(config.serve, example_shop=True)
    app = serve(msgspec.structs.replace(config, serve=settings))
    state(app).ledger.decisions.change(
        BUNDLE, "together", ITEMS, Terms(status="approved", price_minor=250, currency="EUR"),
        expected_revision=0, by="anna", now_ts=int(time.time()),
    )  # fmt: skip
    return app


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
    until = time.monotonic() + 10
    ledger = state(app).ledger.offers
    while not ledger.counts([BUNDLE], now_ts=state(app).now_ts())[BUNDLE].redeemed:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert page.title() != "hacked"
    assert not troubles
