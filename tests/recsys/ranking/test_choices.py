"""Nobody sees one thing twice, nothing vanishes, and the right product stands for the others."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.datasets.customer_history import Histories
from recsys.datasets.item_index import location_key
from recsys.datasets.ragged import Lists
from recsys.models.base import Batch, Context
from recsys.ranking.availability import Availability
from recsys.ranking.choices import Choices
from recsys.ranking.rank_request import RankRequest, factors_of
from recsys.ranking.rules import Limits, Rules
from recsys.units import DAY
from tests.recsys.models.worlds import AS_OF
from tests.recsys.ranking import grocer

STORE = location_key(grocer.STORE)
N = 9


def learn(titles, *, brands=None, prices=None, parents=None, said=None, ratio=1.5):
    n = len(titles)
    return Choices.learn(
        titles,
        brands or ["b"] * n,
        prices or [100] * n,
        np.array(parents or [-1] * n, np.int32),
        said or [None] * n,
        np.zeros(n, np.int64),
        ratio,
    ).of.tolist()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"titles": ["Milk", "Tea", "Milk"]}, [0, 1, 0]),
        ({"titles": ["Milk  1 L", "ＭＩＬＫ 1 l"]}, [0, 0]),
        ({"titles": ["Milk", "Milk"], "brands": ["a", "b"]}, [0, 1]),
        ({"titles": ["Milk", "Milk"], "brands": ["A", "a "]}, [0, 0]),
        ({"titles": [None, "", None]}, [0, 1, 2]),
        ({"titles": ["Milk"] * 4, "prices": [300, 100, 150, 200]}, [0, 1, 1, 0]),
        ({"titles": ["Milk"] * 3, "prices": [100, None, 110]}, [0, 0, 0]),
        ({"titles": ["Milk"] * 3, "prices": [100, None, 900]}, [0, 1, 2]),
        ({"titles": ["Milk"] * 2, "prices": [0, 1]}, [0, 1]),
        ({"titles": ["S", "M", "L"], "parents": [4, 4, -1]}, [0, 0, 2]),
        # by title with one, by parent with another: all of it is one choice
        ({"titles": ["S", "M", "M"], "parents": [4, 4, -1]}, [0, 0, 0]),
        # what the catalogue says goes before everything else
        ({"titles": ["A", "A", "B"], "said": ["x", None, "x"]}, [0, 1, 0]),
        ({"titles": ["A", "A"], "parents": [1, 1], "said": ["x", "y"]}, [0, 1]),
    ],
)
def test_what_a_shopper_cannot_tell_apart(given, expected):
    assert learn(**given) == expected


def test_a_price_class_does_not_creep_upwards():
    assert learn(["Milk"] * 4, prices=[100, 140, 200, 280]) == [0, 0, 2, 2]


@given(st.data())
def test_the_order_of_products_does_not_matter(data):
    n = data.draw(st.integers(0, 8))

    def some(values):
        return data.draw(st.lists(st.sampled_from(values), min_size=n, max_size=n))

    titles, brands = some(["a", "b", None]), some(["x", "y"])
    prices, parents, said = some([1, 10, 14, None]), some([-1, 0, 1]), some([None, None, "c"])
    order = data.draw(st.permutations(range(n)))

    def pairs(rows):
        of = Choices.learn(
            [titles[at] for at in rows],
            [brands[at] for at in rows],
            [prices[at] for at in rows],
            np.array([parents[at] for at in rows], np.int32),
            [said[at] for at in rows],
            np.zeros(n, np.int64),
            1.5,
        ).of
        return {(rows[a], rows[b]) for a in range(n) for b in range(n) if of[a] == of[b]}

    assert pairs(list(range(n))) == pairs(list(order))


def of_numbers(numbers):
    first = {}
    return np.array([first.setdefault(c, at) for at, c in enumerate(numbers)], np.int32)


def lists(rows):
    return Lists.of_rows([np.array(sorted(row), np.int32) for row in rows])


items = st.sets(st.integers(0, N - 1))


@settings(max_examples=200)
@given(
    st.lists(st.integers(0, 4), min_size=N, max_size=N),
    st.lists(items, min_size=1, max_size=3),
    st.data(),
)
def test_the_loops_agree_with_plain_ones(numbers, rows, data):
    bought = np.array(data.draw(st.lists(st.integers(0, 2), min_size=N, max_size=N)))
    choices = Choices(of_numbers(numbers), bought)
    of = choices.of.tolist()
    found = lists(rows)
    m = len(found.item_ix)
    total = np.array(data.draw(st.lists(st.integers(0, 3), min_size=m, max_size=m)), float)
    behind = np.array(data.draw(st.lists(st.booleans(), min_size=m, max_size=m)), bool)
    at = [(r, int(ix)) for r in range(len(rows)) for ix in sorted(rows[r])]

    wide = choices.widened(found)
    for r, row in enumerate(rows):
        members = {ix for ix in range(N) if of[ix] in {of[one] for one in row}}
        got = wide.row(r).item_ix.tolist()
        assert sorted(got) == sorted(members)

    leads = choices.leading(found, total, behind).tolist()
    for place, (r, ix) in enumerate(at):
        mine = [p for p, (row, other) in enumerate(at) if row == r and of[other] == of[ix]]
        assert leads[place] == (place == min(mine, key=lambda p: (behind[p], -total[p], at[p][1])))


@cache
def all_choices():
    """Every three of the grocer's other products are one choice, and the pairs' first ones two."""
    index = grocer.training().index
    names = list(index.item_ids)
    numbers = {name: at // 3 for at, name in enumerate(grocer.OTHERS)}
    numbers |= {"pasta": "a", "bread": "a", "tea": "b", "beer": "b"}
    of = of_numbers([numbers.get(name, name) for name in names])
    return Choices(of, np.bincount(grocer.training().baskets.items.indices, minlength=len(names)))


@cache
def shelves():
    """Every second product is sold out, and some are no longer sold."""
    n = len(grocer.training().index)
    on_hand = np.where(np.arange(n) % 2 == 0, 0.0, 3.0)
    active = np.arange(n) % 7 != 0
    return Availability.build(active, np.full(n, STORE), np.arange(n, dtype=np.int32), on_hand)


def people():
    return [
        grocer.bought("pasta", "sauce", "item001"),
        grocer.bought(("tea", 0.5), ("item004", 3), ("item030", 40)),
        grocer.bought(),
    ]


@pytest.mark.parametrize("new_only", [False, True])
@pytest.mark.parametrize("count", [5, 40, 400])
@pytest.mark.parametrize("diversity", [0.0, 0.5])
def test_an_answer_holds_each_choice_once_and_all_that_may_be_shown(new_only, count, diversity):
    index, choices = grocer.training().index, all_choices()
    n = len(people())
    cart = Lists.of_rows([index.ix_of(names) for names in ([], ["item010"], ["beer"])])
    limits = Limits(
        exclude=Lists.of_rows([index.ix_of(names) for names in (["item020"], [], [])]),
        cart=cart,
        new_only=np.full(n, new_only),
        hidden_since_ts=np.full(n, AS_OF - DAY),
        location_keys=np.array([STORE, STORE, 0]),
        in_stock=np.full(n, True),
    )
    asked = RankRequest(
        np.full(n, count), np.tile(factors_of({}), (n, 1)), limits, np.full(n, diversity)
    )
    carts = [cart.row(r).item_ix for r in range(n)]
    context = Context(
        np.full(n, AS_OF), limits.location_keys, np.zeros(n, np.uint8), Lists.of_rows(carts)
    )
    histories = Histories.from_rows(people(), index, AS_OF)
    ranker = replace(grocer.ranker(shelves()), choices=choices)
    ranked = ranker.rank(Batch(histories, context), asked)
    every = Lists.of_rows([np.arange(len(index), dtype=np.int32)] * n)
    code = Rules.of(histories, shelves(), limits, None, choices).forbid(every).reshape(n, -1)
    for r in range(n):
        shown = ranked.item_ix[ranked.indptr[r] : ranked.indptr[r + 1]]
        lead = ranked.leader_ix[ranked.indptr[r] : ranked.indptr[r + 1]]
        assert len(set(choices.of[shown].tolist())) == len(shown)
        assert (choices.of[shown] == choices.of[lead]).all()
        assert (code[r][shown] == 0).all()
        possible = set(choices.of[np.flatnonzero(code[r] == 0)].tolist())
        assert len(shown) == min(count, len(possible))
        # what was bought lately, excluded or in the cart is gone with all of its choice
        gone = {*limits.exclude.row(r).item_ix.tolist(), *carts[r].tolist()}
        gone |= {index.ix_of(["tea"])[0]} if r == 1 else set()
        assert not {int(choices.of[ix]) for ix in gone} & set(choices.of[shown].tolist())
        one = ranker.rank(Batch(histories[r : r + 1], context[r : r + 1]), asked.row(r))
        assert one.item_ix.tolist() == shown.tolist()


def test_a_choice_keeps_the_place_of_its_best_product():
    """Without rules the order is that of single products, each where its best one stands."""
    index, choices = grocer.training().index, all_choices()
    none = np.empty(0, np.int64)
    availability = Availability.build(
        np.ones(len(index), bool), none, none.astype(np.int32), none.astype(float)
    )
    alone = grocer.rank(people(), counts=400, availability=availability)
    n = len(people())
    nothing = Lists.of_rows([np.empty(0, np.int32)] * n)
    limits = Limits(
        nothing,
        nothing,
        np.zeros(n, bool),
        np.full(n, AS_OF),
        np.zeros(n, np.int64),
        np.ones(n, bool),
    )
    asked = RankRequest(np.full(n, 400), np.tile(factors_of({}), (n, 1)), limits, np.zeros(n))
    histories = Histories.from_rows(people(), index, AS_OF)
    ranker = replace(grocer.ranker(availability), choices=choices)
    ranked = ranker.rank(Batch(histories, Context.of(n, AS_OF)), asked, widen=False)
    for r in range(n):
        single = alone.item_ix[alone.indptr[r] : alone.indptr[r + 1]].tolist()
        lead = ranked.leader_ix[ranked.indptr[r] : ranked.indptr[r + 1]].tolist()
        first = {}
        for ix in single:
            first.setdefault(int(choices.of[ix]), ix)
        expected = list(first.values())[: len(lead)]
        # Products that nobody would name stand behind by position; only named ones are compared.
        assert lead[:20] == expected[:20]


def test_chances_that_are_asked_for_are_those_of_the_choice():
    choices = Choices(of_numbers([0, 0, 1, 2]), np.zeros(4, np.int64))
    found, wanted = lists([{0, 2}, {1}]), lists([{1, 2, 3}, {0}])
    got = choices.likeliest(found, np.array([0.2, 0.1, 0.4]), wanted)
    assert got.tolist()[:2] == pytest.approx([0.2, 0.1])
    assert np.isnan(got[2])
    assert got[3] == pytest.approx(0.4)


def test_arrays_come_back_and_older_artefacts_have_every_product_alone():
    choices = all_choices()
    again = Choices.from_arrays(choices.arrays(), len(choices))
    assert (again.of == choices.of).all()
    assert (again.bought == choices.bought).all()
    assert Choices.from_arrays({}, 3).of.tolist() == [0, 1, 2]
