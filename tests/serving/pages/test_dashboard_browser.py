"""The marketers' page in a real browser: from signing in to an offer that was redeemed."""

import time
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from tests.serving.conftest import ITEMS, Start, known, needs_browser, state
from tests.serving.marketing import bundle_of, change, put_costs

from .browsing import PAIR, TITLE, give_key, key_of, open_bundle, rows

pytestmark = needs_browser

AUDIT = Path(__file__).with_name("page_audit.js").read_text(encoding="utf-8")
PHONE, DESKTOP = (360, 740), (1280, 900)


def test_from_signing_in_to_a_redeemed_offer(
    app: Flask, origin: str, page: Page, troubles: list[str]
) -> None:
    key = key_of(app, "marketing", name="Ada")
    till = app.test_client()
    asks = {"Authorization": f"Bearer {key_of(app, 'recommend', 'offers')}"}

    page.goto(f"{origin}/dashboard#status=suggested&show=all")
    give_key(page, key[:-3])
    expect(page.get_by_role("alert")).to_contain_text("not valid")
    give_key(page, key)
    expect(page.get_by_role("combobox", name="Status")).to_have_value("suggested")  # where one was
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
    path = f"/v1/offers/{offer['code']}/redemptions"
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
    page.goto(f"{origin}/dashboard#show=all")
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
    page.goto(f"{origin}/dashboard#show=all")
    before = rows(page)
    assert len(before) >= 4
    lift = page.get_by_role("columnheader", name="Lift")
    assert lift.get_attribute("aria-sort") is None
    lift.get_by_role("button").first.focus()
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

    page.goto(f"{origin}/dashboard#q=milk&show=all")
    page.reload()
    assert rows(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    table = download.value.path().read_text("utf-8-sig")
    assert len(table.splitlines()) == len(rows(page)) + 1
    assert "Milk" in table


def test_the_list_holds_what_is_worth_a_decision_until_all_is_asked_for(
    app: Flask, origin: str, page: Page, troubles: list[str]
) -> None:
    client = app.test_client()
    put_costs(client, 145, ITEMS)
    put_costs(client, 10, ("bread", "butter"))
    page.goto(f"{origin}/dashboard")
    assert rows(page) in (["Bread + =Butter"], ["=Butter + Bread"])
    expect(page.locator("#list-count")).to_have_text("1 bundle worth a decision")
    page.get_by_text("3 more are left out").click()
    why = page.locator(".why")
    expect(why).to_contain_text("3: no discount brings in more than it costs")
    page.get_by_role("button", name="Show all 4").click()
    expect(page.locator("table.bundles tbody tr")).to_have_count(4)
    expect(page.locator("#list-count")).to_have_text("4 bundles")
    expect(page.locator(".why-not")).to_have_count(3)
    assert "show=all" in page.url
    page.get_by_role("link", name="Tea").click()
    expect(page.locator(".standing")).to_contain_text("hardly worth a decision: no discount")
    page.get_by_role("button", name="Reject").click()
    expect(page.locator("#said")).to_have_text("Rejected.")
    page.go_back()
    page.get_by_role("button", name="Show only what is worth a decision").click()
    expect(page.locator("table.bundles tbody tr")).to_have_count(2)  # what was decided stays
    expect(page.locator("table.bundles")).to_contain_text("Rejected")
    page.get_by_label("Search titles").fill("pasta")
    expect(page.get_by_role("heading", name="No bundle worth a decision fits")).to_be_visible()
    page.locator(".state").get_by_role("button", name="Show all 1").click()
    expect(page.locator("table.bundles tbody tr")).to_have_count(1)


def test_every_column_is_explained(app: Flask, origin: str, page: Page) -> None:
    """By mouse, by keyboard, and to who does not see it."""
    bundle_id = bundle_of(app.test_client(), PAIR)["bundle_id"]
    page.goto(f"{origin}/dashboard#show=all")
    assert rows(page)
    for where in ("show=all", f"bundle={bundle_id}"):
        page.goto(f"{origin}/dashboard#{where}")
        page.locator("table button.help:visible").first.wait_for()
        for heading in page.locator("thead:not(.hidden) th:visible").all():
            if (
                heading.locator(".hidden").count()
                or heading.locator("xpath=ancestor::details").count()
            ):
                continue  # a drawing; numbers that their note explains
            told = heading.get_by_role("button", name="What is")
            words = page.locator(f"#{told.get_attribute('aria-describedby')}")
            assert len(words.text_content() or "") > 10
    page.goto(f"{origin}/dashboard#show=all")
    lift = page.get_by_role("button", name="What is “Lift”?")
    lift.focus()
    page.keyboard.press("Enter")
    words = page.get_by_role("note").filter(has_text="by chance").first
    expect(words).to_be_visible()
    assert words.evaluate("(one) => one.getBoundingClientRect().right <= innerWidth")
    page.keyboard.press("Escape")
    expect(words).to_be_hidden()
    expect(lift).to_be_focused()
    sort = page.get_by_role("columnheader", name="Lift").get_by_role(
        "button", name="Lift", exact=True
    )
    assert sort.get_attribute("aria-describedby") == lift.get_attribute("aria-describedby")
    page.get_by_text("What the columns mean").click()
    expect(page.locator(".glossary dt")).to_have_count(9)


def test_drawings_have_units_and_what_is_assumed_stands_beside_the_decision(
    app: Flask, origin: str, page: Page
) -> None:
    bundle_id = bundle_of(app.test_client(), PAIR)["bundle_id"]
    open_bundle(page, origin, bundle_id)
    for text in (
        "margin a month (EUR)",
        "price of all together (EUR)",
        "share of all baskets",
        "month",
        "0×",
    ):
        expect(page.locator("svg text").get_by_text(text, exact=True).first).to_be_visible()
    decide = page.locator(".decide")
    expect(decide).to_contain_text("Assumed, not measured")
    expect(decide).to_contain_text("a tenth less is bought 17% to 52% more often")
    expect(decide).to_contain_text("whose cost is not known")


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
    give_key(page, key)
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    page.evaluate("sessionStorage.clear()")
    page.goto(mail)
    page.get_by_role("link", name="Look").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)


def test_without_a_model_it_says_so_and_goes_on_by_itself(
    app: Flask, origin: str, page: Page, troubles: list[str]
) -> None:
    engine, state(app).engine = state(app).engine, None
    page.goto(f"{origin}/dashboard#show=all")
    expect(page.get_by_role("heading", name="No model is loaded yet")).to_be_visible()
    state(app).engine = engine
    page.get_by_role("button", name="Try again").click()
    assert rows(page)


WORDS = """async (bundle) => {
  const { evidenceWords } = await import("/static/dashboard-words.js");
  const { overlap } = await import("/static/dashboard-charts.js");
  const drawn = overlap(bundle, bundle.items.map((item) => item.title), "baskets");
  const plain = (text) => text.replace(/[\u2068\u2069]/g, "");
  return [...evidenceWords(bundle), drawn.textContent].map(plain);
}"""
KNOWN = {
    "kind": "together",
    "support": 12,
    "support_share": 0.012,
    "cases": 1000,
    "customers": 9,
    "confidence": None,
    "completes": [0.3, 0.6],
    "lift": 2.4,
    "lift_low": 2.1,
    "lift_high": 2.8,
    "stability": 1,
    "undiscounted_lift": None,
    "complement": None,
    "q_value": 0.02,
    "items": [{"title": "A"}, {"title": "B"}],
    "evidence": {"months": ["2026-01"], "baskets": {"total": 1000, "each": [40, 20], "all": 12}},
}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"confidence": {"a_to_b": 0.3, "b_to_a": 0.6}},
            "They are in one basket 2.4 times as often as by chance; very likely between 2.1 and "
            "2.8 times.|12 of 1,000 baskets (1.2%) hold both, bought by 9 known customers.|"
            "Of the baskets with A, 30% hold B too; of those with B, 60% hold A.|every month|"
            "At most 2% of the findings|A: 40B: 20both: 12",
        ),
        (
            {"kind": "after", "confidence": {"a_to_b": 0.3, "b_to_a": 0.6}, "stability": 0.5},
            "B follows A 2.4 times as often as by chance|12 of 1,000 purchases were followed by it."
            "|Of those who bought A, 30% came back for B.|50% of the months",
        ),
        (
            {
                "items": [{"title": "A"}, {"title": "B"}, {"title": "C"}],
                "completes": [0.3, 0.6, 0.1],
                "complement": 0.5,
                "undiscounted_lift": 0.4,
                "q_value": 1e-9,
                "evidence": {
                    "months": [],
                    "baskets": {"total": 1000, "each": [40, 20, 30], "all": 12},
                },
            },
            "hold all of them|Of the baskets with all the others, 60% hold B too.|"
            "Without what was on promotion: only 0.4 times as often as by chance.|"
            "one instead of the other|Fewer than 1 in 1,000|A40B20C30All of them12",
        ),
    ],
    ids=["together", "after", "three"],
)
def test_numbers_are_said_in_words(
    origin: str, page: Page, fields: dict[str, Any], said: str
) -> None:
    page.goto(f"{origin}/dashboard")
    told = page.evaluate(WORDS, {**KNOWN, **fields})
    for part in said.split("|"):
        assert any(part in sentence for sentence in told), (part, told)


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
    for folded in page.locator("main details").all():
        folded.evaluate("(one) => { one.open = true; }")
    check()
    page.get_by_role("button", name="Show all").click()
    expect(page.get_by_role("button", name="Show only what is worth")).to_be_visible()
    assert len(rows(page)) >= 4
    check()
    page.reload()
    assert rows(page)
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
