"""Bundles on the command line: the same list as the service's, as a table, CSV or JSON."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient

from recsys.config.toml_file import load_config
from tests.serving.conftest import Serve, config, serve, shop, workspace
from tests.serving.marketing import approve, bundle_of, customer, issue, money, put_costs
from training.cli import main

__all__ = ["config", "serve", "shop", "workspace"]


@pytest.fixture
def client(workspace: Path, serve: Serve) -> FlaskClient:
    """The service of the workspace that the command reads."""
    return serve(load_config(workspace)).test_client()


def bundles(workspace: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["bundles", *arguments, "--workspace", str(workspace)])


def said(workspace: Path, *arguments: str) -> Any:
    result = bundles(workspace, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_list_is_the_services(workspace: Path, client: FlaskClient) -> None:
    put_costs(client, 40)
    bundle_id = approve(client, note="For spring")
    issue(client, customer(client.application), bundle_id)
    for arguments, query in ((), ""), (("--all", "--sort", "lift"), "?show=all&sort=lift"):
        told = client.get(f"/v1/bundles{query}").get_json()
        found = said(workspace, "list", *arguments)
        assert found == {name: told[name] for name in ("total", "left_out", "bundles")}
    shown = said(workspace, "show", bundle_id)
    assert shown == client.get(f"/v1/bundles/{bundle_id}").get_json()


def test_the_table_is_the_services(workspace: Path, client: FlaskClient) -> None:
    approve(client)
    for arguments, query in ((), "format=csv"), (("--all",), "format=csv&show=all"):
        result = bundles(workspace, "list", "--csv", *arguments)
        assert result.exit_code == 0, result.output
        assert result.stdout_bytes == client.get(f"/v1/bundles?{query}").data
    rows = list(csv.DictReader(io.StringIO(result.stdout_bytes.decode("utf-8-sig"))))
    assert {row["status"] for row in rows} == {"suggested", "approved"}


def test_people_are_shown_what_is_worth_a_decision(workspace: Path, client: FlaskClient) -> None:
    put_costs(client, 95)
    bundle_id = approve(client)
    everything = said(workspace, "list", "--all")["total"]
    listed = bundles(workspace, "list")
    assert listed.exit_code == 0, listed.output
    assert bundle_id in listed.output  # it has a decision
    told = said(workspace, "list")
    left = everything - told["total"]
    assert left > 0
    assert f"{left:,} more are hardly worth a decision" in listed.output
    for one in told["left_out"]:
        assert one["text"] in " ".join(listed.output.split())
    assert "worth a decision" not in bundles(workspace, "list", "--all").output


def test_the_short_table_is_for_people(workspace: Path, client: FlaskClient) -> None:
    bundle_id = approve(client, price=money(250))
    result = bundles(workspace, "list", "--csv", "--short")
    assert result.stdout_bytes == client.get("/v1/bundles?format=csv&columns=short").data
    rows = list(csv.DictReader(io.StringIO(result.stdout_bytes.decode("utf-8-sig"))))
    (ours,) = [row for row in rows if row["Bundle"] == bundle_id]
    assert (ours["Decided price"], ours["Currency"]) == ("2.50", "EUR")
    assert "Bread + " in ours["Products"] or " + Bread" in ours["Products"]
    assert len(ours) < 20


def test_the_list_can_be_narrowed(workspace: Path, client: FlaskClient) -> None:
    put_costs(client, 10)
    approve(client)
    whole = said(workspace, "list", "--all")["bundles"]

    def ids(*arguments: str) -> list[str]:
        found = said(workspace, "list", "--all", *arguments)["bundles"]
        return [bundle["bundle_id"] for bundle in found]

    ours = bundle_of(client)["bundle_id"]
    assert (
        ids("--status", "approved") == ids("--item", "bread") == ids("--title", "BREAD") == [ours]
    )
    assert ours in ids("--pays")
    assert ours not in ids("--pays-not")
    assert ids("--limit", "2") == [bundle["bundle_id"] for bundle in whole[:2]]
    assert ids("--min-support", "100000") == ids("--kind", "after") == []
    assert ids("--location", "S1") == [bundle["bundle_id"] for bundle in whole]


def test_people_see_names_prices_and_what_to_do_next(workspace: Path, client: FlaskClient) -> None:
    put_costs(client, 40)
    bundle_id = approve(client, price=money(250), note="For spring", channels=["web"])
    listed = bundles(workspace, "list", "--limit", "2", "--all")
    assert listed.exit_code == 0, listed.output
    assert "The first 2 of 4" in listed.output
    assert "omnibasket bundles show b" in listed.output
    shown = bundles(workspace, "show", bundle_id)
    assert shown.exit_code == 0, shown.output
    for word in ("Bread", "€2.50", "as by chance", "An estimate", "For spring", "local", "web"):
        assert word in shown.output
    assert "No bundle fits." in bundles(workspace, "list", "--min-lift", "1000").output


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("show", "b1"), "omnibasket bundles list"),
        (("list", "--item", "nothing"), "catalogue"),
        (("list", "--location", "S7"), "catalogue"),
        (("list", "--csv", "--json"), "choose"),
        (("list", "--sort", "price"), "evidence"),
    ],
)
def test_wrong_usage_is_explained(workspace: Path, arguments: tuple[str, ...], word: str) -> None:
    result = bundles(workspace, *arguments)
    assert result.exit_code == 2
    assert word in result.output


def test_before_the_first_training_there_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "omnibasket.toml").touch()
    result = bundles(tmp_path, "list")
    assert result.exit_code == 5
    assert "omnibasket train" in result.output
