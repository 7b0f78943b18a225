import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.models import nearest as module
from recsys.models.nearest import Directed, directed, nearest, table
from recsys.models.pairs import Counts

N = 9


def pair(a, b, score, support=1):
    return Directed(
        np.array(a, np.int32),
        np.array(b, np.int32),
        np.array(score, np.float32),
        np.full(len(a), support, np.int32),
    )


def test_both_directions_by_hand():
    counts = Counts(*(np.array(column) for column in ([0], [2], [6], [12])))
    found = directed(counts, np.array([3.0, 1, 4]), np.array([1.0, 1, 2]), 2)
    assert found.a.tolist() == [0, 2]
    assert found.b.tolist() == [2, 0]
    assert found.score == pytest.approx([12 / (3 * 2) * 6 / 8, 12 / (4 * 1) * 6 / 8])
    assert found.support.tolist() == [6, 6]


@pytest.mark.parametrize("waiting", [0, 5, 1 << 20])
def test_the_best_are_kept_however_they_come(monkeypatch, waiting):
    monkeypatch.setattr(module, "_WAITING", waiting)
    cells = st.dictionaries(
        st.tuples(st.integers(0, N - 1), st.integers(0, N - 1)), st.sampled_from([0.1, 0.2, 0.3])
    )

    @given(st.lists(cells, max_size=6), st.integers(1, 4))
    def holds(drawn, n):
        whole, parts = {}, []
        for part in drawn:
            new = {cell: score for cell, score in part.items() if cell not in whole}
            whole |= new
            parts.append(pair([a for a, _ in new], [b for _, b in new], list(new.values())))
        found = nearest(iter(parts), N, n)
        expected = []
        for a in range(N):
            mine = sorted((-score, b) for (of, b), score in whole.items() if of == a)[:n]
            expected += sorted((a, b) for _, b in mine)
        assert list(zip(found.a.tolist(), found.b.tolist(), strict=True)) == expected

    holds()


def test_a_table_says_where_each_begins():
    indptr, items, scores = table(pair([0, 0, 3], [1, 2, 0], [1, 2, 3]), 4)
    assert indptr.tolist() == [0, 2, 2, 2, 3]
    assert items.tolist() == [1, 2, 0]
    assert scores.tolist() == [1, 2, 3]
