"""Bundles as a notebook meets them: evidence, price and customers of what was found."""

import dataclasses
import math
from copy import copy
from pathlib import Path

import pandas as pd
import pytest

from recsys.analysis.bundles import BundleStudy
from recsys.analysis.workspace import Workspace
from recsys.config.settings import BundleSettings
from recsys.datasets.item_index import ItemIndex
from recsys.errors import ConfigError, DataError
from recsys.recommender.offers.selection import LATELY_DAYS, SURE
from tests.recsys.bundles.shopping import mined, trips


@pytest.fixture(scope="module")
def shop(trained_demo: Path) -> Workspace:
    return Workspace.open(trained_demo)


@pytest.fixture(scope="module")
def studied(shop: Workspace) -> BundleStudy:
    # So few households have no bundle that is sure.
    return shop.bundles(min_support=15, false_discovery_rate=0.99)


def test_the_table_says_what_was_found(studied: BundleStudy) -> None:
    table = studied.table()
    assert len(table) == len(studied.engine.bundles) > 0
    assert (table["lift_low"] > 1).all()
    assert (table["lift_low"] <= table["lift"]).all()
    together = table[(table["kind"] == "together") & (table["size"] == 2)]
    assert (together["plain_lift"] > together["lift"]).all()
    assert (table["floor_price_minor"] <= table["full_price_minor"]).all()
    assert (table["suggested_price_minor"].isna() == table["sells_anyway"].astype(bool)).all()


def test_pairs_that_were_reported_hold_with_the_same_figures(studied: BundleStudy) -> None:
    table, pairs = studied.table(), studied.pairs()
    held = pairs[pairs["verdict"] == "holds"]
    told = held.set_index(held["first"] + " + " + held["other"])
    for bundle in table.query("kind == 'together' and size == 2").itertuples():
        row = told.loc[bundle.products]
        assert row["support"] == bundle.support
        assert row["lift"] == pytest.approx(bundle.lift, abs=1e-3)
        assert row["q_value"] == pytest.approx(bundle.q_value, rel=0.01)
    assert len(held) < 0.1 * len(pairs)


def test_evidence_adds_up(studied: BundleStudy) -> None:
    one = studied.choose()
    support = studied.table().loc[one, "support"]
    for by in ("month", "channel"):
        evidence = studied.evidence(one, by)
        assert evidence["together"].sum() == support
        for title in studied.titles(one):
            assert (evidence["together"] <= evidence[title]).all()
            assert (evidence[title] <= evidence["baskets"]).all()
    assert studied.evidence(one, "location")["together"].is_monotonic_decreasing
    segments = studied.segments()
    assert set(segments.index) <= set(studied.table().index)
    assert set(segments["by"]) <= {"channel", "region", "season"}


def test_the_suggested_price_is_the_best_of_the_curve(studied: BundleStudy) -> None:
    one = studied.choose()
    bundle, curve = studied.table().loc[one], studied.curve(one)
    assert curve.index[0] == bundle["floor_price_minor"]
    assert curve.index[-1] == bundle["full_price_minor"]
    assert (curve["low"] <= curve["middle"]).all()
    assert (curve["middle"] <= curve["high"]).all()
    settings = BundleSettings()
    most = bundle["full_price_minor"] * (1 - settings.min_discount)
    allowed = [price for price in curve.index if price <= most]
    known = [price for price in allowed if f"{price:02}"[-2:] in settings.price_endings]
    suggested = curve.loc[bundle["suggested_price_minor"], "middle"]
    assert suggested >= curve.loc[known or allowed, "middle"].max() - 1e-9


def test_the_suggestion_follows_what_is_assumed(studied: BundleStudy) -> None:
    one = studied.choose()
    moved = studied.responses(one, [0.5, 2.0, 4.0])
    assert math.isnan(moved.loc[0.5, "price_minor"])
    assert moved.loc[4.0, "middle"] > moved.loc[2.0, "middle"]
    assumed = studied.curve(one, response=[4.0, 4.0])
    assert assumed["middle"].max() == pytest.approx(moved.loc[4.0, "middle"])
    with pytest.raises(KeyError):
        studied.curve("b0")


def test_who_gets_it_bought_a_part_lately(shop: Workspace, studied: BundleStudy) -> None:
    one = studied.choose()
    people = studied.offered(one)
    counts = people["outcome"].value_counts()
    assert counts["gets the offer"] > 0
    assert counts["has no part"] > 0
    assert (people.loc[people["outcome"] == "gets the offer", "chance"] < SURE).all()
    choice_of = studied.engine.choice_of
    members = {choice_of(item_id) for item_id in studied.suggestions.get(one).item_ids}
    until = pd.Timestamp(studied.tests.training.as_of_ts, unit="s", tz="UTC")
    for outcome, held in (("gets the offer", 1), ("has all of it", len(members))):
        for customer_id in people.index[people["outcome"] == outcome][:3]:
            bought = shop.purchases(customer_id)
            recent = bought[bought["occurred_at"] >= until - pd.Timedelta(days=LATELY_DAYS)]
            assert len(members & {*map(choice_of, recent["item_id"])}) >= held


def test_bundles_of_the_artefact_are_those_of_its_settings(shop: Workspace) -> None:
    trained = shop.bundles()
    again = shop.bundles(max_bundles=trained.tests.settings.max_bundles)
    assert trained.table().equals(again.table())
    stricter = shop.bundles(min_support=14)
    assert (stricter.pairs()["support"] >= 14).all()
    with pytest.raises(ConfigError, match="Did you mean `min_support`"):
        shop.bundles(min_suport=3)


def test_another_history_is_refused(studied: BundleStudy, shop: Workspace) -> None:
    other = dataclasses.replace(studied.tests.training, index=ItemIndex(["something"]))
    with pytest.raises(DataError, match="ingested anew"):
        BundleStudy.of(studied.engine, other, shop.history, shop.config.bundles)


def test_where_nothing_sells_together_it_is_said_in_words(
    studied: BundleStudy, shop: Workspace
) -> None:
    engine = copy(studied.engine)
    engine.bundles = mined(trips(1, 200))
    training = studied.tests.training
    nothing = BundleStudy.of(engine, training, shop.history, shop.config.bundles)
    assert nothing.table().empty
    assert nothing.directions().empty
    assert nothing.segments().empty
    with pytest.raises(DataError, match="no bundle to look at"):
        nothing.choose()
