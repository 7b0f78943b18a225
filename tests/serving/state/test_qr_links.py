"""The code of an offer in a mail or a page of another site: who has the link sees it."""

import struct
from xml.etree import ElementTree

import pytest
from flask import Flask
from flask.testing import FlaskClient

from serving.state.qr_links import OfferLinks
from tests.serving.access.test_session import make
from tests.serving.conftest import state
from tests.serving.marketing import approve, change, customer, issue, one, redeem, refused


@pytest.fixture
def links(app: Flask, client: FlaskClient) -> dict[str, str]:
    """Of an offer to customer 0."""
    found: dict[str, str] = issue(client, customer(app), approve(client)).get_json()["qr_public"]
    return found


def test_anybody_who_has_the_link_may_show_it(
    app: Flask, client: FlaskClient, links: dict[str, str]
) -> None:
    make(app, "offers")  # from now on calls need keys
    assert client.get("/v1/bundles").status_code == 401
    drawn = client.get(links["svg"])
    assert (drawn.status_code, drawn.content_type) == (200, "image/svg+xml")
    assert ElementTree.fromstring(drawn.data).tag.endswith("svg")
    picture = client.get(links["png"], headers={"Origin": "https://mail.example"})
    assert (picture.status_code, picture.content_type) == (200, "image/png")
    assert picture.data.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", picture.data[16:24])
    assert width == height >= 100
    for answer in (drawn, picture):
        assert answer.headers.getlist("Cross-Origin-Resource-Policy") == ["cross-origin"]
        assert answer.headers["Cache-Control"] == "public, max-age=3600"
        held = {"If-None-Match": answer.headers["ETag"]}
        assert client.get(answer.request.path, headers=held).status_code == 304


def test_nobody_else_can_make_one(client: FlaskClient, links: dict[str, str]) -> None:
    path = links["svg"]
    token = path.removeprefix("/qr/").removesuffix("/offer.svg")
    offer_id, _, signature = token.partition(".")
    other = OfferLinks("x" * 40)._signer.sign(offer_id).decode()
    for wrong in (offer_id, f"{offer_id}.", f"o{'0' * 24}.{signature}", token[:-2], other, "%00"):
        refused(client.get(f"/qr/{wrong}/offer.svg"), "not-found")
    refused(client.get(f"/qr/{token}/offer.gif"), "not-found")


def test_a_link_ends_with_its_offer(app: Flask, client: FlaskClient, links: dict[str, str]) -> None:
    held = state(app)
    held.shift_seconds += 168 * 3_600 - 60
    kept = client.get(links["png"]).headers["Cache-Control"]
    assert int(kept.rpartition("=")[2]) <= 60
    held.shift_seconds += 60
    refused(client.get(links["png"]), "offer-expired")


def test_what_is_used_or_withdrawn_is_not_shown(app: Flask, client: FlaskClient) -> None:
    bundle_id = approve(client)
    used, void = (issue(client, customer(app, n), bundle_id).get_json() for n in (0, 3))
    redeem(client, used["code"])
    refused(client.get(used["qr_public"]["svg"]), "offer-redeemed")
    change(client, bundle_id, one(client, bundle_id)["revision"], status="withdrawn")
    refused(client.get(void["qr_public"]["svg"]), "offer-withdrawn")
