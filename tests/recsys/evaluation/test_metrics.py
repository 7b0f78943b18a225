"""Each metric against figures worked out by hand, and what must hold for any lists."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import ndcg_score

from recsys.datasets.ragged import Lists
from recsys.evaluation import metrics

LOG3 = math.log2(3)


def lists(*rows):
    return Lists.of_rows([np.array(row, dtype=np.int32) for row in rows])


@pytest.mark.parametrize(
    ("shown", "relevant", "k", "recall", "ndcg", "hit", "precision"),
    [
        # the one relevant item stands first
        ([5, 1, 2], [5], 3, 1.0, 1.0, 1.0, 1 / 3),
        # it stands second: its gain is 1/log2(3), the ideal is 1
        ([1, 5, 2], [5], 3, 1.0, 1 / LOG3, 1.0, 1 / 3),
        # it stands behind the cut
        ([1, 2, 5], [5], 2, 0.0, 0.0, 0.0, 0.0),
        # two of four relevant in the first two: the ideal is cut at 2, recall is not
        ([7, 8], [6, 7, 8, 9], 2, 0.5, 1.0, 1.0, 1.0),
        # first and third of three places, two relevant: (1 + 1/2) / (1 + 1/log2 3)
        ([4, 0, 3], [3, 4], 3, 1.0, 1.5 / (1 + 1 / LOG3), 1.0, 2 / 3),
        # a short list is not padded with anything; its empty places are places
        ([4], [3, 4], 3, 0.5, 1 / (1 + 1 / LOG3), 1.0, 1 / 3),
        ([], [3], 3, 0.0, 0.0, 0.0, 0.0),
    ],
)
def test_figures_worked_by_hand(shown, relevant, k, recall, ndcg, hit, precision):
    one, other = lists(shown), lists(relevant)
    assert metrics.recall_at(one, other, k) == pytest.approx([recall])
    assert metrics.ndcg_at(one, other, k) == pytest.approx([ndcg])
    assert metrics.hit_rate_at(one, other, k) == pytest.approx([hit])
    assert metrics.precision_at(one, other, k) == pytest.approx([precision])


#: Half of the customers bought item 0, a quarter item 1, one of the eight item 2, nobody item 3.
BUYERS = np.array([1 / 2, 1 / 4, 1 / 8, 0.0])


@pytest.mark.parametrize(
    ("shown", "k", "popularity", "novelty"),
    [
        ([0], 3, 1 / 2, 1.0),  # -log2 1/2
        ([0, 1], 3, 3 / 8, 1.5),  # (1/2 + 1/4) / 2, (1 + 2) / 2
        ([2, 0, 1], 2, 5 / 16, 2.0),  # the third does not count: (1/8 + 1/2) / 2, (3 + 1) / 2
        ([3], 1, 0.0, 3.0),  # nobody counts as one of eight
        ([], 3, np.nan, np.nan),
    ],
)
def test_popularity_and_novelty_worked_by_hand(shown, k, popularity, novelty):
    one = lists(shown)
    found = metrics.popularity_at(one, BUYERS, k), metrics.novelty_at(one, BUYERS, 8, k)
    np.testing.assert_allclose(found, [[popularity], [novelty]])


@pytest.mark.parametrize(
    ("shown", "owned", "k", "share"),
    [
        ([1, 2, 3, 4], [2, 4], 4, 1 / 2),
        ([1, 2, 3, 4], [2, 4], 3, 1 / 3),  # 4 stands behind the cut
        ([2], [2, 4], 3, 1.0),  # of one shown item, not of three places
        ([1], [], 3, 0.0),
        ([], [1], 3, np.nan),
    ],
)
def test_share_of_what_is_shown_worked_by_hand(shown, owned, k, share):
    np.testing.assert_allclose(metrics.share_of(lists(shown), lists(owned), k), [share])


def test_rows_are_apart_and_rows_without_anything_relevant_do_not_count():
    shown = lists([1, 2], [], [2, 1])
    relevant = lists([2], [1], [])
    np.testing.assert_array_equal(metrics.recall_at(shown, relevant, 2), [1.0, 0.0, np.nan])
    np.testing.assert_array_equal(metrics.hit_rate_at(shown, relevant, 1), [0.0, 0.0, np.nan])
    assert metrics.bootstrap(metrics.recall_at(shown, relevant, 2), seed=0).n == 2


def test_coverage_counts_each_shown_item_once():
    assert metrics.coverage(lists([1, 2, 3], [2, 1, 4]), 2, n_items=10) == 0.2
    assert metrics.coverage(lists([]), 5, n_items=10) == 0.0


def test_bootstrap_holds_the_mean_and_is_the_same_for_the_same_seed():
    values = np.random.default_rng(3).normal(0.3, 0.1, 400)
    first, again = metrics.bootstrap(values, seed=1), metrics.bootstrap(values, seed=1)
    assert first == again
    assert first.mean == pytest.approx(values.mean())
    # the standard error of 400 such figures is 0.005, the interval about four of those wide
    assert first.low < first.mean < first.high
    assert first.high - first.low == pytest.approx(4 * 0.005, rel=0.2)


def test_many_figures_get_the_intervals_that_each_would_get():
    rng = np.random.default_rng(5)
    values = np.stack([rng.normal(0.3, 0.1, 300), rng.normal(0.5, 0.3, 300), np.zeros(300)], 1)
    values[:200, 1], values[:, 2] = np.nan, np.nan
    one, other, none = metrics.bootstrap_all(values, seed=1)
    assert (one.n, other.n, none.n) == (300, 100, 0)
    assert math.isnan(none.mean)
    for found, column in ((one, 0), (other, 1)):
        alone = metrics.bootstrap(values[:, column], seed=2)
        assert found.mean == pytest.approx(alone.mean)
        assert found.high - found.low == pytest.approx(alone.high - alone.low, rel=0.2)
    (again,) = metrics.bootstrap_all(values[:, :1], seed=1)
    assert again == pytest.approx(one)


def test_a_difference_is_surer_than_its_parts():
    rng = np.random.default_rng(5)
    people = rng.normal(0.3, 0.2, 300)
    ours, theirs = people + 0.05, people
    one, _, ahead = metrics.bootstrap_all(np.stack([ours, theirs, ours - theirs], 1), seed=0)
    assert ahead.low == pytest.approx(0.05)
    assert one.high - one.low > 0.03


def test_bootstrap_of_nobody_is_not_a_number():
    assert math.isnan(metrics.bootstrap(np.array([np.nan]), seed=0).mean)


rows = st.lists(st.integers(0, 12), unique=True, max_size=8)


@given(st.lists(st.tuples(rows, rows), min_size=1, max_size=5), st.integers(1, 6))
def test_a_batch_is_its_rows_and_every_figure_is_a_share(pairs, k):
    shown, relevant = lists(*(a for a, _ in pairs)), lists(*(b for _, b in pairs))
    for metric in (metrics.recall_at, metrics.ndcg_at, metrics.hit_rate_at):
        together = metric(shown, relevant, k)
        alone = np.concatenate([metric(lists(a), lists(b), k) for a, b in pairs])
        np.testing.assert_array_equal(together, alone)
        counted = together[~np.isnan(together)]
        assert ((counted >= 0) & (counted <= 1 + 1e-12)).all()


@given(rows, st.integers(1, 6))
def test_showing_exactly_what_was_wanted_is_perfect(wanted, k):
    if wanted:
        assert metrics.ndcg_at(lists(wanted), lists(wanted), k) == pytest.approx([1.0])


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_every_figure_is_that_of_a_plain_loop(seed, k):
    rng = np.random.default_rng(seed)
    n_items, buyers = 15, rng.random(15)
    shown = [rng.permutation(n_items)[: rng.integers(0, 14)].tolist() for _ in range(6)]
    wanted = [rng.permutation(n_items)[: rng.integers(0, 6)].tolist() for _ in range(6)]
    lists, relevant = (
        Lists.of_rows([np.array(row, int) for row in rows]) for rows in (shown, wanted)
    )
    found = {
        "recall": metrics.recall_at(lists, relevant, k),
        "hit": metrics.hit_rate_at(lists, relevant, k),
        "precision": metrics.precision_at(lists, relevant, k),
        "ndcg": metrics.ndcg_at(lists, relevant, k),
        "share": metrics.share_of(lists, relevant, k),
        "popularity": metrics.popularity_at(lists, buyers, k),
        "novelty": metrics.novelty_at(lists, buyers, 100, k),
    }
    for row, (items, held) in enumerate(zip(shown, wanted, strict=True)):
        hits = [item for item in items[:k] if item in held]
        mean = [buyers[item] for item in items[:k]]
        bits = [-math.log2(max(share, 0.01)) for share in mean]
        one = dict.fromkeys(found, math.nan)
        if held:
            one |= {
                "recall": len(hits) / len(held),
                "hit": float(bool(hits)),
                "precision": len(hits) / k,
            }
            reached = gain([item in held for item in items[:k]])
            one["ndcg"] = reached / gain([True] * min(len(held), k))
        if items:
            one |= {
                "share": len(hits) / len(items[:k]),
                "popularity": float(np.mean(mean)),
                "novelty": float(np.mean(bits)),
            }
        for name, value in one.items():
            assert found[name][row] == pytest.approx(value, nan_ok=True), name


def gain(hits):
    return sum(1 / math.log2(place + 2) for place, hit in enumerate(hits) if hit)


def test_ndcg_is_that_of_another_library():
    rng = np.random.default_rng(8)
    relevance = rng.random((30, 20)) < 0.2
    relevance[:, 0] = True
    scores = rng.random((30, 20))
    shown = Lists.of_rows(list(np.argsort(-scores, axis=1)))
    wanted = Lists.of_rows([np.flatnonzero(row) for row in relevance])
    each = [ndcg_score([r], [s], k=7) for r, s in zip(relevance, scores, strict=True)]
    np.testing.assert_allclose(metrics.ndcg_at(shown, wanted, 7), each)


def test_intervals_are_those_of_another_library():
    """Resampled at random by both: the same to a twentieth of their width."""
    values = np.random.default_rng(6).gamma(0.5, size=400)
    ours = metrics.bootstrap(values, seed=1, draws=8_000)
    (together,) = metrics.bootstrap_all(values[:, None], seed=1, draws=8_000)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=8_000, method="percentile", random_state=1
    ).confidence_interval
    width = theirs.high - theirs.low
    for one in (ours, together):
        assert one.mean == pytest.approx(values.mean())
        assert one.low == pytest.approx(theirs.low, abs=width / 20)
        assert one.high == pytest.approx(theirs.high, abs=width / 20)
