"""Every channel holds to the caps, and hears what a customer does not want."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient

from recsys.config import CapSettings, PlacementRule, PlacementSettings
from recsys.config.toml_file import Config
from tests.serving.conftest import LAST_DAY, Serve, ask, ids, known, state


@pytest.fixture
def serve_caps(config: Config, serve: Serve) -> Callable[..., FlaskClient]:
    def make(**caps: CapSettings) -> FlaskClient:
        return serve(msgspec.structs.replace(config, caps=caps)).test_client()

    return make


def tell(client: FlaskClient, event: str, *item_ids: str, **more: Any) -> None:
    sent = {
        "event_id": f"{event}-{'-'.join(item_ids)}-{len(more)}",
        "event": event,
        "occurred_at": LAST_DAY.isoformat(),
        "items": [{"item_id": item_id} for item_id in item_ids],
        **more,
    }
    answer = client.post("/v1/events", json={"events": [sent]})
    assert (answer.status_code, answer.get_json()["accepted"]) == (200, 1), answer.text


def test_a_cap_counts_mail_site_and_tablet_together(
    serve_caps: Callable[..., FlaskClient],
) -> None:
    client = serve_caps(week=CapSettings(times=2, days=7))
    mail = ids(ask(client, "email_weekly", count=3, **known(0)))
    site = ids(ask(client, "web_home", count=3, **known(0)))
    twice = set(mail) & set(site)
    assert twice  # both show what fits best
    tablet = ask(client, "tablet", **known(0))
    assert not twice & set(ids(tablet))
    assert tablet["left_out"]["capped"] >= len(twice)
    assert len(ids(tablet)) == 3  # the next best take the places
    other = ask(client, "web_home", count=3, **known(3))
    assert other["left_out"]["capped"] == 0  # somebody else's cap


def test_neither_a_pin_nor_a_click_leads_past_a_cap(config: Config, serve: Serve) -> None:
    """What an answer shows is within the caps of what it was made with, whatever put it there."""
    pin = PlacementRule(name="beer first", action="pin", item_ids=["beer"])
    home = PlacementSettings(channel="web", count=4, rules=[pin])
    placements, caps = (
        config.placements | {"web_home": home},
        {"once": CapSettings(times=1, days=7)},
    )
    app = serve(msgspec.structs.replace(config, caps=caps, placements=placements))
    client = app.test_client()
    mail = ids(ask(client, "email_weekly", count=4, **known(0)))
    page = ids(ask(client, "web_home", **known(0)))
    assert page[0] == "beer"
    seen = {*mail, *page}
    tell(client, "select_item", mail[0], channel="email", **known(0))
    for _ in range(2):
        state(app).shift_seconds += 60
        later = ids(ask(client, "web_home", **known(0)))
        assert later
        assert not seen & set(later)
        seen |= set(later)


def test_what_nobody_sees_does_not_count(serve_caps: Callable[..., FlaskClient]) -> None:
    client = serve_caps(day=CapSettings(times=1, days=1, calendar=True))
    first = ids(ask(client, count=3, dry_run=True, **known(0)))
    assert ids(ask(client, count=3, dry_run=True, **known(0))) == first
    assert ids(ask(client, count=3, **known(0))) == first
    assert not set(first) & set(ids(ask(client, count=3, **known(0))))
    public = ask(client, "store_screen", **known(0))
    assert public["left_out"]["capped"] == 0  # nobody is known there


def test_a_message_is_empty_when_caps_leave_nothing(
    serve_caps: Callable[..., FlaskClient],
) -> None:
    client = serve_caps(once=CapSettings(times=1, days=30))
    seen: list[str] = []
    for _ in range(30):
        answer = ask(client, "email_weekly", count=4, **known(0))
        seen += ids(answer)
        if not ids(answer):
            break
    assert not ids(answer)
    assert len(seen) == len(set(seen))
    assert len(seen) >= 20  # nearly the whole shop was shown, each thing once
    assert answer["left_out"]["capped"] >= 20


def test_no_cap_leaves_a_page_empty_what_was_shown_longest_ago_comes_back(
    config: Config, serve: Serve
) -> None:
    app = serve(msgspec.structs.replace(config, caps={"once": CapSettings(times=1, days=30)}))
    client = app.test_client()
    lists: list[list[str]] = []
    seen: set[str] = set()
    for _ in range(30):
        answer = ask(client, count=4, **known(0))
        lists.append(ids(answer))
        state(app).shift_seconds += 60
        if seen & set(lists[-1]):
            break
        seen |= set(lists[-1])
    assert len(seen) >= 20
    assert set(lists[-1]) == set(lists[0])
    state(app).flush()
    told = client.get(f"/v1/decisions/{answer['recommendation_id']}").get_json()
    back = [each for each in told["withheld"] if "nevertheless" in each["text"]]
    assert {each["item_id"] for each in back} == set(lists[0])
    assert {each["code"] for each in back} == {"capped"}
    again = {"placement": "web_home", "count": 4, "customers": [known(0)]}
    line = client.post("/v1/recommendations/batch", json=again).data.splitlines()[0]
    assert set(ids(msgspec.json.decode(line))) == set(lists[1])


def test_a_batch_holds_to_caps_and_counts(serve_caps: Callable[..., FlaskClient]) -> None:
    client = serve_caps(once=CapSettings(times=1, days=30, channels=["email"]))

    def batch() -> list[list[str]]:
        asked = {"placement": "email_weekly", "count": 3, "customers": [known(0), known(3)]}
        lines = client.post("/v1/recommendations/batch", json=asked).data.splitlines()
        return [ids(msgspec.json.decode(line)) for line in lines]

    first, second = batch(), batch()
    assert all(first)
    assert all(second)
    for one, other in zip(first, second, strict=True):
        assert not set(one) & set(other)
    twice = {"placement": "email_weekly", "count": 3, "customers": [known(6), known(6)]}
    lines = client.post("/v1/recommendations/batch", json=twice).data.splitlines()
    one, other = (ids(msgspec.json.decode(line)) for line in lines)
    assert one
    assert not set(one) & set(other)  # the second line of one customer is held to the first
    assert set(ids(ask(client, count=3, **known(0))))  # the site is not part of this cap


def test_not_interested_is_heard_by_the_next_answer_of_every_channel(client: FlaskClient) -> None:
    best = ids(ask(client, **known(0)))[0]
    tell(client, "dismiss", best, **known(0))
    for placement in ("web_home", "email_weekly", "tablet"):
        answer = ask(client, placement, **known(0))
        assert best not in ids(answer)
        assert answer["left_out"]["not_interested"] >= 1
    assert best in ids(ask(client, "web_home", count=24, **known(4)))
    later = {"occurred_at": LAST_DAY.replace(hour=19).isoformat()}
    tell(client, "undo_dismiss", best, **later, **known(0))
    assert best in ids(ask(client, **known(0)))


def test_a_visit_may_refuse_and_takes_it_to_the_login(client: FlaskClient) -> None:
    best = ids(ask(client, session_id="v"))[0]
    tell(client, "dismiss", best, session_id="v")
    assert best not in ids(ask(client, session_id="v"))
    assert best in ids(ask(client, session_id="other"))
    tell(client, "login", session_id="v", **known(9))
    answer = ask(client, count=24, **known(9))
    assert best not in ids(answer)
    assert answer["left_out"]["not_interested"] >= 1


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"event": "dismiss", "items": [{"item_id": "tea"}]}, "/events/0/session_id"),
        ({"event": "dismiss", "items": [], "session_id": "v"}, "/events/0/items"),
        (
            {
                "event": "dismiss",
                "items": [{"item_id": "tea"}],
                "session_id": "v",
                "extent": "shop",
            },
            "/events/0/extent",
        ),
    ],
)
def test_a_refusal_says_what_and_whose(
    client: FlaskClient, wrong: dict[str, Any], pointer: str
) -> None:
    sent = {"event_id": "d1", "occurred_at": LAST_DAY.isoformat(), **wrong}
    (outcome,) = client.post("/v1/events", json={"events": [sent]}).get_json()["events"]
    assert outcome["status"] == "refused"
    assert [error["pointer"] for error in outcome["problem"]["errors"]] == [pointer]
