"""``omnibasket train`` on a small grocer, from its exports to a working artefact."""

import json
import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from recsys.artefacts import artefact_format, registry
from recsys.config.settings import StockSettings
from recsys.config.toml_file import load_config
from recsys.datasets.customer_history import EMPTY
from recsys.history.versions import History
from recsys.learning.fit import find_bundles
from recsys.recommender.engine import Engine
from recsys.recommender.placements import Question, find_placement
from training.cli import main
from training.train import report

TOML = """
[workspace]
name = "Corner shop"
[sources.till]
kind = "order_lines"
path = "sales.csv"
[sources.till.columns]
order_id = "ticket"
channel = "channel"
[sources.till.identifiers]
loyalty_card = "card"
[sources.items]
kind = "products"
path = "items.csv"
[sources.shelf]
kind = "stock"
path = "stock.csv"
[sources.places]
kind = "locations"
path = "places.csv"
[train]
test_days = 10
validation_days = 10
keep = 2
[models.als]
factors = 4
iterations = 2
[placements.tablet]
channel = "associate"
weights = { repeat = 2.0 }
"""
PAIRS = [("pasta", "sauce"), ("bread", "butter"), ("beer", "crisps"), ("tea", "milk")]
OTHERS = [f"item{n:02}" for n in range(20)]
LAST_DAY = datetime(2026, 3, 1, 18, tzinfo=UTC)
UNLISTED = "item00"
#: When the stock was counted, and what was put aside then.
COUNTED_TS = int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp())
RESERVED = {"bread": 3, "sauce": 1}


def sales(days, customers=40):
    chosen = random.Random(7)
    lines = ["ticket,occurred_at,channel,location_id,card,item_id,quantity,unit_price"]
    for day in range(days):
        for customer in range(customers):
            if chosen.random() > 0.3:
                continue
            at = LAST_DAY - timedelta(days=days - 1 - day, minutes=customer)
            place = "web,online" if customer % 4 == 0 and day % 2 else "pos,S1"
            basket = {chosen.choice(OTHERS), *PAIRS[customer % 4][: chosen.randint(1, 2)]}
            begin = f"t{day}-{customer},{at:%Y-%m-%dT%H:%M:%SZ},{place},card{customer}"
            lines += [f"{begin},{item},1,1.50" for item in sorted(basket)]
    return "\n".join(lines) + "\n"


def build(folder, toml=TOML, **given):
    folder.mkdir(exist_ok=True)
    (folder / "omnibasket.toml").write_text(toml)
    (folder / "sales.csv").write_text(sales(**given))
    listed = [item for pair in PAIRS for item in pair] + OTHERS[1:]
    (folder / "items.csv").write_text(
        "item_id,title,price\n" + "".join(f"{item},{item.title()},1.50\n" for item in listed)
    )
    (folder / "stock.csv").write_text(
        "location_id,item_id,on_hand,reserved\n"
        + "".join(
            f"S1,{item},{0 if item == 'butter' else 3},{RESERVED.get(item, '')}\n"
            for item in listed
        )
    )
    os.utime(folder / "stock.csv", (COUNTED_TS, COUNTED_TS))
    (folder / "places.csv").write_text(
        "location_id,name,kind,latitude,longitude,delivery_days\n"
        "S1,North,store,53.5,10.0,\nonline,Web,online,,,2\n"
    )
    assert run("ingest", folder).exit_code == 0
    return folder


def run(command, folder, *more):
    return CliRunner().invoke(main, [command, "--workspace", str(folder), *more])


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return build(tmp_path_factory.mktemp("shop"), days=60)


@pytest.fixture(scope="module")
def result(workspace):
    ran = run("train", workspace, "--json")
    assert ran.exit_code == 0, ran.output
    return json.loads(ran.stdout)


def test_it_tells_scripts_what_was_learned_and_how_good_it_is(workspace, result):
    assert result["test"] == {
        "start": "2026-02-20T00:00:00+00:00",
        "end": "2026-03-02T00:00:00+00:00",
    }
    assert result["validation"]["end"] == result["test"]["start"]
    assert result["note"] == ""
    assert result["customers"] == 40
    assert result["items"] == 28
    assert {row["segment"] for row in result["figures"]} == {"all", "pos", "web"}
    figures = {
        (row["method"], row["metric"]): row for row in result["figures"] if row["segment"] == "all"
    }
    ours = figures["omnibasket", "ndcg@10"]
    assert ours["low"] < ours["value"] < ours["high"]
    assert ours["value"] > figures["popular", "ndcg@10"]["value"]
    assert {metric for method, metric in figures if method == "omnibasket"} == {
        "ndcg@10",
        "recall@10",
        "hr@10",
        "precision@10",
        "new_ndcg@10",
        "new_recall@10",
        "new_hr@10",
        "repeat_ndcg@10",
        "repeat_recall@10",
        "repeat_share@10",
        "popularity@10",
        "novelty@10",
        "coverage@10",
        "choice_ndcg@10",
        "choice_recall@10",
        "choice_hr@10",
    }
    assert result["seconds"]["total"] > 0
    assert result["bytes"] == sum(
        file.stat().st_size for file in registry.current(load_config(workspace)).iterdir()
    )


def test_the_manifest_says_where_the_artefact_comes_from(workspace, result):
    found = artefact_format.load(registry.current(load_config(workspace)))
    assert found.version == result["version"]
    assert found.manifest.fingerprint == result["history"]
    assert found.manifest.metrics["figures"] == result["figures"]
    assert found.manifest.details["horizon_days"] == 10
    assert found.manifest.settings["models"]["als"]["factors"] == 4
    assert "tablet" in found.manifest.settings["placements"]
    assert found.manifest.as_of < datetime(2026, 3, 2, tzinfo=UTC)


def test_the_artefact_answers(workspace, result):
    config = load_config(workspace)
    engine = Engine.load(registry.current(config))
    as_of_ts = int(LAST_DAY.timestamp()) + 3600

    def ask(placement, **fields):
        settings = find_placement(config, placement)
        question = Question(placement=placement, settings=settings, as_of_ts=as_of_ts, **fields)
        return engine.recommend([question], [EMPTY])[0]["items"]

    cart = ask("web_cart", cart=("pasta",))
    assert (cart[0]["item_id"], cart[0]["title"]) == ("sauce", "Sauce")
    assert cart[0]["price"] == {"amount_minor": 150, "currency": "EUR"}
    at_store = ask("web_home", location_id="S1", count=200)
    shown = {item["item_id"] for item in at_store}
    assert "butter" not in shown  # none left
    assert UNLISTED not in shown  # sold once, but no longer in the catalogue
    assert at_store[0]["availability"] == {"location_id": "S1", "on_hand": 3, "pickup": True}
    chances = [item["score"] for item in ask("tablet", count=28)]
    assert chances == sorted(chances, reverse=True)


def test_the_artefact_knows_what_is_put_aside_how_old_that_is_and_where_places_lie(
    workspace, result
):
    config = load_config(workspace)
    folder = registry.current(config)
    settings = find_placement(config, "tablet")

    def ask(hours, max_age_hours):
        engine = Engine.load(folder, stock=StockSettings(max_age_hours=max_age_hours))
        as_of_ts = COUNTED_TS + hours * 3600
        question = Question(
            placement="tablet", settings=settings, as_of_ts=as_of_ts, location_id="S1", count=28
        )
        items = engine.recommend([question], [EMPTY])[0]["items"]
        return {item["item_id"]: item["availability"] for item in items}

    fresh = ask(12, 24)
    told = {"location_id": "S1", "stock_as_of": "2026-03-01T12:00:00Z"}
    assert fresh["sauce"] == {**told, "on_hand": 3, "reserved": 1, "sellable": 2, "pickup": True}
    assert fresh["pasta"] == {**told, "on_hand": 3, "pickup": True}
    assert not {"bread", "butter"} & fresh.keys()  # all put aside, and none there
    old = ask(25, 24)
    assert old["bread"] == old["butter"] == {**told, "stale": True}
    assert "stock_as_of" not in ask(25, 0)["sauce"]
    details = Engine.load(folder).catalogue.details
    assert sorted(details.delivery_days.tolist()) == [-1, 2]
    assert details.latitude[~np.isnan(details.latitude)].tolist() == [53.5]


def test_the_same_data_give_the_same_arrays(workspace, result):
    config = load_config(workspace)
    first = artefact_format.load(registry.current(config)).manifest
    ran = run("train", workspace)
    assert ran.exit_code == 0, ran.output
    second = artefact_format.load(registry.current(config)).manifest
    assert second.created > first.created
    assert second.files == first.files
    assert second.metrics == first.metrics
    for word in ("own_frequency", "omnibasket", "our lead", "new_ndcg@10", "pos"):
        assert word in " ".join(ran.stdout.split())
    assert run("train", workspace).exit_code == 0
    assert len(registry.versions(config)) == 2  # the value of [train] keep


def test_a_week_gets_windows_of_a_day_and_says_so(tmp_path):
    ran = run("train", build(tmp_path, days=7))
    assert ran.exit_code == 0, ran.output
    assert "test window is 1 instead of 10 days" in " ".join(ran.stderr.split())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"days": 2}, "need at least 3"),
        ({"days": 40, "customers": 6}, "the evaluation needs at least 10"),
    ],
)
def test_too_little_to_learn_from_is_told(tmp_path, given, message):
    ran = run("train", build(tmp_path, **given))
    assert ran.exit_code == 4
    assert message in ran.stderr
    assert not registry.versions(load_config(tmp_path))


def test_without_known_customers_there_is_nobody_to_learn_from(tmp_path):
    nameless = TOML.replace('[sources.till.identifiers]\nloyalty_card = "card"\n', "")
    ran = run("train", build(tmp_path, nameless, days=9))
    assert ran.exit_code == 4
    assert "no order names a customer" in ran.stderr


def test_without_a_history_it_says_what_to_do(tmp_path):
    (tmp_path / "omnibasket.toml").write_text(TOML)
    ran = run("train", tmp_path)
    assert ran.exit_code == 4
    assert "Run `omnibasket ingest` first" in ran.stderr


def test_a_training_is_about_one_history_whatever_is_ingested_meanwhile(tmp_path, monkeypatch):
    """Two ingests end during training; the second would delete the version it reads."""
    folder = build(tmp_path / "shop", days=40)
    config = load_config(folder)
    before = History.open(config).version
    honest = find_bundles

    def busy(*given):
        for days in (41, 42):
            (folder / "sales.csv").write_text(sales(days))
            ran = run("ingest", folder)
            assert ran.exit_code == 0, ran.output
        return honest(*given)

    monkeypatch.setattr("training.train.find_bundles", busy)
    drawn, draw = [], report.write

    def noted(path, result, history, name):
        drawn.append(history.version)
        draw(path, result, history, name)

    monkeypatch.setattr("training.train.report.write", noted)
    ran = run("train", folder, "--set", "train.peers=[]", "--json")
    assert ran.exit_code == 0, ran.output
    result = json.loads(ran.stdout)
    assert result["history"] == before
    assert artefact_format.read_manifest(Path(result["path"])).fingerprint == before
    assert drawn == [before]
    assert Path(result["report"]).exists()
    assert before != History.open(config).version
