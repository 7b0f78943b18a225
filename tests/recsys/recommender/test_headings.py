"""A heading says nothing that an item under it does not bear out."""

import pytest

from recsys.config.toml_file import PLACEMENTS
from recsys.recommender import reasons
from recsys.recommender.headings import heading_of, page_heading
from recsys.recommender.placements import Question
from recsys.recommender.purchase_habits import Habit
from tests.recsys.models.worlds import AS_OF
from tests.recsys.recommender.test_engine import random_questions

AGAIN = reasons.repeat(Habit(2, 3.0, 7.0))
POPULAR = reasons.popular()
TASTE = reasons.similar_taste()
HERE = reasons.popular_at_location("S1", "Harbour", store=True)


def goes(item_id, title=None):
    return reasons.bought_together(title, item_id)


def heading(*told, placement="web_home", cart=frozenset(), known=True, all_new=False, **fields):
    question = Question(
        placement=placement, settings=PLACEMENTS[placement], as_of_ts=AS_OF, **fields
    )
    return heading_of(question, told, frozenset(cart), known=known, all_new=all_new)


def test_over_an_empty_list_stands_nothing():
    assert heading() is None


def test_what_goes_with_a_product_says_with_which():
    found = heading(goes("p", "Pasta"), goes("p", "Pasta"), item_ids=("p",))
    assert found == {
        "code": "goes_with_item",
        "text": "Goes well with Pasta",
        "item_id": "p",
        "title": "Pasta",
    }
    several = heading(goes("p"), reasons.bought_next("Rice", "r"), item_ids=("p", "r"))
    assert several == {"code": "goes_with_item", "text": "Goes well with this"}


@pytest.mark.parametrize(
    ("told", "fields", "code"),
    [
        ((goes("p"), POPULAR), {"item_ids": ("p",)}, "you_may_like"),
        ((goes("p"), AGAIN), {"item_ids": ("p",)}, "you_may_like"),
        ((goes("p"), goes("r")), {"item_ids": ("p",)}, "you_may_like"),
        ((goes("p"), goes("r")), {"shopping": ("p", "r")}, "goes_with_cart"),
        ((goes("p"), AGAIN), {"shopping": ("p",)}, "you_may_like"),
        (
            (goes("p"), goes("p")),
            {"placement": "email_post_purchase", "cart": {"p"}},
            "goes_with_last_order",
        ),
        ((goes("p"), goes("q")), {"placement": "email_post_purchase", "cart": {"p"}}, "for_you"),
        ((AGAIN, AGAIN), {}, "buy_again"),
        ((AGAIN, TASTE), {}, "for_you"),
        ((TASTE, TASTE), {"all_new": True}, "new_for_you"),
        ((TASTE, TASTE), {"all_new": True, "known": False}, "you_may_like"),
        ((POPULAR, POPULAR), {}, "popular"),
        ((HERE, HERE), {}, "popular_at_location"),
        ((reasons.available(),), {}, "available"),
        ((POPULAR, reasons.trending()), {"known": False}, "you_may_like"),
    ],
)
def test_a_heading_fits_every_reason(told, fields, code):
    fields = dict(fields)
    if "shopping" in fields:
        cart = fields.pop("shopping")
        question = Question(
            placement="web_cart", settings=PLACEMENTS["web_cart"], as_of_ts=AS_OF, cart=cart
        )
        found = heading_of(question, told, frozenset(cart), known=True, all_new=False)
    else:
        found = heading(*told, **fields)
    assert found["code"] == code


def test_a_place_is_named_in_it():
    assert heading(HERE, HERE) == HERE


@pytest.mark.parametrize(
    ("used", "code", "text"),
    [
        ("bought_together", "goes_with_item", "Goes well with Pasta"),
        ("similar", "similar_items", "Similar to Pasta"),
        ("popular", "popular", "Popular right now"),
    ],
)
def test_a_page_says_what_it_lists(used, code, text):
    found = page_heading(used, "Pasta", "p")
    assert (found["code"], found["text"]) == (code, text)


def test_every_answer_bears_its_heading_out(engine):
    asked, rows = random_questions(80)
    answers = engine.recommend(asked, rows)
    codes = {answer["heading"]["code"] for answer in answers if answer["heading"]}
    assert len(codes) > 2
    for question, answer in zip(asked, answers, strict=True):
        told = [item["reason"] for item in answer["items"]]
        assert (answer["heading"] is None) == (not told)
        code = answer["heading"] and answer["heading"]["code"]
        sources = {reason.get("item_id") for reason in told}
        if code == "goes_with_item":
            assert sources <= set(question.item_ids)
        if code == "goes_with_cart":
            assert sources <= set(question.cart)
        if code == "buy_again":
            assert {reason["code"] for reason in told} == {"repeat"}
        if code == "new_for_you":
            assert all(item["new"] for item in answer["items"])
        if code in ("popular", "popular_on_channel", "popular_at_location", "available"):
            assert {reason["code"] for reason in told} == {code}
