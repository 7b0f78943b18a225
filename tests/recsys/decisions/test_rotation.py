"""What was ignored sinks and comes back with time; what was clicked comes back once."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.decisions.contact_state import ContactState
from recsys.decisions.customer_words import Click
from recsys.decisions.rotation import (
    MAX_CHOICES,
    VISIT_SECONDS,
    Rotation,
    factors,
    tiredness,
    visits,
)
from recsys.units import DAY

NOW = 1_700_000_000
HALF = Rotation(0.5, 10.0)


def shown(*showings, clicks=()):
    """Showings of (item, days ago) or (item, days ago, channel), and clicks of (item, days ago)."""
    state = ContactState()
    for item, days, *channel in sorted(showings, key=lambda each: -each[1]):
        at_ts = NOW - round(days * DAY)
        state = state.with_shown([item], *(channel or ["web"]), at_ts)
    return state.with_clicks(Click(item, "web", NOW - round(days * DAY)) for item, days in clicks)


def test_an_ignored_product_sinks_and_rises_again_with_time():
    assert factors(ContactState(), HALF, NOW) == {}
    assert factors(shown(("tea", 0.001)), HALF, NOW) == {}  # this visit still shows it
    just, later = (factors(shown(("tea", days)), HALF, NOW)["tea"] for days in (0.05, 10.0))
    assert just == pytest.approx(0.5, rel=0.01)
    assert later == pytest.approx(0.5**0.5)
    twice = factors(shown(("tea", 10.0), ("tea", 20.0, "email")), HALF, NOW)
    assert twice["tea"] == pytest.approx(0.5**0.75)  # all channels count
    assert factors(shown(("tea", 41.0)), HALF, NOW) == {}
    assert factors(shown(("tea", 1.0)), Rotation(1.0, 10.0), NOW) == {}


def test_what_was_clicked_and_not_bought_comes_back_once_and_then_sinks_as_any():
    clicked = [("tea", 9.0), ("tea", 6.0)]
    assert factors(shown(*clicked, clicks=[("tea", 5.9)]), HALF, NOW) == {}
    again = factors(shown(*clicked, ("tea", 2.0), clicks=[("tea", 5.9)]), HALF, NOW)
    assert again == factors(shown(("tea", 2.0)), HALF, NOW)
    # the page that was loaded again after the click is of the same visit
    reloaded = shown(("tea", 6.0), ("tea", 5.995), clicks=[("tea", 5.998)])
    assert factors(reloaded, HALF, NOW) == {}
    future = shown(("tea", 6.0), clicks=[("tea", -1.0)])
    assert factors(future, HALF, NOW) == factors(shown(("tea", 6.0)), HALF, NOW)


def test_what_was_bought_since_was_not_ignored():
    state = shown(("tea", 9.0), ("tea", 3.0))
    bought = {"tea": NOW - 5 * DAY}
    assert factors(
        state, HALF, NOW, bought_ts=lambda names: [bought.get(name, 0) for name in names]
    ) == factors(shown(("tea", 3.0)), HALF, NOW)


def test_variants_tire_and_are_clicked_together():
    def choices_of(item_ids):
        return [item_id.split("-")[0] for item_id in item_ids]

    state = shown(("tea-red", 10.0), ("tea-blue", 20.0))
    (factor,) = factors(state, HALF, NOW, choices_of).values()
    assert factor == pytest.approx(0.5**0.75)
    clicked = shown(("tea-red", 10.0), ("tea-blue", 20.0), clicks=[("tea-green", 5.0)])
    assert factors(clicked, HALF, NOW, choices_of) == {}


def test_the_latest_choices_count():
    state = shown(*((f"p{n}", 1 + n / 100) for n in range(MAX_CHOICES + 30)))
    found = factors(state, HALF, NOW)
    assert set(found) == {f"p{n}" for n in range(MAX_CHOICES)}


times = st.lists(st.integers(-2 * DAY, 30 * DAY), max_size=12)


@settings(max_examples=200, deadline=None)
@given(times, st.integers(0, 30 * DAY), st.floats(0.05, 1.0), st.floats(0.5, 20.0))
def test_factors_are_those_of_a_plain_loop(ages, answered, decay, half_life):
    rotation = Rotation(decay, half_life)
    state = ContactState()
    for age in sorted(ages, reverse=True):
        state = state.with_shown(["tea"], "web", NOW - age)
    state = state.with_clicks([Click("tea", "web", NOW - answered)])
    kept = sorted(ts for of in state.shown.values() for ts in of["web"])
    weight, last = 0.0, None
    for ts in kept:
        if last is not None and ts - last < VISIT_SECONDS:
            continue
        last = ts
        old = ts <= NOW - int(4 * half_life * DAY)
        if ts > NOW - VISIT_SECONDS or ts <= NOW - answered or old:
            continue
        weight += 0.5 ** ((NOW - ts) / DAY / half_life)
    found = factors(state, rotation, NOW)
    assert found.get("tea", 1.0) == pytest.approx(decay**weight)
    assert all(0 < factor <= 1 for factor in found.values())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["tea", "tea large", "milk", "bread"]),
            st.sampled_from(["web", "email"]),
            st.integers(0, 60 * DAY),
        ),
        max_size=40,
    ),
    st.dictionaries(st.sampled_from(["tea", "milk"]), st.integers(0, 30 * DAY)),
)
def test_each_choice_is_as_tired_as_its_visits_over_all_channels(showings, bought):
    state = ContactState()
    for item_id, channel, age in sorted(showings, key=lambda one: -one[2]):
        state = state.with_shown([item_id], channel, NOW - age)
    bought_ts = {choice: NOW - age for choice, age in bought.items()}
    of = {"tea large": "tea"}
    found = factors(
        state,
        HALF,
        NOW,
        lambda ids: [of.get(item_id, item_id) for item_id in ids],
        lambda names: [bought_ts.get(name, 0) for name in names],
    )
    since_ts = NOW - int(HALF.reach_days * DAY)
    expected = {}
    for choice in ("tea", "milk", "bread"):
        seen = [
            item_id
            for item_id, by_channel in state.shown.items()
            if of.get(item_id, item_id) == choice
            and max(at[-1] for at in by_channel.values()) > since_ts
        ]
        at = [ts for item_id in seen for of_one in state.shown[item_id].values() for ts in of_one]
        answered_ts = max(since_ts, bought_ts.get(choice, 0))
        weight = tiredness(visits(at), NOW, HALF.half_life_days, answered_ts)
        if weight:
            expected[choice] = pytest.approx(HALF.decay**weight)
    assert {of.get(item_id, item_id): factor for item_id, factor in found.items()} == expected


@given(times, times)
def test_what_is_shown_once_more_never_rises(ages, more):
    at = [NOW - age for age in ages]
    before = tiredness(visits(at), NOW, 7.0)
    spaced = [ts for ts in more if all(abs(NOW - ts - other) >= VISIT_SECONDS for other in at)]
    after = tiredness(visits([*at, *(NOW - age for age in spaced[:1])]), NOW, 7.0)
    assert after >= before - 1e-9
