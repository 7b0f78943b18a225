"""What an answer showed and left out can be asked later, and is what was true then."""

from typing import Any

import msgspec
import orjson
import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from recsys.config import CapSettings, PlacementRule, PlacementSettings
from recsys.config.toml_file import Config
from recsys.decisions.decision import decode, encode
from serving.schemas import DecisionAnswer
from tests.serving.access.test_admission import problem
from tests.serving.api.test_contact import tell
from tests.serving.conftest import Serve, ask, ids, known, state
from training.cli import main


def decision(client: FlaskClient, recommendation_id: str) -> dict[str, Any]:
    answer = client.get(f"/v1/decisions/{recommendation_id}")
    assert answer.status_code == 200, answer.text
    msgspec.json.decode(answer.data, type=DecisionAnswer)
    found: dict[str, Any] = answer.get_json()
    return found


def test_a_decision_tells_what_was_true_when_it_was_made(config: Config, serve: Serve) -> None:
    client = serve(
        msgspec.structs.replace(config, caps={"week": CapSettings(times=1, days=7)})
    ).test_client()
    mail = ask(client, "email_weekly", count=2, **known(0))
    tell(client, "dismiss", ids(mail)[0], **known(0))
    site = ask(client, "web_home", count=4, **known(0))
    for _ in range(2):  # before it is written, and after
        first = decision(client, mail["recommendation_id"])
        assert first["items"] == ids(mail)
        assert (first["channel"], first["withheld"]) == ("email", [])
        then = decision(client, site["recommendation_id"])
        assert then["items"] == ids(site)
        assert then["customer_id"] == first["customer_id"]
        counts = {rule: n for rule, n in site["left_out"].items() if n}
        assert then["left_out"] == counts
        by_code = {(one["item_id"], one["code"]): one for one in then["withheld"]}
        assert set(by_code) == {
            (ids(mail)[0], "not_interested"),
            (ids(mail)[0], "capped"),
            (ids(mail)[1], "capped"),
        }
        capped = by_code[ids(mail)[1], "capped"]
        assert capped["cap"] == "week"
        assert [one["channel"] for one in capped["shown"]] == ["email"]
        assert "which allows 1 in 7 days" in capped["text"]
        state(client.application).flush()


def test_what_is_not_shown_is_not_decided(client: FlaskClient) -> None:
    dry = ask(client, dry_run=True, **known(0))
    for unknown in (dry["recommendation_id"], "nothing"):
        problem(client.get(f"/v1/decisions/{unknown}"), 404, "decision-unknown")


def test_a_batch_is_decided_line_by_line(client: FlaskClient) -> None:
    asked = {"placement": "email_weekly", "customers": [known(0), known(3)]}
    lines = client.post("/v1/recommendations/batch", json=asked).data.splitlines()
    for line in map(orjson.loads, lines):
        assert decision(client, line["recommendation_id"])["items"] == ids(line)


def test_the_terminal_says_the_same(
    config: Config, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMNIBASKET_LEDGER__URL", str(config.ledger.url))
    best = ids(ask(client, **known(0)))[0]
    tell(client, "dismiss", best, **known(0))
    shown = ask(client, **known(0))
    state(client.application).flush()
    told = decision(client, shown["recommendation_id"])

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(main, ["why", "--workspace", str(config.folder), *arguments])

    as_json = orjson.loads(run(shown["recommendation_id"], "--json").output)
    for name in ("items", "left_out", "withheld", "text", "placement", "channel", "customer_id"):
        assert as_json[name] == told[name]
    said = run(shown["recommendation_id"]).output
    assert best in said
    assert "did not want to see it" in " ".join(said.split())
    missing = run("nothing")
    assert missing.exit_code == 4
    assert "no decision `nothing` is kept" in missing.output
    again = CliRunner().invoke(
        main,
        [
            "recommend",
            "--workspace",
            str(config.folder),
            "--placement",
            "web_home",
            "--identifier",
            f"email={known(0)['identifier']['value']}",
            "--json",
        ],
    )
    assert best not in ids(orjson.loads(again.output))


def test_a_decision_names_the_rules_that_held_and_what_was_drawn(
    config: Config, serve: Serve
) -> None:
    rules = [
        PlacementRule(name="beer first", action="pin", item_ids=["beer"]),
        PlacementRule(name="less bread", action="bury", item_ids=["bread"], factor=0.9),
        PlacementRule(name="no tea", action="exclude", item_ids=["tea"]),
        PlacementRule(name="later", action="pin", item_ids=["milk"], since="2999-01-01"),
    ]
    home = PlacementSettings(channel="web", count=6, rules=rules, random_slots=2, random_within=0.1)
    changed = config.placements | {"web_home": home}
    client = serve(msgspec.structs.replace(config, placements=changed)).test_client()
    answer = ask(client, "web_home", **known(0))
    assert ids(answer)[0] == "beer"
    found = decision(client, answer["recommendation_id"])
    assert [one["name"] for one in found["rules"]] == ["beer first", "less bread", "no tea"]
    assert found["rules"][0]["text"] == "The rule `beer first` pinned beer."
    assert [one["item_id"] for one in found["random"]] == ids(answer)[4:]
    assert found["random"] == answer["random"]
    explained = ask(client, "web_home", explain=True, **known(0))
    assert explained["items"][0]["rules"] == [{"name": "beer first", "action": "pin"}]
    assert all(0 < item["propensity"] <= 1 for item in explained["items"][4:])
    plain = ask(client, "web_cart", **known(0))
    assert decision(client, plain["recommendation_id"])["rules"] == []


def test_a_decision_of_an_older_version_is_read() -> None:
    old = orjson.dumps({"channel": "web", "left_out": {"filtered": 2}})
    found = decode(old)
    assert (found.rules, found.random) == ((), ())
    assert "rules" not in orjson.loads(encode(found))
