"""No message goes out while it may be night where the customer is."""

from typing import Any

import msgspec
import pytest

from recsys.config import ContactSettings
from recsys.config.toml_file import Config
from serving.requests import deciding
from tests.serving.conftest import Serve, email, ids, known

from .test_messages import MAIL, Shop

QUIET = ContactSettings(quiet_from="21:00", quiet_until="08:00")
ZONES = {"S1": "America/Los_Angeles", "S2": "America/New_York"}


@pytest.fixture
def quiet_shop(config: Config, serve: Serve) -> Any:
    def make(contact: ContactSettings = QUIET) -> Shop:
        placements = {**config.placements, "news": MAIL}
        return Shop(serve(msgspec.structs.replace(config, placements=placements, contact=contact)))

    return make


def test_quiet_hours_hold_until_morning_where_the_customer_lives(quiet_shop: Any) -> None:
    shop = quiet_shop()
    shop.until(20, 59)
    mail = shop.ask("news", mailing_id="m1", **known(0))
    shop.wait(120)
    held = shop.held("news", mailing_id="m1", **known(0))
    assert held["code"] == "quiet_hours"
    assert held["send_after"].endswith("T08:00:00Z")
    planned = shop.ask("news", mailing_id="m1", send_at=held["send_after"], **known(0))
    assert ids(planned) == ids(mail)
    customer_id = shop.decision(mail["recommendation_id"])["customer_id"]
    path = f"/v1/customers/{customer_id}/consents"
    said = shop.client.put(path, json={"time_zone": "America/New_York"})
    assert said.get_json()["time_zone"] == "America/New_York"
    assert shop.ask("news", mailing_id="m1", **known(0))["items"]  # afternoon there
    wrong = shop.client.put(path, json={"time_zone": "Europe/Pariss"})
    assert wrong.status_code == 422


def in_zones(shop: Shop) -> Shop:
    """Tell where the stores are; nobody says where the customers live."""
    sent = [{"location_id": name, "time_zone": zone} for name, zone in ZONES.items()]
    sent.append({"location_id": "online", "kind": "online", "time_zone": "Asia/Tokyo"})
    answer = shop.client.put("/v1/locations", json={"locations": sent})
    assert answer.status_code == 200, answer.text
    return shop


def test_it_is_quiet_where_the_customers_stores_are(quiet_shop: Any) -> None:
    """Customer 0 buys in Los Angeles, 5 in New York, and 3 online only; the workspace is in UTC."""
    shop = in_zones(quiet_shop())

    def until(number: int, **more: Any) -> str:
        held = shop.held("news", **known(number), **more)
        assert held["code"] == "quiet_hours"
        return str(held["send_after"])[11:16]

    shop.until(12, 0)
    assert (until(0), until(5)) == ("16:00", "13:00")
    assert shop.ask("news", **known(3))["items"]  # noon in UTC, and a warehouse tells nothing
    shop.until(14, 0)
    assert until(0) == "16:00"
    assert shop.ask("news", **known(5))["items"]
    shop.until(17, 0)
    assert shop.ask("news", **known(0))["items"]
    shop.until(3, 0)
    assert until(3) == "08:00"
    assert until(5) == "13:00"
    assert shop.ask("news", **known(0))["items"]  # seven in the evening there
    shop.tell("purchase", "beer", channel="pos", location_id="S2", **known(0))
    # Seven in the evening, or ten at night: quiet until it is morning in both.
    assert until(0) == "16:00"
    assert shop.ask("news", location_id="S1", **known(0))["items"]  # the question says where
    assert until(0, location_id="S2") == "13:00"
    shop.until(13, 0)
    assert until(0) == "16:00"
    shop.until(16, 0)
    assert shop.ask("news", **known(0))["items"]


def test_quiet_hours_protect_who_does_not_want_their_history_used(quiet_shop: Any) -> None:
    shop = in_zones(quiet_shop())
    shop.until(11, 0)
    mail = shop.held("news", **known(0))
    who = {"identifier_type": "email", "identifier_value": email(0)}
    customer_id = shop.client.get("/v1/offers", query_string=who).get_json()["customer_id"]
    path = f"/v1/customers/{customer_id}/consents"
    refusals = [{"purpose": each, "given": False} for each in ("personalisation", "profiling")]
    assert shop.client.put(path, json={"consents": refusals}).status_code == 200
    assert shop.held("news", **known(0))["send_after"] == mail["send_after"]
    said = shop.client.put(path, json={"time_zone": "Europe/Paris"})
    assert said.status_code == 200
    assert shop.ask("news", **known(0))["items"]  # their own word counts before any store


def test_no_page_asks_where_the_customer_is(
    quiet_shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> tuple[str, ...]:
        raise AssertionError

    monkeypatch.setattr(deciding, "possible_zones", never)
    shop = quiet_shop()
    assert shop.ask("web_home", **known(0))["items"]
    shop = quiet_shop(contact=ContactSettings())
    assert shop.ask("news", **known(0))["items"]  # nor a message that may go out at any time
