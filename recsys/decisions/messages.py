"""Decides whether a message may go to a customer at a time: quiet hours, caps, holdouts.

In: a customer's contact state, the message, and the rules. Out: whether it may go out, or the
reason why not, and which other messages give way. Called by the service before it ranks, and by
``ledger`` once more when it writes the message down.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from recsys.config import CapSettings, ContactSettings, HoldoutSettings
from recsys.decisions.contact_state import ContactState
from recsys.decisions.customer_words import Arm
from recsys.decisions.reservations import Reservation
from recsys.languages import deferred
from recsys.units import DAY

#: Why a message does not go out; where several hold, the first of them is given.
HeldCode = Literal[
    "erased",
    "no_consent",
    "holdout",
    "returned",
    "just_bought",
    "nothing_left",
    "quiet_hours",
    "capped",
]

HELD_TEXTS: Final[dict[str, str]] = {
    "erased": deferred("The customer had their data erased."),
    "no_consent": deferred("The customer does not consent to it."),
    "holdout": deferred("The customer is in a holdout, which is shown nothing."),
    "returned": deferred("What it is about was returned."),
    "just_bought": deferred("What it is about was bought meanwhile."),
    "nothing_left": deferred("The customer left no cart that it could be about."),
    "quiet_hours": deferred("It is quiet hours where the customer is."),
    "capped": deferred("The customer gets as many messages as a cap allows."),
}


class Outgoing(NamedTuple):
    """A message that is about to be decided."""

    recommendation_id: str
    placement: str
    channel: str
    priority: int
    send_ts: int
    """When it is to go out, UTC epoch seconds."""
    now_ts: int
    """UTC epoch seconds."""


class Room(NamedTuple):
    """Whether caps leave room for a message."""

    cap: str | None = None
    """The cap that does not; None where there is room."""
    displaced: tuple[str, ...] = ()
    """``recommendation_id`` of messages that give way."""


def room_for(
    state: ContactState, message: Outgoing, caps: Mapping[str, CapSettings], zone: str
) -> Room:
    """Return whether caps leave room for a message.

    Parameters
    ----------
    state : ContactState
        Of the customer, over all identifiers.
    message : Outgoing
        A message of its ``recommendation_id`` that the state has does not count beside it.
    caps : mapping of str to CapSettings
        Those of messages are looked at.
    zone : str
        IANA time zone of customers whose own is unknown.

    Returns
    -------
    Room
        Every window of a cap's days that the message falls into, before or after it, has room.
        Where one has none, messages of a lower priority that are reserved and to go out later give
        way, the lowest and latest first.
    """
    displaced: list[str] = []
    for name, cap in caps.items():
        if not _concerns(cap, message.placement, message.channel):
            continue
        others = [
            one
            for one in state.reservations
            if one.is_a_message(message.now_ts)
            and _concerns(cap, one.placement, one.channel)
            and one.recommendation_id not in (message.recommendation_id, *displaced)
        ]
        while _is_full(cap, others, message.send_ts, state.time_zone or zone):
            weaker = [
                one
                for one in others
                if one.gives_way(message.now_ts)
                and one.priority < message.priority
                and not _fits_without_it(cap, one, message.send_ts, state.time_zone or zone)
            ]
            if not weaker:
                return Room(name)
            least = min(weaker, key=lambda one: (one.priority, -one.decided_ts))
            displaced.append(least.recommendation_id)
            others.remove(least)
    return Room(None, tuple(displaced))


def _concerns(cap: CapSettings, placement: str, channel: str) -> bool:
    if cap.of != "message":
        return False
    by_channel = not cap.channels or channel in cap.channels
    return by_channel and (not cap.placements or placement in cap.placements)


def _position(cap: CapSettings, ts: int, zone: str) -> int:
    """Return a time in the unit of a cap's window: seconds, or days of the calendar."""
    return datetime.fromtimestamp(ts, ZoneInfo(zone)).toordinal() if cap.calendar else ts


def _length(cap: CapSettings) -> int:
    return cap.days if cap.calendar else cap.days * DAY


def _fits_without_it(cap: CapSettings, one: Reservation, send_ts: int, zone: str) -> bool:
    """Whether no window of a cap holds both a message and one at ``send_ts``."""
    apart = abs(_position(cap, one.send_ts, zone) - _position(cap, send_ts, zone))
    return apart >= _length(cap)


def _is_full(cap: CapSettings, others: Sequence[Reservation], send_ts: int, zone: str) -> bool:
    """Return whether some window of a cap that holds ``send_ts`` has no room for one more."""
    length, at = _length(cap), _position(cap, send_ts, zone)
    times = [_position(cap, one.send_ts, zone) for one in others]
    starts = [at, *(start for start in times if at - length < start < at)]
    return any(
        sum(start <= each < start + length for each in times) >= cap.times for start in starts
    )


def quiet_ends(ts: int, zones: Iterable[str], settings: ContactSettings) -> int | None:
    """Return when quiet hours end; None where it is not quiet.

    Parameters
    ----------
    ts : int
        UTC epoch seconds.
    zones : iterable of str
        IANA time zones where the customer may be: it is quiet while it is in any of them.
    settings : ContactSettings

    Returns
    -------
    int or None
        UTC epoch seconds.
    """
    if settings.quiet_from is None or settings.quiet_until is None:
        return None
    begin, until = time.fromisoformat(settings.quiet_from), time.fromisoformat(settings.quiet_until)
    known = [ZoneInfo(zone) for zone in dict.fromkeys(zones)]
    end = ts
    for _ in range(2 * len(known)):
        later = max((_quiet_end(end, zone, begin, until) for zone in known), default=end)
        if later == end:
            break
        end = later
    return end if end > ts else None


def _quiet_end(ts: int, zone: ZoneInfo, begin: time, until: time) -> int:
    local = datetime.fromtimestamp(ts, zone)
    now = local.time()
    over_midnight = begin > until
    quiet = now >= begin or now < until if over_midnight else begin <= now < until
    if not quiet:
        return ts
    day = local.date() + timedelta(days=over_midnight and now >= begin)
    end = datetime.combine(day, until, zone)
    if end.timestamp() <= ts:  # the hour that comes twice when clocks go back
        end = end.replace(fold=1)
    return int(end.timestamp())


class Assignment(NamedTuple):
    """Whether a customer is held out."""

    held_out: str | None = None
    """The holdout; None where they are in none that concerns the placement."""
    new: tuple[Arm, ...] = ()
    """Arms that they were assigned to just now."""


def assign(
    state: ContactState,
    holdouts: Mapping[str, HoldoutSettings],
    placement: str,
    channel: str,
    customer_id: str,
    now_ts: int,
) -> Assignment:
    """Return whether a customer is held out of a placement.

    Parameters
    ----------
    state : ContactState
        Its arms stand; only holdouts without one are assigned.
    holdouts : mapping of str to HoldoutSettings
    placement, channel : str
    customer_id : str
        Whoever has no arm yet is assigned by a hash of it and of the holdout's name.
    now_ts : int
        UTC epoch seconds.

    Returns
    -------
    Assignment
    """
    known = {arm.holdout: arm for arm in state.arms}
    held_out, new = None, []
    for name, holdout in holdouts.items():
        concerned = (not holdout.channels or channel in holdout.channels) and (
            not holdout.placements or placement in holdout.placements
        )
        if not concerned:
            continue
        arm = known.get(name)
        if arm is None:
            arm = Arm(name, _draw(name, customer_id) < holdout.share, now_ts)
            new.append(arm)
        if arm.held_out:
            held_out = held_out or name
    return Assignment(held_out, tuple(new))


def _draw(name: str, customer_id: str) -> float:
    """Return a number in [0, 1) that is the same whenever it is drawn."""
    digest = hashlib.blake2b(f"{name}\x1f{customer_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / (1 << 64)


class HeldMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message that does not go out, and why."""

    code: HeldCode
    cap: str | None = None
    """Of ``capped``: the cap."""
    holdout: str | None = None
    displaced: bool = False
    """Of ``capped``: whether it gave way to a message of a higher priority."""
    send_after_ts: int | None = None
    """When it may go out, UTC epoch seconds; None where it is unknown, or never."""
