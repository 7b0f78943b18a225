"""Placements on the command line: listed with their origin, checked against the model, tried."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from recsys.config import load_config
from recsys.decisions import Consent
from recsys.ledger import Ledger
from tests.serving.conftest import shop, workspace
from training.cli import main

__all__ = ["shop", "workspace"]

MORE = """
[placements.web_home]
channel = "web"
count = 2
filter = { field = "item_id", op = "in", value = ["tea", "milk", "beer"] }
"""
WRONG = """
[placements.aisle]
channel = "store_screen"
filter = { field = "item_id", op = "eq", value = "te" }
[placements.labels]
channel = "web"
filter = { field = "category", op = "ne", value = "Dary" }
weights = { als = 7.5 }
[placements.after]
channel = "email"
personal = false
from_last_basket = true
objective = "new"
[placements.richer]
channel = "email"
objective = "margin"
"""


RULES = """
[placements.web_home]
channel = "web"
count = 6
random_slots = 1
random_within = 0.1
[[placements.web_home.rules]]
name = "beer first"
action = "pin"
item_ids = ["beer"]
[[placements.web_home.rules]]
name = "no tea"
action = "exclude"
item_ids = ["tea"]
audience = { field = "bought_item", value = "tea" }
[[placements.web_home.rules]]
name = "sold out"
action = "pin"
item_ids = ["item15"]
position = 3
"""
WRONG_RULES = """
[placements.ruled]
channel = "store_screen"
personal = false
"""
WRONG_RULE = """
[[placements.ruled.rules]]
name = "r{n}"
action = "{action}"
"""


def placements(workspace: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["placements", *arguments, "--workspace", str(workspace)])


def said(workspace: Path, *arguments: str) -> Any:
    result = placements(workspace, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def add(workspace: Path, text: str) -> None:
    with (workspace / "omnibasket.toml").open("a") as file:
        file.write(text)


def test_the_list_says_where_settings_come_from(workspace: Path) -> None:
    add(workspace, MORE)
    rows = {row["placement"]: row for row in said(workspace, "list")}
    assert rows["web_cart"]["from"] == "built in"
    assert rows["web_home"]["from"] == "omnibasket.toml, for the built-in one"
    assert rows["tablet"]["from"] == "omnibasket.toml"
    assert rows["tablet"]["settings"] == {"channel": "associate", "count": 3}
    assert "web_cart" in placements(workspace, "list").stdout


def test_what_fits_is_said_to_fit(workspace: Path) -> None:
    assert said(workspace, "check") == {
        "model_version": said(workspace, "check")["model_version"],
        "errors": 0,
        "findings": [],
    }
    assert "All placements fit" in placements(workspace, "check").stdout


def test_what_cannot_work_is_found(workspace: Path) -> None:
    add(workspace, WRONG)
    result = placements(workspace, "check", "--json")
    assert result.exit_code == 3
    found = [
        (one["placement"], one["level"], one["text"])
        for one in json.loads(result.stdout)["findings"]
    ]
    for placement, level, part in (
        ("aisle", "error", "no product `te`"),
        ("aisle", "error", "no active product"),
        ("aisle", "warning", "a screen that everybody sees"),
        ("after", "warning", "everything is new to them"),
        ("richer", "warning", "no product's cost is known"),
        ("labels", "error", "no product has the category `Dary`"),
        ("labels", "warning", "no chances of purchase"),
        ("after", "error", "last basket"),
    ):
        assert [one for one in found if one[:2] == (placement, level) and part in one[2]], part
    assert "cannot work" in placements(workspace, "check").stderr


def test_a_filter_that_is_none_is_told_by_its_place(workspace: Path) -> None:
    add(workspace, '[placements.x]\nchannel = "web"\nfilter = { field = "categry", value = "a" }\n')
    result = placements(workspace, "list")
    assert result.exit_code == 3
    assert "placements.x.filter: field: is unknown. Did you mean `category`?" in result.stderr


def test_a_dry_run_shows_what_an_edit_changes(workspace: Path) -> None:
    asked = ("try", "web_home", "--identifier", "email=c0@shop.example.org")
    asked += ("--as-of", "2026-03-01T20:00:00Z")
    before = said(workspace, *asked)
    assert before["before"] is None
    assert before["now"]["customer_known"]
    add(workspace, MORE)
    after = said(workspace, *asked)
    assert after["before"]["items"] == before["now"]["items"]
    assert len(after["now"]["items"]) == 2
    assert {item["item_id"] for item in after["now"]["items"]} <= {"tea", "milk", "beer"}
    shown = placements(workspace, *asked)
    assert "Before, as when the model was made" in shown.stdout
    for item in (*after["now"]["items"], *after["before"]["items"]):
        assert item["item_id"] in shown.stdout
    cart = said(workspace, "try", "web_cart", "--cart", "pasta", "--count", "1")
    assert [item["item_id"] for item in cart["now"]["items"]] == ["sauce"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("try", "web_hom"), 3, "Did you mean `web_home`?"),
        (("try", "web_home", "--customer-id", "a", "--identifier", "b=c"), 2, "not both"),
        (("try", "web_home", "--as-of", "now"), 2, "ISO 8601"),
    ],
)
def test_what_cannot_be_tried_is_explained(
    shop: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    result = placements(shop, *arguments)
    assert result.exit_code == code
    assert message in result.stderr


def test_a_preview_compares_lists_with_and_without_rules(workspace: Path) -> None:
    assert "no rules and no random slots" in placements(workspace, "preview", "web_home").stdout
    add(workspace, RULES)
    asked = ("preview", "web_home", "--as-of", "2026-03-01T20:00:00Z")
    found = said(workspace, *asked)
    n = found["n"]
    assert n > 12
    assert found["drawn"] == n
    assert found["purchases"]["change"] == pytest.approx(
        found["purchases"]["after"] - found["purchases"]["before"]
    )
    by_name = {rule["name"]: rule for rule in found["rules"]}
    first = by_name["beer first"]
    assert first["held"] == first["items"] + sum(first["kept_out"].values()) == n
    assert set(first["kept_out"]) <= {"just_bought"}
    assert 0 < by_name["no tea"]["held"] < n
    assert by_name["sold out"]["kept_out"] == {"age_restricted": n}
    for one in found["lists"]:
        pinned = one["after"]["rules"][0]["item_ids"]
        assert pinned == [one["after"]["items"][0]["item_id"]] == ["beer"] or not pinned
        assert "rules" not in one["before"]
        scores = {item["item_id"]: item["score"] for item in one["before"]["items"]}
        for item in one["after"]["items"]:  # rules change no score
            assert scores.get(item["item_id"], item["score"]) == item["score"]
    assert said(workspace, *asked) == found
    some = [said(workspace, *asked, "--sample", "9", "--seed", seed) for seed in ("1", "2")]
    assert some[0]["n"] == 9
    assert some[0]["lists"] != some[1]["lists"]
    shown = placements(workspace, *asked).stdout
    for part in (f"{n} known customers", "purchases", "beer first", "age_restricted", "drawn, "):
        assert part in shown


def test_a_preview_draws_nobody_whose_history_may_not_be_used(workspace: Path) -> None:
    asked = ("preview", "web_home", "--as-of", "2026-03-01T20:00:00Z", "--sample", "999")
    before = said(workspace, *asked)["n"]
    ledger = Ledger.open(load_config(workspace).ledger_url)
    first, second, third = ledger.records.customer_ids()[:3]
    ledger.contacts.consent([first], [Consent("profiling", "", False, 1)])
    ledger.contacts.consent([second], [Consent("personalisation", "web", False, 1)])
    ledger.contacts.consent([third], [Consent("marketing", "", False, 1)])
    ledger.close()
    assert said(workspace, *asked)["n"] == before - 2


def test_what_a_preview_expects_is_what_a_plain_sum_says(workspace: Path) -> None:
    add(workspace, RULES)
    found = said(workspace, "preview", "web_home", "--sample", "3", "--as-of", "2026-03-01T20:00Z")
    for which in ("before", "after"):
        sums = [sum(item["score"] for item in one[which]["items"]) for one in found["lists"]]
        assert found["purchases"][which] == pytest.approx(sum(sums) / 3)
    changed = 0
    for one in found["lists"]:
        before, after = ({i["item_id"] for i in one[w]["items"]} for w in ("before", "after"))
        changed += len(after - before)
    assert found["changed_items"] == pytest.approx(changed / 18)


def test_a_dry_run_says_what_rules_did(workspace: Path) -> None:
    add(workspace, RULES)
    shown = placements(workspace, "try", "web_home", "--as-of", "2026-03-01T20:00:00Z").stdout
    assert "The rule `beer first` pinned beer." in shown
    assert "The rule `sold out` pinned nothing: `age_restricted` forbade its product." in shown


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ('item_ids = ["te"]', "there is no product `te`. Did you mean `tea`?"),
        (
            'filter = { field = "category", value = "Dary" }',
            "filter: no product has the category `Dary`",
        ),
        ('filter = { field = "price", op = "lt", value = 0 }', "no active product"),
        ('item_ids = ["item15"]', "the placement's own settings allow none of its products"),
        ('item_ids = ["tea"]\nlocations = ["XX"]', "locations: there is no location `XX`."),
        (
            'filter = { field = "margin_share", op = "lt", value = 1 }',
            "filter: no product's cost is known",
        ),
        (
            'item_ids = ["tea"]\naudience = { field = "bought_item", value = "te" }',
            "audience: there is no product `te`",
        ),
        (
            'item_ids = ["tea"]\naudience = { field = "bought_channel", value = "wbe" }',
            "audience: there is no channel `wbe`. Did you mean `web`?",
        ),
    ],
)
def test_rules_that_can_do_nothing_are_found(workspace: Path, fields: str, part: str) -> None:
    add(workspace, WRONG_RULES + WRONG_RULE.format(n=0, action="pin") + fields + "\n")
    result = placements(workspace, "check", "--json")
    assert result.exit_code == 3
    found = [
        one["text"] for one in json.loads(result.stdout)["findings"] if one["level"] == "error"
    ]
    assert [text for text in found if text.startswith("rule `r0`: ") and part in text], found


def test_rules_that_may_not_be_meant_are_told(workspace: Path) -> None:
    rules = WRONG_RULE.format(n=0, action="pin") + 'item_ids = ["tea"]\nuntil = 2020-01-01\n'
    rules += WRONG_RULE.format(n=1, action="exclude")
    rules += 'filter = { field = "item_id", op = "ne", value = "tea" }\n'
    rules += WRONG_RULE.format(n=2, action="pin") + 'item_ids = ["milk"]\n'
    rules += 'audience = { field = "known", value = true }\n'
    add(workspace, WRONG_RULES + rules)
    found = [one["text"] for one in said(workspace, "check")["findings"]]
    assert found == [
        "rule `r0`: until: it ended 2020-01-02 00:00 UTC, before the model was made.",
        "rule `r2`: audience: without `personal` nobody is known.",
        "count: 10 are asked for, and exclusions leave 1.",
    ]
