"""Counts what should not have been shown, from what people saw and said alone.

In: a ``Log``, a ``Plan``, and the rules in numbers. Out: figures by name. It knows the rules from
the documentation and shares no code with what is audited, but for the list of which products a
shopper cannot tell apart. Called by ``benchmarks.conversation``.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from benchmarks._conversation.log import Log, Showing
from benchmarks._conversation.people import WEEK, Bought, Plan
from recsys.units import DAY

Ints = NDArray[np.int64]
_NEVER: Final = 1 << 62


class Rules(NamedTuple):
    """What was promised."""

    product_times: int
    """Showings of a product to one customer within seven days, over all channels."""
    message_times: int
    """Messages to one customer within seven days."""
    quiet_hours: tuple[int, int]
    """Local hours between which no message goes out, over midnight."""
    hide_bought_days: Mapping[str, float]
    """Placement → how long what was bought is not shown."""
    messages: Sequence[str]
    """Placements whose answers are messages."""


def audit(
    log: Log, plan: Plan, rules: Rules, choices_of: Callable[[Sequence[str]], Sequence[str]]
) -> dict[str, float]:
    """Count what should not have been shown.

    Parameters
    ----------
    log : Log
    plan : Plan
    rules : Rules
    choices_of : callable
        Names the choice of each product; products of one choice are one product here.

    Returns
    -------
    dict of str to float
        Figure by name; those of ``FAULTS`` should be zero.
    """
    items = dict.fromkeys(item for one in log.showings for item in (*one.item_ids, *one.left_cart))
    items |= dict.fromkeys(one.item_id for one in plan.bought)
    items |= dict.fromkeys(item for one in log.compared for item in (*one.given, *one.free))
    choice = dict(zip(items, choices_of(list(items)), strict=True))
    repeats, over = _repeats(log, plan, rules, choice)
    mails = [one for one in log.showings if one.placement in rules.messages]
    weeks = (plan.end_ts - plan.start_ts) / WEEK
    figures: dict[str, float] = {
        "customers": len(plan.people),
        "weeks": weeks,
        "lists": len(log.showings),
        "showings": sum(len(one.item_ids) for one in log.showings),
        "repeats": float(repeats.sum()) / len(plan.people) / weeks,
        **{
            f"repeats@{week + 1}": float(repeats[week]) / len(plan.people)
            for week in range(len(repeats))
        },
        "over_product_cap": over,
        "over_message_cap": _too_many_mails(mails, rules),
        **_just_bought(log, plan, rules, choice),
        "refused_shown": _refused(log),
        "against_consent": _against_consent(mails, plan),
        "in_quiet_hours": _in_quiet_hours(mails, plan, rules),
        "mails": len(mails) / len(plan.people) / weeks,
    }
    return figures | _expected(log, choice)


#: Figures that are zero where every rule holds.
FAULTS = (
    "over_product_cap",
    "over_message_cap",
    "just_bought",
    "bought_in_cart",
    "refused_shown",
    "against_consent",
    "in_quiet_hours",
)


def within(group: Ints, ts: Ints, seconds: int) -> Ints:
    """Count, at each event, those of its group within the time before it, itself included.

    Parameters
    ----------
    group, ts : ndarray of shape (n,), int64
        Sorted by group, then time; times are not negative.
    seconds : int
        An event exactly so long before does not count.
    """
    if not len(ts):
        return np.empty(0, np.int64)
    span = int(ts.max()) + seconds + 1
    key = group * span + ts
    before = np.searchsorted(key, np.maximum(key - seconds, group * span - 1), side="right")
    return np.asarray(np.arange(len(key)) - before + 1, np.int64)


def _repeats(
    log: Log, plan: Plan, rules: Rules, choice: Mapping[str, str]
) -> tuple[NDArray[np.int64], int]:
    """Return showings of what was seen within seven days before, by week, and over the cap."""
    number = {name: ix for ix, name in enumerate(dict.fromkeys(choice.values()))}
    seen = [
        (one.person * len(number) + number[choice[item_id]], one.ts - plan.start_ts)
        for one in log.showings
        for item_id in one.item_ids
    ]
    pairs = np.array(sorted(seen), np.int64).reshape(-1, 2)
    _, group = np.unique(pairs[:, 0], return_inverse=True)
    times = within(group.astype(np.int64), pairs[:, 1], WEEK)
    weeks = -(-(plan.end_ts - plan.start_ts) // WEEK)
    repeats = np.bincount(pairs[times > 1, 1] // WEEK, minlength=weeks)
    return repeats, int((times > rules.product_times).sum())


def _too_many_mails(mails: Sequence[Showing], rules: Rules) -> int:
    pairs = np.array(sorted((one.person, one.ts) for one in mails), np.int64).reshape(-1, 2)
    return int((within(pairs[:, 0], pairs[:, 1], WEEK) > rules.message_times).sum())


def _just_bought(log: Log, plan: Plan, rules: Rules, choice: Mapping[str, str]) -> dict[str, float]:
    """Count showings of what had just been bought: reported by then, and not yet reported.

    What is known to be returned, to the last piece, may be shown again.
    """
    bought: dict[tuple[int, str], list[Bought]] = defaultdict(list)
    for each in plan.bought:
        bought[each.person, choice[each.item_id]].append(each)
    put = _put_into_carts(log)
    known = unknown = in_cart = 0
    for one in log.showings:
        hidden = rules.hide_bought_days[one.placement] * DAY
        for item_id in one.item_ids:
            told = [
                each.told_ts
                for each in bought.get((one.person, choice[item_id]), ())
                if one.ts - hidden < each.ts <= one.ts < (each.all_back_ts or _NEVER)
            ]
            known += any(told_ts <= one.ts for told_ts in told)
            unknown += bool(told) and all(told_ts > one.ts for told_ts in told)
        for item_id in one.left_cart:
            times = put[one.person, item_id]
            put_ts = times[bisect_right(times, one.ts) - 1]
            in_cart += any(
                put_ts <= each.ts and each.told_ts <= one.ts < (each.all_back_ts or _NEVER)
                for each in bought.get((one.person, choice[item_id]), ())
            )
    return {"just_bought": known, "bought_unknown": unknown, "bought_in_cart": in_cart}


def _expected(log: Log, choice: Mapping[str, str]) -> dict[str, float]:
    """Compare the purchases that lists may expect with those of the same lists without rules.

    A list at a time; and as a customer buys: each product once a week, however often it is shown.
    """
    totals = [0.0, 0.0]
    once: tuple[dict[Any, float], dict[Any, float]] = ({}, {})
    for one in log.compared:
        for side, chances in enumerate((one.given, one.free)):
            totals[side] += sum(chances.values())
            best = once[side]
            for item_id, chance in chances.items():
                key = one.person, one.ts // WEEK, choice[item_id]
                best[key] = max(best.get(key, 0.0), chance)
    if not totals[1]:
        return {}
    given, free = (sum(best.values()) for best in once)
    return {
        "compared": len(log.compared),
        "expected_kept": totals[0] / totals[1],
        "expected_once_kept": given / free,
    }


def _put_into_carts(log: Log) -> dict[tuple[int, str], list[int]]:
    put: dict[tuple[int, str], list[int]] = defaultdict(list)
    for one in sorted(log.carts, key=lambda one: one.ts):
        put[one.person, one.item_id].append(one.ts)
    return put


def _refused(log: Log) -> int:
    """Count showings of what somebody had said they do not want to see."""
    refused = {(one.person, one.item_id): one.told_ts for one in reversed(log.refused)}
    return sum(
        refused.get((one.person, item_id), one.ts + 1) <= one.ts
        for one in log.showings
        for item_id in one.item_ids
    )


def _against_consent(mails: Sequence[Showing], plan: Plan) -> int:
    """Count messages to people whose last word by then was no."""
    words: dict[int, list[tuple[int, bool]]] = {
        person: [(plan.start_ts, given)] for person, given in enumerate(plan.consents)
    }
    for ts in sorted(plan.words):
        for word in plan.words[ts]:
            words[word.person.ix].append((ts, word.given))
    return sum(not _last(words[one.person], one.ts) for one in mails)


def _last(words: Sequence[tuple[int, bool]], ts: int) -> bool:
    return [given for at, given in words if at <= ts][-1]


def _in_quiet_hours(mails: Sequence[Showing], plan: Plan, rules: Rules) -> int:
    begin, end = rules.quiet_hours
    return sum(not end <= hour < begin for hour in _local_hours(mails, plan))


def _local_hours(mails: Sequence[Showing], plan: Plan) -> Iterator[int]:
    for one in mails:
        yield datetime.fromtimestamp(one.ts, ZoneInfo(plan.people[one.person].zone)).hour
