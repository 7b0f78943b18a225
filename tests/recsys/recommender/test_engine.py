"""Answers: their shape, whom they are for, what they say, and what they never show."""

import itertools
import json
import random
from typing import get_args

import msgspec
import numpy as np
import pytest

from recsys.config.placement_settings import Objective
from recsys.config.toml_file import PLACEMENTS, PlacementSettings
from recsys.datasets.customer_history import EMPTY, EVENTS, add_events, add_lines
from recsys.datasets.interactions import VIEW
from recsys.datasets.item_index import item_key
from recsys.decisions import Suppression, Withheld
from recsys.models import MODELS
from recsys.recommender.catalogue_updates import CatalogueUpdates, LiveItem
from recsys.recommender.placements import Question
from tests.recsys.models.worlds import AS_OF, DAY
from tests.recsys.ranking.grocer import (
    OTHERS,
    PAIRS,
    SIZES,
    SOLD_OUT,
    STORE,
    WAREHOUSE,
    bought,
    line,
    training,
)
from tests.recsys.recommender.conftest import (
    DEAR,
    LOSS,
    NAMELESS,
    UNTOLD,
    price,
)

REGULAR = bought(
    *((item, days) for item in ("pasta", "sauce") for days in (5, 12, 19)), ("bread", 2.5)
)


def question(placement="web_home", **fields):
    own = set(PlacementSettings.__struct_fields__) - {"count"}
    changed = {name: fields.pop(name) for name in own & set(fields)}
    settings = msgspec.structs.replace(PLACEMENTS[placement], **changed)
    return Question(placement=placement, settings=settings, **{"as_of_ts": AS_OF} | fields)


@pytest.fixture
def ask(engine):
    def answer(history=EMPTY, placement="web_home", **fields):
        return engine.recommend([question(placement, **fields)], [history])[0]

    return answer


def names(answer):
    return [item["item_id"] for item in answer["items"]]


def test_an_answer_has_the_documented_shape(ask, engine):
    answer = ask(REGULAR, recommendation_id="r1", location_id=STORE, customer_known=True)
    items = answer.pop("items")
    left_out = answer.pop("left_out")
    assert answer == {
        "recommendation_id": "r1",
        "placement": "web_home",
        "model_version": "v1",
        "as_of": "1970-04-11T00:00:00Z",
        "lang": "en",
        "customer_known": True,
        "offers": [],
        "fallback": None,
        "heading": {"code": "for_you", "text": "For you"},
    }
    assert set(left_out) == {
        "inactive",
        "excluded",
        "in_cart",
        "age_restricted",
        "filtered",
        "not_new",
        "just_bought",
        "not_interested",
        "capped",
        "out_of_stock",
        "unknown_item",
    }
    assert [item["rank"] for item in items] == list(range(1, 11))
    first = items[0]
    assert first["item_id"] == "pasta"
    assert 0 < first.pop("score") < 1
    assert first == {
        "item_id": "pasta",
        "rank": 1,
        "title": "Pasta",
        "price": engine.item(engine.index.ix_of(["pasta"])[0])["price"],
        "availability": {"location_id": "S1", "on_hand": 9, "pickup": True},
        "new": False,
        "reason": {
            "code": "repeat",
            "text": "You usually buy this every week",
            "purchases": 3,
            "elapsed_days": 5,
            "interval_days": 7.0,
            "every_weeks": 1,
        },
    }


def test_what_is_not_known_of_a_product_is_null(ask):
    everything = ask(bought((NAMELESS, 5)), count=200)
    (found,) = [item for item in everything["items"] if item["item_id"] == NAMELESS]
    assert (found["title"], found["price"], found["availability"]) == (None, None, None)


def random_questions(count):
    chosen = random.Random(3)
    some = [*OTHERS[:30], *(item for pair in PAIRS for item in pair), "never heard of"]
    asked, rows = [], []
    for _ in range(count):
        few = [tuple(chosen.sample(some, chosen.randint(0, 3))) for _ in range(3)]
        asked.append(
            question(
                chosen.choice(list(PLACEMENTS)),
                as_of_ts=AS_OF - chosen.randint(0, 9) * DAY,
                count=chosen.choice([None, 1, 7, 150]),
                location_id=chosen.choice([None, STORE, WAREHOUSE, "elsewhere"]),
                cart=few[0],
                item_ids=few[1],
                exclude=few[2],
                objective=chosen.choice(get_args(Objective)),
                new_share=chosen.choice([0.0, 0.0, 0.25, 1.0]),
                diversity=chosen.choice([0.0, 0.3, 1.0]),
                explain=chosen.random() < 0.5,
            )
        )
        rows.append(bought(*((chosen.choice(some), days) for days in range(0, 90, 7))))
    return asked, rows


def test_a_batch_is_its_single_answers(engine):
    asked, rows = random_questions(60)
    together = engine.recommend(asked, rows)
    alone = [engine.recommend([one], [row])[0] for one, row in zip(asked, rows, strict=True)]
    assert together == alone
    assert engine.recommend([], []) == []


def test_no_rule_is_ever_broken(engine):
    asked, rows = random_questions(60)
    for one, row, answer in zip(asked, rows, engine.recommend(asked, rows), strict=True):
        shown = names(answer)
        assert len(shown) == len(set(shown)) <= (one.count or one.settings.count)
        assert not {*one.cart, *one.item_ids, *one.exclude} & set(shown)
        if one.location_id == STORE:
            assert SOLD_OUT not in shown
        recent = row.lines[
            (row.lines["ts"] < one.as_of_ts)
            & (row.lines["ts"] >= one.as_of_ts - one.settings.hide_bought_days * DAY)
        ]
        if one.settings.personal:
            just_bought = training().index.ix(recent["item_key"])
            assert not {training().index.item_ids[ix] for ix in just_bought if ix >= 0} & set(shown)
        assert answer["left_out"]["unknown_item"] == sum(
            given.count("never heard of") for given in (one.cart, one.item_ids, one.exclude)
        )


@pytest.mark.parametrize("fields", [{}, {"location_id": STORE}, {"cart": ("pasta",)}])
def test_a_public_screen_says_nothing_of_anybody(ask, fields):
    stranger = ask(placement="store_screen", **fields)
    customer = ask(REGULAR, "store_screen", customer_known=True, **fields)
    assert customer == stranger
    assert not customer["customer_known"]
    codes = {item["reason"]["code"] for item in customer["items"]}
    places = {"popular", "popular_on_channel", "popular_at_location"}
    assert codes <= (places | {"bought_together"} if "cart" in fields else places)


@pytest.mark.parametrize(
    ("history", "fields", "fallback"),
    [
        (REGULAR, {}, None),
        (EMPTY, {}, "popular"),
        (EMPTY, {"location_id": STORE}, "popular_at_location"),
        (EMPTY, {"location_id": "elsewhere"}, "popular"),
        (EMPTY, {"cart": ("pasta",)}, None),
        (EMPTY, {"item_ids": ("pasta",)}, None),
        (EMPTY, {"cart": ("never heard of",)}, "popular"),
        (bought("never heard of"), {}, "popular"),
        (REGULAR, {"placement": "store_screen", "location_id": STORE}, "popular_at_location"),
    ],
)
def test_a_fallback_says_that_it_is_one(ask, history, fields, fallback):
    answer = ask(history, **fields)
    assert answer["fallback"] == fallback
    assert answer["items"]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"location_id": STORE}, "Popular in your store"),
        ({"location_id": WAREHOUSE}, "Popular online"),
        ({}, "Popular online"),
        ({"placement": "email_weekly"}, "Popular right now"),
        ({"placement": "store_screen"}, "Popular in our stores"),
    ],
)
def test_popular_says_where(ask, fields, text):
    assert {item["reason"]["text"] for item in ask(**fields)["items"]} == {text}


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_a_cart_is_the_reason_for_what_goes_with_it(ask, first, second):
    top = ask(placement="web_cart", cart=(first,))["items"][0]
    assert top["item_id"] == second
    assert top["reason"] == {
        "code": "bought_together",
        "text": f"Often bought with {first.title()}",
        "item_id": first,
        "title": first.title(),
        "because_of": [first],
    }


def test_what_was_bought_once_or_often(ask):
    history = add_lines(REGULAR, line("bread", days=40))
    reasons = {item["item_id"]: item["reason"]["text"] for item in ask(history, count=50)["items"]}
    assert reasons["pasta"] == "You usually buy this every week"
    assert reasons["bread"] == "You bought this before"
    cart = ask(history, "web_cart", cart=("pasta",))["items"]
    assert cart[0]["reason"]["text"] == "Often bought with Pasta"


def test_what_was_just_bought_is_hidden_for_as_long_as_the_placement_says(ask):
    just = add_lines(REGULAR, line("pasta", days=2, order=9))
    hidden = ask(just, hide_bought_days=3.0)
    assert "pasta" not in names(hidden)
    assert hidden["left_out"]["just_bought"] == 2  # bread, too
    assert "pasta" in names(ask(just, hide_bought_days=1.0))


def test_what_somebody_looked_at_is_answered_personally(ask):
    """A visitor without a purchase, as a request with a `session_id` finds them."""
    seen = np.array([(item_key("pasta"), AS_OF - 60, VIEW, 1)], EVENTS)
    looked = ask(add_events(EMPTY, seen), explain=True)
    assert looked["fallback"] is None
    assert any(item["explanation"]["als"]["score"] > 0 for item in looked["items"])
    before = ask(add_events(EMPTY, seen), as_of_ts=AS_OF - 60)
    assert before["fallback"] == "popular"
    screen = ask(add_events(EMPTY, seen), "store_screen", location_id=STORE)
    assert screen == ask(EMPTY, "store_screen", location_id=STORE)


def test_what_happens_later_is_not_known_yet(ask):
    before = ask(REGULAR, as_of_ts=AS_OF - 30 * DAY)
    assert before["fallback"] == "popular"
    assert ask(add_lines(REGULAR, line("beer", days=-1))) == ask(REGULAR)


def test_the_shelf_counts_only_where_it_is_known(ask, engine):
    assert SOLD_OUT not in names(ask(REGULAR, location_id=STORE))
    at_store = ask(REGULAR, location_id=STORE)
    assert at_store["left_out"]["out_of_stock"] == 1
    online = ask(REGULAR, location_id=WAREHOUSE)
    assert SOLD_OUT in names(online)
    assert online["items"][0]["availability"] == {"location_id": WAREHOUSE}
    assert engine.has_location(STORE)
    assert not engine.has_location("elsewhere")


def test_a_placement_that_does_not_ask_for_stock_says_what_there_is(ask):
    answer = ask(REGULAR, location_id=STORE, in_stock=False)
    (sauce,) = [item for item in answer["items"] if item["item_id"] == SOLD_OUT]
    assert sauce["availability"] == {"location_id": STORE, "on_hand": 0, "pickup": False}


def test_an_explanation_says_what_each_model_thought(ask):
    item = ask(REGULAR, explain=True)["items"][0]
    explained = item["explanation"]
    assert set(explained) == {*MODELS, "cart"}
    assert explained["repeat"]["evidence"] > explained["popular"]["evidence"] > 0
    assert explained["cart"] == {"model": "copurchase", "score": 0, "evidence": 0}
    assert "explanation" not in ask(REGULAR)["items"][0]


def test_an_order_by_margin_is_that_of_chance_times_what_is_earned(ask):
    usual, answer = (
        ask(REGULAR, objective=name, diversity=0.0, count=200, hide_bought_days=0.0)
        for name in ("purchase", "margin")
    )
    chances = {item["item_id"]: item["score"] for item in usual["items"]}
    shown = names(answer)
    assert shown != names(usual)
    told = {item["item_id"]: item["score"] for item in answer["items"]}
    assert all(told[name] == chances[name] for name in told.keys() & chances)
    assert LOSS in chances
    assert LOSS not in shown  # behind all that earns something
    earned = [
        told[name] * (price(name) - price(name) * 2 // 3)
        for name in shown
        if name not in (LOSS, UNTOLD, NAMELESS)
    ]
    assert all(after <= before * 1.01 for before, after in itertools.pairwise(earned))


def test_what_a_location_pays_counts_there(ask):
    asked = {"objective": "margin", "count": 200, "in_stock": False}
    assert DEAR in names(ask(REGULAR, location_id=WAREHOUSE, **asked))
    assert DEAR not in names(ask(REGULAR, location_id=STORE, **asked))


def test_costs_are_nobody_s_business(ask):
    answer = ask(REGULAR, objective="margin", explain=True, location_id=STORE)
    text = json.dumps(answer)
    assert "margin" not in text
    assert "cost" not in text
    assert set(answer["items"][0]["explanation"]) == {*MODELS, "cart"}


def test_only_what_is_new_where_that_is_the_objective(ask):
    answer = ask(REGULAR, objective="new", count=50)
    assert not {"pasta", "sauce", "bread"} & set(names(answer))
    assert answer["left_out"]["not_new"] == 3


def test_sizes_of_one_thing_do_not_crowd_an_answer(ask):
    crowded, varied = (ask(EMPTY, diversity=d, count=60) for d in (0.0, 1.0))
    assert len({*SIZES} & {*names(crowded)}) > 1 == len({*SIZES} & {*names(varied)})


def test_what_the_back_office_told_of_costs_counts(engine):
    given = question(objective="margin", count=200)
    told = LiveItem(item_id="pasta", cost_minor=price("pasta") + 1)
    newer = engine.with_updates(CatalogueUpdates({"pasta": told}, {}, {}, 1))
    first, then = (one.recommend([given], [REGULAR])[0] for one in (engine, newer))
    assert names(first).index("pasta") < 10
    assert "pasta" not in names(then)[:50]


def test_a_list_is_short_rather_than_padded(ask):
    every = tuple(name for name in training().index.item_ids if name not in ("tea", "milk"))
    answer = ask(REGULAR, exclude=every)
    assert sorted(names(answer)) == ["milk", "tea"]
    assert ask(REGULAR, exclude=tuple(training().index.item_ids))["items"] == []


def test_a_known_customer_is_shown_new_products_where_the_placement_says_so(ask):
    habits = bought(*((item, days) for item in OTHERS[:20] for days in (2, 9, 16)))
    asked = {"weights": {"repeat": 50.0}, "count": 8, "hide_bought_days": 0.0}
    usual = ask(habits, "web_product", new_share=0.0, **asked)
    assert [item["new"] for item in usual["items"]] == [False] * 8
    mixed = [item["new"] for item in ask(habits, "web_product", **asked)["items"]]
    assert (sum(mixed), any(mixed[:4])) == (2, True)
    assert all(item["new"] for item in ask(EMPTY, "web_product", count=8)["items"])
    public = ask(habits, "web_product", personal=False, count=8)
    assert all(item["new"] for item in public["items"])


def test_what_leads_stands_first_unless_something_forbids_it(ask):
    lead = ("item250", "no_such_product", SOLD_OUT, "tea")
    assert names(ask(REGULAR, lead=lead, location_id=STORE))[:2] == ["item250", "tea"]
    refused = Suppression((Withheld("item250", "not_interested", extent="item", refused_ts=AS_OF),))
    assert "item250" not in names(ask(REGULAR, lead=lead, suppression=refused))
    assert names(ask(REGULAR, lead=lead, exclude=("item250", "tea")))[0] == SOLD_OUT


def test_what_leads_for_a_customer_does_not_on_a_public_screen(ask):
    usual = ask(REGULAR, "store_screen", location_id=STORE)
    assert ask(REGULAR, "store_screen", location_id=STORE, lead=("item250",)) == usual
