"""The right things come first, and what must not be shown never comes."""

import numpy as np
import pytest

from recsys.datasets.item_index import location_key
from recsys.ranking.availability import Availability
from recsys.ranking.rules import RULES
from tests.recsys.ranking.grocer import (
    DISCONTINUED,
    OTHERS,
    PAIRS,
    SIZES,
    SOLD_OUT,
    STORE,
    bought,
    fitted,
    names,
    rank,
    training,
)


@pytest.mark.parametrize("pair", PAIRS)
def test_what_is_bought_again_and_again_comes_first(pair):
    often = bought(*((item, days) for item in pair for days in (2, 9, 16)))
    assert set(names(rank([often]))[:2]) == set(pair)


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_a_cart_asks_for_what_goes_with_it(first, second):
    ranked = rank([bought()], cart=[[first]])
    assert names(ranked)[0] == second
    assert first not in names(ranked)
    assert ranked.left_out[0].sum() == ranked.left_out[0][RULES.index("in_cart")]


def test_a_cart_is_heard_in_a_long_history():
    long = bought(*((item, days) for item in ("bread", "butter") for days in range(1, 40)))
    assert "sauce" in names(rank([long], cart=[["pasta"]]))


def test_a_louder_model_moves_its_products_up():
    history = bought(("item050", 1), ("item050", 8))
    assert names(rank([history]))[0] == "item050"
    popular = names(rank([bought()]))[:3]
    assert names(rank([history], weights={"popular": 50.0}))[0] in popular


def test_what_rules_left_out_is_counted_and_nothing_else():
    ranked = rank([bought("pasta", "sauce")], location=STORE)
    assert SOLD_OUT not in names(ranked)
    counted = dict(zip(RULES, ranked.left_out[0].tolist(), strict=True))
    assert counted["out_of_stock"] == 1
    free = rank([bought("pasta", "sauce")], location=STORE, in_stock=False, counts=6)
    assert names(ranked) == [name for name in names(free) if name != SOLD_OUT][:5]


def test_what_is_inactive_is_never_shown():
    everything = rank([bought(DISCONTINUED)], counts=300)
    assert DISCONTINUED not in names(everything)
    assert everything.left_out[0][RULES.index("inactive")] == 1


def test_places_are_filled_with_what_is_popular_when_much_is_excluded():
    ranked = rank([bought("pasta")], exclude=[OTHERS[:220]], counts=20)
    assert len(names(ranked)) == 20
    assert not set(names(ranked)) & set(OTHERS[:220])


def test_a_small_store_shows_what_it_has_even_if_no_model_names_it():
    index, small = training().index, location_key("kiosk")
    named = set(names(rank([bought("pasta")], counts=200)))
    unheard = [name for name in OTHERS[1:] if name not in named][:3]
    carried = index.ix_of([*unheard, "tea", "milk"])
    availability = Availability.build(
        np.ones(len(index), bool), np.full(5, small), carried, np.array([2.0, 3.0, 4.0, 0.0, 1.0])
    )
    alone, both = ([bought("pasta")], [bought("pasta"), bought()])
    shown = rank(alone, location="kiosk", availability=availability)
    assert names(shown)[0] == "milk"
    assert set(names(shown)[1:]) == set(unheard)
    assert shown.left_out[0][RULES.index("out_of_stock")] > 100
    assert names(rank(both, location="kiosk", availability=availability)) == names(shown)
    assert SOLD_OUT in names(
        rank(alone, location="kiosk", in_stock=False, availability=availability)
    )


def test_a_list_is_short_rather_than_wrong():
    all_but_two = [name for name in training().index.item_ids if name not in ("tea", "milk")]
    assert set(names(rank([bought("pasta")], exclude=[all_but_two], counts=5))) == {"tea", "milk"}


def test_only_new_products_where_only_those_are_wanted():
    history = bought("pasta", "sauce", "bread")
    assert not {"pasta", "sauce", "bread"} & set(names(rank([history], new_only=True, counts=50)))


def test_sizes_of_one_thing_do_not_crowd_a_list():
    crowded = names(rank([bought()], counts=15))
    varied = names(rank([bought()], counts=15, diversity=1.0))
    assert len({*SIZES} & {*crowded}) > 2
    assert len({*SIZES} & {*varied}) == 1
    assert len(varied) == 15
    assert varied[:5] == [name for name in crowded if name not in SIZES[1:]][:5]


def test_sizes_that_somebody_buys_again_and_again_are_all_shown():
    both = [(item, days) for item in SIZES[3:5] for days in (3, 10, 17)]
    assert {*SIZES[3:5]} <= {*names(rank([bought(*both)], counts=5, diversity=1.0))}


def test_diversity_is_nothing_where_no_model_knows_what_products_are():
    blind = {name: model for name, model in fitted().items() if name != "content"}
    shown = rank([bought()], counts=15, diversity=1.0, models=blind)
    assert len({*SIZES} & {*names(shown)}) > 2


def test_chances_do_not_rise_down_the_list():
    ranked = rank([bought("pasta", "tea")], counts=100)
    assert (np.diff(ranked.chance) <= 0).all()
    assert ((ranked.chance > 0) & (ranked.chance < 1)).all()


def test_a_batch_is_its_rows_to_the_last_bit():
    people = [bought(), bought("pasta"), bought(*OTHERS[5:90]), bought(("tea", 300), "beer")]
    carts = [["bread"], [], ["pasta", "beer"], []]
    gone = [OTHERS[:220], [], ["tea"], []]  # the first needs a wider look
    together = rank(people, cart=carts, exclude=gone, counts=20)
    for r, person in enumerate(people):
        alone = rank([person], cart=[carts[r]], exclude=[gone[r]], counts=20)
        part = slice(together.indptr[r], together.indptr[r + 1])
        for name in ("item_ix", "chance", "scores", "evidence"):
            np.testing.assert_array_equal(getattr(alone, name), getattr(together, name)[part])
        np.testing.assert_array_equal(alone.left_out[0], together.left_out[r])


def test_chances_asked_for_change_nothing_and_are_those_of_the_list():
    person = bought(("item050", 1), ("item050", 8), "pasta")
    index = training().index
    every = np.arange(len(index), dtype=np.int32)
    plain = rank([person, bought()], counts=20)
    asked = rank([person, bought()], counts=20, wanted=[every, every[:0]])
    assert names(plain) == names(asked)
    assert len(asked.requested_chance) == len(index)
    part = slice(0, asked.indptr[1])
    of = dict(zip(every.tolist(), asked.requested_chance.tolist(), strict=True))
    shown = [of[ix] for ix in asked.item_ix[part].tolist()]
    assert shown == asked.chance[part].tolist()
    assert 0 <= min(of.values()) <= max(of.values()) <= 1
