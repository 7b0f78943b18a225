import numpy as np
import pytest

from recsys.config.model_settings import InteractionWeights
from recsys.datasets.batches import Batch, Context
from recsys.datasets.customer_history import Histories, add_events
from recsys.datasets.interactions import CART, EVENTS, VIEW
from recsys.datasets.item_index import ItemIndex, item_key
from tests.recsys.models.worlds import AS_OF, DAY, history

INDEX = ItemIndex(["a", "b", "c"])


def batch_of(*histories):
    people = Histories.from_rows(histories, INDEX, AS_OF)
    return Batch(people, Context.of(len(people), AS_OF))


def test_how_often_is_counted_with_age():
    often = history(("c", AS_OF - 20 * DAY), ("a", AS_OF - 10 * DAY), ("c", AS_OF - 10 * DAY))
    batch = batch_of(history(), often, history(("b", AS_OF - 20 * DAY)))
    found = batch.frequency(10.0)
    assert found.indptr.tolist() == [0, 0, 2, 3]
    assert found.item_ix.tolist() == [0, 2, 1]
    assert found.weight.tolist() == pytest.approx([0.5, 0.75, 0.25])
    assert batch.frequency(10.0) is found
    assert batch.frequency(20.0).weight[1] == pytest.approx(0.5**0.5 + 0.5)


def test_what_was_looked_at_is_liked_beside_what_was_bought():
    seen = [
        (item_key("a"), AS_OF - 10 * DAY, CART, 1),
        (item_key("c"), AS_OF - 10 * DAY, VIEW, 1),
    ]
    looker = add_events(history(("c", AS_OF - 20 * DAY)), np.array(seen, EVENTS))
    weights = InteractionWeights(purchase=2.0, cart=0.5, view=0.25)
    found = batch_of(looker, history(("b", AS_OF - 10 * DAY))).interest(10.0, weights)
    assert found.indptr.tolist() == [0, 2, 3]
    assert found.item_ix.tolist() == [0, 2, 1]
    assert found.weight.tolist() == pytest.approx([0.25, 0.5 + 0.125, 1.0])
    alone = batch_of(looker).interest(10.0, weights)
    np.testing.assert_array_equal(alone.weight, found.weight[:2])


def test_work_is_done_once_a_batch():
    asked = []
    batch = batch_of(history(("a",)))
    for _ in range(2):
        assert batch.once("key", lambda: asked.append(1) or len(asked)) == 1
    assert batch.once("another", lambda: 5) == 5


def test_histories_and_context_are_of_one_length():
    people = Histories.from_rows([history(("a",))], INDEX, AS_OF)
    with pytest.raises(ValueError, match="1 histories, but the context of 2"):
        Batch(people, Context.of(2, AS_OF))
    assert len(Batch(people, Context.of(1, np.int64(AS_OF)))) == 1
