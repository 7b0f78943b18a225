"""Stock that is put aside, old, or nearly gone, in whole answers."""

from copy import copy
from dataclasses import replace

import numpy as np

from recsys.recommender.item_availability import ItemAvailability
from recsys.recommender.product_pages import PageQuestion
from tests.recsys.models.worlds import AS_OF, DAY
from tests.recsys.ranking.grocer import STORE
from tests.recsys.recommender.test_engine import REGULAR, names, question


def with_shelf(engine, days_old, max_age_hours=0, **reserved):
    """The engine with a store whose list is so old, and of which so many pieces are put aside."""
    shelf = engine.ranker.availability
    aside = np.full(len(shelf.item_ix), np.nan)
    for name, n in reserved.items():
        aside[np.searchsorted(shelf.item_ix, engine.index.ix_of([name])[0])] = n
    reported = np.full(len(shelf.item_ix), AS_OF - days_old * DAY)
    shelf = shelf.with_stock(
        np.repeat(shelf.location_keys, np.diff(shelf.indptr)),
        shelf.item_ix,
        np.array(shelf.on_hand),
        aside,
        reported,
    )
    complete_ts = np.full(len(shelf.complete_ts), AS_OF - days_old * DAY)
    shelf = replace(shelf, complete_ts=complete_ts, max_age_seconds=max_age_hours * 3600)
    other = copy(engine)
    other.ranker = replace(engine.ranker, availability=shelf)
    other.item_availability = ItemAvailability(engine.catalogue, shelf)
    other._pages = engine._pages.over(other.item_availability, other.ranker)
    return other


def asked(engine, placement="web_home", **fields):
    return engine.recommend([question(placement, **fields)], [REGULAR])[0]


def test_what_is_put_aside_is_not_shown_and_not_counted_as_there(engine):
    aside = with_shelf(engine, 0, pasta=9, tea=4)
    answer = asked(aside, location_id=STORE, count=200)
    assert "pasta" not in names(answer)
    assert answer["left_out"]["out_of_stock"] == 2  # and the sauce
    tea = answer["items"][names(answer).index("tea")]
    assert tea["availability"] == {
        "location_id": STORE,
        "on_hand": 9,
        "reserved": 4,
        "sellable": 5,
        "pickup": True,
    }
    few = {"field": "sellable", "op": "ge", "value": 6}
    some = {"field": "on_hand", "op": "ge", "value": 6}
    for given, shown in ((few, False), (some, True)):
        found = asked(aside, location_id=STORE, count=200, filter=given)
        assert ("tea" in names(found)) is shown
    page = aside.related(
        PageQuestion(how="similar", item_id="bread", as_of_ts=AS_OF, location_id=STORE, count=200)
    )
    assert page["items"]
    assert "pasta" not in names(page)


def test_an_old_list_of_stock_keeps_nothing_out_and_says_that_it_is_old(engine):
    for hours, old in ((0, False), (48, False), (47, True)):
        answer = asked(with_shelf(engine, 2, hours), location_id=STORE, count=200)
        assert ("sauce" in names(answer)) is old
        available = answer["items"][0]["availability"]
        assert ("stale" in available) is old
        assert ("on_hand" in available) is not old
        assert ("stock_as_of" in available) is (hours > 0)


def test_questions_of_several_times_are_answered_each_by_its_own(engine):
    aging = with_shelf(engine, 0, 24)
    times = [AS_OF, AS_OF + 2 * DAY, AS_OF + DAY]
    questions = [question(location_id=STORE, count=200, as_of_ts=at) for at in times]
    answers = aging.recommend(questions, [REGULAR] * 3)
    assert answers == [aging.recommend([one], [REGULAR])[0] for one in questions]
    assert ["sauce" in names(answer) for answer in answers] == [False, True, False]


def test_the_last_pieces_are_promised_to_no_mailing(engine):
    """Nobody has sauce; of tea two are left, of pasta three."""
    low = with_shelf(engine, 0, 24, tea=7, pasta=6)
    mail = asked(low, "email_weekly", count=200)
    assert not {"sauce", "tea"} & set(names(mail))
    assert "pasta" in names(mail)
    assert mail["left_out"]["scarce"] == 2
    # One more put aside, and the pasta is gone, too; an old list says nothing of any.
    lower = with_shelf(engine, 0, 24, tea=7, pasta=7)
    assert "pasta" not in names(asked(lower, "email_weekly", count=200))
    later = asked(lower, "email_weekly", count=200, as_of_ts=AS_OF + 25 * 3600)
    assert {"sauce", "tea", "pasta"} <= set(names(later))
    assert "scarce" not in later["left_out"]
    # An order confirmation shows all that can be had; the web shop is not asked at all.
    after = asked(low, "email_post_purchase", count=200)
    assert "sauce" not in names(after)
    assert "tea" in names(after)
    web = asked(low, count=200)
    assert "sauce" in names(web)
    assert "scarce" not in web["left_out"]
