"""The marketers' page as it is sent: whole, guarded, and only to whoever may see it."""

import json
import re
from html.parser import HTMLParser

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from recsys.config.toml_file import PLACEMENTS, Config, PlacementSettings
from recsys.recommender.bundles.terms_check import offering_channels
from recsys.schema import CHANNELS
from tests.serving.access.test_session import make, sign_in
from tests.serving.conftest import Serve, state
from tests.serving.test_app import Page


class Body(HTMLParser):
    """Collects what a page's body says to its script."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.said: dict[str, str | None] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "body":
            self.said = dict(attrs)


@pytest.fixture(params=["open", "asked"])
def page(request: pytest.FixtureRequest, app: Flask, client: FlaskClient) -> str:
    """The page without keys, and the one that asks for a key."""
    if request.param == "asked":
        make(app, "marketing")
    answer = client.get("/dashboard")
    assert answer.status_code == 200
    return answer.text


def test_it_loads_nothing_from_elsewhere(client: FlaskClient, page: str) -> None:
    found = Page(page)
    for loaded in found.loads:
        assert loaded == "data:," or client.get(loaded).status_code == 200
        own = ("/static/dashboard", "/static/language.js", "/static/sign-in.js", "data:,")
        assert loaded.startswith(own)
    for link in found.links:
        assert link.startswith(("/", "#"))
    # JSON is data, which no browser runs.
    assert not re.search(
        r"<script(?![^>]* src=)(?! type=\"application/json\")|\son\w+=|<style", page
    )


def test_scripts_load_only_each_other(client: FlaskClient) -> None:
    waiting, seen = ["dashboard.js"], set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        answer = client.get(f"/static/{name}")
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, no-cache"
        source = answer.text
        imported = re.findall(r'from "([^"]+)"', source)
        assert all(path.startswith(("./dashboard-", "./messages.js")) for path in imported)
        waiting += [path.removeprefix("./") for path in imported]
        # Data becomes text and attributes, never markup or code.
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", source
        )
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", source)
    assert len(seen) > 5


def test_scripts_run_from_here_alone_and_forms_lead_here(app: Flask, client: FlaskClient) -> None:
    policy = client.get("/dashboard").headers["Content-Security-Policy"]
    assert {
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
    } <= {part.strip() for part in policy.split(";")}
    make(app, "marketing")
    asked = client.get("/dashboard").headers["Content-Security-Policy"]
    assert asked == policy


def test_the_page_is_for_whoever_signed_in(app: Flask, client: FlaskClient) -> None:
    key = make(app, "marketing", name="Ada <b>")
    asked = client.get("/dashboard").text
    assert 'type="password"' in asked
    assert "csrf-token" not in asked
    assert "Corner shop" not in asked  # nothing of the workspace is told before
    token = sign_in(client, key).get_json()["csrf_token"]
    shown = client.get("/dashboard")
    assert f'content="{token}"' in shown.text
    assert "Signed in as <bdi>Ada &lt;b&gt;</bdi>" in shown.text
    assert shown.headers["Cache-Control"] == "private, no-store"


def test_it_says_what_may_be_chosen(client: FlaskClient) -> None:
    said = Body(client.get("/dashboard").text).said
    assert said["data-workspace"] == "Corner shop"
    choices = json.loads(said["data-choices"] or "")
    assert choices["channels"] == list(CHANNELS)
    assert choices["currency"] == "EUR"
    # An e-mail leads anywhere, and nobody buys by e-mail or at a screen.
    assert choices["offering"] == ["pos", "web", "app", "marketplace"]
    told = {"channels", "offering", "currency", "categories", "segments", "identifiers"}
    assert set(choices) == told


def test_a_channel_that_cannot_show_offers_cannot_be_ticked(config: Config) -> None:
    quiet = {name: msgspec.structs.replace(found, offers=0) for name, found in PLACEMENTS.items()}

    def offering(**loud: PlacementSettings) -> list[str]:
        given = msgspec.structs.replace(config, placements={**quiet, **loud})
        return offering_channels(given)

    assert offering() == []
    assert offering(associate_tablet=PLACEMENTS["associate_tablet"]) == ["pos"]
    assert offering(app_home=PlacementSettings(channel="app", offers=1)) == ["app"]
    screen = PlacementSettings(channel="store_screen", offers=1, personal=False)
    assert offering(store_screen=screen) == []


def test_without_a_model_there_is_a_page_too(
    config: Config, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = serve(config)
    state(app).engine = None
    said = Body(app.test_client().get("/dashboard").text).said
    assert json.loads(said["data-choices"] or "")["categories"] == []


def test_the_front_page_leads_there(client: FlaskClient) -> None:
    assert '<a href="/dashboard">' in client.get("/").text
