"""What a customer consents to: by purpose and channel, with time and source.

In: what the customer said, in whatever order and through whatever identifier. Out: whether
something may be done. Called by ``contact_state``, and by the service at the moment of showing.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from recsys.config import ConsentSettings, Purpose

#: Channels on which an answer is a message to the customer, not a page that they look at.
MESSAGES: Final = ("email",)
#: Without consent to each of these, no answer comes from a customer's history.
_OF_HISTORY: Final[tuple[Purpose, ...]] = ("personalisation", "profiling")
#: Purposes and channels that are kept of one customer.
MAX_CONSENTS: Final = 50


class Consent(msgspec.Struct, frozen=True, array_like=True):
    """What a customer said about one purpose."""

    purpose: Purpose
    channel: str
    """Empty: on every channel."""
    given: bool
    """False: refused or withdrawn."""
    at_ts: int
    """When it was said, UTC epoch seconds."""
    source: str = ""
    """Where, for example a form or an export."""
    version: str = ""
    """Of the text that was consented to."""


def latest(consents: Iterable[Consent]) -> tuple[Consent, ...]:
    """Return the latest word about each purpose and channel; of equal times the refusal.

    Parameters
    ----------
    consents : iterable of Consent
        In any order.
    """
    kept: dict[tuple[str, str], Consent] = {}
    for each in consents:
        key = each.purpose, each.channel
        kept[key] = max(kept.get(key, each), each, key=lambda one: (one.at_ts, not one.given))
    newest = sorted(kept.values(), key=lambda one: (-one.at_ts, one.purpose, one.channel))
    return tuple(newest[:MAX_CONSENTS])


def consents_to(
    said: Iterable[Iterable[Consent]],
    purpose: Purpose,
    channel: str,
    now_ts: int,
    unsaid: ConsentSettings,
) -> bool:
    """Return whether a customer consents to something on a channel.

    Parameters
    ----------
    said : iterable of iterable of Consent
        What was said through each identifier of the customer.
    purpose : str
    channel : str
    now_ts : int
        UTC epoch seconds; what is said later does not count.
    unsaid : ConsentSettings
        What counts where nothing was said.

    Returns
    -------
    bool
        Through one identifier the latest word counts, about the channel or about every channel; of
        equal times the refusal. Of several identifiers that said anything, any refusal refuses.
    """
    words = []
    for of_identifier in said:
        about = [
            one
            for one in of_identifier
            if one.purpose == purpose and one.channel in ("", channel) and one.at_ts <= now_ts
        ]
        if about:
            words.append(max(about, key=lambda one: (one.at_ts, not one.given)).given)
    return all(words) if words else bool(getattr(unsaid, purpose))


def refused_uses(
    said: Iterable[Iterable[Consent]], channel: str, now_ts: int, unsaid: ConsentSettings
) -> tuple[Purpose, ...]:
    """Return for which purposes a customer's history may not be used in an answer on a channel.

    Parameters
    ----------
    said, channel, now_ts, unsaid
        As of ``consents_to``.

    Returns
    -------
    tuple of str
        Empty where answers may come from their history.
    """
    words = tuple(said)
    return tuple(
        purpose
        for purpose in _OF_HISTORY
        if not consents_to(words, purpose, channel, now_ts, unsaid)
    )
