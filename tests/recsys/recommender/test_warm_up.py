"""The first customer does not wait for a compiler."""

from recsys.datasets.customer_history import Histories
from recsys.datasets.item_index import ItemIndex
from recsys.recommender.warm_up import questions, somebody

AS_OF = 1_700_000_000


def test_somebody_did_a_little_of_everything():
    index = ItemIndex(["a", "b", "c", "d", "e"])
    past = Histories.from_rows([somebody(index, AS_OF)], index, AS_OF)
    assert (past.quantity < 0).any()
    assert len(past.purchases.item_ix) > 3
    assert len(past.interactions.item_ix) > 0


def test_a_catalogue_may_be_empty():
    index = ItemIndex([])
    assert len(somebody(index, AS_OF).lines) == 0
    assert all(not question.cart for question, _ in questions(index, AS_OF))
