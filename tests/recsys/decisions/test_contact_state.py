"""What is remembered of the contact with a customer."""

import random

from hypothesis import given
from hypothesis import strategies as st

from recsys.decisions.contact_state import ContactState, decode, encode, united
from recsys.decisions.customer_words import Refusal
from recsys.decisions.showing_times import MAX_DAYS, MAX_PRODUCTS, MAX_TIMES
from recsys.units import DAY

NOW = 1_700_000_000
refusals = st.lists(
    st.builds(
        Refusal,
        st.sampled_from(["tea", "beer"]),
        st.booleans(),
        st.integers(NOW, NOW + 3),
        st.booleans(),
    ),
    max_size=12,
)


def after(*words: Refusal) -> ContactState:
    state = ContactState()
    for word in words:
        state = state.with_refusal(word)
    return state


@given(refusals, st.randoms())
def test_of_refusals_the_latest_counts_in_whatever_order_they_come(
    words: list[Refusal], shuffle: random.Random
) -> None:
    mixed = words.copy()
    shuffle.shuffle(mixed)
    assert after(*words) == after(*mixed)
    half = len(mixed) // 2
    assert united([after(*mixed[:half]), after(*mixed[half:])]).refusals == after(*words).refusals
    for kept in after(*words).refusals:
        same = [
            word.at_ts
            for word in words
            if (word.item_id, word.whole_category) == (kept.item_id, kept.whole_category)
        ]
        assert kept.at_ts == max(same)


def test_a_state_comes_back_as_it_was_stored() -> None:
    state = after(Refusal("tea", False, NOW)).with_shown(["tea", "beer"], "web", NOW)
    assert decode(encode(state)) == state
    assert decode(encode(ContactState())).is_empty


def test_states_stay_small_and_keep_what_caps_need() -> None:
    state = ContactState()
    for n in range(3 * MAX_TIMES):
        state = state.with_shown(["tea"], "web", NOW + n)
    assert state.shown["tea"]["web"] == [NOW + n for n in range(2 * MAX_TIMES, 3 * MAX_TIMES)]
    for n in range(3):
        many = [f"p{n}-{k}" for k in range(MAX_PRODUCTS // 2)]
        state = state.with_shown(many, "email", NOW + 100 + n)
    assert len(state.shown) == MAX_PRODUCTS
    assert "tea" not in state.shown  # the oldest went
    assert "p2-0" in state.shown
    assert len(encode(state)) < 100_000
    later = state.with_shown(["milk"], "web", NOW + 103 + MAX_DAYS * DAY)
    assert set(later.shown) == {"milk"}


def test_showings_of_several_identifiers_add_up() -> None:
    one = ContactState().with_shown(["tea"], "web", NOW)
    other = ContactState().with_shown(["tea"], "web", NOW - 5).with_shown(["tea"], "pos", NOW)
    assert united([one, other]).shown == {"tea": {"web": [NOW - 5, NOW], "pos": [NOW]}}
    assert united([]).is_empty
