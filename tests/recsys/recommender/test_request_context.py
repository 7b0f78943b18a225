"""What was just bought, what came back, and the basket that an answer starts from, over time."""

import msgspec
import numpy as np
import pytest

from recsys.config.toml_file import PLACEMENTS, PlacementSettings
from recsys.datasets.customer_history import EMPTY, add_lines
from recsys.recommender.placements import Question
from tests.recsys.models.worlds import AS_OF, DAY
from tests.recsys.ranking.grocer import bought, line


@pytest.fixture
def ask(engine):
    def answer(history=EMPTY, placement="web_home", **fields):
        own = set(PlacementSettings.__struct_fields__) & set(fields)
        settings = msgspec.structs.replace(
            PLACEMENTS[placement], **{name: fields.pop(name) for name in own}
        )
        asked = {"as_of_ts": AS_OF, "placement": placement, "settings": settings} | fields
        return engine.recommend([Question(**asked)], [history])[0]

    return answer


def names(answer):
    return [item["item_id"] for item in answer["items"]]


def test_what_was_bought_is_hidden_until_it_is_due_and_a_return_gives_it_back(ask):
    """Pasta is bought every week; three shopping trips, then one more on day 0."""
    trips = bought(*(("pasta", days) for days in (28, 21, 14)), ("beer", 14))
    again = add_lines(trips, line("pasta", days=7, order=9))
    back = add_lines(again, line("pasta", days=6.5, quantity=-1.0, order=9))
    seen = {
        name: [
            ("pasta" in names(found), found["left_out"]["just_bought"] > 0)
            for days in (0.1, 1.0, 3.0, 6.5, 7.0)
            for found in [
                ask(row, hide_until_due=0.45, count=200, as_of_ts=AS_OF + round((days - 7) * DAY))
            ]
        ]
        for name, row in {"kept": again, "returned": back}.items()
    }
    hidden, shown = (False, True), (True, False)
    assert [each[0] for each in seen["kept"]] == [False, False, False, True, True]
    assert seen["kept"][1] == hidden
    assert [each[0] for each in seen["returned"]] == [False, True, True, True, True]
    assert seen["returned"][4] == shown


def test_nothing_goes_with_a_basket_that_came_back(ask):
    def after(*lines):
        row = add_lines(bought(("beer", 20)), np.concatenate(lines))
        answer = ask(row, "email_post_purchase", count=6, scarce_below=0.0)
        because = {
            item_id for item in answer["items"] for item_id in item["reason"].get("because_of", ())
        }
        return answer, because

    basket = [line("pasta", days=3, order=9), line("tea", days=3, order=9)]
    kept, because = after(*basket)
    assert names(kept)[0] == "sauce"
    assert "pasta" in because
    assert "withdrawn" not in kept
    in_part = [*basket, line("pasta", days=1, quantity=-1.0, order=9)]
    answer, because = after(*in_part)
    assert "withdrawn" not in answer
    assert "pasta" not in because
    assert "pasta" in names(ask(add_lines(EMPTY, np.concatenate(in_part)), count=200))
    answer, because = after(*in_part, line("tea", days=1, quantity=-1.0, order=9))
    assert answer["withdrawn"] == "returned"
    assert not {"pasta", "tea"} & because
    assert (answer["heading"] or {}).get("code") != "goes_with_last_order"
    # who names a cart asks about that, and who bought anew has another last basket
    whole = np.concatenate([*in_part, line("tea", days=1, quantity=-1.0, order=9)])
    row = add_lines(EMPTY, whole)
    assert "withdrawn" not in ask(row, "email_post_purchase", cart=("beer",))
    assert "withdrawn" not in ask(row, "web_home")
    assert "withdrawn" not in ask(EMPTY, "email_post_purchase")
    newer = ask(add_lines(row, line("beer", days=0.5, order=10)), "email_post_purchase")
    assert "withdrawn" not in newer
    assert newer["items"][0]["reason"]["because_of"] == ["beer"]
