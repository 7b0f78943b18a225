"""A reason says what is so."""

import numpy as np

from recsys.config import PLACEMENTS
from recsys.matrices.histories import EMPTY
from recsys.responses import explaining
from recsys.responses.placements import Question
from tests.recsys.models.worlds import AS_OF
from tests.recsys.ranking.grocer import bought


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
                assert lift >= explaining.LEAST_LIFT
                said += 1
    assert said
    monkeypatch.setattr(explaining, "LEAST_LIFT", np.inf)
    again = answers(engine)
    codes = [item["reason"]["code"] for answer in again for item in answer["items"]]
    assert "bought_together" not in codes
    for one, other in zip(told, again, strict=True):
        assert [i["item_id"] for i in one["items"]] == [i["item_id"] for i in other["items"]]
