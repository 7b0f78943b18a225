"""Keys on the command line: created with valid limits, listed, revoked."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from recsys.config.toml_file import load_config
from recsys.errors import ConfigError
from recsys.ledger.ledger import Ledger
from recsys.recommender.catalogue_updates import LiveLocation
from training.cli import main
from training.serve import _address


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "omnibasket.toml").touch()
    return tmp_path


def keys(workspace: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["keys", *arguments, "--workspace", str(workspace)])


def made(workspace: Path, *arguments: str) -> Any:
    result = keys(workspace, "create", "--json", *arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_key_is_shown_once_and_listed_without_its_secret(workspace: Path) -> None:
    shown = keys(workspace, "create", "--name", "shop", "--scope", "recommend,events")
    secret = shown.stdout.split()[0]
    assert secret.startswith("omnibasket_")
    listed = keys(workspace, "list", "--json")
    (row,) = json.loads(listed.stdout)
    assert (row["name"], row["state"], row["scopes"]) == ("shop", "valid", ["recommend", "events"])
    assert row["key_id"] in secret
    assert secret.removeprefix(f"omnibasket_{row['key_id']}_") not in listed.stdout
    assert "shop" in keys(workspace, "list").stdout


def tell(workspace: Path, *location_ids: str) -> None:
    """Have the back office report locations."""
    ledger = Ledger.open(load_config(workspace).ledger_url)
    ledger.backoffice.put_locations([LiveLocation(location_id=name) for name in location_ids], 1)
    ledger.close()


def test_a_key_is_for_locations_that_there_are(workspace: Path) -> None:
    refused = keys(workspace, "create", "--scope", "recommend", "--location", "S1")
    assert refused.exit_code == 3
    assert "none is known" in refused.output
    tell(workspace, "Harbour", "Airport")
    refused = keys(workspace, "create", "--scope", "recommend", "--location", "harbor")
    assert "Did you mean `Harbour`?" in " ".join(refused.output.split())
    assert json.loads(keys(workspace, "list", "--json").stdout) == []


def test_limits_are_kept_as_given(workspace: Path) -> None:
    tell(workspace, "S1", "S2")
    told = made(
        workspace,
        "--scope",
        "recommend",
        "--scope",
        "events",
        "--channel",
        "web",
        "--location",
        "S1",
        "--location",
        "S2",
        "--origin",
        "https://Shop.example:443/",
        "--expires",
        "2199-01-31",
    )
    assert told["scopes"] == ["recommend", "events"]
    assert (told["channels"], told["locations"]) == (["web"], ["S1", "S2"])
    assert told["origins"] == ["https://shop.example"]
    assert told["expires"] == "2199-01-31T00:00:00Z"
    assert made(workspace, "--scope", "admin", "--expires", "90d")["expires"] is not None


def test_a_revoked_key_stays_in_the_list(workspace: Path) -> None:
    key_id = made(workspace, "--scope", "admin")["key_id"]
    assert "is revoked" in keys(workspace, "revoke", key_id).stdout
    assert "before" in keys(workspace, "revoke", key_id).stdout
    (row,) = json.loads(keys(workspace, "list", "--json").stdout)
    assert row["state"] == "revoked"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("create", "--scope", "recomend"), 3, "Did you mean `recommend`?"),
        (("create", "--scope", ","), 3, "name at least one"),
        (("create",), 2, "--scope"),
        (("create", "--scope", "events", "--channel", "wbe"), 3, "Did you mean `web`?"),
        (("create", "--scope", "admin", "--origin", "https://a.example"), 3, "not for admin"),
        (("create", "--scope", "events", "--origin", "a.example/x"), 3, "no web origin"),
        (("create", "--scope", "events", "--expires", "soon"), 3, "ISO 8601"),
        (("create", "--scope", "events", "--expires", "2001-01-01"), 3, "is over"),
        (("list",), 6, "no ledger"),
        (("revoke", "x"), 6, "no ledger"),
    ],
)
def test_what_cannot_be_is_explained(
    workspace: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    result = keys(workspace, *arguments)
    assert result.exit_code == code
    assert message in result.stderr


def test_others_may_reach_the_service_only_where_a_key_keeps_them_out() -> None:
    assert _address("0.0.0.0", keys=True) == "0.0.0.0"
    assert _address("localhost", keys=False) == _address("localhost", keys=True) == "127.0.0.1"
    for host in ("0.0.0.0", "::", "10.0.0.1", "shop.example"):
        with pytest.raises(ConfigError, match="omnibasket keys create"):
            _address(host, keys=False)
    with pytest.raises(ConfigError, match="write an address"):
        _address("shop.example", keys=True)
