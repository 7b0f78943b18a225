"""Decides which products a customer must not be shown now, and says why.

In: a customer's contact state, the caps, a channel and a time. Out: ``Suppression``. Called by the
service before it ranks, and by ``ledger`` once more when it writes down what is shown.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import chain
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from recsys.config import CapSettings
from recsys.decisions.contact_state import ContactState
from recsys.decisions.showing_times import Showings
from recsys.units import DAY

_EVER: Final = 1 << 62
#: Names the choice of each product.
ChoicesOf = Callable[[Sequence[str]], Sequence[str]]


class Withheld(msgspec.Struct, frozen=True, omit_defaults=True):
    """A product that a customer must not be shown now, and why."""

    item_id: str
    code: Literal["not_interested", "capped"]
    extent: Literal["item", "category"] = "item"
    """Whether everything of its category was refused."""
    refused_ts: int | None = None
    cap: str | None = None
    """Name of the cap; None where it was reached while the answer was made."""
    shown: tuple[tuple[str, int], ...] = ()
    """Channel and time of the showings that the cap counts, oldest first."""
    came_back: bool = False
    """Whether it may be shown nevertheless, because caps would have left a page empty."""


class Suppression(NamedTuple):
    """Products that a customer must not be shown."""

    withheld: tuple[Withheld, ...] = ()

    @property
    def not_interested(self) -> list[str]:
        """Refused products."""
        return [one.item_id for one in self.withheld if one.refused_ts and one.extent == "item"]

    @property
    def not_interested_like(self) -> list[str]:
        """Products whose categories were refused."""
        return [one.item_id for one in self.withheld if one.extent == "category"]

    @property
    def capped(self) -> list[str]:
        """Products that were shown as often as a cap allows, one of each choice."""
        return [one.item_id for one in self.withheld if one.code == "capped" and not one.came_back]

    @property
    def came_back(self) -> list[str]:
        """Products that may be shown although a cap was reached, one of each choice."""
        return [one.item_id for one in self.withheld if one.came_back]


NOTHING: Final = Suppression()


def suppress(
    state: ContactState,
    caps: Mapping[str, CapSettings],
    channel: str,
    now_ts: int,
    zone: str,
    choices_of: ChoicesOf = list,
) -> Suppression:
    """Return what must not be shown on a channel.

    Parameters
    ----------
    state : ContactState
        Of the customer, over all channels.
    caps : mapping of str to CapSettings
    channel : str
        On which the customer is asked for.
    now_ts : int
        UTC epoch seconds.
    zone : str
        IANA time zone of customers whose own is unknown; calendar days begin there.
    choices_of : callable
        Names the choice of each of some products; what was shown of a choice counts for all of it.
        By default every product is alone.
    """
    if state.is_empty:
        return NOTHING
    refused = (
        Withheld(
            each.item_id,
            "not_interested",
            "category" if each.whole_category else "item",
            refused_ts=each.at_ts,
        )
        for each in state.refusals
        if each.stands and each.at_ts <= now_ts
    )
    shown, _ = state.shown_or_reserved(now_ts)
    within = _Window(_of(caps, "product"), channel, now_ts, now_ts, state.time_zone or zone)
    return Suppression((*refused, *_capped(shown, within, choices_of)))


def lifted(suppression: Suppression, count: int) -> Suppression:
    """Return a suppression in which some capped products come back.

    Parameters
    ----------
    suppression : Suppression
    count : int
        How many come back: those that were shown longest ago.

    Returns
    -------
    Suppression
        The same where no cap holds anything back.
    """
    held = [one for one in suppression.withheld if one.code == "capped" and not one.came_back]
    held.sort(key=lambda one: one.shown[-1][1] if one.shown else 0)
    back = {id(one) for one in held[:count]}
    if not back:
        return suppression
    return Suppression(
        tuple(
            msgspec.structs.replace(one, came_back=True) if id(one) in back else one
            for one in suppression.withheld
        )
    )


def over_cap(
    state: ContactState,
    item_ids: Sequence[str],
    caps: Mapping[str, CapSettings],
    channel: str,
    now_ts: int,
    zone: str,
    choices_of: ChoicesOf = list,
) -> frozenset[str]:
    """Return the products of which no more may be shown.

    Showings after ``now_ts`` count, too: answers at the same time are written down in any order.

    Parameters
    ----------
    state : ContactState
    item_ids : sequence of str
        What is to be shown.
    caps, channel, now_ts, zone, choices_of
        As of ``suppress``.

    Returns
    -------
    frozenset of str
        Some of ``item_ids``.
    """
    shown, _ = state.shown_or_reserved(now_ts)
    if not shown:
        return frozenset()
    within = _Window(_of(caps, "product"), channel, now_ts, _EVER, state.time_zone or zone)
    choices = choices_of(item_ids)
    full = _full(shown, within, choices_of, frozenset(choices))
    capped = frozenset(choices_of([of_choice[0] for of_choice, _ in full]))
    return frozenset(
        item_id for item_id, choice in zip(item_ids, choices, strict=True) if choice in capped
    )


def offers_over_cap(
    state: ContactState, caps: Mapping[str, CapSettings], channel: str, now_ts: int, zone: str
) -> frozenset[str]:
    """Return the bundles whose offers may not be shown any more; as ``over_cap``.

    Parameters
    ----------
    state, caps, channel, now_ts, zone
        As of ``suppress``.

    Returns
    -------
    frozenset of str
        Ids of bundles.
    """
    applied = _of(caps, "offer")
    if not applied:
        return frozenset()
    _, shown = state.shown_or_reserved(now_ts)
    within = _Window(applied, channel, now_ts, _EVER, state.time_zone or zone)
    return frozenset(item_ids[0] for item_ids, _ in _full(shown, within, list))


class _Window(NamedTuple):
    """What caps count."""

    caps: Mapping[str, CapSettings]
    channel: str
    now_ts: int
    until_ts: int
    zone: str


def _of(caps: Mapping[str, CapSettings], kind: str) -> dict[str, CapSettings]:
    return {name: cap for name, cap in caps.items() if cap.of == kind}


def _capped(shown: Showings, within: _Window, choices_of: ChoicesOf) -> Iterator[Withheld]:
    """Yield one product of each choice that a cap holds back, with the first such cap."""
    for item_ids, name in _full(shown, within, choices_of):
        cap = within.caps[name]
        from_ts = begins(cap, within.now_ts, within.zone)
        counted = _counted([shown[each] for each in item_ids], cap, from_ts, within.until_ts)
        yield Withheld(item_ids[0], "capped", cap=name, shown=tuple(counted))


def _full(
    shown: Showings,
    within: _Window,
    choices_of: ChoicesOf,
    among: Container[str] | None = None,
) -> Iterator[tuple[list[str], str]]:
    """Yield the products of each choice that a cap holds back, with the name of the first such.

    Of the choices ``among`` some; of all by default.
    """
    applied = {
        name: cap
        for name, cap in within.caps.items()
        if not cap.channels or within.channel in cap.channels
    }
    if not applied:
        return
    by_choice = _shown_often(shown, min(cap.times for cap in applied.values()), choices_of, among)
    if not by_choice:
        return
    since = {name: begins(cap, within.now_ts, within.zone) for name, cap in applied.items()}
    for item_ids in by_choice:
        for name, cap in applied.items():
            count = 0
            for item_id in item_ids:
                for channel, times in shown[item_id].items():
                    if not cap.channels or channel in cap.channels:
                        later = bisect_right(times, within.until_ts)
                        count += later - bisect_left(times, since[name], 0, later)
            if count >= cap.times:
                yield item_ids, name
                break


def _shown_often(
    shown: Showings, times: int, choices_of: ChoicesOf, among: Container[str] | None
) -> list[list[str]]:
    """Return the products of each choice of which at least so many showings are remembered."""
    item_ids = [*shown]
    choices = choices_of(item_ids)
    counts: dict[str, int] = {}
    for choice, by_channel in zip(choices, shown.values(), strict=True):
        if among is None or choice in among:
            counts[choice] = sum(map(len, by_channel.values()), counts.get(choice, 0))
    often = {choice for choice, count in counts.items() if count >= times}
    if not often:
        return []
    found: dict[str, list[str]] = {}
    for item_id, choice in zip(item_ids, choices, strict=True):
        if choice in often:
            found.setdefault(choice, []).append(item_id)
    return list(found.values())


def _counted(
    showings: Sequence[Mapping[str, list[int]]], cap: CapSettings, from_ts: int, until_ts: int
) -> list[tuple[str, int]]:
    """Return channel and time of the showings of a choice that a cap counts, oldest first."""
    parts = [
        [(channel, ts) for ts in times[bisect_left(times, from_ts) : bisect_right(times, until_ts)]]
        for by_channel in showings
        for channel, times in by_channel.items()
        if not cap.channels or channel in cap.channels
    ]
    if len(parts) == 1:
        return parts[0]
    return sorted(chain.from_iterable(parts), key=lambda showing: (showing[1], showing[0]))


def begins(cap: CapSettings, now_ts: int, zone: str) -> int:
    """Return since when a cap counts, UTC epoch seconds.

    Parameters
    ----------
    cap : CapSettings
        With ``calendar``, its days are those of the calendar, today included.
    now_ts : int
        UTC epoch seconds.
    zone : str
        IANA time zone.
    """
    if not cap.calendar:
        return now_ts - cap.days * DAY + 1
    today = datetime.fromtimestamp(now_ts, ZoneInfo(zone)).date()
    start = datetime.combine(today - timedelta(days=cap.days - 1), time(), ZoneInfo(zone))
    return int(start.astimezone(UTC).timestamp())
