"""The page about one customer in a real browser: find, read, correct, and who looked."""

import re
from pathlib import Path
from typing import Any, Literal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, expect

from tests.serving.api.test_customer_view import BOTH
from tests.serving.api.test_customers import customer_id
from tests.serving.conftest import Start, ask, email, known, needs_browser, state
from tests.serving.pages.browsing import give_key, key_of

pytestmark = needs_browser

AUDIT = Path(__file__).with_name("page_audit.js").read_text()


@pytest.fixture
def desk(app: Flask, start: Start, page: Page) -> Page:
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(f"{start(app)}/customers")
    page.locator("body[data-ready]").wait_for()
    assert troubles == []
    return page


def look_up(page: Page, kind: str, value: str, reason: str = "ticket 7") -> None:
    page.get_by_label("What you know").select_option(label=kind)
    page.get_by_label("Its value").fill(value)
    page.get_by_label("Why you look").fill(reason)
    page.get_by_role("button", name="Look up").click()


def test_a_customer_is_found_and_told(app: Flask, client: FlaskClient, desk: Page) -> None:
    shown = ask(client, count=3, **known(BOTH))
    state(app).flush()
    look_up(desk, "E-mail", email(BOTH))
    desk.locator("body[data-shown]").wait_for()
    expect(desk.get_by_role("heading", name=re.compile("^Customer c"))).to_be_focused()
    answers = desk.get_by_role("region", name="What was shown, and why")
    answers.locator("summary").first.click()
    for item in shown["items"]:
        expect(answers).to_contain_text(item["reason"]["text"])
    desk.get_by_role("button", name="List them").click()
    looks = desk.get_by_role("region", name="Who looked at customers")
    expect(looks).to_contain_text("ticket 7")
    expect(looks).to_contain_text(customer_id(client, BOTH))
    desk.get_by_role("button", name="Put away").click()
    expect(desk.locator("#customer")).to_be_empty()


def test_without_a_reason_nobody_is_looked_up(client: FlaskClient, desk: Page) -> None:
    look_up(desk, "E-mail", email(BOTH), reason=" ")
    expect(desk.get_by_role("alert")).to_contain_text("Say why")
    assert client.get("/v1/looks").get_json()["looks"] == []
    look_up(desk, "Order number", "no such order")
    expect(desk.get_by_role("alert")).to_contain_text("Give any id")


def test_what_is_wrong_is_corrected(client: FlaskClient, desk: Page) -> None:
    who = customer_id(client, BOTH)
    client.put(f"/v1/customers/{who}/dismissals", json={"item_id": "tea", "stands": True})
    look_up(desk, "Customer id", who)
    refused = desk.get_by_role("region", name="Not interested")
    refused.get_by_role("button", name="Show it again").click()
    expect(refused.get_by_role("button", name="Do not show it")).to_be_visible()
    consents = desk.get_by_role("region", name="Consents")
    consents.get_by_label("Where it was said").fill("at the counter")
    consents.get_by_role("button", name="Note it").click()
    expect(consents).to_contain_text("at the counter")
    found = client.get(f"/v1/customers/{who}/consents").get_json()
    assert not found["effective"]["marketing"]["email"]


def test_it_is_for_keys_of_customers(app: Flask, client: FlaskClient, desk: Page) -> None:
    marketing, people = key_of(app, "marketing"), key_of(app, "customers", name="Mia")
    desk.reload()
    give_key(desk, marketing)
    expect(desk.get_by_role("alert")).to_contain_text("needs the scope customers")
    give_key(desk, people)
    expect(desk.get_by_text("Signed in as Mia")).to_be_visible()
    expect(desk.get_by_text("Who looked at customers")).to_have_count(0)
    look_up(desk, "E-mail", email(BOTH))
    desk.locator("body[data-shown]").wait_for()
    looks = {(one.looked_by, one.page, one.reason) for one in state(app).ledger.looks.read()}
    assert looks == {("Mia", "customers", "ticket 7"), ("Mia", "customers", "links")}


def test_whoever_leaves_shows_nobody(client: FlaskClient, desk: Page) -> None:
    desk.clock.install()
    desk.reload()
    desk.locator("body[data-ready]").wait_for()
    look_up(desk, "Customer id", customer_id(client, BOTH))
    desk.locator("body[data-shown]").wait_for()
    desk.clock.fast_forward("06:00")
    expect(desk.locator("#customer")).to_be_empty()
    expect(desk.get_by_label("Its value")).to_have_value("")


@pytest.mark.parametrize(
    ("scheme", "lang", "width"), [("light", "en", 1280), ("dark", "en", 360), ("light", "ar", 1280)]
)
def test_nothing_is_in_anybodys_way(
    app: Flask,
    client: FlaskClient,
    start: Start,
    browser: Browser,
    scheme: Literal["light", "dark"],
    lang: str,
    width: int,
) -> None:
    ask(client, count=3, **known(BOTH))
    state(app).flush()
    who = customer_id(client, BOTH)
    client.put(f"/v1/customers/{who}/dismissals", json={"item_id": "tea", "stands": True})
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{start(app)}/customers?lang={lang}")
    page.locator("body[data-ready]").wait_for()
    page.locator("#kind").select_option("id")
    page.locator("#value").fill(who)
    page.locator("#reason").fill("a")
    page.keyboard.press("Enter")
    page.locator("body[data-shown]").wait_for()
    found: dict[str, Any] = page.evaluate(AUDIT)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
    context.close()
