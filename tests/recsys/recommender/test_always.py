"""What holds for every world and every request: an answer as long as it may be, of what may be."""

import copy
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.config.filters import parse_filter
from recsys.config.toml_file import PLACEMENTS
from recsys.datasets.customer_history import EMPTY
from recsys.datasets.item_index import location_key
from recsys.ranking.availability import Availability
from recsys.recommender.placements import Question
from recsys.recommender.product_pages import PageQuestion
from tests.recsys.models.worlds import AS_OF, DAY
from tests.recsys.ranking.grocer import OTHERS, PAIRS, STORE, WAREHOUSE, bought, training

INDEX = training().index
NAMES = list(INDEX.item_ids)
SOME = [item for pair in PAIRS for item in pair] + OTHERS[:12]

somewhat = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
few = st.lists(st.sampled_from([*SOME, "never heard of"]), max_size=4).map(tuple)


@st.composite
def shelves(draw: st.DrawFn) -> Availability:
    """A shelf of which a few products, or most of them, or none may be shown."""
    seed = draw(st.integers(0, 2**32 - 1))
    chosen = np.random.default_rng(seed)
    share = draw(st.sampled_from([0.0, 0.005, 0.02, 0.5, 1.0]))
    active = chosen.random(len(NAMES)) < draw(st.sampled_from([0.005, 0.5, 1.0]))
    items = np.flatnonzero(chosen.random(len(NAMES)) < 0.8).astype(np.int32)
    on_hand = np.where(chosen.random(len(items)) < share, chosen.integers(1, 5, len(items)), 0)
    where = np.full(len(items), location_key(STORE))
    return Availability.build(active, where, items, on_hand)


@st.composite
def filters(draw: st.DrawFn) -> tuple[Any, set[str]]:
    """A filter, and the products that it lets through."""
    kind = draw(st.sampled_from(["none", "some", "others", "nothing"]))
    names = set(draw(st.lists(st.sampled_from(SOME), min_size=1, max_size=6)))
    if kind == "none":
        return None, set(NAMES)
    if kind == "nothing":
        return parse_filter({"field": "item_id", "value": "never heard of"}), set()
    op = "in" if kind == "some" else "not_in"
    wanted = parse_filter({"field": "item_id", "op": op, "value": sorted(names)})
    return wanted, names if kind == "some" else set(NAMES) - names


def changed(engine: Any, availability: Availability) -> Any:
    """The engine in a world with another shelf."""
    other = copy.copy(engine)
    filter_data = engine.catalogue.filter_data(availability.active)
    other.ranker = replace(engine.ranker, availability=availability, filter_data=filter_data)
    other._pages = copy.copy(engine._pages)
    other._pages._ranker = other.ranker
    return other


def sold(
    availability: Availability, location: str | None, in_stock: bool, scarce_below: float = 0
) -> set[str]:
    """Products that may be shown at a location at all, one at a time."""
    units = dict.fromkeys(NAMES, 0.0)
    for ix, n in zip(availability.item_ix, availability.on_hand, strict=True):
        units[NAMES[ix]] = n
    active = {name for name, shown in zip(NAMES, availability.active, strict=True) if shown}
    if not len(availability.item_ix):
        return active
    if location == STORE and in_stock:
        active = {name for name in active if units[name] > 0}
    # The warehouse says nothing; everywhere else counts what the only store has.
    return active if location == WAREHOUSE else {n for n in active if units[n] >= scarce_below}


@somewhat
@given(
    availability=shelves(),
    filtered=filters(),
    placement=st.sampled_from([*PLACEMENTS]),
    history=st.lists(st.tuples(st.sampled_from(SOME), st.integers(1, 60)), max_size=6),
    location=st.sampled_from([None, STORE, WAREHOUSE, "elsewhere"]),
    in_stock=st.booleans(),
    count=st.sampled_from([1, 3, 40, 200]),
    cart=few,
    page=few,
    exclude=few,
)
def test_an_answer_is_never_shorter_than_it_must_be_nor_breaks_a_rule(
    engine: Any,
    availability: Availability,
    filtered: Any,
    placement: str,
    history: Any,
    location: str | None,
    in_stock: bool,
    count: int,
    cart: Any,
    page: Any,
    exclude: Any,
) -> None:
    wanted, passing = filtered
    given_settings = msgspec.structs.replace(PLACEMENTS[placement], in_stock=in_stock)
    row = bought(*history) if history else EMPTY
    question = Question(
        placement=placement,
        settings=given_settings,
        as_of_ts=AS_OF,
        count=count,
        location_id=location,
        cart=cart,
        item_ids=page,
        exclude=exclude,
        filter=wanted,
    )
    (answer,) = changed(engine, availability).recommend([question], [row])
    shown = [item["item_id"] for item in answer["items"]]
    hidden = {
        item
        for item, days in history
        if given_settings.personal and days * DAY <= given_settings.hide_bought_days * DAY
    }
    if given_settings.personal and given_settings.from_last_basket and not cart and history:
        latest = min(days for _, days in history)
        # One basket an item here; the last line of the latest day is the last basket.
        hidden |= {[item for item, days in history if days == latest][-1]}
    may = sold(availability, location, in_stock, given_settings.scarce_below) & passing
    may -= {*cart, *page, *exclude} | hidden
    assert len(shown) == len(set(shown)) == min(count, len(may))
    assert set(shown) <= may
    if shown and not history and not cart and not page:
        assert answer["fallback"] in ("popular_at_location", "popular", "available")
    if answer["fallback"] == "available":
        assert {item["reason"]["code"] for item in answer["items"]} == {"available"}


@somewhat
@given(
    availability=shelves(),
    filtered=filters(),
    how=st.sampled_from(["bought_together", "similar"]),
    item=st.sampled_from(SOME),
    location=st.sampled_from([None, STORE, WAREHOUSE, "elsewhere"]),
    count=st.sampled_from([1, 5, 200]),
    exclude=few,
)
def test_a_page_shows_something_where_anything_may_be_shown(
    engine: Any,
    availability: Availability,
    filtered: Any,
    how: Any,
    item: str,
    location: str | None,
    count: int,
    exclude: Any,
) -> None:
    wanted, passing = filtered
    question = PageQuestion(
        how=how,
        item_id=item,
        as_of_ts=AS_OF,
        count=count,
        location_id=location,
        exclude=exclude,
        filter=wanted,
    )
    answer = changed(engine, availability).related(question)
    shown = [found["item_id"] for found in answer["items"]]
    may = (sold(availability, location, True) & passing) - {item, *exclude}
    assert len(shown) == len(set(shown)) <= count
    assert set(shown) <= may
    assert bool(shown) == bool(may)
    assert (answer["fallback"] is None) == (not shown or answer["items"][0]["because"] == how)


def test_a_product_that_the_catalogue_does_not_hold_has_no_page(engine: Any) -> None:
    assert engine.related(PageQuestion(how="similar", item_id="x", as_of_ts=AS_OF)) is None
