"""Rolling windows, weights learned on several, and baselines that are left out."""

import json

import pytest

from tests.training.test_train import build, run


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = build(tmp_path_factory.mktemp("shop"), days=60)
    asked = {
        "test_windows": 2,
        "validation_windows": 2,
        "test_days": 7,
        "validation_days": 7,
        "peers": '["own_frequency", "als"]',
        "peer_settings": 2,
    }
    settings = [
        word for name, value in asked.items() for word in ("--set", f"train.{name}={value}")
    ]
    ran = run("train", folder, "--json", "--no-publish", *settings)
    assert ran.exit_code == 0, ran.output
    return json.loads(ran.stdout)


def test_windows_roll_and_each_is_judged(result):
    older, newest = result["windows"]["test"]
    assert older["end"] == newest["start"]
    assert len(result["windows"]["validation"]) == 2
    segments = {row["segment"] for row in result["figures"]}
    assert {"all", "2026-02-16 to 2026-02-22", "2026-02-23 to 2026-03-01"} <= segments
    by = {
        (row["segment"], row["method"]): row
        for row in result["figures"]
        if row["metric"] == "ndcg@10"
    }
    ours = by["all", "omnibasket"]
    assert ours["low"] < ours["value"] < ours["high"]


def test_only_the_peers_that_were_asked_for_are_measured_and_the_rest_is_named(result):
    methods = {row["method"] for row in result["figures"]}
    assert methods == {"omnibasket", "best_single", "own_frequency", "als"}
    single = result["single"]
    assert single["reached"][single["model"]] == max(single["reached"].values())
    assert {row["other"] for row in result["over_single"]} == {"best_single"}
    assert result["left_out"] == ["popular", "item_knn"]
    assert [len(peer["tried"]) for peer in result["peers"].values()] == [2, 2]
    assert set(result["peers"]) == {"own_frequency", "als"}


def test_chances_and_candidates_are_told(result):
    told = result["reliability"]
    assert 0 < told["told"] < 1
    assert sum(one["weight"] for one in told["bins"]) > 0
    sources = {one["source"]: one for one in result["origins"]}
    together = sources["all together"]
    assert all(one["recall"] <= together["recall"] for one in sources.values())
