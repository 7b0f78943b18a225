"""A small grocer with a history, and the command on it."""

import json
import shutil

import pytest
from click.testing import CliRunner

from tests.training.test_train import TOML, build
from training.cli import main

#: Poor defaults for repeat purchases leave room for improvement, and trees are learned from any
#: number of customers. Cards stay readable, so that every workspace has the same customers.
BADLY_SET = f"""{TOML}
[models.repeat]
once_below = 0.99
[ranker]
min_customers = 1
[identity]
plain = ["loyalty_card"]
"""


@pytest.fixture(scope="package")
def built(tmp_path_factory):
    """Read-only."""
    return build(tmp_path_factory.mktemp("shop") / "built", BADLY_SET, days=70)


@pytest.fixture
def shop(built, tmp_path):
    return shutil.copytree(built, tmp_path / "shop")


@pytest.fixture
def tune():
    def run(folder, *more):
        return CliRunner().invoke(main, ["tune", "--workspace", str(folder), *more])

    return run


@pytest.fixture
def told(tune):
    """The command's JSON output."""

    def run(folder, *more):
        ran = tune(folder, "--json", *more)
        assert ran.exit_code == 0, ran.output
        return json.loads(ran.stdout)

    return run
