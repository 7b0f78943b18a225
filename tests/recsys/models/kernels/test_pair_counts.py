import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from recsys.models.kernels import pair_counts
from recsys.models.kernels.pair_counts import PairEntries, count_meeting_pairs, count_pairs

N = 13
baskets = st.lists(st.sets(st.integers(0, N - 1), max_size=8), max_size=25)


def matrix(drawn):
    rows = np.repeat(np.arange(len(drawn)), [len(basket) for basket in drawn])
    columns = np.array([item for basket in drawn for item in basket], np.int32)
    shape = (len(drawn), N)
    return sparse.csr_array((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)


def dense(parts):
    """All pairs as a matrix; each may come once only."""
    found = np.zeros((N, N), np.int64)
    a = -1
    for part in parts:
        order = np.lexsort((part.b, part.a))
        assert (np.diff(order) == 1).all()
        assert part.a[0] > a
        a = part.a[-1]
        assert (found[part.a, part.b] == 0).all()
        found[part.a, part.b] = part.support
    return found


@pytest.fixture
def small_steps(monkeypatch):
    """As if the data were large: several parts, several steps through the entries."""
    monkeypatch.setattr(pair_counts, "_ENTRIES", 5)
    monkeypatch.setattr(pair_counts, "_STEP", 7)


def by_hand(drawn, min_support):
    together = np.zeros((N, N), np.int64)
    for basket in drawn:
        for a in basket:
            for b in basket:
                together[a, b] += a < b
    return np.where(together >= min_support, together, 0)


@given(baskets, st.integers(1, 4), st.integers(1, 60), st.integers(1, 2))
def test_blocks_and_threads_count_what_counting_by_hand_counts(drawn, min_support, block, threads):
    found = dense(count_pairs(matrix(drawn), min_support, block=block, threads=threads))
    np.testing.assert_array_equal(found, by_hand(drawn, min_support))


@pytest.mark.usefixtures("small_steps")
def test_much_data_is_counted_in_steps():
    @given(baskets, st.integers(1, 4), st.integers(1, 60))
    def holds(drawn, min_support, block):
        found = dense(count_pairs(matrix(drawn), min_support, block=block))
        np.testing.assert_array_equal(found, by_hand(drawn, min_support))

    holds()


@given(baskets, st.integers(1, 4), st.integers(1, 60), st.data())
def test_weights_add_up_for_those_with_support(drawn, min_support, block, data):
    weights = data.draw(st.lists(st.integers(1, 255), min_size=len(drawn), max_size=len(drawn)))
    parts = list(count_pairs(matrix(drawn), min_support, np.array(weights, np.uint8), block=block))
    np.testing.assert_array_equal(dense(parts), by_hand(drawn, min_support))
    for part in parts:
        for a, b, _, weight in zip(*part, strict=True):
            both = [{a, b} <= basket for basket in drawn]
            assert weight == np.dot(both, weights)


def test_blocks_and_threads_change_no_byte():
    rng = np.random.default_rng(7)
    drawn = [set(rng.zipf(1.3, 6).clip(max=N) - 1) for _ in range(300)]
    whole = [np.concatenate(column) for column in zip(*count_pairs(matrix(drawn), 2), strict=True)]
    for block, threads in ((1, 1), (1, 2), (40, 2), (1_000, 3)):
        parts = count_pairs(matrix(drawn), 2, block=block, threads=threads)
        for one, other in zip(whole, zip(*parts, strict=True), strict=True):
            np.testing.assert_array_equal(one, np.concatenate(other))


def test_baskets_in_any_order_and_with_repeats_count_once():
    rows, columns = [0, 0, 0, 1, 1, 2, 2], [4, 1, 4, 1, 4, 1, 4]
    items = sparse.csr_array(
        (np.ones(7, np.float32), np.array(columns, np.int32), np.array([0, 3, 5, 7]))
    )
    (found,) = count_pairs(items, 3)
    assert [column.tolist() for column in found] == [[1], [4], [3], [3]]
    assert items.nnz == len(rows)


def test_meetings_have_a_direction():
    # Products in the order of a customer's purchases; each meets the two that follow.
    sequence = np.array([2, 0, 1, 2, 0], np.int32)

    def next_two(at):
        return at + 1, np.minimum(2, len(sequence) - at - 1)

    found = dense(count_meeting_pairs(PairEntries(sequence, sequence, next_two, N), 1))
    assert {(a, b): found[a, b] for a, b in np.argwhere(found)} == {
        (2, 0): 2,
        (2, 1): 1,
        (0, 1): 1,
        (0, 2): 1,
        (1, 2): 1,
        (1, 0): 1,
    }


def test_nothing_to_count_is_no_error():
    assert list(count_pairs(matrix([]), 1)) == []
    assert list(count_pairs(matrix([{1}, {2}]), 1)) == []
