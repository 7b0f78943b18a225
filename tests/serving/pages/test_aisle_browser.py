"""A product's page in the aisle on a phone: light, dark, and read from right to left."""

from pathlib import Path
from typing import Any, Literal

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from recsys.config.toml_file import Config
from tests.serving.conftest import Serve, Start, needs_browser
from tests.serving.marketing import approve, put_items
from tests.serving.pages.test_aisle import with_pages

pytestmark = needs_browser

PHONE = {"width": 360, "height": 740}
AUDIT = Path(__file__).with_name("page_audit.js").read_text()
ARABIC = "خبز أسمر كامل الحبوب، 500 جم (طازج)"


@pytest.fixture
def aisle_app(config: Config, serve: Serve) -> Flask:
    app = serve(with_pages(config))
    client = app.test_client()
    approve(client)
    put_items(client, {"item_id": "butter", "title": ARABIC, "brand": "ألبان"})
    return app


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["en", "ar"])
def test_nothing_is_in_anybodys_way(
    aisle_app: Flask, start: Start, browser: Browser, scheme: Literal["light", "dark"], lang: str
) -> None:
    origin = start(aisle_app)
    context = browser.new_context(viewport=PHONE, color_scheme=scheme, locale=lang)  # type: ignore[arg-type]
    page = context.new_page()
    for path in ("bread?location=S1", "butter?location=S1", "tea", "nothing?location=S1"):
        page.goto(f"{origin}/p/{path}")
        found: dict[str, Any] = page.evaluate(AUDIT)
        assert {name: wrong for name, wrong in found.items() if wrong} == {}, path
        direction = page.evaluate("getComputedStyle(document.body).direction")
        assert direction == ("rtl" if lang == "ar" else "ltr")
    context.close()


def test_a_shopper_goes_on_by_keyboard_and_keeps_the_store(
    aisle_app: Flask, start: Start, page: Page, troubles: list[str]
) -> None:
    page.goto(f"{start(aisle_app)}/p/bread?location=S1")
    expect(page.get_by_role("heading", name="Bread", exact=True)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the product")).to_be_focused()
    page.locator(".bundles a").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/p/butter?location=S1")
    picture = page.locator("img.picture")
    assert picture.evaluate("(one) => one.decode().then(() => one.naturalWidth)") == 200
    page.get_by_label("Language").select_option("de")
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_text("In dieser Filiale")).to_be_visible()
    assert "location=S1" in page.url


def test_it_works_without_scripts(aisle_app: Flask, start: Start, browser: Browser) -> None:
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{start(aisle_app)}/p/bread?location=S1")
    expect(page.get_by_text("In stock: 9")).to_be_visible()
    page.locator(".goods a").first.click()
    page.wait_for_url("**/p/*?location=S1")
    context.close()
