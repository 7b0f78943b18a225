import numpy as np
import pytest
from scipy import sparse

from benchmarks._report import OURS, Report
from benchmarks.pairs import METHODS, SCIPY, compare, grown


@pytest.fixture(scope="module")
def baskets():
    rng = np.random.default_rng(3)
    held = rng.random((300, 12)) < np.linspace(0.05, 0.6, 12)
    return sparse.csr_array(held.astype(np.float32))


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_the_same_pairs(method, baskets):
    if method not in (OURS, SCIPY):
        pytest.importorskip(method)
    pairs, total = METHODS[method](baskets)
    assert pairs > 20
    assert (pairs, total) == METHODS[SCIPY](baskets)


def test_more_baskets_bring_other_pairs(baskets):
    more = grown(baskets, 3, seed=0)
    assert more.shape == (900, 12)
    assert more.has_canonical_format
    np.testing.assert_array_equal(more[:300].toarray(), baskets.toarray())
    assert more[300:600].sum(axis=1).tolist() == baskets.sum(axis=1).tolist()
    assert (more[300:600].toarray() != baskets.toarray()).any()


def test_each_method_is_timed_in_a_process_of_its_own(tmp_path, baskets):
    sparse.save_npz(tmp_path / "baskets.npz", baskets, compressed=False)
    report = Report("Pairs")
    assert compare(report, tmp_path / "baskets.npz", [OURS, SCIPY], rounds=1)
    figures = {(row["method"], row["metric"]): row["value"] for row in report.rows}
    assert figures[SCIPY, "times_scipy"] == 1
    assert figures[OURS, "pairs"] == figures[SCIPY, "pairs"] > 20
    assert {"seconds", "cpu_seconds", "extra_mb"} <= {row["metric"] for row in report.rows}
