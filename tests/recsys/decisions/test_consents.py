"""What a customer consents to, in whatever order and through whatever identifier they said it."""

import random

from hypothesis import given
from hypothesis import strategies as st

from recsys.config import ConsentSettings
from recsys.decisions.consents import Consent, consents_to, latest
from recsys.decisions.contact_state import ContactState, united

NOW = 1_700_000_000
YES, NO = ConsentSettings(), ConsentSettings(personalisation=False, marketing=False)
words = st.lists(
    st.builds(
        Consent,
        st.sampled_from(["personalisation", "marketing"]),
        st.sampled_from(["", "email", "web"]),
        st.booleans(),
        st.integers(NOW, NOW + 4),
    ),
    max_size=12,
)


def marketing(channel: str, given_: bool, at_ts: int) -> Consent:
    return Consent("marketing", channel, given_, at_ts)


@given(words, st.randoms(), st.sampled_from(["email", "web", "pos"]), st.booleans())
def test_the_latest_word_counts_in_whatever_order_they_come(
    said: list[Consent], shuffle: random.Random, channel: str, unsaid: bool
) -> None:
    mixed = said.copy()
    shuffle.shuffle(mixed)
    assert latest(mixed) == latest(said)
    settings = ConsentSettings(marketing=unsaid)
    about = [one for one in said if one.purpose == "marketing" and one.channel in ("", channel)]
    newest = max((one.at_ts for one in about), default=0)
    expected = all(one.given for one in about if one.at_ts == newest) if about else unsaid
    for consents in (said, latest(said)):
        assert consents_to([consents], "marketing", channel, NOW + 9, settings) == expected


@given(st.lists(words, max_size=4), st.sampled_from(["email", "web"]), st.booleans())
def test_of_linked_identifiers_any_refusal_refuses(
    each: list[list[Consent]], channel: str, unsaid: bool
) -> None:
    settings = ConsentSettings(marketing=unsaid)
    alone = [
        consents_to([words], "marketing", channel, NOW + 9, settings)
        for words in each
        if any(one.purpose == "marketing" and one.channel in ("", channel) for one in words)
    ]
    state = united([ContactState().with_consents(words) for words in each])
    found = consents_to(state.said, "marketing", channel, NOW + 9, settings)
    assert found == (all(alone) if alone else unsaid)


def test_a_refusal_of_everything_is_not_undone_by_another_identifier_for_one_channel() -> None:
    one = ContactState().with_consents([marketing("", False, NOW)])
    other = ContactState().with_consents([marketing("email", True, NOW + 100)])
    both = united([one, other])
    assert not consents_to(both.said, "marketing", "email", NOW + 200, YES)
    assert consents_to(other.said, "marketing", "email", NOW + 200, YES)


def test_a_channel_and_all_channels_hold_by_the_later_word() -> None:
    said = [marketing("email", True, NOW), marketing("", False, NOW + 1)]
    assert not consents_to([said], "marketing", "email", NOW + 1, YES)
    said.append(marketing("email", True, NOW + 2))
    assert consents_to([said], "marketing", "email", NOW + 2, YES)
    assert not consents_to([said], "marketing", "web", NOW + 2, YES)
    assert consents_to([said], "personalisation", "email", NOW + 2, YES)
    assert not consents_to([said], "personalisation", "email", NOW + 2, NO)
    assert consents_to([said], "marketing", "email", NOW - 1, YES)  # as of before anything was said
