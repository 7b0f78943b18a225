"""Deciding on the marketers' page: what is refused, what others do meanwhile, and what stays."""

import re

from flask import Flask
from playwright.sync_api import Page, expect

from tests.serving.conftest import needs_browser
from tests.serving.marketing import bundle_of, change, one

from .browsing import PAIR, give_key, key_of, open_bundle

pytestmark = needs_browser


def test_what_is_refused_is_told_at_its_field(
    app: Flask, origin: str, page: Page, troubles: list[str]
) -> None:
    client = app.test_client()
    bundle_id = bundle_of(client, PAIR)["bundle_id"]
    open_bundle(page, origin, bundle_id)
    price = page.get_by_label("Price of the bundle (EUR)")
    hours = page.get_by_label("Hours an offer stands")
    price.fill("9")
    expect(page.get_by_text("Not below what the products cost one by one.")).to_be_visible()
    hours.fill("-1")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("alert")).to_contain_text("not valid")
    expect(hours).to_be_focused()
    expect(hours).to_have_attribute("aria-invalid", "true")
    described = (hours.get_attribute("aria-describedby") or "").split()
    assert page.locator(f"#{described[-1]}").inner_text() != ""

    hours.fill("24")
    page.get_by_role("button", name="Approve").click()
    expect(price).to_have_attribute("aria-invalid", "true")
    expect(hours).not_to_have_attribute("aria-invalid", "true")
    page.get_by_label("Offered from").fill("2031-02-02T10:00")
    page.get_by_label("Offered until").fill("2031-02-01T10:00")
    price.fill("2.70")
    page.get_by_role("button", name="Approve").click()
    expect(
        page.locator("#fault-ends_at, #fault-starts_at").filter(has_text=re.compile(r"\w"))
    ).not_to_have_count(0)
    told = one(client, bundle_id)
    assert (told["status"], told["revision"]) == ("suggested", 0)

    page.get_by_label("Offered until").fill("2031-03-01T10:00")
    page.get_by_label("Web shop").check()
    page.get_by_label("Locations").fill("S1")
    page.get_by_label("Locations").press("Enter")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("#said")).to_have_text("Approved.")
    expect(page.get_by_role("alert")).to_be_hidden()
    terms = one(client, bundle_id)["terms"]
    assert terms["channels"] == ["web"]
    assert terms["locations"] == ["S1"]
    assert terms["offer_hours"] == 24
    assert terms["ends_at"].startswith("2031-03-01")
    assert terms["price"]["amount_minor"] == 270


def test_somebody_else_was_faster(app: Flask, origin: str, page: Page, troubles: list[str]) -> None:
    client = app.test_client()
    bundle_id = bundle_of(client, PAIR)["bundle_id"]
    open_bundle(page, origin, bundle_id)
    page.get_by_label("Note").fill("mine")
    assert change(client, bundle_id, 0, status="rejected", offer_hours=24).status_code == 200
    page.get_by_role("button", name="Save changes").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Somebody else was faster.")
    expect(alert).to_contain_text("Status: Suggested → Rejected")
    expect(page.get_by_label("Note")).to_have_value("mine")
    expect(page.get_by_label("Hours an offer stands")).to_have_value("24")
    assert one(client, bundle_id)["terms"]["note"] == ""
    page.get_by_role("button", name="Save changes").click()
    expect(page.locator("#said")).to_have_text("Saved.")
    told = one(client, bundle_id)
    assert (told["status"], told["terms"]["note"], told["revision"]) == ("rejected", "mine", 2)
    assert told["terms"]["offer_hours"] == 24


def test_news_come_by_themselves_and_hide_nothing_that_is_typed(
    app: Flask, origin: str, page: Page, troubles: list[str]
) -> None:
    client, look = app.test_client(), "document.dispatchEvent(new Event('visibilitychange'))"
    bundle_id = bundle_of(client, PAIR)["bundle_id"]
    open_bundle(page, origin, bundle_id)
    assert change(client, bundle_id, 0, status="rejected").status_code == 200
    page.evaluate(look)
    expect(page.get_by_role("button", name="Suggest again")).to_be_visible()
    page.get_by_label("Note").fill("mine")
    assert change(client, bundle_id, 1, status="suggested").status_code == 200
    page.evaluate(look)
    expect(page.get_by_text("local has changed this bundle since you opened it.")).to_be_visible()
    expect(page.get_by_label("Note")).to_have_value("mine")

    page.reload()
    expect(page.get_by_role("form", name="Decision")).to_be_visible()
    price = {"amount_minor": 250, "currency": "EUR"}
    told = {"items": [{"item_id": "tea", "price": price}]}
    assert client.put("/v1/items", json=told).status_code == 200
    page.evaluate(look)
    page.get_by_role("button", name="Show the new ones").click()
    expect(page.locator(".ends")).to_contain_text("€4.00 one by one")


def test_withdrawing_is_asked_about(app: Flask, origin: str, page: Page) -> None:
    client = app.test_client()
    bundle_id = bundle_of(client, PAIR)["bundle_id"]
    price = {"amount_minor": 270, "currency": "EUR"}
    assert change(client, bundle_id, 0, status="approved", price=price).status_code == 200
    open_bundle(page, origin, bundle_id)
    page.get_by_role("button", name="Withdraw").click()
    dialog = page.get_by_role("dialog", name="Withdraw this bundle?")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert one(client, bundle_id)["status"] == "approved"
    page.get_by_role("button", name="Withdraw").click()
    dialog.get_by_role("button", name="Withdraw").click()
    expect(page.locator("#said")).to_have_text("Withdrawn.")
    assert one(client, bundle_id)["status"] == "withdrawn"


def test_what_was_typed_outlives_the_session(
    app: Flask, origin: str, page: Page, troubles: list[str]
) -> None:
    client = app.test_client()
    bundle_id = bundle_of(client, PAIR)["bundle_id"]
    key = key_of(app, "marketing")
    page.goto(f"{origin}/dashboard#bundle={bundle_id}")
    give_key(page, key)
    page.get_by_label("Note").fill("for the summer")
    page.get_by_label("Till").check()
    page.context.clear_cookies()
    page.get_by_role("button", name="Save changes").click()
    give_key(page, key)
    expect(page.get_by_label("Note")).to_have_value("for the summer")
    expect(page.get_by_label("Till")).to_be_checked()
    # Signing in anew in another window ends this one's session, too.
    again = "(key) => fetch('/dashboard/session', {method: 'POST', body: JSON.stringify({key}), "
    page.evaluate(again + "headers: {'Content-Type': 'application/json'}})", key)
    page.get_by_role("button", name="Save changes").click()
    expect(page.locator("#said")).to_contain_text("is here again")
    expect(page.get_by_label("Note")).to_have_value("for the summer")
    page.get_by_role("button", name="Save changes").click()
    expect(page.locator("#said")).to_have_text("Saved.")
    asks = {"Authorization": f"Bearer {key}"}
    terms = client.get(f"/v1/bundles/{bundle_id}", headers=asks).get_json()["terms"]
    assert (terms["note"], terms["channels"]) == ("for the summer", ["pos"])
