"""Ranges for tuning fit the settings that they belong to."""

import msgspec
import pytest

from recsys.config.search_space import RANGES, SECTIONS, Range, bounds, is_whole, numeric, of
from recsys.config.settings import Count, Positive, Settings, Share
from recsys.config.toml_file import Config


def switched_on():
    """All numeric settings at their defaults, with every model switched on."""
    config = Config()
    models = msgspec.structs.replace(
        config.models, bpr=msgspec.structs.replace(config.models.bpr, enabled=True)
    )
    config = msgspec.structs.replace(config, models=models)
    sections = {name: getattr(config, name, None) for name in SECTIONS}
    return {
        name: (kind, value)
        for section, held in sections.items()
        if held is not None
        for name, kind, value in numeric(held, section)
    }


SETTINGS = switched_on()


@pytest.mark.parametrize("name", RANGES)
def test_every_line_of_the_table_is_a_setting(name):
    assert name in SETTINGS


@pytest.mark.parametrize("name", SETTINGS)
def test_every_range_holds_the_default_and_only_what_the_type_takes(name):
    kind, value = SETTINGS[name]
    found = of(name, kind, value)
    if found is None:
        return
    low, high = bounds(kind)
    assert low <= found.low <= value <= found.high <= high
    assert not (found.log and found.low <= 0)
    whole = is_whole(kind)
    for edge in (found.low, found.high):
        msgspec.convert(int(edge) if whole else float(edge), kind)


@pytest.mark.parametrize("name", RANGES)
def test_no_default_had_to_widen_the_table(name):
    kind, value = SETTINGS[name]
    if RANGES[name] is not None:
        assert of(name, kind, value) == RANGES[name]._replace(
            low=RANGES[name].low, high=RANGES[name].high
        )


def test_a_value_in_use_widens_its_range():
    assert of("models.als.alpha", Positive, 50.0) == Range(0.2, 50)
    assert of("models.als.regularization", float, 0.0) == Range(0.0, 0.2, log=False)


def test_what_is_switched_off_is_not_listed():
    assert not [name for name, _, _ in numeric(Config().models, "models") if ".bpr." in name]


class Trees(Settings, frozen=True):
    rounds: Count = 200
    rate: Positive = 0.1
    share: Share = 0.5
    keep_days: Positive = 28.0
    exact: bool = True


class Section(Settings, frozen=True):
    trees: Trees = msgspec.field(default_factory=Trees)


def test_a_section_that_the_table_does_not_know_is_searched_around_its_values():
    found = {name: of(name, kind, value) for name, kind, value in numeric(Section(), "ranker")}
    assert found == {
        "ranker.trees.rounds": Range(50, 800),
        "ranker.trees.rate": Range(0.025, 0.4),
        "ranker.trees.share": Range(0.01, 0.99, "share", log=False),
        "ranker.trees.keep_days": Range(7, 112, "days"),
    }
