"""Placements are found by name, and a wrong name gets a hint."""

import msgspec
import pytest

from recsys.config.toml_file import PLACEMENTS, Config, PlacementSettings
from recsys.errors import ConfigError
from recsys.recommender.placements import BOUGHT_ON, all_placements, find_placement
from recsys.schema import CHANNELS

OWN = Config(
    placements={
        "web_home": PlacementSettings(channel="app"),
        "tablet": PlacementSettings(channel="web"),
    }
)


def test_a_workspace_s_own_placement_wins():
    assert find_placement(OWN, "web_home").channel == "app"
    assert find_placement(OWN, "tablet") is OWN.placements["tablet"]
    assert find_placement(OWN, "store_screen") is PLACEMENTS["store_screen"]
    assert set(all_placements(OWN)) == {*PLACEMENTS, "tablet"}


def test_the_nearest_name_is_told():
    with pytest.raises(ConfigError, match=r"no placement `web_hom`. Did you mean `web_home`"):
        find_placement(OWN, "web_hom")


def test_every_channel_leads_somewhere_that_sells():
    assert set(BOUGHT_ON) == set(CHANNELS)
    assert {channel for channel in BOUGHT_ON.values() if channel} <= set(CHANNELS)


def test_a_public_screen_is_public():
    assert not PLACEMENTS["store_screen"].personal
    assert all(isinstance(given, msgspec.Struct) for given in PLACEMENTS.values())
