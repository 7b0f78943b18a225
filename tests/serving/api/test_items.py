"""Product pages: what goes with a product and what is like it, with the evidence."""

from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient

from recsys.config import PlacementRule, PlacementSettings
from recsys.config.toml_file import Config
from recsys.models.kernels.lifts import LEAST_LIFT
from recsys.units import DAY
from serving.schemas import Page
from tests.serving.access.test_admission import MakeKey, app, call, make, problem
from tests.serving.conftest import ADULT, LAST_DAY, PAIRS, SOLD_OUT, Serve, state

__all__ = ["app", "make"]


def page(client: FlaskClient, item_id: str, how: str = "bought-together", **query: Any) -> Any:
    answer = client.get(f"/v1/items/{item_id}/{how}", query_string=query)
    assert answer.status_code == 200, answer.text
    msgspec.json.decode(answer.data, type=Page)
    return answer.get_json()


def ids(found: Any) -> list[str]:
    return [item["item_id"] for item in found["items"]]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_what_goes_with_a_product_comes_with_its_evidence(
    client: FlaskClient, first: str, second: str
) -> None:
    found = page(client, first)
    best = found["items"][0]
    assert (best["item_id"], best["rank"], best["because"]) == (second, 1, "bought_together")
    assert found["item"]["item_id"] == first
    assert found["heading"]["code"] == "goes_with_item"
    assert found["heading"]["item_id"] == first
    assert all(item["evidence"]["lift"] >= LEAST_LIFT for item in found["items"])
    assert found["fallback"] is None
    assert first not in ids(found)
    evidence = best["evidence"]
    assert evidence["support"] > 20
    assert 0.5 < evidence["confidence"] <= 1
    assert evidence["lift"] > 2


@pytest.mark.parametrize("how", ["bought-together", "similar"])
def test_the_rules_hold_on_a_page(client: FlaskClient, how: str) -> None:
    everything = page(client, "pasta", how, count=200)
    best = ids(everything)[0]
    assert best not in ids(page(client, "pasta", how, exclude=[best, "tea"], count=200))
    at_store = page(client, "pasta", how, location_id="S1", count=200)
    assert SOLD_OUT not in ids(at_store)
    assert {item["availability"]["location_id"] for item in at_store["items"]} == {"S1"}
    some = '{"field": "item_id", "op": "in", "value": ["tea", "sauce", "pasta"]}'
    few = page(client, "pasta", how, filter=some, location_id="S1")
    assert set(ids(few)) <= {"tea"}
    assert len(ids(page(client, "pasta", how, count=1))) == 1
    assert page(client, "pasta", how, location_id="nowhere")["items"][0]["availability"] is None


def test_a_page_is_never_empty_where_anything_may_be_shown(client: FlaskClient) -> None:
    only = '{"field": "item_id", "op": "eq", "value": "item03"}'
    for how in ("bought-together", "similar"):
        found = page(client, "pasta", how, filter=only)
        assert ids(found) == ["item03"]
    none = page(client, "pasta", filter='{"field": "item_id", "op": "eq", "value": "pasta"}')
    assert (none["items"], none["fallback"]) == ([], None)


def test_an_unknown_product_is_told(client: FlaskClient) -> None:
    for how in ("bought-together", "similar"):
        for name in ("nothing", "a%2Fb", "pasta%20"):
            problem(client.get(f"/v1/items/{name}/{how}"), 404, "item-unknown")
    problem(client.get("/v1/items/pasta/else"), 404, "item-unknown")  # an id may have a slash
    problem(client.get("/v1/items/pasta/similar?count=0"), 422, "invalid-request")


def test_a_key_sees_its_locations_page(client: FlaskClient, make: MakeKey) -> None:
    path = "/v1/items/pasta/bought-together"
    key = make("recommend", locations=["S1"])
    shown = call(client, key, path, None).get_json()
    assert {item["availability"]["location_id"] for item in shown["items"]} == {"S1"}
    problem(call(client, key, f"{path}?location_id=S2", None), 403, "location-forbidden")
    kiosk = make("recommend", channels=["store_screen"], locations=["S1"])
    problem(call(client, kiosk, path, None), 403, "channel-forbidden")
    other = make("recommend", locations=["S2"])
    tags = {call(client, who, path, None).headers["ETag"] for who in (key, other)}
    assert len(tags) == 2  # what one may see is not what another one holds
    web = make("recommend", origins=["https://shop.example"])
    assert call(client, web, path, None, Origin="https://shop.example").status_code == 200


TREAT = PlacementRule(name="treat", action="pin", item_ids=["item03"], until="2026-03-02")
RULED = PlacementSettings(
    channel="web",
    count=3,
    rules=[PlacementRule(name="no butter", action="exclude", item_ids=["butter"]), TREAT],
)


@pytest.fixture
def ruled(config: Config, serve: Serve) -> FlaskClient:
    placements = {**config.placements, "page": RULED}
    app = serve(msgspec.structs.replace(config, placements=placements))
    state(app).shift_seconds += int(LAST_DAY.timestamp()) - state(app).now_ts()
    return app.test_client()


def test_a_page_follows_the_rules_of_its_placement(ruled: FlaskClient) -> None:
    bare = page(ruled, "bread")
    assert (ids(bare)[0], len(ids(bare))) == ("butter", len(set(ids(bare))))
    assert "rules" not in bare
    found = page(ruled, "bread", placement="page")
    assert ids(found)[0] == "item03"
    assert "butter" not in ids(found)
    assert {one["name"] for one in found["rules"]} == {"no butter", "treat"}
    assert found["left_out"]["excluded"] >= 1
    popular = page(ruled, "item00", "similar", placement="page")  # nothing is like it
    assert popular["items"][0]["because"] == "pinned"
    assert (ids(popular)[0], len(ids(popular))) == ("item03", 3)  # as many as the placement says
    assert len(ids(page(ruled, "item00", placement="page", count=2))) == 2
    assert ADULT in ids(page(ruled, "item00", placement="tasting", count=200))
    assert ADULT not in ids(page(ruled, "item00", placement="page", count=200))


def test_a_page_changes_as_soon_as_a_rule_no_longer_holds(ruled: FlaskClient) -> None:
    path = "/v1/items/bread/similar?placement=page"
    first = ruled.get(path)
    tag = {"If-None-Match": first.headers["ETag"]}
    assert ruled.get(path, headers=tag).status_code == 304
    state(ruled.application).shift_seconds += 3 * DAY
    second = ruled.get(path, headers=tag)
    assert second.status_code == 200
    assert [one["name"] for one in second.get_json()["rules"]] == ["no butter"]


def test_a_placement_of_a_page_is_one_that_the_key_may_ask_for(
    client: FlaskClient, make: MakeKey
) -> None:
    path = "/v1/items/bread/similar"
    problem(client.get(f"{path}?placement=nowhere"), 422, "invalid-request")
    both = client.get(f"{path}?placement=tasting&age_restricted=true")
    problem(both, 422, "invalid-request")
    assert both.get_json()["errors"][0]["pointer"] == "/age_restricted"
    app_key = make("recommend", channels=["app"])
    problem(call(client, app_key, f"{path}?placement=web_product", None), 403, "channel-forbidden")
    web_key = make("recommend", channels=["web"])
    assert call(client, web_key, f"{path}?placement=web_product", None).status_code == 200
