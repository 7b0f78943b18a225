"""Rules of placements in the file: what they may say, and what is refused, with a hint."""

from pathlib import Path

import pytest

from recsys.config.placement_rules import rules_of
from recsys.config.toml_file import FILE_NAME, load_config
from recsys.errors import ConfigError

RULES = """
[workspace]
time_zone = "Europe/Berlin"
[placements.home]
channel = "web"
count = 4
random_slots = 2
[[placements.home.rules]]
name = "season"
action = "pin"
item_ids = ["tea", "milk"]
position = 2
from = 2026-12-01
until = 2026-12-24
days = ["weekdays", "sunday"]
hours = "17:00-20:00"
locations = ["S1"]
audience = { field = "bought_category", op = "in", value = ["Dairy"], within_days = 30 }
[[placements.home.rules]]
name = "margin"
action = "bury"
filter = { field = "margin_share", op = "lt", value = 0.2 }
factor = 0.5
time_zone = "UTC"
"""


def load(folder: Path, text: str):
    (folder / FILE_NAME).write_text(text, encoding="utf-8")
    return load_config(folder)


def test_rules_are_read_in_their_order_with_the_zone_of_the_workspace(tmp_path: Path) -> None:
    settings = load(tmp_path, RULES).placements["home"]
    season, margin = rules_of(settings)
    assert (season.name, season.action, season.position) == ("season", "pin", 2)
    assert season.item_ids == ("tea", "milk")
    assert season.window.time_zone == "Europe/Berlin"
    assert season.window.days == {0, 1, 2, 3, 4, 6}
    assert season.audience.within_days == 30
    assert (margin.factor, margin.window.time_zone) == (0.5, "UTC")


def rule(**fields: str) -> str:
    given = {"name": '"x"', "action": '"pin"', "item_ids": '["tea"]'} | fields
    lines = "\n".join(f"{name} = {value}" for name, value in given.items() if value)
    return f'[placements.home]\nchannel = "web"\ncount = 3\n[[placements.home.rules]]\n{lines}\n'


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"acton": '"pin"'}, "rules.0.acton: unknown setting `acton`. Did you mean `action`?"),
        ({"action": '"bosst"'}, "rules.0.action: unknown `bosst`. Did you mean `boost`?"),
        ({"action": ""}, "rules.0: `action` is missing: one of pin, boost, bury, exclude."),
        ({"name": ""}, "rules.0: `name` is missing"),
        ({"since": "2026-12-01"}, "unknown setting `since`"),
        ({"item_ids": ""}, "rules.0.item_ids: give either `item_ids` or `filter`"),
        (
            {"filter": '{ field = "brand", value = "Own" }'},
            "rules.0.item_ids: give either `item_ids` or `filter`",
        ),
        (
            {"item_ids": "", "filter": '{ field = "bran", value = "Own" }'},
            "rules.0.filter: field: is unknown. Did you mean `brand`?",
        ),
        ({"factor": "2.0"}, "rules.0.factor: is of `boost` and `bury` only, not of `pin`."),
        ({"position": "4"}, "rules.0.position: there is no place 4: `count` is 3."),
        ({"action": '"boost"'}, "rules.0.factor: is missing"),
        ({"action": '"boost"', "factor": "0.5"}, "a `boost` has a factor above 1; use `bury`"),
        ({"action": '"bury"', "factor": "2.0"}, "a `bury` has a factor below 1; use `boost`"),
        ({"action": '"bury"', "factor": "1.0"}, "a `bury` has a factor below 1"),
        ({"action": '"bury"', "factor": "0.5", "position": "1"}, "rules.0.position: is of `pin`"),
        ({"from": "2026-12-24", "until": "2026-12-23"}, "rules.0.until: lies before `from`"),
        ({"from": '"soon"'}, "rules.0.from: `soon` is no date and no date-time."),
        ({"days": '["mondays"]'}, "rules.0.days.0: unknown `mondays`. Did you mean `monday`?"),
        ({"hours": '"17-20"'}, "rules.0.hours: `17-20` are no hours. Write 17:00-20:00."),
        ({"hours": '["08:00-08:00"]'}, "rules.0.hours: `08:00-08:00` are none."),
        ({"time_zone": '"Europe/Berln"'}, "Did you mean `Europe/Berlin`?"),
        (
            {"audience": '{ field = "order", op = "ge", value = 3 }'},
            "rules.0.audience: field: is unknown. Did you mean `orders`? Known: bought_item,",
        ),
        (
            {"audience": '{ field = "orders", value = 3, within_days = 3 }'},
            "rules.0.audience: within_days: is not known.",
        ),
        (
            {"audience": '{ field = "bought_item", value = "a", within_days = 0 }'},
            "rules.0.audience: within_days: is no number of days above 0.",
        ),
        (
            {"time_zone": '"Europe/Berlin"', "from": "2026-03-29T02:30:00"},
            "2026-03-29T02:30:00 does not exist in Europe/Berlin",
        ),
        (
            {"time_zone": '"Europe/Berlin"', "until": "2026-10-25T02:30:00"},
            "2026-10-25T02:30:00 is there twice in Europe/Berlin",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_by_place(
    tmp_path: Path, fields: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, rule(**fields))
    assert "placements.home.rules.0" in str(caught.value)
    assert message in str(caught.value)


def pins(count: int, more: str = "") -> str:
    pin = "[[placements.home.rules]]\nname = '{}'\naction = 'pin'\nitem_ids = ['tea']\n"
    return "".join(pin.format(n) + more for n in range(count))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (pins(4), "rules: 4 products are always pinned, and `count` is 3."),
        ("random_slots = 2\n" + pins(2), "random_slots: 2 pins and 2 random slots do not fit"),
        ("random_slots = 4\n", "random_slots: 0 pins and 4 random slots do not fit"),
        ("random_within = 0.0\n", "random_within"),
        (pins(1) + pins(1), "rules.1.name: an earlier rule is called `0`, too."),
    ],
)
def test_rules_that_contradict_each_other_are_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, f'[placements.home]\nchannel = "web"\ncount = 3\n{text}')
    assert message in str(caught.value)


def test_more_pins_than_places_may_take_turns(tmp_path: Path) -> None:
    text = '[placements.home]\nchannel = "web"\ncount = 3\n' + pins(4, "days = ['sunday']\n")
    assert len(load(tmp_path, text).placements["home"].rules) == 4
