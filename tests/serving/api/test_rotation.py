"""Consecutive visits do not see the same list while other good products remain."""

from typing import Any

import msgspec
import pytest
from flask import Flask

from recsys.config import RotationSettings
from recsys.config.toml_file import Config
from recsys.errors import LedgerError
from recsys.units import DAY
from tests.serving.conftest import Serve, ask, ids, known, state


def later(app: Flask, days: float) -> None:
    """Let time pass."""
    state(app).flush()
    state(app).shift_seconds += round(days * DAY)


def rotating(config: Config, serve: Serve, **settings: Any) -> Flask:
    return serve(msgspec.structs.replace(config, rotation=RotationSettings(**settings)))


def visits(app: Flask, n: int, **fields: Any) -> list[list[str]]:
    """Lists of ``n`` visits, a day apart."""
    seen = []
    for _ in range(n):
        seen.append(ids(ask(app.test_client(), **fields)))
        later(app, 1)
    return seen


def test_lists_change_from_visit_to_visit_and_the_best_come_back(
    config: Config, serve: Serve
) -> None:
    app = rotating(config, serve, decay=0.3)
    first, *more = visits(app, 6, count=4, **known(0))
    assert any(len(set(first) & set(each)) <= 2 for each in more[:3])
    assert any(first[0] in each for each in more[1:])  # nothing is gone for good
    assert all(len(each) == 4 for each in more)
    later(app, 90)
    assert ids(ask(app.test_client(), count=4, dry_run=True, **known(0)))


def test_half_of_a_list_changes_within_a_few_visits_where_others_are_nearly_as_good(
    config: Config, serve: Serve
) -> None:
    """With the default: by the fourth visit, at least as many as have a good replacement."""
    app = serve(config)
    for who in (known(0), known(3), {"session_id": "visit"}):
        score = {
            item["item_id"]: item["score"]
            for item in ask(app.test_client(), count=24, dry_run=True, **who)["items"]
        }
        first, *more = visits(app, 4, count=4, **who)
        replaced = [
            item_id
            for item_id in first
            if sum(other >= 0.8 * score[item_id] for other in score.values()) >= 3 * len(first)
        ]
        assert len(set(first) - set(more[-1])) >= min(len(replaced), len(first) // 2)
        assert all(len(each) == 4 for each in more)


def test_a_visit_sees_one_list_and_all_channels_count(config: Config, serve: Serve) -> None:
    app = rotating(config, serve, decay=0.05)
    client = app.test_client()
    first = ids(ask(client, count=4, **known(0)))
    assert ids(ask(client, count=4, **known(0))) == first
    later(app, 1)
    mail = ids(ask(client, "email_weekly", count=4, **known(0)))
    assert not set(mail) & set(first)


def test_scores_stay_chances_and_strangers_and_screens_see_the_same(
    config: Config, serve: Serve
) -> None:
    app = rotating(config, serve, decay=0.3)
    before = ask(app.test_client(), count=24, **known(0))
    visits(app, 2, count=24, **known(0))
    # All were shown as often, so that the order is the same, and so are the chances.
    client = app.test_client()
    frozen = before["as_of"]
    after = ask(client, count=24, as_of=frozen, **known(0))
    score = {item["item_id"]: item["score"] for item in before["items"]}
    assert {item["item_id"]: item["score"] for item in after["items"]} == score
    for fields in ({}, {"placement": "store_screen"}):
        placement = fields.get("placement", "web_home")
        once, again = (ids(ask(client, placement, location_id="S1")) for _ in range(2))
        assert once == again


@pytest.mark.parametrize("off", [{"enabled": False}, {"decay": 1.0}])
def test_without_rotation_the_list_stays(config: Config, serve: Serve, off: Any) -> None:
    app = rotating(config, serve, **off)
    first, second = visits(app, 2, count=4, **known(0))
    assert first == second


def test_what_only_waits_to_be_written_needs_no_ledger(
    config: Config, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = rotating(config, serve)

    def away(*_: Any) -> Any:
        raise LedgerError("the ledger is busy")

    with monkeypatch.context() as busy:
        busy.setattr(state(app).ledger.contacts, "show", away)
        hurrying = state(app).ledger.hurrying
        busy.setattr(
            state(app).ledger,
            "hurrying",
            lambda name: away() if name == "contacts" else hurrying(name),
        )
        first = ask(app.test_client(), **known(0))
    assert "without_ledger" not in first
    state(app).flush()
    later(app, 0.1)
    assert ids(ask(app.test_client(), **known(0))) != ids(first)
