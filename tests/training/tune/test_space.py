"""The search space, its turns, and the handling of proposals."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.config.toml_file import Config
from recsys.errors import ConfigError
from training.tune.space import TOGETHER, Space, applied

CONFIG = Config()
SPACE = Space.of(CONFIG)


@given(seed=st.integers(-5, 100), round_=st.integers(0, 5))
def test_a_round_changes_every_setting_once_and_one_model_at_a_time(seed, round_):
    length = sum(-(-len(names) // TOGETHER) for names in SPACE.groups.values())
    turns = [SPACE.turn(round_ * length + number, seed) for number in range(1, length + 1)]
    changed = [name for turn in turns for name in turn.settings]
    assert sorted(changed) == sorted(SPACE.ranges)
    for turn in turns:
        assert 1 <= len(turn.settings) <= TOGETHER
        assert set(turn.settings) <= set(SPACE.groups[turn.group])


@given(st.data())
def test_whatever_is_proposed_is_a_setting_that_can_be_set(data):
    name = data.draw(st.sampled_from(sorted(SPACE.ranges)))
    low, high = SPACE.ranges[name][:2]
    whole = name in SPACE.whole
    numbers = st.integers(int(low), int(high)) if whole else st.floats(low, high)
    values = SPACE.values([name], {name: data.draw(numbers)}, SPACE.present)
    assert low <= values[name] <= high
    assert {k: v for k, v in values.items() if k != name} == {
        k: v for k, v in SPACE.present.items() if k != name
    }
    config = applied(CONFIG, values)
    assert Space.of(config).present[name] == values[name]
    assert applied(config, SPACE.present) == CONFIG


def test_numbers_get_three_digits_and_the_rest_stays():
    alpha = "models.als.alpha"
    values = SPACE.values([alpha], {alpha: 1.23456}, SPACE.present)
    assert SPACE.changed(values) == {alpha: (2.0, 1.23)}
    again = SPACE.values(["models.als.factors"], {"models.als.factors": 20}, values)
    assert SPACE.changed(again) == {alpha: (2.0, 1.23), "models.als.factors": (64, 20)}


def test_some_models_alone():
    found = Space.of(CONFIG, ["repeat", "als"])
    assert list(found.groups) == ["repeat", "als"]
    assert all(name.split(".")[1] in ("repeat", "als") for name in found.ranges)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("repaet", "unknown `repaet`. Did you mean `repeat`?"),
        ("bpr", "`bpr` is switched off. Search it with `--set models.bpr.enabled=true`"),
    ],
)
def test_what_is_not_there_cannot_be_searched(name, message):
    with pytest.raises(ConfigError) as raised:
        Space.of(CONFIG, [name])
    assert message in str(raised.value)


def test_a_model_that_is_switched_on_is_searched():
    bpr = msgspec.structs.replace(CONFIG.models.bpr, enabled=True)
    models = msgspec.structs.replace(CONFIG.models, bpr=bpr)
    found = Space.of(msgspec.structs.replace(CONFIG, models=models), ["bpr"])
    assert "models.bpr.learning_rate" in found.ranges
    assert found.defaults["models.bpr.learning_rate"] == 0.05
