"""A reason says what is so."""

import msgspec
import numpy as np
import pytest

from recsys.config.toml_file import PLACEMENTS
from recsys.datasets.customer_history import EMPTY
from recsys.recommender import explanations
from recsys.recommender.catalogue_updates import CatalogueUpdates, LiveItem
from recsys.recommender.placements import Question
from tests.recsys.models.worlds import AS_OF
from tests.recsys.ranking.grocer import OTHERS, PAIRS, bought


def answers(engine):
    settings = PLACEMENTS["web_cart"]
    questions = [
        Question(placement="web_cart", settings=settings, as_of_ts=AS_OF, count=40, cart=cart)
        for cart in (("bread",), ("tea", "item050"), ())
    ]
    return engine.recommend(questions, [EMPTY, EMPTY, bought(("beer", 3), ("item020", 9))])


def test_often_bought_with_is_said_only_of_what_is(engine, monkeypatch):
    told = answers(engine)
    said = 0
    for answer in told:
        for item in answer["items"]:
            if item["reason"]["code"] == "bought_together":
                pair = engine.index.ix_of([*item["reason"]["because_of"], item["item_id"]])
                (lift,) = engine._explainer.copurchase.lifts(pair[:1], pair[1:])
                assert lift >= explanations.LEAST_LIFT
                said += 1
    assert said
    monkeypatch.setattr(explanations, "LEAST_LIFT", np.inf)
    again = answers(engine)
    codes = [item["reason"]["code"] for answer in again for item in answer["items"]]
    assert "bought_together" not in codes
    for one, other in zip(told, again, strict=True):
        assert [i["item_id"] for i in one["items"]] == [i["item_id"] for i in other["items"]]


def test_often_bought_after_is_said_only_of_what_is(engine, monkeypatch):
    """Transitions speak for everything here, whatever the others say."""
    only = {"weights": {"transitions": 100.0, "repeat": 0.0, "popular": 0.0}}
    settings = msgspec.structs.replace(PLACEMENTS["web_home"], **only)
    rows = [bought((first, 3), (OTHERS[n], 3)) for n, (first, _) in enumerate(PAIRS)]
    rows += [bought((OTHERS[n], 3), (OTHERS[n + 1], 9)) for n in range(20)]
    question = Question(placement="web_home", settings=settings, as_of_ts=AS_OF, count=40)

    def told():
        found = engine.recommend([question] * len(rows), rows)
        return [(i["item_id"], i["reason"]) for answer in found for i in answer["items"]]

    model, index = engine._explainer.transitions, engine.index
    said = [(item, why) for item, why in told() if why["code"] == "bought_next"]
    assert said
    for item, why in said:
        pair = index.ix_of([why["item_id"], item])
        assert model.lifts(pair[:1], pair[1:])[0] >= explanations.LEAST_LIFT
        assert why["because_of"] == [why["item_id"]]
    monkeypatch.setattr(explanations, "LEAST_LIFT", np.inf)
    assert "bought_next" not in {why["code"] for _, why in told()}


@pytest.fixture(scope="module")
def of_age(engine):
    """The grocer whose beer is for adults."""
    told = LiveItem(item_id="beer", attributes={"age_restriction": "16"})
    return engine.with_updates(CatalogueUpdates({"beer": told}, {}, {}, 1))


def ask(engine, row=EMPTY, placement="web_cart", **fields):
    own = {name: fields.pop(name) for name in ("age_restricted", "weights") if name in fields}
    settings = msgspec.structs.replace(PLACEMENTS[placement], **own)
    question = Question(
        placement=placement, settings=settings, as_of_ts=AS_OF, **{"count": 200} | fields
    )
    (answer,) = engine.recommend([question], [row])
    return answer


def test_goods_with_a_minimum_age_are_shown_only_where_a_placement_allows_them(of_age):
    row = bought(("beer", 3), ("beer", 10), ("beer", 17))
    for placement in PLACEMENTS:
        answer = ask(of_age, row, placement)
        assert "beer" not in [item["item_id"] for item in answer["items"]]
    hidden = ask(of_age, row, "web_home", count=10)
    assert hidden["left_out"]["age_restricted"] == 1
    shown = ask(of_age, row, "web_home", count=10, age_restricted=True)
    assert "beer" in [item["item_id"] for item in shown["items"]]
    assert shown["left_out"]["age_restricted"] == 0
    settings = PLACEMENTS["web_home"]
    beer = of_age.index.ix_of(["beer"])[0]
    assert not of_age.allowed(settings)[beer]
    assert of_age.allowed(msgspec.structs.replace(settings, age_restricted=True))[beer]


def test_goods_with_a_minimum_age_are_not_named_either_unless_the_question_names_them(of_age):
    loud = {"weights": {"cart": 100.0, "copurchase": 100.0, "repeat": 0.0}}

    def named(answer):
        return {item["reason"].get("item_id") for item in answer["items"]}

    row = bought(("beer", 3))
    assert "beer" in named(ask(of_age, row, "web_home", age_restricted=True, **loud))
    assert "beer" not in named(ask(of_age, row, "web_home", **loud))
    assert "beer" not in named(ask(of_age, row, "email_post_purchase"))
    assert "beer" in named(ask(of_age, cart=("beer",)))
    assert "beer" in named(ask(of_age, placement="web_product", item_ids=("beer",)))


def test_what_is_told_to_have_no_minimum_age_any_more_is_shown_again(of_age):
    told = LiveItem(item_id="beer", attributes={"age_restriction": None})
    again = of_age.with_updates(CatalogueUpdates({"beer": told}, {}, {}, 2))
    assert "beer" in [item["item_id"] for item in ask(again)["items"]]
