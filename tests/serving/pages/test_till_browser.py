"""The till's page in a real browser: scan, verdict, undo, and a network that comes and goes."""

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from tests.serving.conftest import Start, needs_browser, state
from tests.serving.marketing import PAIR, approve, customer, issue, one
from tests.serving.pages.browsing import give_key, key_of

pytestmark = needs_browser


def scan(page: Page, text: str) -> None:
    """Type as a scanner does, wherever the focus is."""
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def verdict(page: Page, kind: str, words: str) -> None:
    place = page.locator("#verdict")
    expect(place).to_have_attribute("data-kind", kind)
    expect(place).to_contain_text(words)


@pytest.fixture
def code(app: Flask, client: FlaskClient) -> str:
    found: str = issue(client, customer(app, 0), approve(client)).get_json()["code"]
    return found


@pytest.fixture
def till(app: Flask, start: Start, page: Page) -> Page:
    """The page, ready for the products of receipt 77."""
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(f"{start(app)}/till")
    page.locator("body[data-ready]").wait_for()
    page.get_by_label("Till", exact=True).fill("till 3")
    page.get_by_label("Receipt number").fill("77")
    page.get_by_label("Scan a product or an offer").focus()
    assert troubles == []
    return page


def test_an_offer_is_redeemed_and_undone(
    app: Flask, client: FlaskClient, code: str, till: Page
) -> None:
    for item_id in PAIR:
        scan(till, item_id)
        verdict(till, "", "Counted.")
    scan(till, code.lower().replace("-", ""))
    verdict(till, "good", "Redeemed: €0.50 off")
    till.get_by_role("button", name=re.compile("^Undo")).click()
    verdict(till, "", "Undone: give no discount")
    found = client.get(f"/v1/offers/{code}").get_json()
    assert (found["state"], found["redemption"]) == ("standing", None)
    expect(till.get_by_label("Scan a product or an offer")).to_be_focused()
    scan(till, code)
    verdict(till, "good", "Redeemed")
    till.get_by_role("button", name="Next customer").click()
    expect(till.get_by_label("Receipt number")).to_be_focused()
    till.keyboard.type("78")
    till.get_by_label("Scan a product or an offer").focus()
    scan(till, code)
    verdict(till, "bad", "The offer was redeemed before")


def test_what_the_order_lacks_is_said(code: str, till: Page) -> None:
    scan(till, PAIR[0])
    verdict(till, "", "Counted.")
    scan(till, code)
    verdict(till, "bad", "not scanned")
    assert till.locator("#verdict li").count() == 2
    scan(till, "no such thing")
    verdict(till, "bad", "Unknown product")
    scan(till, "0000-0000-0000-0000")
    verdict(till, "bad", "There is no such offer")


def test_without_a_receipt_nothing_is_asked(client: FlaskClient, code: str, till: Page) -> None:
    till.get_by_role("button", name="Next customer").click()
    till.get_by_label("Scan a product or an offer").focus()
    scan(till, code)
    verdict(till, "unsure", "Enter the receipt number first")
    assert client.get(f"/v1/offers/{code}").get_json()["state"] == "standing"


def test_without_a_network_it_does_not_guess(client: FlaskClient, code: str, till: Page) -> None:
    till.context.set_offline(True)
    scan(till, PAIR[0])
    verdict(till, "unsure", "No connection")
    scan(till, code)
    verdict(till, "unsure", "nothing was checked")
    assert client.get(f"/v1/offers/{code}").get_json()["state"] == "standing"
    till.context.set_offline(False)
    verdict(till, "good", "Redeemed")


def test_an_answer_that_is_lost_is_asked_for_again(
    app: Flask, client: FlaskClient, code: str, till: Page
) -> None:
    """The redemption arrives, its answer does not: it is redeemed once, and then said so."""
    lost = []

    def lose(route: Any) -> None:
        if lost:
            route.continue_()
        else:
            lost.append(route.fetch().status)
            route.abort()

    till.route("**/redemptions", lose)
    scan(till, code)
    verdict(till, "good", "Redeemed")
    assert lost == [201]
    bundle_id = client.get(f"/v1/offers/{code}").get_json()["bundle_id"]
    assert one(client, bundle_id)["offers"]["redeemed"] == 1
    assert state(app).ledger.offers.find(code).redemption.transaction_id == "77"


def test_a_program_hands_over_its_order(
    app: Flask, client: FlaskClient, code: str, start: Start, page: Page
) -> None:
    page.goto(f"{start(app)}/till")
    page.get_by_label("Till", exact=True).fill("till 3")
    page.get_by_label("Till", exact=True).blur()
    hand_over = "hash => { location.hash = hash }"
    # What is not known adds to no other product, and is said.
    page.evaluate(hand_over, f"receipt=90&items={PAIR[0]}*2,nothing*7,{PAIR[0]}")
    verdict(page, "bad", "not counted")
    expect(page.locator("#verdict")).to_contain_text("nothing")
    assert page.locator("#products b").all_inner_texts() == ["3"]
    items = ",".join(f"{item_id}*2" for item_id in PAIR)
    page.evaluate(hand_over, f"receipt=91&items={items}&code={code}")
    expect(page.get_by_label("Scan a product or an offer")).to_have_value(code)
    assert page.locator("#products b").all_inner_texts() == ["2", "2"]
    # A link can come from anybody: nothing is redeemed before somebody presses Enter.
    assert client.get(f"/v1/offers/{code}").get_json()["state"] == "standing"
    page.keyboard.press("Enter")
    verdict(page, "good", "Redeemed")
    assert client.get(f"/v1/offers/{code}").get_json()["redemption"]["transaction_id"] == "91"


def test_a_discount_is_given_once(app: Flask, client: FlaskClient, code: str, till: Page) -> None:
    scan(till, code)
    verdict(till, "good", "Redeemed")
    scan(till, code)
    verdict(till, "unsure", "uses the offer already")
    till.reload()
    till.get_by_label("Receipt number").fill("77")
    till.get_by_label("Scan a product or an offer").focus()
    scan(till, code)
    verdict(till, "unsure", "uses the offer already")
    expect(till.get_by_role("button", name=re.compile("^Undo"))).to_be_visible()


def test_a_till_needs_a_key_of_its_own(app: Flask, start: Start, page: Page) -> None:
    marketing, till = key_of(app, "marketing"), key_of(app, "offers", name="Till 3")
    origin = start(app)
    page.goto(f"{origin}/till")
    give_key(page, marketing)
    expect(page.get_by_role("alert")).to_contain_text("offers")
    give_key(page, till)
    expect(page.get_by_role("heading", name="Redeem offers")).to_be_attached()
    expect(page.get_by_text("Signed in as")).to_contain_text("Till 3")
    page.goto(f"{origin}/dashboard")
    expect(page.get_by_role("alert")).to_contain_text("not for this page")
    page.goto(f"{origin}/till")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Your key")).to_be_visible()
