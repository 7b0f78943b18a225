"""EASE by hand; the libraries answer in our form."""

import numpy as np
import pytest
from scipy import sparse

from benchmarks._problem import Purchases
from benchmarks.baselines import BASELINES, items

#: Three customers buy 0 with 1, three 2 with 3; customer 6 has 0 alone.
CUSTOMER = np.array([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6])
ITEM = np.array([0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3, 0])


def purchases():
    return Purchases.of(7, 4, CUSTOMER, ITEM, np.zeros(len(ITEM), np.int64))


def test_ease_is_the_closed_form():
    counts = sparse.csr_matrix(np.array([[1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1.0]]))
    weights = items.ease_weights(counts, 2.0)
    inverse = np.linalg.inv((counts.T @ counts).toarray() + 2 * np.eye(3))
    expected = -inverse / np.diag(inverse)
    np.fill_diagonal(expected, 0)
    assert weights == pytest.approx(expected, abs=1e-5)


def test_ease_leaves_out_what_few_bought():
    bought = Purchases.of(3, 3, np.array([0, 0, 1, 1, 2]), np.array([1, 2, 1, 2, 0]), np.zeros(5))
    show = items.fit_ease(bought, 0, 1.0, False, None, items=2)
    assert 0 not in show(np.array([0, 2]), 3, False).item_ix


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "baseline",
    [baseline for baseline in BASELINES if baseline.name not in {"popular"}],
    ids=lambda baseline: baseline.name,
)
def test_every_peer_answers_with_what_goes_together(baseline):
    if not baseline.there:
        pytest.skip(f"{baseline.package} is not installed")
    settings = {name: tried[0] for name, tried in baseline.axes.items()}
    settings |= {"neighbours": 3} if "neighbours" in settings else {}
    settings |= {"factors": 2} if "factors" in settings else {}
    settings |= {"k": 3} if "k" in settings else {}
    show = baseline.fit(purchases(), 0, **settings)
    mixed, new = (show(np.array([6, 0]), 3, kind) for kind in (False, True))
    for lists in (mixed, new):
        assert len(lists.indptr) == 3
        assert lists.item_ix.max(initial=0) < 4
        for row in range(2):
            held = lists.row(row).item_ix.tolist()
            assert len(held) == len(set(held))
    assert 0 not in new.row(0).item_ix
    assert not {0, 1} & set(new.row(1).item_ix.tolist())


@pytest.mark.parametrize("fit", [items.fit_cosine, items.fit_tfidf])
@pytest.mark.filterwarnings("ignore")
def test_neighbours_of_implicit_find_the_other_of_a_pair(fit):
    show = fit(purchases(), 0, neighbours=3, half_life_days=None)
    assert show(np.array([6]), 2, True).item_ix.tolist() == [1]
