import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.datasets.ragged import Lists
from recsys.ranking.selection import best_candidates, count_left_out

candidate = st.tuples(st.integers(0, 3), st.booleans(), st.booleans(), st.integers(0, 2))
rows = st.lists(st.lists(candidate, max_size=9), min_size=1, max_size=4)


@given(rows, st.integers(1, 10), st.randoms())
def test_the_best_are_those_of_sorting_all(requests, count, random):
    items = [np.array(random.sample(range(20), len(row)), np.int32) for row in requests]
    found = Lists.of_rows(items)
    flat = [each for row in requests for each in row]
    total = np.array([each[0] for each in flat], np.float64)
    allowed = np.array([each[1] for each in flat], bool)
    behind = np.array([each[2] for each in flat], bool)
    code = np.where(allowed, 0, [each[3] + 1 for each in flat]).astype(np.uint8)
    counts = np.full(len(requests), count)
    indptr, position = best_candidates(found, total, allowed, counts, behind)
    plain = best_candidates(found, total, allowed, counts)
    missed = count_left_out(found, total, code, plain, counts, 3)
    for r in range(len(requests)):
        mine = range(found.indptr[r], found.indptr[r + 1])
        key = {at: (behind[at], -total[at], found.item_ix[at]) for at in mine}
        expected = sorted((at for at in mine if allowed[at]), key=key.__getitem__)[:count]
        assert position[indptr[r] : indptr[r + 1]].tolist() == expected
        # One after the other: what a rule forbids counts until the list is full.
        seen, out = 0, [0, 0, 0]
        for at in sorted(mine, key=lambda at: (-total[at], found.item_ix[at])):
            if seen == count:
                break
            if allowed[at]:
                seen += 1
            else:
                out[code[at] - 1] += 1
        assert missed[r].tolist() == out
