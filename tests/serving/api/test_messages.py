"""Messages, left carts and hand-over, walked through time over the real service."""

import sqlite3
import time
from datetime import UTC, datetime
from typing import Any

import msgspec
import orjson
import pytest
from flask import Flask

from recsys.config import CapSettings, ContactSettings, HoldoutSettings, PlacementSettings
from recsys.config.toml_file import Config
from recsys.units import DAY, HOUR
from serving.http.problems import Problem
from serving.schemas import DecisionAnswer, HandedOver, Handover, Recommendations
from tests.serving.conftest import LAST_DAY, Serve, ask, email, ids, known, state

MAIL = PlacementSettings(channel="email", count=3, counts="sent", priority=40)
URGENT = PlacementSettings(channel="email", count=3, counts="sent", priority=80)
WEEKLY = {"week": CapSettings(times=1, days=7, of="message")}
CALM = ContactSettings(cart_hours=1.0)


class Shop:
    """The service with a clock that can be moved."""

    def __init__(self, app: Flask) -> None:
        self.app, self.client = app, app.test_client()
        self.state = state(app)
        self.sent = 0
        self.state.shift_seconds = int(LAST_DAY.timestamp()) + 9 * HOUR - self.state.now_ts()
        self._still = self.state.now_ts()
        self.state.now_ts = lambda: self._still  # type: ignore[method-assign]

    def wait(self, seconds: float) -> None:
        self._still += int(seconds)

    def until(self, hour: int, minute: int) -> None:
        """Wait for a time of day."""
        now = datetime.fromtimestamp(self._still, UTC)
        wanted = now.replace(hour=hour, minute=minute, second=0)
        self.wait((wanted - now).total_seconds() % DAY)

    def in_hours(self, hours: float) -> str:
        return datetime.fromtimestamp(self._still + hours * HOUR, UTC).isoformat()

    def tell(self, event: str, *item_ids: str, **more: Any) -> None:
        self.sent += 1
        at = datetime.fromtimestamp(more.pop("at", self._still), UTC)
        items = [{"item_id": item_id, "price": 1.5} for item_id in item_ids]
        body = {
            "event_id": f"e{self.sent}",
            "event": event,
            "occurred_at": at.isoformat(),
            "items": items,
            **({"transaction_id": f"T{self.sent}"} if event == "purchase" else {}),
            **more,
        }
        answer = self.client.post("/v1/events", json={"events": [body]})
        assert (answer.status_code, answer.get_json()["accepted"]) == (200, 1), answer.text
        self.wait(1)

    def ask(self, placement: str, **fields: Any) -> dict[str, Any]:
        answer = ask(self.client, placement, **fields)
        msgspec.convert(answer, Recommendations)
        return answer

    def held(self, placement: str, **fields: Any) -> dict[str, Any]:
        """Ask for a message that must not go out, and compare what its decision says."""
        answer = self.client.post("/v1/recommendations", json={"placement": placement, **fields})
        assert answer.status_code == 409, answer.text
        found = msgspec.json.decode(answer.data, type=Problem)
        decision = self.decision(found.recommendation_id or "")
        assert decision["held"]["code"] == found.code
        assert decision["held"]["send_after"] == found.send_after
        assert decision["items"] == []
        return {"code": found.code, "send_after": found.send_after, "text": found.detail}

    def decision(self, recommendation_id: str) -> dict[str, Any]:
        answer = self.client.get(f"/v1/decisions/{recommendation_id}")
        msgspec.json.decode(answer.data, type=DecisionAnswer)
        found: dict[str, Any] = answer.get_json()
        return found


@pytest.fixture
def shop_with(config: Config, serve: Serve) -> Any:
    def make(**settings: Any) -> Shop:
        placements = {**config.placements, "news": MAIL, "urgent": URGENT}
        fields = {"placements": placements, **settings}
        return Shop(serve(msgspec.structs.replace(config, **fields)))

    return make


def test_a_retry_gives_the_same_answer_and_counts_once(shop_with: Any) -> None:
    shop = shop_with(caps={"once": CapSettings(times=1, days=7), **WEEKLY})
    first = shop.ask("news", mailing_id="m1", **known(0))
    shop.wait(600)
    again = shop.ask("news", mailing_id="m1", **known(0))
    assert again["recommendation_id"] == first["recommendation_id"]
    assert (ids(again), again["heading"]) == (ids(first), first["heading"])
    assert again["rechecked"]["removed"] == []
    query = f"placement=news&mailing_id=m1&identifier_type=email&identifier_value={email(0)}"
    pulled = shop.client.get(f"/v1/recommendations?{query}").get_json()
    assert ids(pulled) == ids(first)  # pulled when it is sent
    line = {"placement": "news", "mailing_id": "m1", "customers": [known(0)]}
    answer = shop.client.post("/v1/recommendations/batch", json=line)
    assert ids(orjson.loads(answer.data)) == ids(first)
    assert shop.held("news", mailing_id="m2", **known(0))["code"] == "capped"
    shop.tell("email_sent", recommendation_id=first["recommendation_id"])
    site = shop.ask("web_home", **known(0))
    assert not set(ids(first)) & set(ids(site))
    assert shop.ask("news", mailing_id="m2", **known(5))["items"]


def test_what_was_bought_since_is_taken_out_when_it_is_sent(shop_with: Any) -> None:
    shop = shop_with()
    first = ids(shop.ask("news", mailing_id="m1", **known(0)))
    shop.wait(60)
    shop.tell("purchase", first[0], channel="pos", location_id="S1", **known(0))
    again = shop.ask("news", mailing_id="m1", **known(0))
    assert ids(again) == first[1:]
    assert [item["rank"] for item in again["items"]] == list(range(1, len(first)))
    removed = [{"item_id": first[0], "code": "just_bought"}]
    assert again["rechecked"]["removed"] == removed
    shop.tell("purchase", *first[1:], channel="pos", location_id="S1", **known(0))
    assert shop.held("news", mailing_id="m1", **known(0))["code"] == "just_bought"


def test_a_ticket_that_comes_late_is_told_of(shop_with: Any) -> None:
    shop = shop_with()
    sent = shop.ask("news", mailing_id="m1", **known(0))
    at = shop.state.now_ts() - 600  # bought ten minutes before, told after
    shop.wait(60)
    before = shop.decision(sent["recommendation_id"])
    shop.tell("purchase", ids(sent)[1], at=at, channel="pos", location_id="S1", **known(0))
    after = shop.decision(sent["recommendation_id"])
    assert (before["known_late"], after["known_late"]) == ([], [ids(sent)[1]])


def test_a_bounce_gives_back_what_was_reserved(shop_with: Any) -> None:
    shop = shop_with(caps={"once": CapSettings(times=1, days=7), **WEEKLY})
    first = shop.ask("news", mailing_id="m1", **known(0))
    assert not set(ids(first)) & set(ids(shop.ask("web_home", dry_run=True, **known(0))))
    shop.tell("email_failed", recommendation_id=first["recommendation_id"])
    assert set(ids(first)) & set(ids(shop.ask("web_home", dry_run=True, **known(0))))
    assert shop.ask("news", mailing_id="m2", **known(0))["items"]


def test_the_more_important_mailing_goes_whichever_was_decided_first(shop_with: Any) -> None:
    shop = shop_with(caps=WEEKLY)
    shop.ask("news", mailing_id="m1", send_at=shop.in_hours(1), **known(0))
    urgent = shop.ask("urgent", mailing_id="u1", **known(0))
    displaced = shop.held("news", mailing_id="m1", **known(0))
    assert displaced["code"] == "capped"
    assert "higher priority" in displaced["text"]
    shop.tell("email_sent", recommendation_id=urgent["recommendation_id"])
    shop.wait(6 * DAY)
    assert shop.held("urgent", mailing_id="u2", **known(0))["code"] == "capped"
    shop.wait(DAY + 60)
    assert shop.ask("urgent", mailing_id="u2", **known(0))["items"]


def test_a_mail_that_went_out_stays_although_that_is_reported_late(shop_with: Any) -> None:
    shop = shop_with(caps=WEEKLY)
    evening = shop.ask("news", mailing_id="m1", send_at=shop.in_hours(12), **known(0))
    shop.wait(12 * HOUR)
    sent = shop.ask("news", mailing_id="m1", **known(0))  # pulled, and on its way
    assert sent["recommendation_id"] == evening["recommendation_id"]
    at = shop.state.now_ts()
    shop.wait(HOUR)
    assert shop.held("urgent", mailing_id="u1", **known(0))["code"] == "capped"
    shop.tell("email_sent", at=at, recommendation_id=sent["recommendation_id"])
    assert shop.held("urgent", mailing_id="u1", **known(0))["code"] == "capped"


def test_service_messages_are_never_held(shop_with: Any, config: Config) -> None:
    receipt = PlacementSettings(channel="email", service=True, count=2)
    placements = {**config.placements, "receipt": receipt, "news": MAIL}
    quiet = ContactSettings(quiet_from="00:00", quiet_until="23:59")
    shop = shop_with(placements=placements, contact=quiet, caps=WEEKLY)
    for _ in range(3):
        assert shop.ask("receipt", **known(0))["items"]
    assert shop.held("news", **known(0))["code"] == "quiet_hours"


def test_a_cart_left_on_the_web_is_what_mail_and_tablet_see(shop_with: Any) -> None:
    shop = shop_with(contact=CALM)
    assert shop.held("email_cart", mailing_id="c1", **known(0))["code"] == "nothing_left"
    shop.tell("login", session_id="laptop", **known(0))
    shop.tell("add_to_cart", "beer", "pasta", session_id="laptop")
    soon = shop.held("email_cart", mailing_id="c1", **known(0))
    assert (soon["code"], soon["send_after"] is not None) == ("nothing_left", True)
    shop.wait(2 * HOUR)
    tablet = shop.ask("associate_tablet", **known(0))
    assert {line["item_id"] for line in tablet["left_cart"]} == {"beer", "pasta"}
    mail = shop.ask("email_cart", mailing_id="c1", **known(0))
    assert {line["item_id"] for line in mail["left_cart"]} == {"beer", "pasta"}
    assert not {"beer", "pasta"} & set(ids(mail))
    card = {"identifier": {"type": "loyalty_card", "value": "card0"}}
    shop.tell("purchase", "beer", channel="pos", location_id="S1", **card)
    mail = shop.ask("email_cart", mailing_id="c1", **known(0))
    assert [line["item_id"] for line in mail["left_cart"]] == ["pasta"]
    shop.tell("purchase", "pasta", channel="pos", location_id="S1", **card)
    assert shop.held("email_cart", mailing_id="c1", **known(0))["code"] == "just_bought"
    assert "left_cart" not in shop.ask("associate_tablet", **known(0))


def test_a_click_in_the_mail_is_marked_on_the_tablet(shop_with: Any) -> None:
    shop = shop_with()
    mail = shop.ask("news", mailing_id="m1", **known(0))
    chosen = ids(shop.ask("associate_tablet", dry_run=True, **known(0)))[0]
    shop.tell("email_clicked", chosen, recommendation_id=mail["recommendation_id"])
    shop.wait(60)
    (marked,) = [
        item for item in shop.ask("associate_tablet", **known(0))["items"] if "clicked" in item
    ]
    assert (marked["item_id"], marked["clicked"]["channel"]) == (chosen, "email")
    shop.tell("purchase", chosen, channel="pos", location_id="S1", **known(0))
    assert not any("clicked" in one for one in shop.ask("associate_tablet", **known(0))["items"])


def test_a_click_in_the_mail_leads_the_list_on_the_site_until_it_is_bought(shop_with: Any) -> None:
    shop = shop_with()
    mail = shop.ask("news", mailing_id="m1", **known(0))
    chosen = ids(shop.ask("web_home", dry_run=True, count=10, **known(0)))[-1]
    shop.tell("email_clicked", chosen, recommendation_id=mail["recommendation_id"])
    shop.wait(60)
    assert ids(shop.ask("web_home", **known(0)))[0] == chosen
    shop.wait(49 * HOUR)
    assert ids(shop.ask("web_home", **known(0)))[0] != chosen
    shop.tell("email_clicked", chosen, recommendation_id=mail["recommendation_id"])
    shop.tell("purchase", chosen, channel="pos", location_id="S1", **known(0))
    assert chosen not in ids(shop.ask("web_home", **known(0)))


def test_what_came_back_is_in_no_message_about_it(shop_with: Any) -> None:
    shop = shop_with()
    shop.tell("purchase", "pasta", "beer", transaction_id="W1", **known(0))
    shop.wait(DAY)
    assert shop.ask("email_post_purchase", mailing_id="p1", **known(0))["items"]
    shop.tell("refund", "pasta", transaction_id="W1", **known(0))
    assert shop.ask("email_post_purchase", mailing_id="p2", **known(0))["items"]
    shop.tell("refund", "beer", transaction_id="W1", **known(0))
    assert shop.held("email_post_purchase", mailing_id="p3", **known(0))["code"] == "returned"


def test_a_holdout_sees_nothing_and_says_so(shop_with: Any) -> None:
    everybody = {"all": HoldoutSettings(share=1.0)}
    shop = shop_with(holdouts=everybody)
    assert shop.held("news", mailing_id="m1", **known(0))["code"] == "holdout"
    page = shop.ask("web_home", **known(0))
    assert (page["items"], page["offers"], page["held_out"]) == ([], [], "all")
    assert shop.decision(page["recommendation_id"])["held_out"] == "all"
    assert shop.ask("web_home")["items"]  # strangers are in no holdout
    again = shop_with(holdouts={"all": HoldoutSettings(share=0.0)})
    assert again.ask("web_home", **known(0))["items"] == []  # the first arm stays


def test_a_visit_on_a_kiosk_ends_by_itself(shop_with: Any) -> None:
    shop = shop_with()
    shop.tell("view_item", "tea", session_id="kiosk", channel="store_screen")
    shop.tell("login", session_id="kiosk", channel="store_screen", **known(0))
    shop.tell("add_to_cart", "beer", session_id="kiosk", channel="store_screen")
    assert shop.ask("web_home", session_id="kiosk")["customer_known"]
    shop.wait(62)
    after = shop.ask("web_home", session_id="kiosk")
    assert not after["customer_known"]
    shop.tell("dismiss", "milk", session_id="kiosk", channel="store_screen")
    shop.tell("add_to_cart", "jam", session_id="kiosk", channel="store_screen")
    shop.wait(2 * HOUR)
    tablet = shop.ask("associate_tablet", count=20, **known(0))
    assert [line["item_id"] for line in tablet["left_cart"]] == ["beer"]
    customer = shop.state.ledger.contacts.state(
        shop.decision(tablet["recommendation_id"])["customer_id"]
    )
    assert customer.refusals == ()


def test_a_visit_is_handed_over_once_and_for_minutes(shop_with: Any) -> None:
    shop = shop_with()
    shop.tell("login", session_id="phone", **known(0))
    shop.tell("add_to_cart", "beer", session_id="phone")

    def made() -> str:
        answer = shop.client.post("/v1/handovers", json={"session_id": "phone"})
        return msgspec.json.decode(answer.data, type=Handover).code

    def use(code: str) -> Any:
        body = {"session_id": "kiosk", "channel": "store_screen"}
        return shop.client.post(f"/v1/handovers/{code}", json=body)

    code = made()
    found = msgspec.json.decode(use(code).data, type=HandedOver)
    assert found.customer_known
    assert [line.item_id for line in found.cart] == ["beer"]
    assert shop.ask("web_home", session_id="kiosk")["customer_known"]
    assert use(code).status_code == 404  # once
    late = made()
    shop.wait(301)
    assert use(late).status_code == 404
    assert not shop.ask("web_home", session_id="kiosk")["customer_known"]
    nobody = shop.client.post("/v1/handovers", json={})
    assert nobody.status_code == 422


@pytest.mark.parametrize("send_at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_time_that_no_mailing_has_is_refused(shop_with: Any, send_at: str) -> None:
    shop = shop_with(contact=ContactSettings(quiet_from="21:00", quiet_until="20:00"), caps=WEEKLY)
    asked = {"placement": "news", "send_at": send_at, **known(0)}
    answer = shop.client.post("/v1/recommendations", json=asked)
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["pointer"] == "/send_at"


def test_without_the_ledger_no_message_goes_out(shop_with: Any, config: Config) -> None:
    shop = shop_with(caps={"once": CapSettings(times=1, days=7)})
    lock = sqlite3.connect(str(config.ledger.url).removeprefix("sqlite:///"), timeout=0)
    lock.execute("BEGIN EXCLUSIVE")
    asked = {"placement": "news", **known(0)}
    answer = shop.client.post("/v1/recommendations", json=asked)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    page = shop.ask("web_home", **known(0))
    assert page["items"]
    assert page["without_ledger"]
    lock.rollback()
    for _ in range(100):  # until the circuit closes
        answer = shop.client.post("/v1/recommendations", json=asked)
        if answer.status_code == 200:
            break
        time.sleep(0.1)
    assert ids(answer.get_json())
