"""What a shopper cannot tell apart is one product before bundles are counted."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.bundles.choices import merge_choices, representatives
from recsys.bundles.mining import mine
from recsys.config.settings import BundleSettings as Settings
from recsys.ranking.choices import Choices
from tests.recsys.bundles.shopping import item, train, trips, with_items
from tests.recsys.models.worlds import Order

NAMES = ["a", "b", "c", "d"]


@given(
    st.lists(st.lists(st.sampled_from(NAMES), min_size=1, unique=True), min_size=1, max_size=6),
    st.lists(st.integers(0, 1), min_size=4, max_size=4),
    st.lists(st.booleans(), min_size=4, max_size=4),
)
def test_an_order_holds_a_choice_once(baskets, numbers, sold):
    training = train([Order("x", items) for items in [*baskets, NAMES]])
    first = {}
    of = np.array([first.setdefault(c, at) for at, c in enumerate(numbers)], np.int32)
    bought = np.bincount(training.baskets.items.indices, minlength=4)
    choices, active = Choices(of, bought), np.array(sold)
    stands = {}
    for ix in range(4):
        mine_ = [other for other in range(4) if of[other] == of[ix]]
        stands[ix] = min(mine_, key=lambda x: (not sold[x], -bought[x], x))
    found = representatives(choices, active)
    assert all(found[of[ix]] == stands[ix] for ix in range(4))
    before, joined = training.baskets.items, merge_choices(training, choices, active).baskets.items
    for order in range(before.shape[0]):
        was = before.indices[before.indptr[order] : before.indptr[order + 1]]
        now = joined.indices[joined.indptr[order] : joined.indptr[order + 1]]
        assert now.tolist() == sorted({stands[int(ix)] for ix in was})
        assert (joined.data == 1).all()


def test_something_is_taken_off_a_choice_where_it_is_of_any_of_it():
    training = train([Order("x", ["a", "b", "c"])])
    training.baskets.__dict__["discounted"] = np.array([False, True, False])
    choices = Choices(np.array([0, 0, 2], np.int32), np.ones(3, np.int64))
    joined = merge_choices(training, choices, np.ones(3, bool)).baskets
    assert joined.discounted.tolist() == [True, False]


def test_two_products_of_a_choice_are_found_as_one():
    """A pair that sells together under two numbers each is four bundles by item, one by choice."""
    orders = trips(3, 2400)
    for one in (50, 51):
        for other in (52, 53):
            orders = with_items(orders, one * 60 + other, 0.04, item(one), item(other))
    training = train(orders)
    index = training.index
    groups = {item(50): 0, item(51): 0, item(52): 1, item(53): 1}
    first = {}
    of = np.array(
        [first.setdefault(groups.get(n, n), at) for at, n in enumerate(index.item_ids)], np.int32
    )
    choices = Choices(of, np.bincount(training.baskets.items.indices, minlength=len(index)))

    def pairs(found):
        members = [found.members(at).tolist() for at in range(len(found))]
        wanted = set(index.ix_of(list(groups)).tolist())
        return [tuple(of[ix] for ix in each) for each in members if set(each) <= wanted]

    alone = pairs(mine(training, Settings()))
    assert sum(len(set(each)) == 2 for each in alone) >= 4
    joined = mine(merge_choices(training, choices, np.ones(len(index), bool)), Settings())
    assert pairs(joined) == [tuple(of[index.ix_of([item(50), item(52)])])]
