"""What is pinned stands where it shall, once, and never where a rule forbids it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.ranking.choices import Choices
from recsys.ranking.merchandising import ItemRule, Merchandising
from tests.recsys.ranking.grocer import (
    DISCONTINUED,
    OTHERS,
    PAIRS,
    SIZES,
    SOLD_OUT,
    STORE,
    bought,
    names,
    rank,
    training,
)

REGULAR = bought(*((item, days) for item in PAIRS[0] for days in (2, 9, 16)), ("bread", 3))


def pin(*items, position=None):
    return ItemRule("p", "pin", tuple(training().index.ix_of(items).tolist()), position=position)


def pinned(*pins):
    return [Merchandising(tuple(pins))]


def rare(n):
    """Products that no model proposes to the regular customer."""
    named = set(names(rank([REGULAR], counts=200)))
    return [item for item in reversed(OTHERS) if item not in named][:n]


def test_a_pin_stands_at_its_position_and_the_rest_keeps_its_order():
    (item,) = rare(1)
    usual = names(rank([REGULAR], counts=5))
    shown = rank([REGULAR], counts=5, merchandising=pinned(pin(item, position=3)))
    assert names(shown) == [*usual[:2], item, *usual[2:4]]


def test_the_score_of_a_pin_stays_its_chance_of_purchase():
    (item,) = rare(1)
    everything = rank([REGULAR], counts=len(OTHERS) + 8)
    shown = rank([REGULAR], counts=5, merchandising=pinned(pin(item, position=1)))
    chance = dict(zip(names(everything), everything.chance, strict=True))
    assert names(shown)[0] == item
    assert shown.chance[0] == pytest.approx(chance[item])
    assert shown.chance[0] < shown.chance[1]


def test_what_leads_comes_behind_the_pins_in_its_order():
    one, two, three = rare(3)
    shown = rank([REGULAR], merchandising=pinned(pin(one), pin(two), pin(three, position=2)))
    assert names(shown)[:3] == [one, three, two]


def test_of_one_position_the_first_pin_has_it_and_the_next_stands_behind_it():
    one, two = rare(2)
    shown = rank([REGULAR], merchandising=pinned(pin(one, position=2), pin(two, position=2)))
    assert names(shown)[1:3] == [one, two]


def test_a_pin_of_what_is_in_the_list_anyway_moves_it():
    usual = names(rank([REGULAR], counts=5))
    shown = rank([REGULAR], counts=5, merchandising=pinned(pin(usual[4], position=1)))
    assert names(shown) == [usual[4], *usual[:4]]


@pytest.mark.parametrize(
    "forbidding",
    [
        {"exclude": [["item250"]]},
        {"cart": [["item250"]]},
    ],
)
def test_a_pin_never_shows_what_a_rule_forbids(forbidding):
    usual = rank([REGULAR], **forbidding)
    shown = rank([REGULAR], merchandising=pinned(pin("item250", position=1)), **forbidding)
    assert names(shown) == names(usual)


def test_a_pin_takes_its_next_product_where_the_first_is_not_on_hand_or_not_sold():
    several = pin(DISCONTINUED, SOLD_OUT, "tea", "milk", position=1)
    shown = rank([bought("pasta")], location=STORE, merchandising=pinned(several))
    assert names(shown)[0] == "tea"
    assert "milk" not in names(shown)[:1]


def test_a_pin_beyond_the_end_of_a_short_list_stands_last():
    shown = rank(
        [REGULAR],
        counts=4,
        exclude=[
            [name for name in training().index.item_ids if name not in ("tea", "milk", "beer")]
        ],
        merchandising=pinned(pin("tea", position=4)),
    )
    assert sorted(names(shown)) == ["beer", "milk", "tea"]
    assert names(shown)[-1] == "tea"


def test_a_pin_beyond_what_was_asked_for_is_not_shown():
    (item,) = rare(1)
    shown = rank([REGULAR], counts=3, merchandising=pinned(pin(item, position=4)))
    assert names(shown) == names(rank([REGULAR], counts=3))


def choices_of(*groups):
    index = training().index
    of = np.arange(len(index), dtype=np.int32)
    for group in groups:
        at = index.ix_of(group)
        of[at] = at.min()
    return Choices(of, np.zeros(len(index), np.int64))


def test_a_choice_is_shown_once_and_as_the_product_that_the_pin_names():
    choices = choices_of(("tea", "milk"))
    shown = rank(
        [bought("tea")],
        merchandising=pinned(pin("milk", position=1), pin("tea", position=2)),
        choices=choices,
    )
    assert names(shown)[0] == "milk"
    assert "tea" not in names(shown)


def test_where_the_named_product_is_sold_out_another_of_its_choice_is_shown():
    choices = choices_of((SOLD_OUT, "milk"))
    shown = rank(
        [bought("pasta")],
        location=STORE,
        merchandising=pinned(pin(SOLD_OUT, position=1)),
        choices=choices,
    )
    assert names(shown)[0] == "milk"


def test_what_is_like_a_pin_does_not_crowd_the_list():
    large, *others = SIZES
    shown = names(
        rank([bought()], counts=10, diversity=1.0, merchandising=pinned(pin(large, position=1)))
    )
    assert shown[0] == large
    assert not set(others) & set(shown)


def test_a_pin_takes_no_place_from_new_products():
    shown = rank(
        [REGULAR], counts=4, new_share=0.5, merchandising=pinned(pin(PAIRS[0][0], position=1))
    )
    known = {*PAIRS[0], "bread"}
    assert names(shown)[0] == PAIRS[0][0]
    assert sum(name not in known for name in names(shown)) >= 2


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(
                st.sampled_from([*OTHERS[1:40], *PAIRS[0], *PAIRS[1]]), min_size=1, max_size=3
            ),
            st.one_of(st.none(), st.integers(1, 8)),
        ),
        max_size=6,
    ),
    st.integers(1, 8),
    st.sets(st.sampled_from(OTHERS[1:40]), max_size=10),
)
def test_lists_are_those_of_a_plain_loop(wanted, count, excluded):
    given_pins = pinned(*(pin(*items, position=position) for items, position in wanted))
    usual = names(rank([REGULAR], counts=60, exclude=[list(excluded)]))
    shown = names(rank([REGULAR], counts=count, exclude=[list(excluded)], merchandising=given_pins))
    places: dict[int, str] = {}
    for items, position in sorted(wanted, key=lambda one: one[1] or 99):
        free = [item for item in items if item not in excluded and item not in places.values()]
        if (position or 0) > count or len(places) == count or not free:
            continue
        place = (position or 1) - 1
        later = [at for at in range(place, count) if at not in places]
        earlier = [at for at in range(place - 1, -1, -1) if at not in places]
        places[(later + earlier)[0]] = free[0]
    rest = (item for item in usual if item not in places.values())
    assert shown == [places.get(at) or next(rest) for at in range(count)]


def test_one_request_gets_the_same_alone_and_among_others():
    people = [REGULAR, bought(), bought("tea")]
    each = [Merchandising((pin("item250", position=2),)), None, Merchandising((pin("beer"),))]
    together = rank(people, merchandising=each)
    for r, (who, what) in enumerate(zip(people, each, strict=True)):
        alone = rank([who], merchandising=[what])
        part = slice(together.indptr[r], together.indptr[r + 1])
        assert names(together, r) == names(alone)
        assert np.array_equal(together.chance[part], alone.chance)
