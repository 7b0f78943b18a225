"""Bundles are told as they are, priced by what they cost, and refused where they cannot be."""

import json

import msgspec
import pytest

from recsys.bundles.bundle_table import bundle_id
from recsys.bundles.terms import Counts, Decision, Terms
from recsys.config.settings import BundleSettings
from recsys.recommender.bundles.documents import full, row
from recsys.recommender.bundles.listing import ListRequest, matching_bundles
from recsys.recommender.bundles.suggestions import Suggestions
from recsys.recommender.bundles.terms_check import check_terms, with_price
from recsys.recommender.engine import Engine
from tests.recsys.models.worlds import AS_OF
from tests.recsys.ranking.grocer import DISCONTINUED, PAIRS, STORE


@pytest.fixture(scope="module")
def engine(artefact_folder):
    return Engine.load(artefact_folder)


@pytest.fixture(scope="module")
def suggestions(engine):
    return Suggestions(engine, {}, BundleSettings())


def named(*items, kind="together"):
    return bundle_id(kind, items)


def decided(*items, revision=1, **terms):
    name = named(*items)
    return {
        name: Decision(
            bundle_id=name,
            kind="together",
            item_ids=items,
            terms=Terms(**terms),
            revision=revision,
            changed_ts=AS_OF,
            changed_by="anna",
        )
    }


def ids(suggestions, **wanted):
    return matching_bundles(
        suggestions, ListRequest(**{"show": "all", "sort": "evidence", **wanted})
    ).names


@pytest.mark.parametrize("pair", PAIRS)
def test_every_pair_that_is_bought_together_is_suggested(suggestions, pair):
    assert named(*pair) in ids(suggestions)
    found = row(suggestions, named(*pair))
    assert {item["item_id"] for item in found["items"]} == set(pair)
    assert found["lift_low"] > 1
    assert found["q_value"] <= 0.05
    assert (found["status"], found["revision"], found["in_model"]) == ("suggested", 0, True)


def test_a_row_can_be_sent_and_counts_what_is_told(suggestions):
    name = ids(suggestions)[0]
    found = full(suggestions, name, Counts(issued=3, redeemed=1, spent_minor=40))
    assert json.loads(json.dumps(found)) == found
    assert found["offers"]["issued"] == 3
    assert found["offers"]["spent"] == {"amount_minor": 40, "currency": "EUR"}
    drawn = found["evidence"]
    assert sum(drawn["together"]) == found["support"] == drawn["baskets"]["all"]
    for month, each in zip(drawn["month_baskets"], drawn["together"], strict=True):
        assert each <= month
    assert sum(channel["together"] for channel in drawn["channels"]) == found["support"]
    assert drawn["locations"][0]["location_id"] in ("store", "warehouse", STORE)
    assert found["stock"]["locations"] >= 1


def test_pair_confidence_points_the_right_way(suggestions):
    name = next(name for name in ids(suggestions, kind="together"))
    found = row(suggestions, name)
    if len(found["items"]) == 2:
        baskets = full(suggestions, name)["evidence"]["baskets"]
        share = found["support"] / baskets["each"][0]
        assert found["confidence"]["a_to_b"] == pytest.approx(share, abs=1e-4)


def test_filters_and_orders(suggestions):
    every = ids(suggestions)
    item = PAIRS[0][0]
    assert all(item in suggestions.get(name).item_ids for name in ids(suggestions, item_id=item))
    lifts = [row(suggestions, name)["lift"] for name in ids(suggestions, sort="lift")]
    assert lifts == sorted(lifts, reverse=True)
    assert set(ids(suggestions, sort="margin")) == set(every)
    assert ids(suggestions, status="approved") == []
    assert ids(suggestions, min_support=10**6) == []
    title = row(suggestions, every[0])["items"][0]["title"]
    assert every[0] in ids(suggestions, q=title.upper())
    pays = ids(suggestions, pays=True)
    assert set(pays) | set(ids(suggestions, pays=False)) == set(every)
    for name in pays:
        assert row(suggestions, name)["pricing"]["expected_margin"]["low"] >= 0


def test_what_was_decided_stays_when_the_model_has_it_no_more(engine):
    decision = decided("item001", "item002", status="approved", price_minor=10, currency="EUR")
    suggestions = Suggestions(engine, decision, BundleSettings())
    (name,) = ids(suggestions, status="approved")
    found = full(suggestions, name)
    assert not found["in_model"]
    assert found["lift"] is None
    assert found["evidence"] is None
    assert found["terms"]["price"] == {"amount_minor": 10, "currency": "EUR"}
    assert found["changed_by"] == "anna"
    assert ids(suggestions)[-1] == name


def test_a_price_curve_ends_at_the_floor_and_the_full_price(suggestions):
    for name in ids(suggestions)[:5]:
        pricing = full(suggestions, name)["pricing"]
        if pricing is None:
            continue
        prices = [at["price_minor"] for at in pricing["curve"]]
        assert prices[-1] == pricing["full_price"]["amount_minor"]
        assert prices[0] >= min(prices[-1], pricing["floor_price"]["amount_minor"])
        assert "experiment" in pricing["estimate"]


def test_a_price_is_judged_before_it_is_kept(suggestions):
    name = next(
        name
        for name in ids(suggestions)
        if (pricing := row(suggestions, name)["pricing"])
        and pricing["cost_known"]
        and pricing["floor_price"]["amount_minor"] < pricing["full_price"]["amount_minor"] - 2
    )
    pricing = row(suggestions, name)["pricing"]
    floor, price = (pricing[key]["amount_minor"] for key in ("floor_price", "full_price"))
    good = Terms(status="approved", price_minor=price - 1, currency="EUR")
    assert check_terms(suggestions, name, good) == []

    def kinds(**changed):
        return [
            fault.kind
            for fault in check_terms(suggestions, name, msgspec.structs.replace(good, **changed))
        ]

    assert kinds(price_minor=floor - 1) == ["price-below-floor"]
    assert kinds(price_minor=0) == ["price-below-floor"]
    assert kinds(price_minor=price) == ["price-not-lower"]
    assert kinds(currency="USD") == ["invalid-request"]
    assert kinds(starts_ts=5, ends_ts=5) == ["dates-reversed"]
    assert kinds(starts_ts=5, ends_ts=6) == []
    assert kinds(budget_minor=0) == ["budget-empty"]
    assert kinds(price_minor=price - 2, budget_minor=1) == ["budget-empty"]
    assert kinds(locations=("nowhere",)) == ["invalid-request"]
    assert kinds(locations=(STORE,)) == []


def test_what_is_no_longer_sold_is_not_approved(engine):
    other = next(item for item in PAIRS[0] if item != DISCONTINUED)
    decision = decided(DISCONTINUED, other)
    suggestions = Suggestions(engine, decision, BundleSettings())
    (name,) = decision
    terms = Terms(status="approved", price_minor=1, currency="EUR")
    assert "bundle-inactive" in [fault.kind for fault in check_terms(suggestions, name, terms)]


def test_approving_without_a_price_takes_the_suggested_one(suggestions):
    for name in ids(suggestions):
        pricing = row(suggestions, name)["pricing"]
        terms = with_price(suggestions, name, Terms(status="approved"))
        if pricing is None or pricing["suggested_price"] is None:
            assert [fault.kind for fault in check_terms(suggestions, name, terms)] == [
                "price-missing"
            ]
        else:
            assert terms.price_minor == pricing["suggested_price"]["amount_minor"]
            assert check_terms(suggestions, name, terms) == []
