import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.datasets.item_index import ItemIndex, item_key, item_keys, location_key, order_key
from recsys.errors import DataError

ids = st.lists(st.text(max_size=12), max_size=60)


def test_keys_stay_the_same_for_ever():
    # Stored histories hold these numbers: a change here would forget every customer.
    assert item_key("1082185") == 5521264560560459054
    assert item_key("") == 7252660547403494068


@given(ids)
def test_ids_go_to_positions_and_back(item_ids):
    index = ItemIndex(item_ids)
    assert list(index.item_ids) == sorted(set(item_ids))
    assert index.ix_of(index.item_ids).tolist() == list(range(len(index)))
    assert [index.item_ids[ix] for ix in index.ix_of(item_ids)] == item_ids


@given(ids, ids)
def test_unknown_products_have_no_position(item_ids, others):
    index = ItemIndex(item_ids)
    unknown = sorted(set(others) - set(item_ids))
    assert (index.ix_of(unknown) == -1).all()
    assert index.ix([-1, 0, 2**63 - 1]).tolist() == [-1, -1, -1]


def test_the_order_of_input_does_not_matter():
    one, other = ItemIndex(["b", "a", "c", "a"]), ItemIndex(["c", "b", "a"])
    assert one.item_ids == other.item_ids
    np.testing.assert_array_equal(one.keys, other.keys)


def test_positions_keep_the_shape_of_the_keys():
    index = ItemIndex(["a", "b"])
    assert index.ix(item_keys(["b", "x", "a", "b"]).reshape(2, 2)).tolist() == [[1, -1], [0, 1]]


def test_an_index_comes_back_from_its_arrays():
    index = ItemIndex(f"p{n}" for n in range(5000))
    again = ItemIndex.from_arrays(index.item_ids, index.keys)
    np.testing.assert_array_equal(again.ix(index.keys[::-1]), index.ix(index.keys[::-1]))
    assert len(again) == 5000


def test_two_products_with_one_key_are_refused():
    with pytest.raises(DataError, match="'a' and 'b' have the same"):
        ItemIndex.from_arrays(["a", "b"], np.array([7, 7]))


def test_no_location_is_zero_and_nothing_else_is():
    assert location_key(None) == location_key("") == 0
    assert location_key("s1") == order_key("s1") > 0
