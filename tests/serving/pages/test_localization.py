"""Pages are in the language of whoever reads them, and say which that is."""

import json
import re
from pathlib import Path

import msgspec
import pytest
from flask.testing import FlaskClient

from recsys.config.toml_file import Config
from recsys.languages import TAGS, language_of
from serving.pages import localization
from tests.serving.conftest import Serve

PAGES = ("/", "/problems", "/dashboard", "/shop", "/shop/items/milk", "/shop/cart")


@pytest.fixture
def pages(config: Config, serve: Serve) -> FlaskClient:
    serving = msgspec.structs.replace(config.serve, example_shop=True)
    workspace = msgspec.structs.replace(config.workspace, language="ka")
    changed = msgspec.structs.replace(config, serve=serving, workspace=workspace)
    return serve(changed).test_client(use_cookies=True)


def root(client: FlaskClient, path: str, **headers: str) -> str:
    found = re.search(r'<html lang="([a-z]+)" dir="(\w+)">', client.get(path, headers=headers).text)
    assert found
    assert language_of(found[1]).direction == found[2]
    return found[1]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("tag", TAGS)
def test_a_page_says_its_language_and_direction(pages: FlaskClient, path: str, tag: str) -> None:
    answer = pages.get(path, query_string={"lang": tag})
    assert f'<html lang="{tag}" dir="{language_of(tag).direction}">' in answer.text
    assert answer.text.startswith("<!doctype html>")
    assert answer.headers["Content-Language"] == tag
    assert f'value="{tag}" lang="{tag}" selected' in answer.text


def test_what_is_asked_for_comes_first_and_is_kept(pages: FlaskClient) -> None:
    accept = {"Accept-Language": "fr-CH, fr;q=0.9, de;q=0.5"}
    assert root(pages, "/") == "ka"  # the workspace's
    assert root(pages, "/", **accept) == "fr"
    assert root(pages, "/?lang=ar-EG", **accept) == "ar"
    assert root(pages, "/shop", **accept) == "ar"  # by the cookie
    assert root(pages, "/shop?lang=nl", **accept) == "ar"
    assert root(pages, "/shop?lang=%3Cscript%3E", **accept) == "ar"


def test_a_refused_key_is_told_in_the_language_with_the_detail_beneath(
    config: Config, serve: Serve
) -> None:
    app = serve(config)
    client = app.test_client()
    from tests.serving.pages.browsing import key_of

    key_of(app, "marketing")
    answer = client.post(
        "/dashboard/session", data={"key": "wrong"}, headers={"Accept-Language": "de"}
    )
    assert answer.status_code == 401
    assert "Der Schlüssel ist ungültig." in answer.text
    assert '<small lang="en" dir="ltr">This key is not valid.' in answer.text


def test_scripts_find_their_texts_in_the_page(pages: FlaskClient) -> None:
    page = pages.get("/dashboard?lang=fr").text
    found = re.search(r'<script type="application/json" id="messages">(.*?)</script>', page)
    assert found
    messages = json.loads(found[1])
    assert messages["messages"]["Approve"] == "Approuver"
    assert messages["problems"]["no-model"] == "Aucun modèle n’est encore chargé"
    assert messages["categories"] == ["one", "other"]


def test_pages_of_any_origin_may_load_the_texts_of_the_shop_s_file(client: FlaskClient) -> None:
    answer = client.get("/static/messages/omnibasket.ar.json")
    assert answer.get_json()["messages"]["Offers for you"] == "عروض لك"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    held = {"If-None-Match": answer.headers["ETag"]}
    assert client.get("/static/messages/omnibasket.ar.json", headers=held).status_code == 304
    for name in ("omnibasket.nl.json", "nothing.de.json", "omnibasket.json"):
        assert client.get(f"/static/messages/{name}").status_code == 404


def test_every_page_with_scripts_that_have_texts_is_known() -> None:
    folder = Path(localization.__file__).with_name("static")
    speaking = [
        path.name
        for path in folder.glob("*.js")
        if re.search(r'[^\w.]t[np]?\("', path.read_text()) and path.name != "messages.js"
    ]
    pages = {re.split(r"[-.]", name)[0] for name in speaking}
    assert pages == set(localization._SCRIPTED)


def test_no_style_says_left_or_right() -> None:
    for path in Path(localization.__file__).with_name("static").glob("*.css"):
        physical = re.findall(
            r"(?:margin|padding|border)-(?:left|right)|text-align: (?:left|right)|float:",
            path.read_text(),
        )
        assert not physical, path.name
