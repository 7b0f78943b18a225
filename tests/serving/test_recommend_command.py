"""`omnibasket recommend` gives in the terminal what the service gives over the network."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient

from training.cli import main

from .api.test_customers import say
from .conftest import LAST_DAY, ask, known, state

NOW = (LAST_DAY + timedelta(hours=2)).isoformat()


def line(item_id: str) -> dict[str, str]:
    return {"item_id": item_id}


def recommend(workspace: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["recommend", "--workspace", str(workspace), *options])


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ("--placement web_home", {"placement": "web_home"}),
        (
            "--placement email_weekly --count 3 --identifier email=C0@shop.example.org",
            {"placement": "email_weekly", "count": 3, **known(0)},
        ),
        (
            "--placement web_cart --cart pasta --cart tea --exclude milk",
            {"placement": "web_cart", "exclude": ["milk"], "cart": [*map(line, ["pasta", "tea"])]},
        ),
        (
            "--placement store_screen --location S1 --item beer",
            {"placement": "store_screen", "location_id": "S1", "item_ids": ["beer"]},
        ),
    ],
)
def test_it_answers_as_the_service_does(
    shop: Path, client: FlaskClient, options: str, fields: dict[str, Any]
) -> None:
    result = recommend(shop, *options.split(), "--as-of", NOW, "--json")
    assert result.exit_code == 0, result.output
    said, served = json.loads(result.stdout), ask(client, as_of=NOW, **fields)
    said.pop("recommendation_id"), served.pop("recommendation_id")
    assert said == served


def test_it_holds_to_consents_as_the_service_does(shop: Path, client: FlaskClient) -> None:
    say(client, 0, {"purpose": "profiling", "given": False})
    ledger = str(state(client.application).config.ledger_url)
    who = ["--placement", "web_home", "--identifier", "email=C0@shop.example.org", "--as-of", NOW]
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("OMNIBASKET_LEDGER__URL", ledger)
        said = json.loads(recommend(shop, *who, "--json").stdout)
        text = recommend(shop, *who).stdout
    served = ask(client, as_of=NOW, **known(0))
    said.pop("recommendation_id"), served.pop("recommendation_id")
    assert said == served
    assert said["no_consent"] == ["profiling"]
    assert "they do not consent to profiling" in text


def test_people_can_read_it(shop: Path) -> None:
    result = recommend(
        shop,
        "--placement",
        "web_cart",
        "--identifier",
        "email=c0@shop.example.org",
        "--cart",
        "bread",
        "--cart",
        "pasta",
        "--location",
        "S1",
        "--as-of",
        NOW,
    )
    assert result.exit_code == 0
    said = ("a known customer", "=Butter", "€1.50", "Often bought with", "rank", "Left out:")
    for text in said:
        assert text in result.stdout


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--placement", "web_hom"), 3, "Did you mean `web_home`?"),
        (("--placement", "web_home", "--as-of", "noon"), 2, "ISO 8601"),
        (("--placement", "web_home", "--identifier", "ada"), 2, "TYPE=VALUE"),
        (("--placement", "web_home", "--identifier", "a=b", "--customer-id", "c"), 2, "not both"),
        (("--placement", "web_home", "--count", "0"), 2, "--count"),
        ((), 2, "--placement"),
    ],
)
def test_mistakes_are_explained(
    shop: Path, options: tuple[str, ...], code: int, message: str
) -> None:
    result = recommend(shop, *options)
    assert result.exit_code == code
    assert message in result.stderr


def test_without_a_model_it_says_what_to_do(workspace: Path) -> None:
    (workspace / ".omnibasket" / "artefacts" / "current").unlink()
    result = recommend(workspace, "--placement", "web_home")
    assert result.exit_code == 5
    assert "omnibasket train" in result.stderr
