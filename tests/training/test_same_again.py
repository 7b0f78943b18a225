"""The same exports, settings and seed give the same figures and models in another workspace."""

import json
from pathlib import Path
from typing import Any

import pytest

from recsys.artefacts import artefact_format, registry
from recsys.config.toml_file import load_config
from recsys.history.versions import History
from recsys.identity.hashing import KeyedHash

from .test_train import TOML, build, run

#: Settings that allow trees and bundles despite the little data.
EAGER = (
    TOML.replace(
        "keep = 2",
        'keep = 2\nvalidation_windows = 2\npeer_settings = 2\npeers = ["popular", "als"]',
    )
    + """
[ranker]
min_customers = 1
min_examples = 5
trees = 5
order_trees = 5
[bundles]
min_support = 3
false_discovery_rate = 0.99
"""
)
#: Every sample is smaller than its population.
SAMPLES = {
    "recsys.learning.fit.MOST": 24,
    "recsys.learning.fit.ACTIVE": 16,
    "recsys.learning.fit.PURCHASES": 40,
    "recsys.learning.fit.LAPSED": 3,
    "recsys.learning.examples.BLENDED": 20,
    "recsys.learning.examples.BATCH": 10,
    "recsys.learning.candidate_batches.BATCH": 10,
    "recsys.learning.candidate_batches.ON_CHANNEL": 8,
    "recsys.evaluation.evaluator.IN_CHANNEL": 12,
    "recsys.learning.boosting.MIN_BOUGHT": 20,
    "recsys.learning.boosting.ENOUGH": 0,
    "recsys.ranking.weight_refinement.MIN_ROWS": 5,
    "recsys.ranking.weight_refinement.MAX_ROWS": 12,
    "training.train.measurement.JUDGED": 20,
    "training.train.measurement.LAPSED": 4,
    "training.train.measurement.TUNED_ON": 10,
    "training.train.measurement.LOOKED_AT": 10,
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, dict[str, Any]]]:
    """Two workspaces of the same shop, each with a key of its own."""
    found = []
    with pytest.MonkeyPatch.context() as patched:
        for name, value in SAMPLES.items():
            patched.setattr(name, value)
        for name in ("one", "another"):
            folder = build(tmp_path_factory.mktemp(name) / "shop", EAGER, days=50)
            ran = run("train", folder, "--json")
            assert ran.exit_code == 0, ran.output
            found.append((folder, json.loads(ran.stdout)))
    return found


def test_the_keys_differ_and_so_do_the_customers_names(trained: Any) -> None:
    keys, names = zip(
        *(
            (
                KeyedHash.load(load_config(folder)).key,
                frozenset(
                    History.open(load_config(folder)).table("customers")["customer_id"].to_pylist()
                ),
            )
            for folder, _ in trained
        ),
        strict=True,
    )
    assert keys[0] != keys[1]
    assert not names[0] & names[1]


def test_figures_are_equal(trained: Any) -> None:
    (_, one), (_, other) = trained
    told = {
        "figures",
        "differences",
        "reliability",
        "origins",
        "importance",
        "weights",
        "peers",
        "bundles",
        "items",
        "orders",
        "customers",
        "checks",
    }
    assert told <= one.keys()
    for name in told:
        assert one[name] == other[name], name
    assert one["importance"]  # there are trees


def test_every_array_is_equal(trained: Any) -> None:
    one, other = (
        artefact_format.read_manifest(registry.current(load_config(folder))).files
        for folder, _ in trained
    )
    assert one.keys() == other.keys()
    differing = [name for name in one if one[name] != other[name]]
    assert not differing
