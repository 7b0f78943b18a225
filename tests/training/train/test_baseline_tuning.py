"""Baselines keep the settings of an earlier training for a while, and are tuned again then."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from recsys.artefacts import runs
from recsys.config.toml_file import load_config
from recsys.evaluation.baselines import BASELINES
from tests.training.test_train import build, run
from training.train import baseline_tuning
from training.train.baseline_tuning import BaselineTuning, earlier_tunings, start_tuning

AT = datetime(2026, 3, 2, tzinfo=UTC)
FEW = ("--no-publish", "--set", 'train.peers=["popular", "own_frequency"]')


def tuning(name="popular", trainings_ago=0, budget=2):
    tried = [(dict(settings), 0.1) for settings in BASELINES[name].grid[:budget]]
    return BaselineTuning(tried[1][0], tried, 1_000, trainings_ago)


@pytest.fixture
def config(tmp_path):
    (tmp_path / "omnibasket.toml").write_text('[workspace]\nname = "Shop"\n')
    return load_config(tmp_path)


def note(config, peers, outcome="measured"):
    run = runs.begin(config, AT)
    run.note(outcome=outcome, details={"peers": peers})
    run.close()


def test_a_training_keeps_what_the_one_before_found(config):
    found = tuning()
    note(config, {"popular": found.details()})
    (kept,) = earlier_tunings(config).items()
    assert kept == ("popular", tuning(trainings_ago=1))


@pytest.mark.parametrize("outcome", ["failed", "checked", "interrupted"])
def test_a_training_that_measured_nothing_counts_for_nothing(config, outcome):
    note(config, {"popular": tuning(trainings_ago=1).details()})
    note(config, {}, outcome)
    assert earlier_tunings(config)["popular"].trainings_ago == 2


@pytest.mark.parametrize(("ago", "kept"), [(0, True), (3, True), (4, False), (9, False)])
def test_one_in_so_many_trainings_tunes(config, ago, kept):
    note(config, {"popular": tuning(trainings_ago=ago).details()})
    assert ("popular" in earlier_tunings(config)) is kept


def test_other_candidates_are_tuned(config):
    note(config, {"popular": tuning(budget=3).details(), "als": tuning("als").details()})
    assert set(earlier_tunings(config)) == {"als"}


@pytest.mark.parametrize(
    "broken",
    [
        None,
        "popular",
        {"settings": {"half_life_days": 7.0}, "tried": [[{"half_life_days": 7.0}, 0.2]]},
        asdict(tuning()) | {"tried": [[1, 2]]},
        asdict(tuning()) | {"settings": {"half_life_days": 1.5}},
        asdict(tuning()) | {"trainings_ago": -9},
        asdict(tuning()) | {"until_ts": "yesterday"},
    ],
)
def test_a_broken_or_older_record_tunes(config, broken):
    note(config, {"popular": broken, "als": tuning("als").details()})
    assert set(earlier_tunings(config)) == {"als"}
    note(config, broken)
    assert earlier_tunings(config) == {}


@pytest.mark.parametrize(("end_ts", "kept"), [(1_000, True), (999, False)])
def test_a_tuning_that_knows_what_comes_is_not_kept(config, monkeypatch, end_ts, kept):
    tuned = SimpleNamespace(settings={"half_life_days": 3.0}, tried=[])
    monkeypatch.setattr(baseline_tuning, "tune_baseline", lambda *_: tuned)
    earlier = dict.fromkeys(config.train.peers, tuning(trainings_ago=1))
    with ThreadPoolExecutor(1) as pool:
        window = SimpleNamespace(end_ts=end_ts)
        found = start_tuning(config, None, None, window, earlier, pool)
    assert list(found) == config.train.peers
    expected = tuning(trainings_ago=1) if kept else BaselineTuning(tuned.settings, [], end_ts)
    assert found["popular"].result() == expected


def test_a_kept_tuning_gives_the_same_figures_and_is_said(tmp_path):
    folder = build(tmp_path, days=40)
    first, second, fresh = (run("train", folder, *FEW, *more) for more in ((), (), ("--fresh",)))
    records = runs.read_all(load_config(folder))
    ago = [[one["trainings_ago"] for one in r.details["peers"].values()] for r in records]
    assert ago == [[0, 0], [1, 1], [0, 0]]
    for record in records[1:]:
        assert record.metrics["figures"] == records[0].metrics["figures"]
        for name, peer in record.details["peers"].items():
            assert peer | {"trainings_ago": 0} == records[0].details["peers"][name]
    said = ["settings of 1 training ago" in one.output for one in (first, second, fresh)]
    assert said == [False, True, False]
