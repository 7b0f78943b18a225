"""Training learns from the ledger what customers tire of, where there are clicks enough."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks import rotation as shop
from recsys.config import Config, RotationSettings
from recsys.decisions import PastShowings
from recsys.ledger import Ledger
from recsys.ledger.events.exposures import Exposures
from training.train.rotation import MIN_CLICKS, learned_rotation


def everybody(_: str) -> bool:
    return True


@pytest.fixture
def config(tmp_path: Path) -> Config:
    made = Config(folder=tmp_path)
    made.state.mkdir(parents=True)
    return made


def test_without_a_ledger_or_clicks_nothing_is_learned(config: Config) -> None:
    assert learned_rotation(config, everybody) == {}
    Ledger.open(config.ledger_url).close()
    assert learned_rotation(config, everybody) == {}


def test_clicks_enough_are_learned_from(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    Ledger.open(config.ledger_url).close()
    visits, _ = shop.show(np.random.default_rng(5), 0.5, 1.0, 150, 14.0)
    showings = shop.showings(visits)
    assert showings.clicked.sum() > MIN_CLICKS

    def read(_: Exposures, half_life_days: float, includes: Callable[[str], bool]) -> PastShowings:
        assert includes is everybody
        assert half_life_days == RotationSettings().half_life_days
        return showings

    monkeypatch.setattr(Exposures, "showings", read)
    found = learned_rotation(config, everybody)["rotation"]
    assert 0.4 < found["decay"] < 0.65
    assert found["clicks"] == showings.clicked.sum()
