"""The dashboard and the example shop in German and Arabic, in a real browser on a phone."""

from collections.abc import Iterator

import msgspec
import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from recsys.config.toml_file import Config
from tests.serving.conftest import Serve, Start, needs_browser
from tests.serving.marketing import bundle_of

from .browsing import PAIR, TITLE

pytestmark = needs_browser

PHONE = {"width": 390, "height": 844}
#: Words of each language: an action, a filter, a heading of the shop, and its button.
WORDS = {
    "de": ("Freigeben", "Filtern und sortieren", "Was darf es heute sein?", "In den Warenkorb"),
    "ar": ("اعتماد", "الترشيح والترتيب", "ماذا تود اليوم؟", "أضف إلى السلة"),
}
ONLINE = {"de": "Online beliebt", "ar": "رائج عبر الإنترنت"}
NOT_LOWER = {"de": "Der Preis ist kein Rabatt", "ar": "السعر ليس خصمًا"}


@pytest.fixture
def shop_app(config: Config, serve: Serve) -> Flask:
    settings = msgspec.structs.replace(config.serve, example_shop=True)
    return serve(msgspec.structs.replace(config, serve=settings))


@pytest.fixture(params=sorted(WORDS))
def phone(request: pytest.FixtureRequest, browser: Browser) -> Iterator[tuple[Page, str]]:
    context = browser.new_context(viewport=PHONE, locale=request.param)
    yield context.new_page(), request.param
    context.close()


def check(page: Page, tag: str) -> None:
    """Check the page's direction, and that nothing sticks out of it."""
    direction = "rtl" if tag == "ar" else "ltr"
    assert page.evaluate("getComputedStyle(document.body).direction") == direction
    assert page.evaluate("document.documentElement.lang") == tag
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_dashboard_speaks_the_browser_s_language(
    shop_app: Flask, start: Start, phone: tuple[Page, str]
) -> None:
    page, tag = phone
    origin = start(shop_app)
    approve, filters, *_ = WORDS[tag]
    page.goto(f"{origin}/dashboard#show=all")
    expect(page.locator("table.bundles")).to_have_attribute("aria-busy", "false")
    expect(page.get_by_text(filters)).to_be_visible()
    check(page, tag)
    bundle_id = bundle_of(shop_app.test_client(), PAIR)["bundle_id"]
    page.goto(f"{origin}/dashboard#bundle={bundle_id}")
    expect(page.get_by_role("button", name=approve, exact=True)).to_be_visible()
    page.evaluate("document.querySelectorAll('main details').forEach((one) => one.open = true)")
    page.wait_for_timeout(50)
    check(page, tag)
    page.get_by_role("button", name=approve, exact=True).click()
    trouble = page.get_by_role("alert")
    expect(trouble).to_contain_text(NOT_LOWER[tag])
    expect(trouble.locator("[lang=en][dir=ltr]").first).to_be_visible()


def test_the_shop_speaks_it_with_its_reasons_and_offers(
    shop_app: Flask, start: Start, phone: tuple[Page, str]
) -> None:
    page, tag = phone
    origin = start(shop_app)
    _, _, question, into_cart = WORDS[tag]
    page.goto(f"{origin}/shop")
    page.wait_for_selector("[data-omnibasket-state=shown]")
    expect(page.get_by_role("heading", name=question)).to_be_visible()
    expect(page.locator(".omnibasket-heading")).to_have_text(ONLINE[tag])
    check(page, tag)
    page.goto(f"{origin}/shop/items/milk")
    page.get_by_role("button", name=into_cart).click()
    name = TITLE.partition(" + ")[0]
    expect(page.get_by_role("status")).to_contain_text(name)
    check(page, tag)
    page.goto(f"{origin}/shop/cart")
    page.wait_for_selector("[data-omnibasket-state=shown]")
    check(page, tag)


def test_the_language_is_changed_by_keyboard_and_keeps_the_place(
    shop_app: Flask, start: Start, page: Page
) -> None:
    origin = start(shop_app)
    bundle_id = bundle_of(shop_app.test_client(), PAIR)["bundle_id"]
    page.goto(f"{origin}/dashboard#bundle={bundle_id}")
    expect(page.get_by_role("button", name="Approve", exact=True)).to_be_visible()
    page.locator("#lang").focus()
    page.keyboard.type("Deutsch")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Freigeben", exact=True)).to_be_visible()
    assert page.url.endswith(f"#bundle={bundle_id}")
    page.goto(f"{origin}/")
    expect(page.locator("html")).to_have_attribute("lang", "de")
