"""Who refuses profiling teaches nothing: a training is as if their data were not there."""

import json
from pathlib import Path
from typing import Any

import pytest

from recsys.artefacts import artefact_format, layout, registry, runs
from recsys.config.toml_file import load_config
from recsys.decisions import Consent
from recsys.identity.hashing import KeyedHash, customer_id_of
from recsys.ledger.ledger import Ledger

from .test_same_again import EAGER, SAMPLES
from .test_train import LAST_DAY, build, run, sales

CLUB = """
[sources.club]
kind = "customer_links"
path = "club.csv"
[sources.club.columns]
occurred_at = "since"
[sources.club.identifiers]
loyalty_card = "card"
email = "email"
[sources.club.consents.profiling]
all = "profile"
"""
#: Two refuse in an export, and one under an e-mail address that is linked to the card.
REFUSING = ("card3", "card8", "card13")
ADDRESS = "ada@shop.test"
DAYS = 50


def say(folder: Path, kind: str, text: str, *, given: bool) -> None:
    config = load_config(folder)
    ledger = Ledger.open(config.ledger_url)
    own_id = customer_id_of(kind, KeyedHash.load(config).identifier(kind, text) or "")
    ledger.contacts.consent([own_id], [Consent("profiling", "", given, int(LAST_DAY.timestamp()))])
    ledger.close()


def trained(folder: Path) -> dict[str, Any]:
    ran = run("train", folder, "--json")
    assert ran.exit_code == 0, ran.output
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def arrays(folder: Path) -> dict[str, str]:
    return artefact_format.read_manifest(registry.current(load_config(folder))).files


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, dict[str, Any]]]:
    """A shop in which some refuse, and one that never heard of them; both trained."""
    mine, theirs = (tmp_path_factory.mktemp(name) / "shop" for name in ("with", "without"))
    mine.mkdir()
    rows = [f"2026-01-01T00:00:00Z,{card},,no" for card in REFUSING[:2]]
    rows.append(f"2026-01-01T00:00:00Z,{REFUSING[2]},{ADDRESS},")
    (mine / "club.csv").write_text("since,card,email,profile\n" + "\n".join(rows) + "\n")
    found = []
    with pytest.MonkeyPatch.context() as patched:
        for name, value in SAMPLES.items():
            patched.setattr(name, value)
        build(mine, EAGER + CLUB, days=DAYS)
        say(mine, "email", ADDRESS, given=False)
        found.append((mine, trained(mine)))
        everything = sales(DAYS).splitlines(keepends=True)
        others = [line for line in everything if not {*line.split(",")} & {*REFUSING}]
        assert len(others) < len(everything)
        patched.setattr("tests.training.test_train.sales", lambda **_: "".join(others))
        build(theirs, EAGER, days=DAYS)
        found.append((theirs, trained(theirs)))
    return found


def test_all_that_is_learned_is_as_if_they_were_not_there(shops: Any) -> None:
    (mine, _), (theirs, _) = shops
    one, other = arrays(mine), arrays(theirs)
    assert one.keys() == other.keys()
    differing = {name for name in one if one[name] != other[name]}
    # How much a store sells is no matter of persons, and stock has to last for it.
    assert {name.split(".")[0] for name in differing} == {layout.SALES}


def test_nobody_is_judged_on_them(shops: Any) -> None:
    (_, one), (_, other) = shops
    names = ("figures", "differences", "reliability", "origins", "importance", "weights", "peers")
    for name in (*names, "bundles", "items", "orders", "customers", "windows"):
        assert one[name] == other[name], name


def test_the_training_says_how_many_are_left_out(shops: Any) -> None:
    (mine, one), (_, other) = shops
    assert (one["not_profiled"], other["not_profiled"]) == (3, 0)
    config = load_config(mine)
    manifest = artefact_format.read_manifest(registry.current(config))
    assert manifest.details["not_profiled"] == 3
    assert runs.read_all(config)[-1].details["not_profiled"] == 3
    said = "3 customers do not consent to profiling and are left out"
    assert said in run("train", mine, "--dry-run").output
    page = Path(one["report"]).read_text(encoding="utf-8")
    assert "Customers without consent to profiling" in page


def test_a_word_counts_from_the_next_training_on(shops: Any) -> None:
    (mine, before), _ = shops
    say(mine, "loyalty_card", "card0", given=False)
    say(mine, "loyalty_card", "card3", given=True)
    say(mine, "email", ADDRESS, given=False)
    say(mine, "loyalty_card", "card13", given=True)  # of linked identifiers any no is no
    after = json.loads(run("train", mine, "--dry-run", "--json").stdout)
    assert after["not_profiled"] == 3
    config = load_config(mine)
    folders = list((config.state / "history" / before["history"]).iterdir())
    assert not [folder for folder in folders if folder.is_dir()]  # no copy is left
