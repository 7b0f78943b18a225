"""Where bundles hold by themselves."""

import numpy as np

from recsys.datasets.item_index import location_key
from tests.recsys.bundles.shopping import alone, mined, train, trips, with_items

A, B = "apples", "brie"


def segments(found, at=0):
    part = slice(found.segment_indptr[at], found.segment_indptr[at + 1])
    return {
        found.segment_names[ix].decode(): row
        for ix, *row in zip(
            found.segment[part].tolist(),
            found.segment_support[part].tolist(),
            found.segment_lift[part].tolist(),
            found.segment_low[part].tolist(),
            found.segment_high[part].tolist(),
            found.segment_q[part].tolist(),
            strict=True,
        )
    }


def sold(orders, n=100):
    for number, name in enumerate((A, B)):
        orders = alone(orders, 70 + number, name, n)
    return orders


def test_a_pair_of_one_channel_holds_there_alone():
    found = mined(train(sold(with_items(trips(1, 4000), 2, 0.05, A, B, only=("1",)))))
    held = segments(found)
    assert "channel:web" in held or "channel:app" in held
    channels = [name for name in held if name.startswith("channel:")]
    assert len(channels) == 1
    support, lift, low, high, q_value = held[channels[0]]
    assert support > 80
    assert 1 < low < lift < high
    assert q_value <= 0.05


def test_a_pair_of_all_regions_and_seasons_holds_in_each():
    orders = sold(with_items(trips(3, 6000), 4, 0.04, A, B))
    keys = {number: location_key(f"store {number}") for number in range(1, 4)}
    orders = [order._replace(location=keys[order.location]) for order in orders]
    regions = {keys[1]: "North", keys[2]: "South", keys[3]: "South"}
    held = segments(mined(train(orders), regions=regions))
    assert {"region:North", "region:South"} <= set(held)
    # A hundred days from the first of January on.
    assert {"season:winter", "season:spring"} <= set(held)
    assert held["region:South"][0] > held["region:North"][0]


def test_without_regions_and_with_one_channel_there_is_nothing_to_tell_apart():
    orders = [order._replace(channel=0) for order in sold(with_items(trips(5), 6, 0.05, A, B))]
    found = mined(train(orders))
    assert [name for name in found.segment_names if not name.startswith(b"season:")] == []


def test_too_little_is_not_tested():
    found = mined(train(sold(with_items(trips(7), 8, 0.01, A, B), 30)))
    assert 10 < found.support[0] < 40
    # What is sold in some hundred orders of a place and a season is no evidence of ten.
    assert len(found.segment) < 6
    assert np.all(found.segment_support >= 10)
