import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from benchmarks import _following as following
from benchmarks import _null_model
from benchmarks._following import Visits, plant_after
from benchmarks._persistence import FLOORS, LENGTHS, Way, choose, chosen, lengths_of, shares
from benchmarks._planted import Truth
from benchmarks._report import NO_DATA, OURS
from benchmarks._shop import Shop, interval
from benchmarks._shuffle import plant, shuffled
from benchmarks.baselines.rules import METHODS, ORDERS, Rules
from benchmarks.bundles import main
from recsys.datasets.baskets import Baskets
from recsys.units import DAY


def baskets(seed, n_orders=400, n_items=30, largest=0.5):
    rng = np.random.default_rng(seed)
    held = rng.random((n_orders, n_items)) < np.linspace(0.02, largest, n_items)
    made = sparse.csr_array(held.astype(np.float32))
    made.sort_indices()
    return made


@pytest.fixture(scope="module")
def shop_like():
    """Many products, so that hundreds of pairs fit, and baskets of very different sizes."""
    rng = np.random.default_rng(5)
    pull = rng.lognormal(0, 0.8, 6_000)
    share = np.geomspace(0.002, 0.03, 500)
    held = rng.random((6_000, 500)) < np.minimum(np.outer(pull, share), 0.9)
    return sparse.csr_array(held.astype(np.float32))


def same_margins(one, other):
    for axis in (0, 1):
        np.testing.assert_array_equal(one.sum(axis=axis), other.sum(axis=axis))
    assert one.data.max() == other.data.max() == 1
    assert other.has_canonical_format


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1_000))
def test_shuffling_keeps_the_sizes_of_baskets_and_the_counts_of_products(seed):
    made = baskets(seed)
    dealt = shuffled(made, seed)
    same_margins(made, dealt)
    assert (made != dealt).nnz > made.nnz / 2


def test_one_seed_deals_the_same_baskets_again():
    made = baskets(1)
    assert (shuffled(made, 7) != shuffled(made, 7)).nnz == 0
    assert (shuffled(made, 7) != shuffled(made, 8)).nnz > 0


def test_baskets_that_can_hold_nothing_else_are_refused():
    full = sparse.csr_array(np.ones((5, 4), np.float32))
    with pytest.raises(ValueError, match="swaps were possible"):
        shuffled(full, 0)


def test_what_is_expected_is_what_shuffles_give(shop_like):
    rng = np.random.default_rng(2)
    a, b = rng.permutation(500)[:400].reshape(2, -1)
    week = np.arange(6_000) // 600
    given_chance = _null_model.expected(shop_like, a, b)
    in_weeks = _null_model.expected(shop_like, a, b, week)
    seen = np.mean([_null_model.together(shuffled(shop_like, at), a, b) for at in range(8)], axis=0)
    assert seen.sum() == pytest.approx(given_chance.sum(), rel=0.02)
    assert seen.sum() == pytest.approx(in_weeks.sum(), rel=0.05)
    counts = shop_like.sum(axis=0)
    independent = counts[a] * counts[b] / 6_000
    assert given_chance.sum() > 1.5 * independent.sum()  # large baskets meet more


def test_planted_pairs_lie_together_as_often_as_is_said(shop_like):
    dealt = shuffled(shop_like, 0)
    there = plant(dealt, 60, seed=0)
    same_margins(dealt, there.items)
    assert len(there.a) >= 40
    assert len(set(there.a.tolist()) | set(there.b.tolist())) == 2 * len(there.a)
    np.testing.assert_array_equal(
        _null_model.together(there.items, there.a, there.b), there.support
    )
    lift = there.support / _null_model.expected(there.items, there.a, there.b)
    assert 1.5 < lift.min() < lift.max() < 15
    assert there.support.min() >= 15
    assert there.support.max() <= 210


def test_what_is_planted_can_be_found_and_nothing_else_is_plain(shop_like):
    there = plant(shuffled(shop_like, 0), 60, seed=0)
    truth = Truth(there, _null_model.expected(there.items, there.a, there.b))
    assert truth.counts.mean() > 0.8
    told = truth.detect(there.a[:5], there.b[:5], reported=7)
    assert told.found.sum() == 5
    assert told.reported == 7
    sure = _null_model.found_by_oracle(truth.p_value, 500 * 499 // 2, 0.05)
    assert 0.7 < sure[truth.counts].mean() <= 1
    rng = np.random.default_rng(0)
    others = rng.permutation(np.setdiff1d(np.arange(500), np.append(there.a, there.b)))[:200]
    a, b = others.reshape(2, -1)
    chance = _null_model.expected(there.items, a, b)
    p_value = _null_model.at_least(_null_model.together(there.items, a, b), chance)
    assert not _null_model.found_by_oracle(p_value, 100, 0.05).any()


@pytest.fixture(scope="module")
def customers(shop_like):
    """Whose those baskets are: 300 customers, a basket every three days or so."""
    rng = np.random.default_rng(1)
    n = shop_like.shape[0]
    return Baskets(
        items=shop_like,
        ts=np.sort(rng.integers(0, 60 * DAY, n)),
        customer=rng.integers(-1, 300, n).astype(np.int32),
        channel=np.zeros(n, np.uint8),
        location=np.zeros(n, np.int64),
        customer_ids=[str(number) for number in range(300)],
    )


def test_what_follows_is_of_the_same_customer_and_within_the_days(customers):
    visits = Visits.of(customers, 7, 60 * DAY)
    before, after = visits.later.nonzero()
    assert len(before) > 1_000
    assert (customers.customer[before] == customers.customer[after]).all()
    assert (customers.customer[before] >= 0).all()
    waited = customers.ts[after] - customers.ts[before]
    assert 0 < waited.min() < waited.max() <= 7 * DAY
    assert customers.ts[before].max() <= 53 * DAY  # the others' days are not over
    known = np.flatnonzero(customers.customer == 5)
    early = known[customers.ts[known] <= 53 * DAY]
    wanted = sum(
        ((customers.ts[known] > at) & (customers.ts[known] <= at + 7 * DAY)).sum()
        for at in customers.ts[early]
    )
    assert (customers.customer[before] == 5).sum() == wanted


def test_planted_products_follow_as_often_as_is_said(shop_like, customers):
    visits = Visits.of(customers, 7, 60 * DAY)
    dealt = shuffled(shop_like, 3)
    rng = np.random.default_rng(4)
    a, b = rng.permutation(500)[:300].reshape(2, -1)
    chance = following.expected(dealt, visits, a, b)
    seen = following.support(dealt, visits, a, b)
    assert seen.sum() == pytest.approx(chance.sum(), rel=0.08)
    there = plant_after(dealt, visits, 40, seed=0)
    same_margins(dealt, there.items)
    assert len(there.a) > 20
    chance = following.expected(there.items, visits, there.a, there.b)
    assert np.median(there.support / chance) > 2
    back = following.support(there.items, visits, there.b, there.a)
    assert np.median(back / chance) < 1.5  # only in this order


def test_where_nobody_comes_back_nothing_can_follow(shop_like, customers):
    once = replace(customers, customer=np.full(shop_like.shape[0], -1, np.int32))
    assert len(plant_after(shop_like, Visits.of(once, 7, 60 * DAY), 40, seed=0).a) == 0


def test_a_pair_holds_only_beyond_what_its_weeks_explain():
    rng = np.random.default_rng(0)
    n = 4_000
    ts = np.arange(n) * (20 * _null_model.WEEK // n)
    promoted = (ts // _null_model.WEEK) % 10 == 0
    held = rng.random((n, 6)) < 0.3
    held[:, 0] = rng.random(n) < np.where(promoted, 0.6, 0.05)  # bought in the same weeks as 1
    held[:, 1] = rng.random(n) < np.where(promoted, 0.6, 0.05)
    held[:, 2] = held[:, 3] & (rng.random(n) < 0.9)  # bought with 3
    items = sparse.csr_array(held.astype(np.float32))
    tests = _null_model.test_pairs(items, ts, np.array([0, 2, 4, -1]), np.array([1, 3, 5, 3]))
    assert tests.plain.tolist() == [True, True, False, False]
    assert tests.strict.tolist() == [False, True, False, False]
    assert tests.sold.tolist() == [True, True, True, False]


def test_what_was_seen_of_few_cases_lies_in_a_wide_interval():
    assert interval(0, 20) == pytest.approx((0, 0.168), abs=1e-3)
    assert interval(1, 20) == pytest.approx((0.001, 0.249), abs=1e-3)
    assert interval(20, 20)[1] == 1


def odd(a, b):
    return (a + b) % 2 == 1


@pytest.mark.parametrize("method", METHODS)
def test_others_find_every_pair_with_a_lift_above_one(method):
    pytest.importorskip(method)
    made = baskets(3)
    rules = METHODS[method](made, 12)
    counts, together = made.sum(axis=0), (made.T @ made).toarray()
    a, b = np.nonzero(np.triu(together, 1) >= 12)
    lift = together[a, b] * 400 / (counts[a] * counts[b])
    wanted = set(zip(a[lift > 1].tolist(), b[lift > 1].tolist(), strict=True))
    for order in ORDERS:
        found = list(zip(*(end.tolist() for end in rules.pairs(order)), strict=True))
        assert len(found) == len(set(found))
        assert set(found) == wanted
    fewer = set(zip(*(end.tolist() for end in rules.without(odd).pairs("lift")), strict=True))
    assert fewer == {(a, b) for a, b in wanted if (a + b) % 2 == 0}
    a, b = rules.pairs("lift", 20)
    assert (together[a, b] >= 20).all()
    lift = together[a, b] * 400 / (counts[a] * counts[b])
    assert (np.diff(lift) <= 1e-6).all()
    assert rules.seconds > 0


class Judge:
    """A later time in which the pairs of small numbers hold."""

    def test(self, a, b):
        return _null_model.PairTests((a < 1_000) & (b >= 0), a < 500, a < 900)


def ruled(n, **figures):
    """Rules ``a → a + 10,000`` with a support that falls from 6,000 on."""
    a = np.arange(n)
    flat = dict.fromkeys(ORDERS, np.ones(n))
    return Rules(a, a + 10_000, 6_000 - a, **{**flat, **figures}, seconds=1.0)


def test_lists_are_judged_at_every_length_they_have():
    a = np.arange(600)
    found = shares(Judge(), a, a + 10_000, LENGTHS)
    assert found["persistence@100"] == found["persistence@500"] == 1
    assert found["strict_persistence@500"] == 1
    assert not any(name.endswith("@2000") for name in found)
    a = np.arange(2_500)
    found = shares(Judge(), a, a + 10_000, LENGTHS)
    assert found["strict_persistence@2000"] == 0.25
    assert found["sold_persistence@2000"] == 0.8  # 400 were sold and did not hold


def test_lists_are_as_long_as_ours():
    assert lengths_of(5_000) == [100, 500, 2_000]
    assert lengths_of(473) == [100, 473]
    assert lengths_of(0) == []


def test_others_are_sorted_as_was_best_before():
    # By lift the worst come first, by leverage the best; support says the same as leverage.
    rules = ruled(3_000, lift=np.arange(3_000.0), leverage=-np.arange(3_000.0))
    ways = choose(Judge(), rules, 10, LENGTHS)
    assert ways["persistence@500"] == Way("confidence", 1)  # equal: those with more support first
    now = chosen(Judge(), rules, 10, {"persistence@500": Way("lift", 1)})
    assert now["persistence@500"] == (0.0, Way("lift", 1))


def test_a_support_that_leaves_too_few_rules_is_lowered():
    rules = ruled(3_000)._replace(support=np.where(np.arange(3_000) < 600, 400, 15))
    assert max(LENGTHS) > 600
    ways = {"persistence@500": Way("lift", 20), "persistence@2000": Way("lift", 20)}
    now = chosen(Judge(), rules, 10, ways)
    assert now["persistence@500"][1].floor == 20
    assert now["persistence@2000"][1].floor == FLOORS[0]


@pytest.fixture(scope="module")
def shop_data(tmp_path_factory):
    """A year of a shop in the columns of Online Retail II; products 0 and 1 go together."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    n, n_items = 3_000, 80
    held = rng.random((n, n_items)) < np.outer(
        rng.lognormal(0, 0.5, n), np.geomspace(0.02, 0.2, 80)
    )
    held[:, 0] = rng.random(n) < 0.1
    held[:, 1] = np.where(rng.random(n) < 0.8, held[:, 0], rng.random(n) < 0.05)
    order, item = np.nonzero(held)
    start = np.datetime64("2011-01-01T00:00:00")
    table = pa.table(
        {
            "Invoice": [f"o{at}" for at in order],
            "StockCode": [f"p{at}" for at in item],
            "Description": [f"thing {'abcdefghijklmnopqrst'[at % 20]}{at}" for at in item],
            "Quantity": np.ones(len(order), np.int64),
            "InvoiceDate": start + (order * (31_000_000 // n)).astype("timedelta64[s]"),
            "Price": np.ones(len(order)),
            "Customer ID": (order % 100).astype(np.float64),
        }
    )
    (folder / "uci_online_retail_ii").mkdir()
    pq.write_table(table, folder / "uci_online_retail_ii" / "orders.parquet")
    return folder


def run(monkeypatch, *options):
    monkeypatch.setattr("sys.argv", ["bundles", *map(str, options)])
    main()


def test_all_parts_of_a_shop_are_measured(monkeypatch, tmp_path, shop_data, capsys):
    pytest.importorskip("rusket")
    monkeypatch.setattr("benchmarks._persistence.LENGTHS", (1, 2))
    monkeypatch.delitem(METHODS, "mlxtend")  # takes seconds to load, each time
    run(
        monkeypatch,
        "--task",
        "uci_online_retail_ii",
        "--data",
        shop_data,
        "--work",
        tmp_path,
        "--shuffles",
        2,
        "--planted",
        1,
        "--peer-rounds",
        1,
        "--rounds",
        1,
        "--json",
        tmp_path / "figures.json",
    )
    rows = json.loads((tmp_path / "figures.json").read_text())["rows"]
    said = {(row["task"], row["method"], row["metric"]): row["value"] for row in rows}
    shop = "uci_online_retail_ii"
    assert said[shop, OURS, "false_discovery_rate"] == 0
    assert said[shop, "rusket", "false_discovery_rate"] == 1
    assert said[shop, "rusket", "false_pairs"] > 100
    assert said[f"{shop}, planted", OURS, "found_share"] > 0.7
    assert f"{shop}, planted after" in {row["task"] for row in rows}
    assert said[shop, OURS, "persistence@1"] == said[shop, OURS, "strict_persistence@1"] == 1
    assert said[shop, OURS, "seconds"] > 0
    assert said[shop, "rusket", "peak_mb"] > 50
    times = said[shop, OURS, "seconds"] / said[shop, "rusket", "seconds"]
    assert said[shop, OURS, "times_rusket"] == pytest.approx(times)
    assert "Shuffled baskets" in capsys.readouterr().out


def test_a_task_without_data_is_named_and_left_out(monkeypatch, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, "--task", "uci_online_retail_ii", "--data", tmp_path)
    assert ended.value.code == NO_DATA
    assert "orders.parquet is not there" in capsys.readouterr().err


def test_a_method_that_takes_too_long_is_left_out(shop_like, capsys):
    shop = Shop("shop", None, limit_seconds=0.01)
    method = next(iter(METHODS))
    pytest.importorskip(method)
    assert shop.rules(method, shop_like, 10) is None
    assert "gave no answer within" in capsys.readouterr().err
