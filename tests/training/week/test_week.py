"""The week: what a customer does on one channel changes the answers of all others."""

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from matplotlib.text import Text

from recsys.config.toml_file import Config, load_config
from recsys.decisions import Consent
from recsys.errors import ConfigError
from recsys.ledger import Ledger
from training.cli import main
from training.week import checks, play, tables
from training.week.answers import (
    CART,
    CHANNELS,
    CLICK,
    MAIL,
    OPT_OUT,
    PURCHASE,
    RETURN,
    Answer,
    Week,
)
from training.week.chart import draw

PAGES = ("web shop", "associate's tablet")
MAILS = ("weekly e-mail", "cart e-mail", "post-purchase e-mail")


@pytest.fixture(scope="module")
def config(trained_demo: Path) -> Config:
    return load_config(trained_demo)


@pytest.fixture(scope="module")
def week(config: Config) -> Week:
    return play(config)


def why(week: Week, name: str, channel: str) -> str:
    return " ".join(week[name].answers[channel].why())


def test_every_step_changes_what_it_should(week: Week) -> None:
    assert [check for check in checks.of_week(week) if not check.passed] == []
    assert week.customer.email is not None
    assert week.customer.card is not None
    assert [step.name for step in week.steps] == [MAIL, CLICK, CART, PURCHASE, RETURN, OPT_OUT]


def test_the_week_begins_after_the_last_purchase(week: Week, config: Config) -> None:
    summary = json.loads(next((config.state / "history").glob("*/summary.json")).read_text())
    first = week.steps[0].at
    assert first.isoweekday() == 1
    assert first.isoformat() > summary["last_at"]
    assert [step.at for step in week.steps] == sorted(step.at for step in week.steps)


def test_what_was_clicked_in_the_mail_leads_the_pages_until_it_is_bought(week: Week) -> None:
    assert week.clicked in week[MAIL].answers["weekly e-mail"].items
    assert week[MAIL].answers["web shop"].items[0] != week.clicked
    for channel in PAGES:
        after = week[CLICK].answers[channel]
        assert after.items[0] == week.clicked
        assert after.body["items"][0]["clicked"]["channel"] == "email"
    assert not any(week[PURCHASE].answers[channel].clicked for channel in CHANNELS)


def test_the_cart_of_the_web_is_known_in_the_store_and_has_its_own_mail(week: Week) -> None:
    for name in (MAIL, CLICK):
        assert week[name].answers["cart e-mail"].held == "nothing_left"
    assert "left no cart" in why(week, CLICK, "cart e-mail")
    for channel in ("associate's tablet", "cart e-mail"):
        answer = week[CART].answers[channel]
        assert set(answer.left_cart) == set(week.pair)
        assert not set(answer.items) & set(week.pair)


def test_a_purchase_in_the_store_stops_the_cart_mail_and_hides_the_products(week: Week) -> None:
    assert week[PURCHASE].answers["cart e-mail"].status == 409
    assert "bought meanwhile" in why(week, PURCHASE, "cart e-mail")
    for channel in ("weekly e-mail", *PAGES):
        answer = week[PURCHASE].answers[channel]
        assert answer.items
        assert not {*answer.items, *answer.left_cart} & set(week.pair)
        assert answer.body["left_out"]["just_bought"] >= 1
        assert "just been bought" in why(week, PURCHASE, channel)


def test_a_return_gives_back_and_takes_back_what_goes_with_it(week: Week) -> None:
    assert week[PURCHASE].answers["post-purchase e-mail"].items
    assert week[RETURN].answers["post-purchase e-mail"].held == "returned"
    assert "was returned" in why(week, RETURN, "post-purchase e-mail")
    for channel in ("weekly e-mail", *PAGES):
        assert set(week[RETURN].answers[channel].may_show) == set(week.pair)
        assert "just been bought" not in why(week, RETURN, channel)


def test_an_opt_out_holds_the_mails_and_no_page(week: Week) -> None:
    for channel in MAILS:
        assert week[OPT_OUT].answers[channel].held == "no_consent"
        assert "does not consent" in why(week, OPT_OUT, channel)
    for channel in PAGES:
        assert len(week[OPT_OUT].answers[channel].items) == len(week[RETURN].answers[channel].items)
        assert set(week[OPT_OUT].answers[channel].may_show) == set(week.pair)


def test_nothing_of_the_workspace_changes(week: Week, config: Config) -> None:
    def seen() -> dict[str, str]:
        files = [path for path in config.folder.rglob("*") if path.is_file()]
        held = config.state / "artefacts" / ".held"  # copies that every reader of a model makes
        return {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
            if held not in path.parents
        }

    before = seen()
    again = play(config)
    assert seen() == before
    assert [step.answers["web shop"].items for step in again.steps] == [
        step.answers["web shop"].items for step in week.steps
    ]


def altered(week: Week, name: str, channel: str, change: Callable[[Answer], Answer]) -> Week:
    steps = [
        dataclasses.replace(step, answers={**step.answers, channel: change(step.answers[channel])})
        if step.name == name
        else step
        for step in week.steps
    ]
    return dataclasses.replace(week, steps=tuple(steps))


def without_items(answer: Answer) -> Answer:
    body = {**answer.body, "items": [], "left_cart": []}
    return dataclasses.replace(answer, body=body, may_show=())


def not_held(answer: Answer) -> Answer:
    return dataclasses.replace(answer, decision={**answer.decision, "held": None})


@pytest.mark.parametrize(
    ("name", "channel", "change", "failed"),
    [
        (MAIL, "weekly e-mail", without_items, "the e-mail goes out"),
        (MAIL, "cart e-mail", not_held, "without a cart"),
        (CLICK, "web shop", without_items, "the product leads"),
        (CART, "associate's tablet", without_items, "the cart that was left is known"),
        (PURCHASE, "cart e-mail", not_held, "no cart e-mail"),
        (PURCHASE, "web shop", without_items, "what was bought is not shown"),
        (RETURN, "web shop", without_items, "may be shown again"),
        (RETURN, "post-purchase e-mail", not_held, "nothing goes with what came back"),
        (OPT_OUT, "weekly e-mail", not_held, "no e-mail without consent"),
        (OPT_OUT, "web shop", without_items, "pages go on"),
    ],
)
def test_a_wrong_answer_is_found(
    week: Week, name: str, channel: str, change: Callable[[Answer], Answer], failed: str
) -> None:
    """Tests the checks."""
    found = checks.of_week(altered(week, name, channel, change))
    wrong = [check.what for check in found if not check.passed]
    assert any(failed in what for what in wrong), wrong


def test_tables_mark_what_leads_what_is_left_and_what_is_kept_out(week: Week) -> None:
    title, other = week.titles[week.clicked], week.titles[week.other]
    assert tables.lists(week, CLICK)["web shop"][0] == f"{tables.LEADS} {title}"
    tablet = tables.lists(week, CART)["associate's tablet"]
    assert {f"{tables.IN_CART} {one}" for one in (title, other)} <= set(tablet)
    for lines in tables.lists(week, PURCHASE).values():
        assert {f"{tables.KEPT_OUT} {one}" for one in (title, other)} <= set(lines)
    assert tables.lists(week, OPT_OUT)["weekly e-mail"][0] == "held: no_consent"
    assert len({len(lines) for lines in tables.lists(week, OPT_OUT).values()}) == 1
    assert ("cart e-mail", "What it is about was bought meanwhile.") in tables.reasons(
        week, PURCHASE
    )


def test_the_chart_tells_all_of_it_without_colour(week: Week) -> None:
    said = [text.get_text() for text in draw(week).findobj(Text) if isinstance(text, Text)]
    joined = "\n".join(said)
    for step in week.steps:
        assert f"{step.at:%A %H:%M}" in said
    for code in ("nothing_left", "just_bought", "returned", "no_consent"):
        assert f"HELD: {code}" in joined
    assert sum(text.startswith("★ ") for text in said) >= 2
    assert sum(text.startswith("cart: ") for text in said) == 4


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["week", *arguments])


@pytest.fixture
def played(week: Week, monkeypatch: pytest.MonkeyPatch) -> Week:
    """The week of the other tests, for the command."""
    monkeypatch.setattr("training.week.play", lambda _: week)
    return week


def test_the_command_shows_checks_and_draws(
    played: Week, trained_demo: Path, tmp_path: Path
) -> None:
    chart = tmp_path / "week.png"
    result = run("-w", str(trained_demo), "--check", "--chart", str(chart))
    assert result.exit_code == 0, result.output
    assert "Buys both in the store" in result.stdout
    assert "Held (no_consent). The customer does not consent to it." in result.stdout
    assert "checks passed" in result.stderr
    assert chart.read_bytes().startswith(b"\x89PNG")
    refused = run("-w", str(trained_demo), "--chart", str(tmp_path / "week.nope"))
    assert refused.exit_code == 2
    answer: dict[str, Any] = json.loads(run("-w", str(trained_demo), "--json").stdout)
    assert [step["step"] for step in answer["steps"]] == [step.name for step in played.steps]
    assert all(check["passed"] for check in answer["checks"])


def test_a_step_that_changes_nothing_fails_the_check(
    week: Week, trained_demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = altered(week, OPT_OUT, "weekly e-mail", not_held)
    monkeypatch.setattr("training.week.play", lambda _: wrong)
    result = run("-w", str(trained_demo), "--check")
    assert result.exit_code == 1
    assert "no e-mail without consent: weekly e-mail" in result.stderr


STRICT = """
[caps.week]
times = 1
days = 7

[consents]
marketing = false

[holdouts.all]
share = 1.0
"""
QUIET = """[contact]
quiet_from = "18:00"
quiet_until = "11:00"
"""


def test_a_strict_workspace_is_played_too(config: Config, tmp_path: Path) -> None:
    """Its keys let nobody in without one, and its rules would leave nothing to see."""
    mine = Path(shutil.copytree(config.folder, tmp_path / "mine"))
    file = mine / "omnibasket.toml"
    text = file.read_text()
    assert "[contact]\n" in text
    file.write_text(text.replace("[contact]\n", QUIET, 1) + STRICT)
    made = CliRunner().invoke(
        main, ["keys", "create", "--scope", "recommend", "-w", str(mine), "--json"]
    )
    assert made.exit_code == 0
    found = checks.of_week(play(load_config(mine)))
    assert [check for check in found if not check.passed] == []


def test_only_a_ledger_that_can_be_copied_is_played_on(config: Config) -> None:
    ledger = msgspec.structs.replace(config.ledger, url="postgresql+psycopg://db/omnibasket")
    with pytest.raises(ConfigError, match="only one of SQLite"):
        play(msgspec.structs.replace(config, ledger=ledger))


def test_a_workspace_without_history_says_what_to_run(tmp_path: Path) -> None:
    (tmp_path / "omnibasket.toml").touch()
    result = run("-w", str(tmp_path))
    assert result.exit_code == 4
    assert "omnibasket ingest" in result.stderr


def test_nobody_who_refused_e_mails_is_chosen(config: Config, week: Week, tmp_path: Path) -> None:
    mine = load_config(Path(shutil.copytree(config.folder, tmp_path / "mine")))
    ledger = Ledger.open(mine.ledger_url, currency=mine.workspace.currency)
    try:
        said = [Consent("marketing", "email", False, 1_500_000_000, "test")]
        ledger.contacts.bring_in({week.customer.customer_id: said})
    finally:
        ledger.close()
    assert play(mine).customer.customer_id != week.customer.customer_id
