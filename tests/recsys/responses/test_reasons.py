import pytest

from recsys.responses import reasons


@pytest.mark.parametrize(
    ("interval", "elapsed", "text"),
    [
        (1.1, None, "You usually buy this every day"),
        (3.2, None, "You usually buy this every 3 days"),
        (3.2, 5.0, "You usually buy this every 3 days - it has been 5"),
        (7.0, None, "You usually buy this every week"),
        (21.0, None, "You usually buy this every 3 weeks"),
        (21.0, 28.0, "You usually buy this every 3 weeks - it has been 4"),
        (21.0, 23.0, "You usually buy this every 3 weeks"),
        (60.0, None, "You usually buy this every 2 months"),
        (60.0, 95.0, "You usually buy this every 2 months - it has been 3"),
        (7.0, 60.0, "You buy this often"),  # a habit of the past
    ],
)
def test_a_habit_is_told_as_people_tell_it(interval, elapsed, text):
    assert reasons.repeat(5, interval, elapsed) == {"code": "repeat", "text": text}


def test_without_a_habit_it_is_how_often():
    assert reasons.repeat(1)["text"] == "You bought this before"
    assert reasons.repeat(3)["text"] == "You buy this often"


def test_trending_speaks_of_the_store_only_where_it_rises_there():
    assert reasons.trending(in_store=True)["text"] == "Trending in this store"
    assert reasons.trending(in_store=False)["text"] == "More and more people buy this"
