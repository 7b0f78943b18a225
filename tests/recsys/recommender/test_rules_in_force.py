"""Rules of placements: what they do to a list, for whom, where and when, and what comes first."""

from datetime import UTC, date, datetime

import msgspec
import numpy as np
import pytest

from recsys.config.placement_settings import PLACEMENTS, PlacementRule
from recsys.datasets.customer_history import EMPTY
from recsys.decisions import Suppression, Withheld
from recsys.recommender.engine import Engine
from recsys.recommender.placements import Question
from tests.recsys.models.worlds import AS_OF, DAY
from tests.recsys.ranking import grocer
from tests.recsys.ranking.grocer import DISCONTINUED, OTHERS, PAIRS, SOLD_OUT, STORE, bought
from tests.recsys.recommender.conftest import catalogue, write

REGULAR = bought(
    *((item, days) for item in ("pasta", "sauce") for days in (5, 12, 19)), ("bread", 2.5)
)
IDS = grocer.training().index.item_ids
#: Every seventh product is of one brand.
OWN = {name for ix, name in enumerate(IDS) if ix % 7 == 0}


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    columns = catalogue()
    brand = np.array([0 if name in OWN else 1 for name in IDS], np.int32)
    columns["products"]["brand"] = brand
    columns["brands"] = {"name": ["Own", "Other"]}
    return Engine.load(write(tmp_path_factory.mktemp("rules") / "v1", columns=columns))


def rule(action, name="a rule", **fields):
    return PlacementRule(name=name, action=action, **fields)


def question(*rules, placement="web_home", **fields):
    own = {"count", "personal", "random_slots", "random_within", "diversity", "new_share"}
    changed = {name: fields.pop(name) for name in own & set(fields)}
    settings = msgspec.structs.replace(PLACEMENTS[placement], rules=list(rules), **changed)
    return Question(placement=placement, settings=settings, **{"as_of_ts": AS_OF} | fields)


@pytest.fixture
def ask(engine):
    def answer(*rules, history=REGULAR, **fields):
        return engine.recommend([question(*rules, **fields)], [history])[0]

    return answer


def names(answer):
    return [item["item_id"] for item in answer["items"]]


OWN_BRAND = {"field": "brand", "value": "Own"}


def test_without_rules_nothing_is_said_of_them(ask):
    answer = ask(explain=True)
    assert not {"rules", "random"} & set(answer)
    assert all(not {"rules", "propensity"} & set(item) for item in answer["items"])


def test_a_boost_moves_its_products_up_and_leaves_their_scores(ask):
    usual = ask(count=200, diversity=0.0)
    boosted = ask(rule("boost", filter=OWN_BRAND, factor=50.0), count=200, diversity=0.0)
    scores = {item["item_id"]: item["score"] for item in usual["items"]}
    assert all(scores.get(i["item_id"], i["score"]) == i["score"] for i in boosted["items"])
    first = names(boosted)[:5]
    assert sum(name in OWN for name in first) > sum(name in OWN for name in names(usual)[:5])
    of_brand = [name for name in names(boosted) if name in OWN and name in scores]
    assert of_brand == [name for name in names(usual) if name in set(of_brand)]


def test_boosts_and_what_is_buried_are_multiplied(ask):
    both = ask(
        rule("boost", "up", filter=OWN_BRAND, factor=8.0),
        rule("bury", "down", filter=OWN_BRAND, factor=0.125),
    )
    assert names(both) == names(ask())


def test_what_is_buried_may_still_fill_a_list(ask):
    last = rule("bury", item_ids=["bread"], factor=0.001)
    assert "bread" in names(ask(count=5))
    assert "bread" not in names(ask(last, count=5))
    only = ask(last, exclude=tuple(name for name in IDS if name != "bread"))
    assert names(only) == ["bread"]


def test_an_exclusion_holds_by_id_and_by_filter_and_is_counted(ask):
    usual = names(ask(count=8))
    answer = ask(
        rule("exclude", "ids", item_ids=usual[:2]),
        rule("exclude", "brand", filter=OWN_BRAND),
        count=8,
    )
    assert not set(names(answer)) & (set(usual[:2]) | OWN)
    by_name = {one["name"]: one for one in answer["rules"]}
    assert by_name["ids"] == {"name": "ids", "action": "exclude", "left_out": 2}
    assert by_name["brand"]["left_out"] >= sum(name in OWN for name in usual)
    assert answer["left_out"]["excluded"] == 2


def test_what_an_exclusion_leaves_out_is_counted_of_a_list_that_is_hard_to_fill(ask):
    few = {name for ix, name in enumerate(IDS) if ix % 7 in (0, 1)}
    others = tuple(name for name in IDS if name not in few)
    answer = ask(rule("exclude", filter=OWN_BRAND), exclude=others, count=60)
    assert set(names(answer)) <= few - OWN
    assert answer["rules"][0]["left_out"] > 0
    assert answer["rules"][0]["left_out"] == answer["left_out"]["filtered"]


def test_an_exclusion_stands_above_a_pin_and_a_pin_above_a_boost(ask):
    answer = ask(
        rule("pin", "pin", item_ids=["tea", "milk"], position=1),
        rule("boost", "boost", item_ids=["beer"], factor=1000.0),
        rule("exclude", "exclude", item_ids=["tea"]),
    )
    assert names(answer)[0] == "milk"
    assert "tea" not in names(answer)
    none = ask(rule("pin", item_ids=["tea"]), rule("exclude", "x", item_ids=["tea"]))
    assert none["rules"][0] == {
        "name": "a rule",
        "action": "pin",
        "item_ids": [],
        "kept_out": "excluded",
    }


HARD = {
    "excluded": {"exclude": ("tea",)},
    "in_cart": {"cart": ("tea",)},
    "not_interested": {
        "suppression": Suppression((Withheld("tea", "not_interested", refused_ts=AS_OF - DAY),))
    },
    "capped": {"suppression": Suppression((Withheld("tea", "capped", cap="day"),))},
}


@pytest.mark.parametrize("code", HARD)
def test_a_pin_never_shows_what_a_hard_rule_forbids_and_says_which(ask, code):
    answer = ask(rule("pin", item_ids=["tea"]), **HARD[code])
    assert "tea" not in names(answer)
    assert answer["rules"][0]["kept_out"] == code


@pytest.mark.parametrize(
    ("item", "fields", "code"),
    [
        (DISCONTINUED, {}, "inactive"),
        (SOLD_OUT, {"location_id": STORE, "history": bought("tea")}, "out_of_stock"),
        ("bread", {"history": bought(("bread", 0.2))}, "just_bought"),
    ],
)
def test_neither_what_is_not_sold_nor_what_was_just_bought_is_pinned(ask, item, fields, code):
    answer = ask(rule("pin", item_ids=[item]), **fields)
    assert item not in names(answer)
    assert answer["rules"][0]["kept_out"] == code


def test_a_pin_by_filter_shows_the_best_that_passes_it(ask):
    best = next(name for name in names(ask(count=200, diversity=0.0)) if name in OWN)
    answer = ask(rule("pin", filter=OWN_BRAND, position=2), diversity=0.0)
    assert names(answer)[1] == best


def test_a_pin_by_filter_reaches_what_no_model_proposes(ask):
    known = set(names(ask(count=200, diversity=0.0)))
    rare = next(name for name in reversed(OTHERS) if name not in known)
    wanted = {"field": "item_id", "op": "in", "value": [rare]}
    assert names(ask(rule("pin", filter=wanted, position=1)))[0] == rare
    assert rare in names(ask(rule("boost", filter=wanted, factor=1000.0)))


def test_an_item_says_which_rules_moved_it(ask):
    answer = ask(
        rule("pin", "season", item_ids=["tea"], position=2),
        rule("boost", "own brand", item_ids=["pasta"], factor=2.0),
        explain=True,
    )
    said = {item["item_id"]: item.get("rules") for item in answer["items"]}
    assert said["tea"] == [{"name": "season", "action": "pin"}]
    assert said["pasta"] == [{"name": "own brand", "action": "boost"}]
    assert answer["rules"] == [
        {"name": "season", "action": "pin", "item_ids": ["tea"]},
        {"name": "own brand", "action": "boost", "item_ids": ["pasta"]},
    ]


def test_no_offer_is_made_of_what_is_excluded(ask, engine):
    ruled = question(rule("exclude", item_ids=list(PAIRS[0])))
    limits = engine.recommend([ruled], [REGULAR])[0]
    assert all(not set(PAIRS[0]) & set(one["missing"]) for one in limits["offers"])


PIN_TEA = {"item_ids": ["tea"], "position": 1}


def test_a_rule_holds_at_its_locations_only(ask):
    here = rule("pin", locations=[STORE], **PIN_TEA)
    assert names(ask(here, location_id=STORE))[0] == "tea"
    assert "rules" not in ask(here)
    assert "rules" not in ask(here, location_id="elsewhere")


def test_a_rule_holds_in_its_time_only(ask):
    first = datetime.fromtimestamp(AS_OF, UTC).date()
    timed = rule("pin", since=first, until=first, time_zone="UTC", **PIN_TEA)
    assert names(ask(timed))[0] == "tea"
    assert names(ask(timed, as_of_ts=AS_OF + DAY - 1))[0] == "tea"
    assert "rules" not in ask(timed, as_of_ts=AS_OF + DAY)
    assert "rules" not in ask(timed, as_of_ts=AS_OF - 1)


TWICE = bought(("tea", 40), ("tea", 5), ("beer", 5))
CUSTOMERS = {"stranger": EMPTY, "regular": REGULAR, "twice": TWICE}


@pytest.mark.parametrize(
    ("audience", "members"),
    [
        ({"field": "known", "value": True}, {"regular", "twice"}),
        ({"field": "known", "op": "ne", "value": True}, {"stranger"}),
        ({"field": "orders", "op": "ge", "value": 4}, {"regular"}),
        ({"field": "orders", "value": 0}, {"stranger"}),
        ({"field": "days_since_order", "op": "gt", "value": 4}, {"twice"}),
        ({"field": "days_since_order", "op": "exists", "value": False}, {"stranger"}),
        ({"field": "bought_item", "value": "tea"}, {"twice"}),
        ({"field": "bought_item", "op": "not_in", "value": ["tea"]}, {"stranger", "regular"}),
        ({"field": "bought_item", "value": "pasta", "within_days": 4}, set()),
        ({"field": "bought_item", "value": "pasta", "within_days": 5}, {"regular"}),
        ({"field": "bought_brand", "op": "contains", "value": "OTH"}, {"regular", "twice"}),
        ({"field": "bought_brand", "op": "exists"}, {"regular", "twice"}),
        ({"field": "bought_category", "op": "exists"}, set()),
        ({"field": "bought_channel", "value": "pos"}, {"regular", "twice"}),
        ({"field": "bought_channel", "value": "web"}, set()),
        (
            {"and": [{"field": "known", "value": True}, {"not": {"field": "orders", "value": 3}}]},
            {"regular"},
        ),
        (
            {"or": [{"field": "orders", "value": 0}, {"field": "bought_item", "value": "beer"}]},
            {"stranger", "twice"},
        ),
    ],
)
def test_a_rule_holds_for_its_audience_only(engine, audience, members):
    ruled = rule("pin", audience=audience, **PIN_TEA)
    asked = [question(ruled, customer_known=name != "stranger") for name in CUSTOMERS]
    answers = engine.recommend(asked, list(CUSTOMERS.values()))
    found = {name for name, one in zip(CUSTOMERS, answers, strict=True) if "rules" in one}
    assert found == members


def test_nobody_is_known_on_a_public_screen(ask):
    regulars = rule("pin", audience={"field": "known", "value": True}, **PIN_TEA)
    assert "rules" not in ask(regulars, personal=False, customer_known=True)


def test_what_leads_stands_behind_pins(ask):
    answer = ask(rule("pin", **PIN_TEA), lead=("milk", "beer"))
    assert names(answer)[:3] == ["tea", "milk", "beer"]
    assert [one["name"] for one in answer["rules"]] == ["a rule"]


def test_answers_do_not_depend_on_who_else_asks(engine):
    asked = [
        question(rule("boost", filter=OWN_BRAND, factor=9.0), recommendation_id="a"),
        question(recommendation_id="b"),
        question(rule("pin", **PIN_TEA), random_slots=3, recommendation_id="c"),
    ]
    people = [REGULAR, REGULAR, TWICE]
    together = engine.recommend(asked, people)
    assert together == [
        engine.recommend([one], [who])[0] for one, who in zip(asked, people, strict=True)
    ]


def test_dates_may_be_text_as_they_are_in_an_artefact(ask):
    dated = rule("pin", since=date(1970, 1, 1), until="1970-12-31", **PIN_TEA)
    assert names(ask(dated))[0] == "tea"
