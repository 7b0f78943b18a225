"""What tests of the marketers' page do in a browser."""

import time
from typing import Any

from flask import Flask
from playwright.sync_api import Page, expect

from recsys.ledger.api_keys import Grant
from tests.serving.conftest import state

#: Whose title holds markup.
PAIR = ("milk", "tea")
TITLE = "Milk <img src=x onerror=document.title='hacked'> + Tea"


def key_of(app: Flask, *scopes: Any, name: str = "") -> str:
    """Make a key, and have the worker know it at once."""
    _, secret = state(app).ledger.keys.create(Grant(scopes=scopes, name=name), int(time.time()))
    state(app).key_cache._until = 0.0
    return secret


def rows(page: Page) -> list[str]:
    """Products of the rows, in their order, once the list is there."""
    expect(page.locator("table.bundles")).to_have_attribute("aria-busy", "false")
    links = page.locator("table.bundles tbody th a")
    found: list[str] = links.evaluate_all("all => all.map((one) => one.getAttribute('aria-label'))")
    return found


def give_key(page: Page, key: str) -> None:
    """Sign in. Nobody types before the page's script has come, but a test might."""
    page.locator("form[data-ready]").wait_for()
    page.get_by_label("Your key").fill(key)
    page.keyboard.press("Enter")


def await_calls(page: Page, held: list[Any], count: int) -> None:
    """Wait until so many calls are held; a call begins some time before its route is asked."""
    for _ in range(200):
        if len(held) >= count:
            return
        page.wait_for_timeout(50)
    raise AssertionError(held)


def open_bundle(page: Page, origin: str, bundle_id: str) -> None:
    page.goto(f"{origin}/dashboard#bundle={bundle_id}")
    expect(page.get_by_role("form", name="Decision")).to_be_visible()
