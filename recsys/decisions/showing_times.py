"""When each product was shown to one customer, by channel: added, taken back and bounded.

In: showings. Out: new ones; nothing else changes. Called by ``contact_state``.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from recsys.units import DAY

#: Showings are forgotten this long after, and only this many of each product and channel are kept:
#: caps reach no further.
MAX_DAYS: Final = 90


MAX_TIMES: Final = 20


#: Products whose showings, refusals and clicks are kept for one customer; beyond, the oldest go.
MAX_PRODUCTS: Final = 2_000


#: Product → channel → when it was shown, UTC epoch seconds, ascending.
Showings = dict[str, dict[str, list[int]]]


def added(
    shown: Showings, keys: Iterable[str], channel: str, at_ts: int, keep_days: int
) -> Showings:
    """Return showings with one more of each product at a time, and without those that are old."""
    more = dict(shown)
    for key in dict.fromkeys(keys):
        by_channel = more.get(key, {})
        times = sorted([*by_channel.get(channel, ()), at_ts])[-MAX_TIMES:]
        more[key] = {**by_channel, channel: times}
    return _bounded(more, at_ts, keep_days)


def removed(shown: Showings, keys: Iterable[str], channel: str, at_ts: int) -> Showings:
    """Take one showing at a time out again."""
    left = dict(shown)
    for key in keys:
        times = list(left.get(key, {}).get(channel, ()))
        if at_ts not in times:
            continue
        times.remove(at_ts)
        by_channel = {**left[key], channel: times}
        left[key] = {name: kept for name, kept in by_channel.items() if kept}
        if not left[key]:
            del left[key]
    return left


def until(shown: Showings, ts: int) -> Showings:
    """Keep showings before a time."""
    left: Showings = {}
    for key, by_channel in shown.items():
        for channel, times in by_channel.items():
            earlier = [at for at in times if at < ts]
            if earlier:
                left.setdefault(key, {})[channel] = earlier
    return left


def added_up(every: Sequence[Showings]) -> Showings:
    """Return the showings of one customer of whom several identifiers have some."""
    shown: Showings = {}
    for one in every:
        for key, by_channel in one.items():
            for channel, times in by_channel.items():
                known = shown.setdefault(key, {}).get(channel, [])
                shown[key][channel] = sorted([*known, *times])[-MAX_TIMES:]
    return shown


def _bounded(shown: Showings, now_ts: int, keep_days: int) -> Showings:
    """Forget what is older than caps reach, and the oldest of too many products."""
    since = now_ts - keep_days * DAY
    firsts = [times[0] for by_channel in shown.values() for times in by_channel.values()]
    if len(shown) <= MAX_PRODUCTS and min(firsts, default=since) >= since:
        return shown
    recent: Showings = {}
    for item_id, by_channel in shown.items():
        for channel, times in by_channel.items():
            left = times if times[0] >= since else [ts for ts in times if ts >= since]
            if left:
                recent.setdefault(item_id, {})[channel] = left
    if len(recent) <= MAX_PRODUCTS:
        return recent
    last = {item_id: max(times[-1] for times in of.values()) for item_id, of in recent.items()}
    newest = sorted(recent, key=lambda item_id: (-last[item_id], item_id))[:MAX_PRODUCTS]
    return {item_id: recent[item_id] for item_id in sorted(newest)}
