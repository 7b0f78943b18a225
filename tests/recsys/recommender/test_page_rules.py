"""A page that belongs to a placement follows its rules, as a list that is laid out by hand does."""

from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from recsys.config import PlacementRule, PlacementSettings
from recsys.models.kernels.lifts import LEAST_LIFT
from recsys.recommender.product_pages import PageQuestion
from tests.recsys.models.worlds import AS_OF
from tests.recsys.ranking import grocer

NAMES = grocer.training().index.item_ids
#: Pages of which something is known, and products beside them: some go with them, some do not.
PAGES = ("bread", "pasta", "beer")
SOME = ("butter", "sauce", "crisps", "milk", "tea", "item012", "item050", "item090")
WAYS = ("bought_together", "similar")


def rule(number, action, item_ids, position=None, factor=None):
    if action == "boost":
        factor = factor or 3.0
    elif action == "bury":
        factor = 1 / (factor or 3.0)
    return PlacementRule(
        name=f"r{number}",
        action=action,
        item_ids=list(item_ids),
        position=position if action == "pin" else None,
        factor=factor if action in ("boost", "bury") else None,
    )


def ask(engine, how, item_id, rules=(), *, count=10, as_of_ts=AS_OF, location_id=None, **fields):
    placement = None
    if rules or fields:
        placement = PlacementSettings(channel="web", rules=list(rules), **fields)
    question = PageQuestion(
        how=how,
        item_id=item_id,
        as_of_ts=as_of_ts,
        count=count,
        location_id=location_id,
        settings=placement,
    )
    return engine.related(question)


def ids(answer):
    return [item["item_id"] for item in answer["items"]]


def worth_of(engine, how, item_id):
    """What the models say of products beside one, best first."""
    (item_ix,) = engine.index.ix_of([item_id])
    if how == "similar":
        found = engine.ranker.models["content"].similar(int(item_ix), len(NAMES))
        scores = found.scores
    else:
        found = engine.ranker.models["copurchase"].bought_together(int(item_ix), len(NAMES))
        scores = np.where(found.lift >= LEAST_LIFT, found.score, -1)
    pairs = zip(found.item_ix.tolist(), scores.tolist(), strict=True)
    active = engine.ranker.availability.active
    return {NAMES[ix]: score for ix, score in pairs if score >= 0 and active[ix]}


def laid_out(worth, page, rules, count):
    """Lay a list out by hand: exclude, multiply, sort, then put each pin in its place."""
    gone = {name for one in rules if one.action == "exclude" for name in one.item_ids}
    value = dict(worth)
    for one in rules:
        for name in one.item_ids if one.action in ("boost", "bury") else ():
            if name in value:
                value[name] *= one.factor
    order = sorted(value, key=lambda name: -value[name])  # stable
    order = [name for name in order if name not in gone]
    pins = []
    for one in sorted((one for one in rules if one.action == "pin"), key=lambda one: one.position):
        for name in one.item_ids:
            if name not in gone and name != page and name not in [pin for pin, _ in pins]:
                if len(pins) < count and one.position <= count:
                    pins.append((name, one.position))
                break
    pinned = [name for name, _ in pins]
    rest = [name for name in order if name not in pinned][: count - len(pins)]
    places = [None] * (len(pins) + len(rest))
    for name, position in pins:
        at = min(position, len(places)) - 1
        while at < len(places) and places[at] is not None:
            at += 1
        if at == len(places):
            at = max(place for place, held in enumerate(places) if held is None)
        places[at] = name
    left = iter(rest)
    return [name or next(left) for name in places]


rules = st.lists(
    st.tuples(
        st.sampled_from(["pin", "boost", "bury", "exclude"]),
        st.lists(st.sampled_from(SOME), min_size=1, max_size=3, unique=True),
        st.integers(1, 6),
        st.sampled_from([1.5, 4.0, 100.0]),
    ),
    max_size=4,
)


@settings(max_examples=150)
@given(
    how=st.sampled_from(WAYS),
    page=st.sampled_from(PAGES),
    given_rules=rules,
    count=st.sampled_from([1, 3, 10]),
)
def test_a_page_is_as_it_is_laid_out_by_hand(engine, how, page, given_rules, count):
    named = [rule(n, *one) for n, one in enumerate(given_rules)]
    answer = ask(engine, how, page, named, count=count, personal=False)
    worth = worth_of(engine, how, page)
    gone = {name for one in named if one.action == "exclude" for name in one.item_ids}
    assume(set(worth) - gone)  # else something else is listed
    assert ids(answer) == laid_out(worth, page, named, count)
    for item in answer["items"]:
        assert item["because"] == (how if item["item_id"] in worth else "pinned")
        assert (item["evidence"] is None) == (item["because"] == "pinned")
    strange = any(item["because"] == "pinned" for item in answer["items"])
    assert (answer["heading"]["code"] == "you_may_like") == strange
    told = {one["name"]: one for one in answer.get("rules", [])}
    assert list(told) == [one.name for one in named]
    for one in named:
        if one.action in ("boost", "bury"):
            assert set(told[one.name]["item_ids"]) <= {*one.item_ids} & {*ids(answer)}


@pytest.mark.parametrize("how", WAYS)
def test_without_rules_a_placement_changes_nothing_but_its_filter_and_stock(engine, how):
    bare = ask(engine, how, "bread", count=20)
    assert ask(engine, how, "bread", count=20, personal=False) == bare
    best = ids(bare)[0]
    without = {"field": "item_id", "op": "ne", "value": best}
    assert ids(ask(engine, how, "bread", count=19, filter=without)) == ids(bare)[1:]
    at_store = ask(engine, how, "pasta", count=200, location_id=grocer.STORE)
    everything = ask(engine, how, "pasta", count=200, location_id=grocer.STORE, in_stock=False)
    assert set(ids(at_store)) < set(ids(everything))


def test_what_hard_rules_forbid_is_never_pinned(engine):
    pin = rule(0, "pin", [grocer.SOLD_OUT], 1)
    answer = ask(engine, "similar", "bread", [pin], location_id=grocer.STORE)
    assert grocer.SOLD_OUT not in ids(answer)
    assert answer["rules"] == [
        {"name": "r0", "action": "pin", "item_ids": [], "kept_out": "out_of_stock"}
    ]
    itself = ask(engine, "similar", "bread", [rule(0, "pin", ["bread"], 1)])
    assert itself["rules"][0]["kept_out"] == "excluded"


def test_rules_hold_when_and_where_they_say(engine):
    pin = rule(0, "pin", ["item090"], 1)
    day = datetime.fromtimestamp(AS_OF, UTC).date().isoformat()
    today = msgspec.structs.replace(pin, since=day, until=day)
    for as_of_ts, holds in ((AS_OF, True), (AS_OF + 86_400, False)):
        answer = ask(engine, "bought_together", "bread", [today], as_of_ts=as_of_ts)
        assert (ids(answer)[0] == "item090") == holds
    here = msgspec.structs.replace(pin, locations=[grocer.WAREHOUSE])
    for location_id, holds in ((grocer.WAREHOUSE, True), (None, False)):
        answer = ask(engine, "similar", "bread", [here], location_id=location_id)
        assert (ids(answer)[0] == "item090") == holds
    # Nobody is known to a page, which is the same for everybody.
    audience = {"field": "known", "op": "eq", "value": True}
    answer = ask(engine, "similar", "bread", [msgspec.structs.replace(pin, audience=audience)])
    assert "rules" not in answer


@pytest.mark.parametrize("how", WAYS)
def test_what_sells_is_steered_where_nothing_goes_with_a_product(engine, how):
    known = {name for way in WAYS for name in worth_of(engine, way, "bread")}
    gone = rule(0, "exclude", sorted(known))
    found = ask(engine, how, "bread", [gone])
    assert found["fallback"] == "popular"
    assert found["items"][0]["because"] == "popular"
    assert not {*ids(found)} & known
    last = ids(ask(engine, how, "bread", [gone], count=200))[-1]
    answer = ask(engine, how, "bread", [gone, rule(1, "pin", [last], 2)])
    assert ids(answer)[1] == last
    assert [item["because"] for item in answer["items"][:3]] == ["popular", "pinned", "popular"]


def test_products_of_a_filter_are_those_that_fit_best(engine):
    field = {"field": "item_id", "op": "in", "value": ["butter", "item090"]}
    pin = PlacementRule(name="a", action="pin", filter=field)
    answer = ask(engine, "bought_together", "bread", [pin])
    assert ids(answer)[0] == "butter"  # what goes with the page stands before what only sells
    out = PlacementRule(name="b", action="exclude", filter=field)
    answer = ask(engine, "bought_together", "bread", [out])
    assert "butter" not in ids(answer)
    assert answer["rules"][0]["left_out"] >= 1
