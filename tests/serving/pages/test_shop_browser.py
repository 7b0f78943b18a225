"""The shop's page in a real browser: what is drawn, what is reported, what a failure leaves.

Needs Chromium, which Debian's package brings. Where there is none the tests are skipped and say
so; ``OMNIBASKET_TEST_BROWSER=needed`` makes that a failure.
"""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from recsys.config.toml_file import Config
from recsys.ledger.api_keys import Grant
from tests.serving.conftest import ITEMS, Serve, Start, ask, email, ids, needs_browser, state

pytestmark = needs_browser


@pytest.fixture
def shop_app(config: Config, serve: Serve) -> Flask:
    settings = msgspec.structs.replace(config.serve, example_shop=True)
    return serve(msgspec.structs.replace(config, serve=settings))


def told(app: Flask) -> list[dict[str, Any]]:
    """Every event that the ledger holds, in the order of arrival."""
    ledger = state(app).ledger
    return [msgspec.to_builtins(live.event) for live in ledger.live_events(ledger.mark())]


def wait_for(app: Flask, event: str, seconds: float = 10.0) -> list[dict[str, Any]]:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := [one for one in told(app) if one["event"] == event]:
            return found
        time.sleep(0.05)
    raise AssertionError(f"no {event} in {[one['event'] for one in told(app)]}")


def test_a_visitor_walks_through_the_shop(shop_app: Flask, start: Start, page: Page) -> None:
    origin = start(shop_app)
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda line: line.type == "error" and troubles.append(line.text))

    page.goto(f"{origin}/shop")
    cards = page.locator("[data-omnibasket=web_home] .omnibasket-item")
    expect(cards).to_have_count(12)
    expect(page.get_by_role("heading", name="Popular online")).to_be_visible()
    expect(page.get_by_text("Our products will be here")).to_be_hidden()
    expect(cards.first.locator(".omnibasket-price")).to_contain_text("€1.50")
    seen = wait_for(shop_app, "view_item_list")[0]
    assert len(seen["items"]) > 5

    chosen = cards.first.get_attribute("href") or ""
    cards.first.click()
    page.wait_for_url(f"{origin}{chosen}")
    clicked = wait_for(shop_app, "select_item")[0]
    assert clicked["recommendation_id"] == seen["recommendation_id"]
    assert clicked["placement"] == "web_home"
    assert clicked["items"][0]["item_id"] == chosen.rpartition("/")[2]
    assert clicked["session_id"] == seen["session_id"]

    page.goto(f"{origin}/shop/items/pasta")
    page.get_by_role("button", name="Put into cart").click()
    expect(page.get_by_role("status")).to_have_text("Pasta is in your cart.")
    expect(page.locator("#cart-count")).to_have_text("1")
    wait_for(shop_app, "add_to_cart")

    page.get_by_role("link", name="Cart").click()
    together = page.locator("[data-omnibasket=web_cart] li")
    expect(together.first).to_have_attribute("data-item-id", "sauce")
    expect(together.first.locator(".omnibasket-reason")).to_contain_text("Pasta")
    page.get_by_role("button", name="Order").click()
    expect(page.get_by_role("status")).to_contain_text("Thank you")
    bought = wait_for(shop_app, "purchase")[0]
    assert [item["item_id"] for item in bought["items"]] == ["pasta"]
    assert not troubles


def test_titles_are_drawn_as_text(shop_app: Flask, start: Start, page: Page) -> None:
    page.goto(f"{start(shop_app)}/shop")
    page.wait_for_selector("[data-omnibasket-state=shown]")
    page.evaluate(
        """async (others) => {
            const place = document.querySelector("[data-omnibasket]");
            place.dataset.exclude = others;
            await omnibasket.draw(place);
        }""",
        ",".join(item for item in ITEMS if item != "milk"),
    )
    expect(page.locator(".omnibasket-title").first).to_contain_text("<img src=x")
    assert page.locator(".omnibasket-title img").count() == 0
    assert page.title() == "Home · Example shop"


def _front(folder: Path, service: str, key: str, more: str = "") -> Path:
    folder.mkdir()
    (folder / "index.html").write_text(
        f"""<!doctype html><html lang="de"><title>Laden</title>
        <script src="{service}/static/omnibasket.js" data-key="{key}" {more} defer></script>
        <section data-omnibasket="web_home" data-count="3" data-link="/p/{{item_id}}"
            data-image="/img/{{item_id}}.png">
        <p data-omnibasket-fallback>Unsere Lieblinge</p>
        <template><a data-link><img data-image><b data-field="title"></b>
        <i data-field="price"></i></a></template></section></html>"""
    )
    return folder


def test_a_shop_of_another_origin_needs_its_key(
    shop_app: Flask, start: Start, page: Page, tmp_path: Path
) -> None:
    service = start(shop_app)
    front = tmp_path / "front"
    origin = start(front)
    granted = Grant(scopes=("recommend", "events"), channels=("web",), origins=(origin,))
    _, secret = state(shop_app).ledger.keys.create(granted, int(time.time()))
    time.sleep(0.6)  # until the worker knows of it
    _front(front, service, secret)
    page.goto(f"{origin}/index.html")
    links = page.locator("[data-omnibasket] li a")
    expect(links).to_have_count(3)
    assert (links.first.get_attribute("href") or "").startswith("/p/")
    expect(links.first.locator("i")).to_contain_text("1,50")
    expect(page.get_by_text("Unsere Lieblinge")).to_be_hidden()
    wait_for(shop_app, "view_item_list")
    refused = page.evaluate(
        """(value) => omnibasket.recommend("web_home", {identifier: {type: "email", value}})
            .then(() => "answered", (error) => error.status)""",
        email(0),
    )
    assert refused == 403

    elsewhere = _front(tmp_path / "elsewhere", service, secret)
    page.goto(f"{start(elsewhere)}/index.html")
    page.wait_for_selector("[data-omnibasket-state=failed]")
    expect(page.get_by_text("Unsere Lieblinge")).to_be_visible()


def test_a_login_on_the_server_makes_the_visit_the_customers(
    shop_app: Flask, start: Start, page: Page
) -> None:
    origin = start(shop_app)
    page.goto(f"{origin}/shop")
    page.wait_for_selector("[data-omnibasket-state=shown]")
    visit = page.evaluate("() => omnibasket.visit()")
    login = {
        "event_id": "login-1",
        "event": "login",
        "occurred_at": datetime.now(UTC).isoformat(),
        "session_id": visit,
        "identifier": {"type": "email", "value": email(0)},
    }
    client = shop_app.test_client()
    assert client.post("/v1/events", json={"events": [login]}).get_json()["accepted"] == 1
    answer = page.evaluate("() => omnibasket.recommend('web_home')")
    assert answer["customer_known"] is True
    assert ids(answer) == ids(ask(client, session_id=visit))


def test_events_wait_while_the_service_is_away(shop_app: Flask, start: Start, page: Page) -> None:
    origin = start(shop_app)
    page.goto(f"{origin}/shop")
    wait_for(shop_app, "view_item_list")
    page.context.set_offline(True)
    page.evaluate("() => { omnibasket.view('pasta'); return omnibasket.flush(); }")
    assert not [one for one in told(shop_app) if one["event"] == "view_item"]
    page.context.set_offline(False)
    page.goto(f"{origin}/shop/cart")
    (viewed,) = wait_for(shop_app, "view_item")
    assert viewed["items"][0]["item_id"] == "pasta"
    page.evaluate("() => omnibasket.flush()")
    assert len([one for one in told(shop_app) if one["event"] == "view_item"]) == 1


def test_a_wrong_clock_of_the_browser_does_not_matter(
    shop_app: Flask, start: Start, page: Page
) -> None:
    page.add_init_script("const now = Date.now; Date.now = () => now() - 40 * 864e5;")
    page.goto(f"{start(shop_app)}/shop")
    seen = wait_for(shop_app, "view_item_list")[0]
    assert abs(datetime.fromisoformat(seen["occurred_at"]).timestamp() - time.time()) < 60


def test_the_example_shop_works_where_keys_are_needed(
    shop_app: Flask, start: Start, page: Page, troubles: list[str]
) -> None:
    origin = start(shop_app)
    state(shop_app).ledger.keys.create(Grant(scopes=("marketing",)), int(time.time()))
    time.sleep(0.6)  # until the worker knows of it
    page.goto(f"{origin}/shop")
    expect(page.locator("[data-omnibasket=web_home] .omnibasket-item")).to_have_count(12)
    page.goto(f"{origin}/shop/items/pasta")
    page.get_by_role("button", name="Put into cart").click()
    wait_for(shop_app, "add_to_cart")
    given = page.evaluate("document.querySelector('script[data-link]').dataset.key")
    client = shop_app.test_client()
    headers = {"Authorization": f"Bearer {given}"}

    def ask_with(headers: dict[str, str], **fields: Any) -> int:
        asked = {"placement": "web_home", **fields}
        return client.post("/v1/recommendations", json=asked, headers=headers).status_code

    assert ask_with(headers) == 200
    assert ask_with(headers, identifier={"type": "email", "value": email(0)}) == 403
    assert ask_with(headers, placement="tablet") == 403
    assert ask_with({**headers, "Origin": "https://elsewhere.example"}) == 403
    assert ask_with({"Authorization": f"Bearer {given[:-1]}"}) == 401
    assert client.get("/v1/bundles", headers=headers).status_code == 403
    assert client.put("/v1/items", json={"items": []}, headers=headers).status_code == 403


def test_a_heading_fits_the_list_in_the_shops_own_words(
    shop_app: Flask, start: Start, page: Page
) -> None:
    page.goto(f"{start(shop_app)}/shop")
    page.wait_for_selector("[data-omnibasket-state=shown]")
    heading = page.locator(".omnibasket-heading")
    expect(heading).to_have_text("Popular online")
    draw = """async (given) => {
        const place = document.querySelector("[data-omnibasket]");
        for (const [name, value] of Object.entries(given)) place.setAttribute(name, value);
        await omnibasket.draw(place);
    }"""
    words = '{"popular_on_channel": "Beliebt ({channel})"}'
    page.evaluate(draw, {"data-headings": words})
    expect(heading).to_have_text("Beliebt (web)")
    page.evaluate(draw, {"data-headings": '{"for_you": "Für Sie"}'})
    expect(heading).to_have_text("Popular online")
    page.evaluate(draw, {"data-heading": "Our best"})
    expect(heading).to_have_text("Our best")
    page.evaluate(
        """async () => {
            const place = document.querySelector("[data-omnibasket]");
            place.removeAttribute("data-heading");
            await omnibasket.draw(place);
        }"""
    )
    expect(heading).to_have_count(0)
