import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.datasets.return_netting import UNITS, kept_purchases, to_units

#: Product, order and quantity of one customer's lines, in time order.
lines = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from([-2.0, -1.0, 0.5, 1.0, 3.0])),
    max_size=25,
)


def by_hand(drawn):
    """Product, line and quantity of each order's first sale that order and customer kept."""
    kept = {}
    for at, (item, order, quantity) in enumerate(drawn):
        in_order = sum(q for i, o, q in drawn if (i, o) == (item, order))
        in_all = sum(q for i, _, q in drawn if i == item)
        if quantity > 0 and in_order > 0 and in_all > 0:
            kept.setdefault((item, order), (item, at, in_order))
    return sorted(kept.values())


@given(st.lists(lines, max_size=4))
def test_what_is_kept_is_what_counting_by_hand_leaves(customers):
    flat = [line for drawn in customers for line in drawn]
    item, order, quantity = (np.array([line[at] for line in flat]) for at in range(3))
    indptr = np.cumsum([0, *map(len, customers)])
    found = kept_purchases(
        indptr, item.astype(np.int32), order.astype(np.int64), to_units(quantity.astype(np.float32))
    )
    assert len(found.indptr) == len(customers) + 1
    for row, drawn in enumerate(customers):
        products = range(found.indptr[row], found.indptr[row + 1])
        kept = [
            (int(found.item_ix[p]), int(found.line[at]) - int(indptr[row]), found.units[at] / UNITS)
            for p in products
            for at in range(found.starts[p], found.starts[p + 1])
        ]
        assert kept == by_hand(drawn)


def test_weights_add_up():
    units = to_units(np.array([0.1, 0.2, -0.3], np.float32))
    assert units.sum() == 0
    assert to_units(np.array([2.0])).tolist() == [2 * UNITS]
