"""A screen on the wall in a real browser: pairing, rotation, a lost network, a kiosk."""

from typing import Any, Literal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, expect

from recsys.ledger.events.event_types import Event
from tests.serving.api.test_screens import begin
from tests.serving.conftest import Start, needs_browser, state
from tests.serving.marketing import approve
from tests.serving.pages.browsing import await_calls, give_key, key_of

pytestmark = needs_browser


def titles(page: Page) -> list[str]:
    found: list[str] = page.locator(".good h2").all_inner_texts()
    return found


def open_wall(page: Page, origin: str) -> None:
    page.goto(f"{origin}/screens/S1")
    page.locator(".good").first.wait_for()


def until(page: Page, holds: str) -> None:
    """Wait until an expression holds; the page's policy keeps Playwright from polling it."""
    for _ in range(100):
        if page.evaluate(holds):
            return
        page.wait_for_timeout(100)
    raise AssertionError(holds)


def hurry(page: Page, selector: str) -> None:
    """Let the page's time go on until something is there."""
    for _ in range(30):  # a visitor may ask so often a minute
        if page.locator(selector).first.is_visible():
            return
        page.clock.run_for(3_100)
        page.wait_for_timeout(300)
    raise AssertionError(selector)


def test_it_rotates_by_itself_and_reports_what_was_seen(
    app: Flask, client: FlaskClient, start: Start, page: Page
) -> None:
    approve(client)
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.clock.install()
    origin = start(app)
    open_wall(page, origin)
    first = titles(page)
    assert len(first) == 3
    page.clock.run_for(10_500)
    expect(page.locator(".good h2").first).not_to_have_text(first[0])
    second = titles(page)
    assert not set(first) & set(second)
    page.clock.run_for(20_500)
    expect(page.get_by_role("heading", name="Bundle of the day")).to_be_visible()
    page.clock.run_for(120_000)
    events: list[Event] = []
    for _ in range(100):  # the list is fetched anew, and then what was seen is reported
        events = [
            event.event
            for event in state(app).ledger.live_events()
            if event.event is not None and event.event.event == "view_item_list"
        ]
        if events:
            break
        page.clock.run_for(500)
        page.wait_for_timeout(100)
    assert events
    assert events[0].channel == "store_screen"
    assert events[0].location_id == "S1"
    assert events[0].customer_id is None
    seen = {item.item_id for event in events for item in event.items}
    catalogue = state(app).loaded().catalogue
    known = {catalogue.titles[int(catalogue.index.ix_of([item_id])[0])] for item_id in seen}
    assert {*first, *second} <= known
    assert troubles == []


def test_it_is_paired_by_its_code_and_asks_again_when_revoked(
    app: Flask, client: FlaskClient, start: Start, page: Page, browser: Browser
) -> None:
    marketing = key_of(app, "marketing", name="Mia")
    origin = start(app)
    page.clock.install()
    page.goto(f"{origin}/screens/S1")
    code = page.locator(".code").inner_text()
    desk = browser.new_context().new_page()
    desk.goto(f"{origin}/dashboard#screens")
    give_key(desk, marketing)
    desk.get_by_label("Code on the screen").fill(code)
    desk.get_by_label("Name of the screen").fill("Entrance")
    desk.get_by_role("button", name="Pair", exact=True).click()
    expect(desk.locator("#said")).to_contain_text("Paired.")
    hurry(page, ".good")
    desk.get_by_role("button", name="Look again").click()
    screen = desk.get_by_role("row", name="Entrance")
    expect(screen).to_contain_text("running")
    expect(screen).to_contain_text("S1")
    page.reload()
    page.locator(".good").first.wait_for()
    screen.get_by_role("button", name="Revoke").click()
    desk.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(desk.get_by_text("No screen is paired.")).to_be_visible()
    state(app).key_cache._until = 0.0
    page.reload()
    hurry(page, ".code")
    assert page.locator(".good").count() == 0
    desk.context.close()


def test_it_goes_on_without_a_network_and_recovers(app: Flask, start: Start, page: Page) -> None:
    origin = start(app)
    open_wall(page, origin)
    until(page, "navigator.serviceWorker.controller !== null")
    kept = "caches.open('omnibasket-screen').then((kept) => kept.keys())"
    until(page, f"{kept}.then((all) => all.length > 5)")
    page.context.set_offline(True)
    page.reload()  # as after a power failure
    page.locator(".good").first.wait_for()
    expect(page.locator("#state")).to_contain_text("As of")
    expect(page.locator(".good .price").first).to_be_visible()
    page.evaluate(
        """() => {
          const name = "omnibasket.screen.S1.playlist";
          const list = JSON.parse(localStorage.getItem(name));
          list.at -= 13 * 3600000;
          localStorage.setItem(name, JSON.stringify(list));
        }"""
    )
    page.reload()
    page.locator(".good").first.wait_for()
    assert page.locator(".good .price").count() == 0  # they may have changed
    page.context.set_offline(False)
    expect(page.locator("#state")).to_have_text("", timeout=20_000)
    page.locator(".good .price").first.wait_for(timeout=15_000)


def test_a_kiosk_forgets_whoever_scanned(app: Flask, start: Start, page: Page) -> None:
    page.clock.install()
    open_wall(page, start(app))
    page.keyboard.type("card1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="For you")).to_be_visible()
    assert "card1" not in page.content()
    expect(page.get_by_text("This screen forgets you in")).to_be_visible()
    page.clock.run_for(61_000)
    expect(page.get_by_role("heading", name="For you")).to_have_count(0)
    page.keyboard.type("card1")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("heading", name="For you")).to_have_count(0)
    page.keyboard.type("unknown")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing is known for this card.")).to_be_visible()
    page.context.set_offline(True)
    page.keyboard.type("card1")
    page.keyboard.press("Enter")
    expect(page.get_by_text("That is not possible at the moment.")).to_be_visible()


def test_a_kiosk_shows_nobody_in_anothers_place(app: Flask, start: Start, page: Page) -> None:
    held: list[Any] = []
    open_wall(page, start(app))

    def hold(route: Any) -> None:
        held.append(route)

    page.route("**/guests", hold)
    for number, card in enumerate(("card1", "card2"), 1):
        page.keyboard.type(card)
        page.keyboard.press("Enter")
        await_calls(page, held, number)
    held[1].continue_()
    expect(page.get_by_role("heading", name="For you")).to_be_visible()
    shown = titles(page)
    held[0].continue_()
    page.wait_for_timeout(500)
    assert titles(page) == shown
    page.keyboard.type("card1")
    page.keyboard.press("Enter")
    await_calls(page, held, 3)
    page.keyboard.press("Escape")
    held[2].continue_()
    page.wait_for_timeout(500)
    expect(page.get_by_role("heading", name="For you")).to_have_count(0)


def test_an_unknown_store_says_so(client: FlaskClient) -> None:
    answer = client.get("/screens/nowhere")
    assert answer.status_code == 404
    assert "There is no store" in answer.text


@pytest.mark.parametrize(
    ("scheme", "lang", "size"),
    [
        ("light", "en", (1920, 1080)),
        ("dark", "ar", (1920, 1080)),
        ("light", "en", (1080, 1920)),
    ],
)
def test_every_word_can_be_read_from_four_metres(
    app: Flask,
    client: FlaskClient,
    start: Start,
    browser: Browser,
    scheme: Literal["light", "dark"],
    lang: str,
    size: tuple[int, int],
) -> None:
    """A letter of 40 pixels is 20 mm high on a screen of 43 inches."""
    approve(client)
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=scheme
    )
    page = context.new_page()
    page.clock.install()
    page.goto(f"{start(app)}/screens/S1?lang={lang}")
    page.locator(".good").first.wait_for()
    for _ in range(4):
        found: dict[str, Any] = page.evaluate(
            """() => {
              const texts = [...document.querySelectorAll("#wall h1, #wall h2, #wall p")]
                .filter((one) => one.textContent);
              const box = document.documentElement;
              const cut = texts.filter((one) => {
                const { left, right, top, bottom } = one.getBoundingClientRect();
                return left < 0 || top < 0 || right > box.clientWidth || bottom > box.clientHeight;
              });
              return {
                least: Math.min(...texts.map((one) => parseFloat(getComputedStyle(one).fontSize))),
                cut: cut.map((one) => one.textContent),
                wide: [...document.querySelectorAll(".good")]
                  .filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent),
              };
            }"""
        )
        assert found["least"] >= 40
        assert found["cut"] == []
        assert found["wide"] == []
        page.clock.run_for(10_000)
        page.wait_for_timeout(100)
    context.close()


def test_begin_is_for_this_service_alone(app: Flask, client: FlaskClient) -> None:
    key_of(app, "marketing")
    begin(client)
    foreign = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    answer = client.post("/screens/pairings", json={"location_id": "S1"}, headers=foreign)
    assert answer.status_code == 403
