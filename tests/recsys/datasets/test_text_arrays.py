import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.datasets.item_index import ItemIndex
from recsys.datasets.text_arrays import TextArray

many = st.lists(st.text(max_size=9), max_size=30)


@given(many)
def test_texts_come_back(texts):
    packed = TextArray.of(texts)
    again = TextArray(packed.offsets, packed.utf8)
    assert again == texts
    assert list(again) == [again[at] for at in range(len(again))] == texts
    assert again[1:-1] == texts[1:-1]


def test_a_missing_text_is_empty():
    assert list(TextArray.of(["a", None, "ä"])) == ["a", "", "ä"]


@pytest.mark.parametrize("at", [2, -3])
def test_a_place_outside_is_refused(at):
    texts = TextArray.of(["a", "b"])
    assert texts[-1] == "b"
    with pytest.raises(IndexError, match="of 2"):
        texts[at]


def test_texts_are_not_equal_to_other_things():
    assert TextArray.of(["a"]) != ["b"]
    assert TextArray.of(["a"]) != "a"
    assert TextArray.of(["a"]) != 1


def test_an_index_reads_its_ids_from_texts():
    index = ItemIndex(["b", "a"])
    packed = ItemIndex.from_arrays(TextArray.of(index.item_ids), np.array(index.keys))
    assert packed.item_ids[1] == "b"
    assert packed.ix_of(["b"]).tolist() == [1]
