from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.models.kernels.nearest_items import DirectedPairs, nearest_items, neighbour_table

N = 6
pairs = st.dictionaries(
    st.tuples(st.integers(0, N - 1), st.integers(0, N - 1)), st.integers(0, 4), max_size=30
)


def directed(drawn):
    a, b = (np.array([pair[end] for pair in drawn], np.int32) for end in (0, 1))
    score = np.array([*drawn.values()], np.float32)
    return DirectedPairs(a, b, score, (score + 1).astype(np.int32))


@given(pairs, st.integers(1, 8), st.integers(1, 4))
def test_each_product_keeps_its_best_and_of_equal_ones_the_first(drawn, n, pieces):
    whole = directed(drawn)
    cuts = np.linspace(0, len(drawn), pieces + 1).astype(int).tolist()
    parts = (whole.take(np.arange(start, end)) for start, end in pairwise(cuts))
    near = nearest_items(parts, N, n)
    expected = []
    for a in range(N):
        own = sorted((-score, b) for (one, b), score in drawn.items() if one == a)[:n]
        expected += sorted((a, b, -score) for score, b in own)
    assert list(zip(near.a.tolist(), near.b.tolist(), near.score.tolist(), strict=True)) == expected
    assert (near.support == near.score + 1).all()
    indptr, items, _ = neighbour_table(near, N)
    assert np.diff(indptr).max(initial=0) <= n
    assert len(items) == indptr[-1]
