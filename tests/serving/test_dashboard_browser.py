"""The marketers' page in a real browser: from signing in to an offer that was redeemed."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from recsys.tracking.keys import Grant

from .conftest import Start, known, needs_browser, state
from .marketing import bundle_of, change, one

pytestmark = needs_browser

#: Whose title holds markup.
PAIR = ("milk", "tea")
TITLE = "Milk <img src=x onerror=document.title='hacked'> + Tea"
AUDIT = Path(__file__).with_name("page_audit.js").read_text(encoding="utf-8")
PHONE, DESKTOP = (360, 740), (1280, 900)


@pytest.fixture
def troubles(page: Page) -> Iterator[list[str]]:
    """What scripts of the page failed at; refused calls aside."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on(
        "console",
        lambda line: (
            line.type == "error"
            and "Failed to load resource" not in line.text
            and found.append(line.text)
        ),
    )
    yield found
    assert not found


@pytest.fixture
def origin(app: Flask, start: Start) -> str:
    return start(app)


def key_of(app: Flask, *scopes: Any, name: str = "") -> str:
    _, secret = state(app).ledger.keys.create(Grant(scopes=scopes, name=name), int(time.time()))
    state(app).keyring._until = 0.0
    return secret


def rows(page: Page) -> list[str]:
    """Products of the rows, in their order, once the list is there."""
    expect(page.locator("table.bundles")).to_have_attribute("aria-busy", "false")
    return page.locator("table.bundles tbody th a").evaluate_all(
        "links => links.map((link) => link.getAttribute('aria-label'))"
    )


def open_bundle(page: Page, origin: str, bundle_id: str) -> None:
    page.goto(f"{origin}/dashboard#bundle={bundle_id}")
    expect(page.get_by_role("form", name="Decision")).to_be_visible()


def test_from_signing_in_to_a_redeemed_offer(
    app: Flask, origin: str, page: Page, troubles: list[str]
) -> None:
    key = key_of(app, "marketing", name="Ada")
    till = app.test_client()
    asks = {"Authorization": f"Bearer {key_of(app, 'recommend', 'offers')}"}

    page.goto(f"{origin}/dashboard#status=suggested")
    page.get_by_label("Your key").fill(key[:-3])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not valid")
    page.get_by_label("Your key").fill(key)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Status")).to_have_value("suggested")  # where one was
    expect(page.get_by_text("Signed in as Ada")).to_be_visible()
    assert TITLE in rows(page)

    page.get_by_label("Search titles").fill("<IMG")
    expect(page.locator("table.bundles tbody tr")).to_have_count(1)
    assert rows(page) == [TITLE]
    page.get_by_role("link", name="Tea").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    expect(page.get_by_text("They are in one basket")).to_contain_text(
        "times as often as by chance"
    )

    slider = page.get_by_role("slider")
    price = page.get_by_label("Price of the bundle (EUR)")
    slider.focus()
    slider.press("ArrowLeft")
    expect(price).not_to_have_value("3.00")
    price.fill("2.70")
    assert slider.get_attribute("aria-valuetext", timeout=1000) is not None
    expect(page.locator(".readout").first).to_contain_text("10%")
    page.get_by_label("Budget for discounts").fill("30")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("#said")).to_have_text("Approved.")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.locator(".history")).to_contain_text("Ada")
    expect(page.locator(".history")).to_contain_text("€2.70")

    time.sleep(1)  # within which every worker knows
    cart = {"placement": "web_cart", "cart": [{"item_id": "milk"}], **known(0)}
    answer = till.post("/v1/recommendations", json=cart, headers=asks).get_json()
    (offer,) = answer["offers"]
    assert offer["price"] == {"amount_minor": 270, "currency": "EUR"}
    used = {"transaction_id": "t-1", "channel": "web", "item_ids": list(PAIR)}
    path = f"/v1/offers/{offer['offer_id']}/redemptions"
    assert till.post(path, json=used, headers=asks).status_code in (200, 201)

    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # looks for news
    offers = page.locator("section.card", has=page.get_by_role("heading", name="Offers"))
    expect(offers.locator("dl div", has_text="Redeemed")).to_contain_text("1")
    expect(offers).to_contain_text("€0.30 are spent")
    expect(offers.get_by_role("img")).to_have_attribute(
        "aria-label", "Offers by day: 1 issued, 1 redeemed"
    )
    offers.get_by_text("Show as a table").click()
    expect(offers.get_by_role("table").last).to_contain_text("Redeemed")

    page.go_back()
    expect(page.get_by_label("Search titles")).to_have_value("<IMG")
    expect(page.locator("table.bundles tbody tr")).to_contain_text("Approved")
    assert page.evaluate("document.activeElement.closest('tr') !== null")  # where one left
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.evaluate("fetch('/v1/bundles').then((answer) => answer.status)") == 401
    assert page.title() != "hacked"


def test_whatever_products_are_called_is_drawn_as_text(
    app: Flask, origin: str, page: Page, troubles: list[str]
) -> None:
    evil = "</script><script>document.title='hacked'</script>"
    told = {"items": [{"item_id": "tea", "title": evil, "category": "<b>Hot</b>", "brand": "\"'>"}]}
    assert app.test_client().put("/v1/items", json=told).status_code == 200
    bundle_id = bundle_of(app.test_client(), PAIR)["bundle_id"]
    page.goto(f"{origin}/dashboard")
    assert any(evil in row for row in rows(page))
    open_bundle(page, origin, bundle_id)
    page.get_by_label("Note").fill(evil)
    page.get_by_role("button", name="Reject").click()
    expect(page.locator(".history")).to_contain_text(evil)
    assert page.locator("main img, main script, main b").count() == 0
    assert page.title() != "hacked"


def test_the_list_is_sorted_and_filtered_by_keyboard(
    origin: str, page: Page, troubles: list[str]
) -> None:
    page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
    page.goto(f"{origin}/dashboard")
    before = rows(page)
    assert len(before) >= 4
    lift = page.get_by_role("columnheader", name="Lift")
    assert lift.get_attribute("aria-sort") is None
    lift.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(lift).to_have_attribute("aria-sort", "descending")
    expect(page.locator("#said")).to_contain_text("sorted by lift")
    expect(page.get_by_label("Sort by")).to_have_value("lift")
    lifts = page.locator("table.bundles tbody td:nth-child(3)").all_inner_texts()
    values = [float(text.split("×")[0]) for text in lifts]
    assert values == sorted(values, reverse=True)
    assert "sort=lift" in page.url

    page.get_by_label("Lift at least").fill("1000")
    expect(page.get_by_role("heading", name="No bundle fits these filters")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Lift at least")).to_have_value("1000")
    page.get_by_role("button", name="Clear filters").last.click()
    expect(page.locator("table.bundles tbody tr")).to_have_count(len(before))
    assert rows(page) == before
    page.get_by_label("Bought at location").fill("nowhere")
    fault = page.locator("#fault-location_id")
    expect(fault).to_contain_text("not in the catalogue")
    expect(page.get_by_label("Bought at location")).to_have_attribute("aria-invalid", "true")

    page.goto(f"{origin}/dashboard#q=milk")
    page.reload()
    assert rows(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    table = download.value.path().read_text("utf-8-sig")
    assert len(table.splitlines()) == len(rows(page)) + 1
    assert "Milk" in table


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
    page.get_by_label("Your key").fill(key)
    page.keyboard.press("Enter")
    page.get_by_label("Note").fill("for the summer")
    page.get_by_label("Till").check()
    page.context.clear_cookies()
    page.get_by_role("button", name="Save changes").click()
    page.get_by_label("Your key").fill(key)
    page.keyboard.press("Enter")
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


def test_a_link_from_another_site_leads_to_the_bundle(
    app: Flask, origin: str, start: Start, page: Page, tmp_path: Path, troubles: list[str]
) -> None:
    bundle_id = bundle_of(app.test_client(), PAIR)["bundle_id"]
    key = key_of(app, "marketing")
    link = f"{origin}/dashboard#bundle={bundle_id}"
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "index.html").write_text(f'<!doctype html><a href="{link}">Look</a>')
    mail = start(tmp_path / "mail").replace("127.0.0.1", "localhost")  # another site
    page.goto(mail)
    page.get_by_role("link", name="Look").click()
    page.get_by_label("Your key").fill(key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    page.evaluate("sessionStorage.clear()")
    page.goto(mail)
    page.get_by_role("link", name="Look").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)


def test_without_a_model_it_says_so_and_goes_on_by_itself(
    app: Flask, origin: str, page: Page, troubles: list[str]
) -> None:
    engine, state(app).engine = state(app).engine, None
    page.goto(f"{origin}/dashboard")
    expect(page.get_by_role("heading", name="No model is loaded yet")).to_be_visible()
    state(app).engine = engine
    page.get_by_role("button", name="Try again").click()
    assert rows(page)


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_and_use_it(
    app: Flask, origin: str, browser: Browser, size: tuple[int, int], scheme: Any
) -> None:
    client = app.test_client()
    bundle_id = bundle_of(client, PAIR)["bundle_id"]
    price = {"amount_minor": 270, "currency": "EUR"}
    asked = {"status": "approved", "price": price, "budget": {**price, "amount_minor": 900}}
    assert change(client, bundle_id, 0, **asked, locations=["S1"]).status_code == 200
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()

    def check() -> None:
        found = page.evaluate(AUDIT)
        assert {what: wrong for what, wrong in found.items() if wrong} == {}
        assert page.locator("h1:visible").count() == 1

    page.goto(f"{origin}/dashboard")
    assert rows(page)
    check()
    labels = page.locator("table.bundles thead")
    expect(labels).to_be_visible(visible=size is DESKTOP)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    open_bundle(page, origin, bundle_id)
    for folded in page.locator("main details").all():
        folded.evaluate("(one) => { one.open = true; }")
    page.wait_for_timeout(100)  # until what was folded is laid out
    check()
    assert page.evaluate("document.activeElement.tagName") == "H1"
    page.get_by_role("button", name="Withdraw").click()
    check()
    page.keyboard.press("Escape")
    key_of(app, "marketing")
    page.reload()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    check()
    context.close()
