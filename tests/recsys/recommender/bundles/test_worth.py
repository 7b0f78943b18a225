"""What is worth a decision is what the definition says, and all else says why it is not."""

import math
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.bundles.bundle_table import bundle_id
from recsys.bundles.terms import Decision, Terms
from recsys.config.settings import BundleSettings
from recsys.recommender.bundles.documents import left_out_counts, row
from recsys.recommender.bundles.listing import ListRequest, matching_bundles
from recsys.recommender.bundles.suggestions import Suggestions
from recsys.recommender.bundles.worth import REASONS, said
from recsys.recommender.catalogue_updates import CatalogueUpdates, LiveItem
from recsys.recommender.engine import Engine
from tests.recsys.models.worlds import AS_OF
from tests.recsys.ranking.grocer import PAIRS

KINDS = ("Bakery", "Dairy", None)


@pytest.fixture(scope="module")
def engine(artefact_folder):
    return Engine.load(artefact_folder)


@pytest.fixture(scope="module")
def sold(engine):
    """Every product of a bundle."""
    every = Suggestions(engine, {}, BundleSettings()).all()
    return sorted({item for bundle in every for item in bundle.item_ids})


def told(**items):
    return CatalogueUpdates(
        items={name: LiveItem(item_id=name, **of) for name, of in items.items()}, mark=1
    )


def quantile(values, share):
    """Linear between the two nearest, as most people mean it."""
    values = sorted(values)
    if not values:
        return 0.0
    at = share * (len(values) - 1)
    low = math.floor(at)
    high = min(low + 1, len(values) - 1)
    return values[low] + (at - low) * (values[high] - values[low])


def one_category(found):
    kinds = [item["category"] for item in found["items"] if item["category"] is not None]
    return any(a == b for a, b in combinations(kinds, 2))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_worth_is_what_the_definition_says(engine, sold, data):
    items = {
        name: {
            "category": data.draw(st.sampled_from(KINDS), label=f"category of {name}"),
            "cost_minor": data.draw(st.sampled_from([1, 60, 150, 400]), label=f"cost of {name}"),
            "active": data.draw(st.integers(0, 9), label=f"{name} is sold") > 0,
        }
        for name in sold
    }
    chosen = BundleSettings(
        min_month=data.draw(st.sampled_from([0.0, 1.0, 20.0])),
        min_lift=data.draw(st.sampled_from([0.0, 1.5, 6.0])),
        same_category_above=data.draw(st.sampled_from([0.0, 0.5, 0.9, 1.0])),
    )
    suggestions = Suggestions(engine.with_updates(told(**items)), {}, chosen)
    every = matching_bundles(suggestions, ListRequest(show="all"))
    assert every.left_out == {}
    rows = {name: row(suggestions, name) for name in every.names}
    lift = {
        name: float(suggestions.mined.lift_low[suggestions.get(name).at]) for name in every.names
    }
    apart = [lift[name] for name, found in rows.items() if not one_category(found)]
    far = quantile(apart, chosen.same_category_above)

    def worth(name):
        found, pricing = rows[name], rows[name]["pricing"]
        return (
            pricing is not None
            and pricing["suggested_price"] is not None
            and pricing["pays"]
            and pricing["expected_margin"]["middle"] >= 100 * chosen.min_month - 0.05
            and all(item["active"] for item in found["items"])
            and lift[name] >= chosen.min_lift
            and (not one_category(found) or lift[name] >= far - 1e-12)
        )

    names, left_out = matching_bundles(suggestions, ListRequest())
    assert set(names) == {name for name in every.names if worth(name)}
    others = matching_bundles(suggestions, ListRequest(show="left_out"))
    assert set(others.names) == set(every.names) - set(names)
    assert sum(left_out.values()) == len(others.names)
    for reason, many in left_out.items():
        assert many == sum(
            (found["left_out"] or {}).get("reason") == reason for found in rows.values()
        )
    assert all(rows[name]["left_out"] is None for name in names)
    earns = [rows[name]["pricing"]["expected_margin"]["middle"] for name in names]
    assert earns == sorted(earns, reverse=True)


def test_two_of_one_category_need_evidence_far_above_the_rest(engine):
    """A set that holds two of them is no better than the pair; strong evidence is believed."""
    cheap = {item: {"cost_minor": 1, "category": item} for pair in PAIRS for item in pair}
    pair = PAIRS[1]
    alike = {**cheap, **{item: {"cost_minor": 1, "category": "Bread"} for item in pair}}
    name = bundle_id("together", pair)

    def reason(items, **given):
        suggestions = Suggestions(engine.with_updates(told(**items)), {}, BundleSettings(**given))
        return (row(suggestions, name)["left_out"] or {}).get("reason")

    assert reason(cheap) is None
    assert reason(alike, same_category_above=0.0) is None
    lifts = Suggestions(engine, {}, BundleSettings()).mined.lift_low
    strongest = float(lifts.max()) == float(
        lifts[Suggestions(engine, {}, BundleSettings()).get(name).at]
    )
    assert reason(alike, same_category_above=1.0) == (None if strongest else "same_category")


@pytest.mark.parametrize("status", ["approved", "rejected", "suggested", "withdrawn"])
def test_what_somebody_decided_about_stays_in_the_list(engine, status):
    items = {item: {"cost_minor": 400} for pair in PAIRS for item in pair}
    name = bundle_id("together", PAIRS[0])
    decision = Decision(
        bundle_id=name,
        kind="together",
        item_ids=PAIRS[0],
        terms=Terms(status=status),
        revision=2,
        changed_ts=AS_OF,
        changed_by="anna",
    )
    live = engine.with_updates(told(**items))
    assert (
        name not in matching_bundles(Suggestions(live, {}, BundleSettings()), ListRequest()).names
    )
    assert (
        name
        in matching_bundles(
            Suggestions(live, {name: decision}, BundleSettings()), ListRequest()
        ).names
    )


def test_filters_count_what_they_leave_out(engine):
    suggestions = Suggestions(engine, {}, BundleSettings(min_lift=1e6))
    every = matching_bundles(suggestions, ListRequest(show="all", item_id="bread"))
    names, left_out = matching_bundles(suggestions, ListRequest(item_id="bread"))
    assert names == []
    assert sum(left_out.values()) == len(every.names) > 0
    counts = left_out_counts(suggestions, left_out, "EUR")
    assert [one["reason"] for one in counts] == list(left_out)


def test_every_reason_has_words():
    for reason in REASONS:
        text = said(reason, BundleSettings(min_month=2.5), "EUR")
        assert text
        assert "_" not in text
    assert said("earns_little", BundleSettings(min_month=2.5), "").endswith("less than 2.5 a month")
    assert "€2.50" in said("earns_little", BundleSettings(min_month=2.5), "EUR")
