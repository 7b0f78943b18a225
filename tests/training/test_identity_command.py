"""``omnibasket identity``: find a wrong link, remove it, and restore it."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from recsys.config.toml_file import Config, load_config
from recsys.identity.hashing import KeyedHash
from recsys.identity.resolution import customer_id_of, resolve, undone_links
from recsys.query_engine import connect
from recsys.schema import TABLES
from tests.recsys.identity.observing import Seen
from training.cli import main


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A card and an e-mail that share a payment token; a default card; a known rule."""
    (tmp_path / "omnibasket.toml").write_text("[identity]\nplain = ['payment_token']\n")
    config = load_config(tmp_path)
    keyed = KeyedHash.load(config, create=True)
    seen = Seen().order("card=C1 token=tok-1", times=3).order("email=ada@shop.test token=tok-1")
    for n in range(7):
        seen.order(f"card=DEFAULT token=other-{n}")
    seen.order("card=none token=tok-1")
    for row in seen.rows:
        row["blocked"] = "rule" if row["value"] == "none" else None
        row["value"] = keyed.identifier(str(row["type"]), str(row["value"]))
    write_history(config, seen)
    return tmp_path


def write_history(config: Config, seen: Seen | None) -> None:
    """Write the tables of a history, as an ingest does after identity resolution."""
    folder = config.state / "history" / "v1"
    folder.mkdir(parents=True, exist_ok=True)
    con = connect(memory_mb=256, threads=1)
    found = resolve((seen or Seen()).table(), config.identity, con, undone_links(config))
    resolved = {"identifiers": found.identifiers, "links": found.links}
    for name, schema in TABLES.items():
        table = resolved.get(name, pa.Table.from_pylist([], schema))
        pq.write_table(table, folder / f"{name}.parquet")
    (folder.parent / "current").write_text("v1\n")


def run(workspace: Path, *arguments: str) -> Result:
    subcommand, *rest = arguments
    return CliRunner().invoke(main, ["identity", subcommand, "-w", str(workspace), *rest])


def ask(workspace: Path, *arguments: str) -> dict:
    result = run(workspace, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def stored(workspace: Path, kind: str, value: str) -> str:
    found = KeyedHash.load(load_config(workspace)).identifier(kind, value)
    assert found
    return found


def test_links_are_listed_for_people(workspace: Path) -> None:
    result = run(workspace, "links")
    assert result.exit_code == 0
    assert "10 of 10 links" in result.output
    assert "payment_token=tok-1" in result.output
    assert "degree: seen with" in result.output
    assert stored(workspace, "email", "ada@shop.test")[:8] in result.output
    assert "1 of 10 links" in run(workspace, "links", "--limit", "1").output


def test_links_are_listed_for_scripts(workspace: Path) -> None:
    assert ask(workspace, "links")["count"] == 10
    refused = ask(workspace, "links", "--refused")
    assert refused["count"] == len(refused["links"]) == 8
    assert {link["refused"] for link in refused["links"]} == {
        "rule",
        "degree: seen with 7 payment_token",
    }
    assert refused["history"] == "v1"


@pytest.mark.parametrize("value", ["ada@shop.test", " ADA@shop.test"])
def test_links_of_an_identifier(workspace: Path, value: str) -> None:
    (link,) = ask(workspace, "links", "--identifier", f"email={value}")["links"]
    assert (link["type_b"], link["value_b"]) == ("payment_token", "tok-1")
    again = ask(workspace, "links", "--identifier", f"email={link['value_a']}")["links"]
    assert again == [link]


def test_links_of_a_customer_by_any_id_ever_given_out(workspace: Path) -> None:
    former = customer_id_of("payment_token", "tok-1")
    present = customer_id_of("email", stored(workspace, "email", "ada@shop.test"))
    found = ask(workspace, "links", "--customer", former)
    assert found["count"] == 3
    assert found == ask(workspace, "links", "--customer", present)


def test_blocked_identifiers_are_listed(workspace: Path) -> None:
    rows = ask(workspace, "blocked")["identifiers"]
    assert [(row["orders"], row["blocked"]) for row in rows] == [
        (7, "degree: seen with 7 payment_token"),
        (1, "rule"),
    ]
    assert "2 of 2 blocked identifiers" in run(workspace, "blocked").output


def test_undo_says_what_it_will_change_and_redo_takes_it_back(workspace: Path) -> None:
    (link,) = ask(workspace, "links", "--identifier", "email=ada@shop.test")["links"]
    card = stored(workspace, "loyalty_card", "C1")
    result = run(workspace, "undo", link["link_id"], "--reason", "not the same person")
    assert result.exit_code == 0, result.output
    assert "Now undone" in result.output
    assert customer_id_of("loyalty_card", card) in result.output
    assert "omnibasket ingest" in result.output
    config = load_config(workspace)
    assert undone_links(config) == [link["link_id"]]
    assert "not the same person" in (config.state / "undone.txt").read_text()

    again = ask(workspace, "undo", link["link_id"])
    assert again["changed"] is False

    redone = ask(workspace, "redo", link["link_id"])
    assert redone["changed"] is True
    assert [len(customer["identifiers"]) for customer in redone["before"]] == [2, 1]
    assert [len(customer["identifiers"]) for customer in redone["after"]] == [3]
    assert undone_links(config) == []
    assert "was not undone" in run(workspace, "redo", link["link_id"]).output


def test_undoing_what_was_refused_changes_nothing_and_says_so(workspace: Path) -> None:
    (link,) = ask(workspace, "links", "--identifier", "loyalty_card=none")["links"]
    assert "stay as they are" in run(workspace, "undo", link["link_id"]).output


def test_undoing_one_of_a_shared_cards_links_shows_that_it_comes_back(workspace: Path) -> None:
    link = ask(workspace, "links", "--identifier", "payment_token=other-6")["links"][0]
    found = ask(workspace, "undo", link["link_id"])
    assert [customer["customer_id"] is None for customer in found["before"]].count(True) == 1
    assert max(len(customer["identifiers"]) for customer in found["after"]) == 7


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("undo", "l0000000000000000"), 4, "not in history v1"),
        (("redo", "nonsense"), 4, "not in history v1"),
        (("links", "--customer", "c00"), 4, "nobody has this id"),
        (("links", "--identifier", "ada@shop.test"), 2, "TYPE=VALUE"),
        (("links", "--limit", "0"), 2, "--limit"),
    ],
)
def test_wrong_questions_are_told(workspace: Path, arguments, code: int, message: str) -> None:
    result = run(workspace, *arguments)
    assert result.exit_code == code
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_a_link_undone_by_the_settings_is_redone_there(workspace: Path) -> None:
    link = ask(workspace, "links", "--identifier", "email=ada@shop.test")["links"][0]["link_id"]
    with (workspace / "omnibasket.toml").open("a") as file:
        file.write(f"undone = ['{link}']\n")
    result = run(workspace, "redo", link)
    assert result.exit_code == 4
    assert "Remove it there" in result.stderr


def test_without_a_history_it_says_to_ingest(tmp_path: Path) -> None:
    (tmp_path / "omnibasket.toml").write_text("")
    result = run(tmp_path, "links")
    assert result.exit_code == 4
    assert "omnibasket ingest" in result.stderr
