"""Every page in a real browser: on a phone, and with titles that are read from right to left."""

from pathlib import Path

import msgspec
import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from recsys.config.toml_file import Config
from tests.serving.conftest import Serve, Start, needs_browser
from tests.serving.marketing import bundle_of

from .browsing import PAIR, key_of, open_bundle, rows

pytestmark = needs_browser

ARABIC = "حليب كامل الدسم 2%، 1 لتر (طازج)"
PERSIAN = "چای سیاه ۵۰۰ گرم، شماره 7"
NARROW = {"width": 390, "height": 844}
PICTURES = "shop/pictures"

#: Texts with such letters that stand outside of an element of their own.
LOOSE = """() => {
  const all = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  for (let at = all.nextNode(); at; at = all.nextNode()) {
    if (!/[\\u0590-\\u08ff]/.test(at.textContent)) continue;
    if (!at.parentElement.closest("bdi, option, script")) found.push(at.parentElement.outerHTML);
  }
  return found;
}"""
#: Where the pieces of an element's first line begin, in the order in which they are to be read.
BEGINNINGS = """(element) => [...element.childNodes].map((node) => {
  const range = document.createRange();
  range.selectNodeContents(node);
  return range.getClientRects()[0];
}).filter((box, ix, all) => box && Math.abs(box.top - all[0].top) < 4).map((box) => box.left)"""


@pytest.fixture
def shop_app(config: Config, serve: Serve) -> Flask:
    settings = msgspec.structs.replace(config.serve, example_shop=True)
    app = serve(msgspec.structs.replace(config, serve=settings))
    told = [
        {"item_id": "milk", "title": ARABIC, "brand": "ألبان", "category": "منتجات الألبان"},
        {"item_id": "tea", "title": PERSIAN},
    ]
    assert app.test_client().put("/v1/items", json={"items": told}).status_code == 200
    return app


def addresses(app: Flask) -> list[str]:
    bundle_id = bundle_of(app.test_client(), PAIR)["bundle_id"]
    shop = ["/shop", "/shop/items/milk", "/shop/cart"]
    return [
        "/",
        "/problems",
        "/docs",
        *shop,
        "/dashboard#show=all",
        f"/dashboard#bundle={bundle_id}",
    ]


def settle(page: Page, address: str) -> None:
    """Wait until what the page loads is drawn."""
    if "#bundle" in address:
        expect(page.get_by_role("form", name="Decision")).to_be_visible()
    elif address.startswith("/dashboard"):
        assert rows(page)
    elif address == "/docs":
        expect(page.locator("#swagger-ui .info")).to_be_visible()
    elif address.startswith("/shop"):
        page.wait_for_selector("[data-omnibasket-state=shown]")


def put_into_cart(page: Page, origin: str, *items: str) -> None:
    for item in items:
        page.goto(f"{origin}/shop/items/{item}")
        page.get_by_role("button", name="Put into cart").click()
        expect(page.get_by_role("status")).to_contain_text("is in your cart.")


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_no_page_is_wider_than_a_phone(
    shop_app: Flask, start: Start, browser: Browser, direction: str
) -> None:
    origin = start(shop_app)
    context = browser.new_context(viewport={"width": 390, "height": 844})
    context.add_init_script(
        f"addEventListener('DOMContentLoaded', () => document.documentElement.dir = '{direction}')"
    )
    page = context.new_page()
    put_into_cart(page, origin, "milk")
    for address in addresses(shop_app):
        page.goto("about:blank")
        page.goto(origin + address)
        settle(page, address)
        page.evaluate("document.querySelectorAll('main details').forEach((one) => one.open = true)")
        page.wait_for_timeout(50)
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], address
    key_of(shop_app, "marketing")
    page.goto(f"{origin}/dashboard")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    context.close()


def test_titles_of_another_direction_turn_nothing_around(
    shop_app: Flask, start: Start, page: Page, troubles: list[str]
) -> None:
    origin = start(shop_app)
    page.set_viewport_size({"width": 1400, "height": 1000})
    put_into_cart(page, origin, "tea", "milk")
    assert page.evaluate(LOOSE) == []
    for address in addresses(shop_app):
        page.goto("about:blank")
        page.goto(origin + address)
        settle(page, address)
        assert page.evaluate(LOOSE) == [], address
    page.evaluate("sessionStorage.clear()")  # another visit, with nothing in its cart
    page.goto(f"{origin}/shop/items/tea")
    reason = page.locator("li[data-item-id=milk] .omnibasket-reason")
    expect(reason).to_contain_text(PERSIAN)
    assert reason.locator("bdi").inner_text() == PERSIAN

    open_bundle(page, origin, bundle_of(shop_app.test_client(), PAIR)["bundle_id"])
    heading = page.locator("#bundle-title")
    expect(heading).to_have_text(f"{ARABIC} + {PERSIAN}")
    sentence = page.locator(".words li", has_text="Of the baskets with")
    for element in (heading, sentence):
        left = element.evaluate(BEGINNINGS)
        assert len(left) >= 3
        assert left == sorted(left), element.inner_text()
    assert "\u2068" not in (heading.get_attribute("aria-label") or "")


def test_the_line_under_a_tab_is_under_it(shop_app: Flask, start: Start, page: Page) -> None:
    origin = start(shop_app)
    for width in (390, 1100):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(f"{origin}/dashboard")
        name = page.locator(".top .name").bounding_box()
        tab = page.locator(".top nav a[aria-current]").bounding_box()
        assert name
        assert tab
        beside = tab["x"] >= name["x"] + name["width"] or tab["y"] >= name["y"] + name["height"]
        assert beside, (name, tab)
        text = page.locator(".top nav a[aria-current]").evaluate(
            "(one) => { const r = document.createRange(); r.selectNodeContents(one); "
            "return r.getBoundingClientRect().bottom; }"
        )
        assert tab["y"] + tab["height"] >= text  # the line is drawn below this


def test_every_product_of_the_shop_has_a_picture(
    shop_app: Flask, start: Start, page: Page, troubles: list[str]
) -> None:
    origin = start(shop_app)
    page.goto(f"{origin}/shop")
    pictures = page.locator(".omnibasket-item img.omnibasket-image")
    expect(pictures).to_have_count(12)
    for number in range(12):  # each is loaded when it comes into sight
        pictures.nth(number).scroll_into_view_if_needed()
    page.wait_for_function(
        "[...document.querySelectorAll('.omnibasket-image')].every((one) => one.naturalWidth > 0)"
    )
    page.goto(f"{origin}/shop/items/milk")
    picture = page.locator("img.picture")
    expect(picture).to_be_visible()
    assert picture.evaluate("(one) => one.decode().then(() => one.naturalWidth)") == 200
    assert (Path(PICTURES) / "milk").as_posix() in (picture.get_attribute("src") or "")
