"""What a customer did or said in the contact: refusals, clicks, and the arms they are in.

In: any number of them, in any order. Out: those that count. Called by ``contact_state``.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

MAX_REFUSALS: Final = 500


MAX_CLICKS: Final = 100


class Refusal(msgspec.Struct, frozen=True, array_like=True):
    """A product that a customer is not interested in, or a category of which it is one."""

    item_id: str
    whole_category: bool
    at_ts: int
    """When it was last refused or wanted again, UTC epoch seconds."""
    stands: bool = True
    """False once it was taken back; kept, so that a late, older event changes nothing."""


class Click(msgspec.Struct, frozen=True, array_like=True):
    """The latest click of a customer on a product that was shown."""

    item_id: str
    channel: str
    at_ts: int
    """UTC epoch seconds."""


class Arm(msgspec.Struct, frozen=True, array_like=True):
    """What a customer was assigned to, in one holdout."""

    holdout: str
    held_out: bool
    at_ts: int
    """When they were first assigned, UTC epoch seconds."""
    flagged: bool = False
    """Whether linked identifiers had been assigned differently; the first one stays."""


def first_arms(arms: Iterable[Arm]) -> tuple[Arm, ...]:
    """Keep the first arm of each holdout, and flag it where another one differs."""
    first: dict[str, Arm] = {}
    for each in sorted(arms, key=lambda one: (one.at_ts, one.held_out)):
        kept = first.setdefault(each.holdout, each)
        if each.flagged or kept.held_out != each.held_out:
            first[each.holdout] = msgspec.structs.replace(kept, flagged=True)
    return tuple(first[name] for name in sorted(first))


def latest_clicks(clicks: Iterable[Click]) -> tuple[Click, ...]:
    """Return the latest click on each product, newest first."""
    latest: dict[str, Click] = {}
    for each in clicks:
        known = latest.get(each.item_id, each)
        latest[each.item_id] = max(known, each, key=lambda one: (one.at_ts, one.channel))
    newest = sorted(latest.values(), key=lambda one: (-one.at_ts, one.item_id))
    return tuple(newest[:MAX_CLICKS])


def latest_refusals(refusals: Iterable[Refusal]) -> tuple[Refusal, ...]:
    """Return the latest word about each product and extent, newest first."""
    latest: dict[tuple[str, bool], Refusal] = {}
    for each in refusals:
        key = each.item_id, each.whole_category
        latest[key] = max(latest.get(key, each), each, key=lambda one: (one.at_ts, one.stands))
    newest = sorted(latest.values(), key=lambda one: (-one.at_ts, one.item_id, one.whole_category))
    return tuple(newest[:MAX_REFUSALS])
