import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.datasets.return_netting import UNITS, net_of_returns, to_units

lines = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from([-2, -1, 1, 1, 3])),
    max_size=25,
)


def by_hand(drawn):
    """First sale of each product and order where both order and customer keep some."""
    kept = {}
    for at, (owner_item, order, units) in enumerate(drawn):
        in_order = sum(u for i, o, u in drawn if (i, o) == (owner_item, order))
        in_all = sum(u for i, _, u in drawn if i == owner_item)
        if units > 0 and in_order > 0 and in_all > 0:
            kept.setdefault((owner_item, order), (at, in_order))
    return sorted(kept.values())


@given(lines)
def test_what_survives_is_what_counting_by_hand_leaves(drawn):
    columns = [np.array([line[at] for line in drawn], np.int64) for at in range(3)]
    keep, units = net_of_returns(*columns)
    assert list(zip(keep.tolist(), units.tolist(), strict=True)) == by_hand(drawn)


def test_weights_add_up():
    units = to_units(np.array([0.1, 0.2, -0.3], np.float32))
    assert units.sum() == 0
    assert to_units(np.array([2.0])).tolist() == [2 * UNITS]
