"""The associate's tablet in a real browser: scan, serve, hand over, and leave nobody behind."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from recsys.config.toml_file import Config
from tests.serving.api.test_customer_view import BOTH
from tests.serving.api.test_customers import customer_id
from tests.serving.conftest import Serve, Start, needs_browser, state
from tests.serving.marketing import approve
from tests.serving.pages.browsing import await_calls, give_key, key_of

AUDIT = Path(__file__).with_name("page_audit.js").read_text()
SCOPES = ("associate", "recommend", "offers", "events")


@pytest.fixture
def shop_app(config: Config, serve: Serve) -> Flask:
    """The service with the example shop, to which the tablet hands over."""
    shop = msgspec.structs.replace(config.serve, example_shop=True)
    contact = msgspec.structs.replace(config.contact, handover_url="/shop#handover={code}")
    return serve(msgspec.structs.replace(config, serve=shop, contact=contact))


@pytest.fixture
def tablet(shop_app: Flask, start: Start, page: Page) -> Iterator[Page]:
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(f"{start(shop_app)}/associate")
    page.locator("body[data-ready]").wait_for()
    page.get_by_label("Store").select_option("S1")
    yield page
    assert troubles == []


def scan(page: Page, text: str) -> None:
    page.get_by_label("Scan or type").fill(text)
    page.keyboard.press("Enter")


def serve_customer(page: Page) -> None:
    scan(page, f"card{BOTH}")
    page.locator("body[data-serving]").wait_for()


@needs_browser
def test_a_customer_is_served_and_handed_over(shop_app: Flask, tablet: Page) -> None:
    client = shop_app.test_client()
    approve(client)
    serve_customer(tablet)
    expect(tablet.get_by_role("heading", name="The customer")).to_be_focused()
    scan(tablet, "tea")
    hand = tablet.locator("#hand")
    expect(hand).to_contain_text("In stock here: 9")
    hand.get_by_role("button", name="Add to the order").first.click()
    expect(tablet.locator("#said")).to_contain_text("Tea is in the order: 1 piece.")
    made: list[Any] = []
    tablet.on("response", lambda one: made.append(one.json()) if "handovers" in one.url else None)
    tablet.get_by_role("button", name="Order for pick-up").click()
    dialog = tablet.get_by_role("dialog")
    expect(dialog.get_by_alt_text("QR code")).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    phone = tablet.context.browser.new_context().new_page()  # type: ignore[union-attr]
    phone.on("dialog", lambda asked: asked.accept())  # whether to go on with the visit
    origin = tablet.url.removesuffix("/associate")
    phone.goto(made[0]["url"])
    phone.wait_for_url("**/shop/cart")
    expect(phone.locator("#cart")).to_contain_text("Tea")
    phone.goto(f"{origin}/shop")  # the same address again: the code works once
    phone.goto(made[0]["url"])
    expect(phone.locator("#said")).to_contain_text("used already")
    phone.context.close()
    tablet.get_by_role("button", name="Finish").click()
    expect(tablet.locator("#customer")).to_be_empty()
    expect(tablet.locator("#hand")).to_be_empty()


@needs_browser
def test_what_is_not_wanted_is_shown_no_more(shop_app: Flask, tablet: Page) -> None:
    client = shop_app.test_client()
    serve_customer(tablet)
    first = tablet.locator("#customer .goods li").first
    item_id = first.get_attribute("data-item")
    first.get_by_role("button", name="Not interested").click()
    expect(tablet.locator(f"#customer [data-item='{item_id}']")).to_have_count(0)
    view = client.get(f"/v1/customers/{customer_id(client, BOTH)}").get_json()
    assert [(one["item_id"], one["stands"]) for one in view["dismissals"]] == [(item_id, True)]


@needs_browser
def test_a_late_answer_shows_nobody(shop_app: Flask, tablet: Page) -> None:
    """The first customer's answer comes after the second one was scanned."""
    held: list[Any] = []

    def hold(route: Any) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    tablet.route("**/v1/recommendations", hold)
    scan(tablet, "card10")
    await_calls(tablet, held, 1)
    serve_customer(tablet)
    shown = tablet.locator("#customer").inner_html()
    held[0].continue_()
    tablet.wait_for_timeout(500)
    assert tablet.locator("#customer").inner_html() == shown
    held.clear()
    scan(tablet, "card10")
    await_calls(tablet, held, 1)
    tablet.get_by_role("button", name="Finish").click()
    held[0].continue_()
    tablet.wait_for_timeout(500)
    assert tablet.locator("#customer > *").count() == 0


@needs_browser
def test_an_offer_is_shown_large(shop_app: Flask, tablet: Page) -> None:
    client = shop_app.test_client()
    bundle_id = approve(client)
    path = f"/v1/customers/{customer_id(client, BOTH)}/offers"
    offer = client.post(path, json={"bundle_id": bundle_id}).get_json()
    serve_customer(tablet)
    tablet.get_by_role("button", name="Show the code").first.click()
    dialog = tablet.get_by_role("dialog")
    expect(dialog).to_contain_text(offer["code"])
    picture = dialog.locator("img")
    assert picture.evaluate("(one) => one.decode().then(() => one.getBoundingClientRect().width)")
    assert picture.evaluate("(one) => one.getBoundingClientRect().width") >= 300


@needs_browser
def test_it_signs_out_by_itself(shop_app: Flask, tablet: Page) -> None:
    key = key_of(shop_app, *SCOPES, name="Tablet 1")
    lacking = key_of(shop_app, "associate")
    tablet.clock.install()
    tablet.reload()
    give_key(tablet, lacking)
    expect(tablet.get_by_role("alert")).to_contain_text("recommend, offers, events")
    give_key(tablet, key)
    tablet.locator("body[data-ready]").wait_for()
    serve_customer(tablet)
    (look,) = state(shop_app).ledger.looks.read()
    assert (look.looked_by, look.page, look.reason) == (
        "Tablet 1",
        "associate",
        "served in the store",
    )
    tablet.clock.fast_forward("04:00")
    tablet.get_by_label("Your key").wait_for()
    assert tablet.locator("#customer").count() == 0


@needs_browser
@pytest.mark.parametrize(
    ("scheme", "lang", "width"), [("light", "en", 1024), ("dark", "en", 390), ("light", "ar", 1024)]
)
def test_every_target_is_large_enough(
    shop_app: Flask,
    start: Start,
    browser: Browser,
    scheme: Literal["light", "dark"],
    lang: str,
    width: int,
) -> None:
    approve(shop_app.test_client())
    context = browser.new_context(viewport={"width": width, "height": 768}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{start(shop_app)}/associate?lang={lang}")
    page.locator("body[data-ready]").wait_for()
    page.locator("#location").select_option("S1")
    for text in (f"card{BOTH}", "tea"):
        page.locator("#scan").fill(text)
        page.keyboard.press("Enter")
        page.locator("body[data-serving]").wait_for()
    page.locator("#hand h2").first.wait_for()
    small = page.evaluate(
        """[...document.querySelectorAll("button, a:not(.skip), select, input, summary")]
             .filter((one) => one.offsetParent)
             .filter((one) => one.getBoundingClientRect().height < 47.9)
             .map((one) => one.outerHTML.slice(0, 80))"""
    )
    assert small == []
    found: dict[str, Any] = page.evaluate(AUDIT)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
    context.close()
