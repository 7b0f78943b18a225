import numpy as np
import pytest

from recsys.matrices.histories import Histories
from recsys.matrices.ids import ItemIndex
from recsys.models.questions import Batch, Context
from tests.recsys.models.worlds import AS_OF, DAY, history

INDEX = ItemIndex(["a", "b", "c"])


def rows_of(*histories):
    people = Histories.from_rows(histories, INDEX, AS_OF)
    return Batch(people, Context.of(len(people), AS_OF, location=7, cart=[[2]] * len(people))).rows


def test_a_row_is_one_customers_question():
    first, second = rows_of(history(("b", AS_OF - 9), ("a", AS_OF - 5)), history())
    assert first.item_ix.tolist() == [1, 0]
    assert first.ts.tolist() == [AS_OF - 9, AS_OF - 5]
    assert (first.as_of_ts, first.location, first.cart.tolist()) == (AS_OF, 7, [2])
    assert second.item_ix.tolist() == []


def test_how_often_is_counted_with_age():
    (row,) = rows_of(
        history(("c", AS_OF - 20 * DAY), ("a", AS_OF - 10 * DAY), ("c", AS_OF - 10 * DAY))
    )
    items, times = row.frequency(10.0)
    assert items.tolist() == [0, 2]
    assert times.tolist() == [0.5, 0.75]
    assert row.frequency(10.0)[1] is times
    assert row.frequency(20.0)[1].tolist() == pytest.approx([0.5**0.5, 0.5**0.5 + 0.5])


def test_work_is_done_once_a_row():
    asked = []

    def work(row):
        asked.append(row)
        return len(row.item_ix)

    first, second = rows_of(history(("a",)), history())
    assert [first.once(work), first.once(work), second.once(work)] == [1, 1, 0]
    assert len(asked) == 2


def test_histories_and_context_are_of_one_length():
    people = Histories.from_rows([history(("a",))], INDEX, AS_OF)
    with pytest.raises(ValueError, match="1 histories, but the context of 2"):
        Batch(people, Context.of(2, AS_OF))
    assert len(Batch(people, Context.of(1, np.int64(AS_OF)))) == 1
