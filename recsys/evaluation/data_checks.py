"""Whether the latest data look like the data before: asked before anything is learned.

What was sold day by day comes in, and ``[checks]``; for each check one finding comes out, which
says what is wrong, where, since when, and what to do. Called by training, which stops at a check
that failed, and by ``promote``, through what the manifest keeps.

Orders that channels told of, that name nobody and that no export knows, fail no check: where there
are any, a check fails only if it fails with them and without them.

Periods are counted back from the last sale, so that a day that has just begun is not taken for a
bad one, and whole weeks are compared with whole weeks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from math import sqrt
from typing import Final, Literal

import numpy as np
import pyarrow.compute as pc

from recsys.config import CheckName, CheckSettings
from recsys.evaluation.sales_activity import Activity, Counts, has_doubtful, read
from recsys.evaluation.sales_gaps import EXPECTED, SalesGap, find_sales_gaps
from recsys.history import History
from recsys.units import DAY

#: The same of a location as ``EXPECTED``: there are many, and some are silent by chance.
_EXPECTED_AT_LOCATION: Final = 15.0
#: A location that has been silent for more periods than this is known to be closed.
_LOCATION_PERIODS: Final = 4
#: A silence that ended longer ago than this stops nothing.
_LONG_AGO_DAYS: Final = 90
#: Lines this far before the others are taken for wrong dates, when they are this few.
_APART_DAYS: Final = 365
_FEW: Final = 0.01
#: Share of unknown products at which item ids are doubted.
_MOST: Final = 0.5
_YEAR_DAYS: Final = 364
_NAMED: Final = 5


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes
    ----------
    name : str
        The check.
    level : str
        ``ok``, ``skipped`` (there is too little to judge by), ``warning`` or ``failed``.
    message : str
        What, where, since when, and what to do.
    """

    name: CheckName
    level: Literal["ok", "skipped", "warning", "failed"]
    message: str


def check_data(history: History, at: datetime, settings: CheckSettings) -> list[Finding]:
    """Look at a history before learning from it.

    Parameters
    ----------
    history : History
    at : datetime
        The present, UTC.
    settings : CheckSettings

    Returns
    -------
    list of Finding
        One for each check, in the order in which they should be mended.
    """
    found = judge_activity(read(history, at), at, settings)
    if not any(one.level == "failed" for one in found) or not has_doubtful(history):
        return found
    vouched = judge_activity(read(history, at, vouched=True), at, settings)
    return [
        other if one.level == "failed" else one for one, other in zip(found, vouched, strict=True)
    ]


def judge_activity(activity: Activity, at: datetime, settings: CheckSettings) -> list[Finding]:
    """As ``check``, on what was counted before."""
    found = [
        _dates(activity, at),
        _gaps(activity, settings),
        _channels(activity, settings),
        _volume(activity, settings),
        _products(activity, settings),
        _customers(activity, settings),
        _locations(activity, settings),
        _currencies(activity, settings),
        _events(activity, settings),
        _age(activity, at, settings),
    ]
    return [
        Finding(one.name, "warning", one.message)
        if one.level == "failed" and one.name in settings.warn
        else one
        for one in found
    ]


def _dates(activity: Activity, at: datetime) -> Finding:
    if activity.future and activity.future_at is not None:
        return Finding(
            "dates",
            "failed",
            f"{activity.future:,} sales are dated later than now ({at:%Y-%m-%d %H:%M} UTC), up to "
            f"{activity.future_at:%Y-%m-%d}, one of them in order {activity.future_order}. Correct "
            "`time_format` or `time_zone` of the source, or the export, and run "
            "`omnibasket ingest`.",
        )
    lines = activity.by_day("lines")
    ages = np.flatnonzero(lines)[::-1]  # oldest first
    before = np.cumsum(lines[ages])
    for ix in np.flatnonzero(-np.diff(ages) > _APART_DAYS):
        if before[ix] < _FEW * before[-1]:
            return Finding(
                "dates",
                "warning",
                f"{before[ix]:,} sales are dated {activity.day(ages[0])} to "
                f"{activity.day(ages[ix])}, and the others begin on {activity.day(ages[ix + 1])}: "
                "are those dates right? They count as very old purchases.",
            )
    return Finding("dates", "ok", f"{activity.days:,} days, none after today.")


def _gaps(activity: Activity, settings: CheckSettings) -> Finding:
    whole = find_sales_gaps(activity.by_day(), settings.gap_days, settings)
    found = [("any channel", gap) for gap in whole]
    if not found:
        found = [
            (name, gap)
            for name, counts in activity.by_day_of_each("channel")
            for gap in find_sales_gaps(counts, settings.gap_days, settings)
        ]
    found = [(where, gap) for where, gap in found if not gap.lasts]
    if not found:
        return Finding("gaps", "ok", f"Never more than {settings.gap_days} days without orders.")
    recent = [one for one in found if one[1].until <= _LONG_AGO_DAYS]
    told = "; ".join(
        f"nothing was sold in {where} from {activity.day(gap.since - 1)} until "
        f"{activity.day(gap.until)}, {gap.since - gap.until - 1} days in which "
        f"{gap.expected:,.0f} orders were to be expected"
        for where, gap in (recent or found)[:_NAMED]
    )
    return Finding(
        "gaps",
        "failed" if recent else "warning",
        f"{told}. Is an export missing? Add it and run `omnibasket ingest`; if nothing was sold "
        "then, raise [checks] gap_days.",
    )


def _channels(activity: Activity, settings: CheckSettings) -> Finding:
    silent = list(_silent(activity, "channel", settings, EXPECTED))
    if not silent:
        return Finding("channels", "ok", "All channels that sold regularly still do.")
    return Finding(
        "channels",
        "failed",
        f"{_told(activity, silent)}. Is its latest export missing, or did its `channel` column "
        "change? Add it and run `omnibasket ingest`; if the channel was closed, set "
        '[checks] warn = ["channels"] or raise silent_days.',
    )


def _locations(activity: Activity, settings: CheckSettings) -> Finding:
    latest = _LOCATION_PERIODS * settings.recent_days
    silent = [
        (name, silence)
        for name, silence in _silent(activity, "location_id", settings, _EXPECTED_AT_LOCATION)
        if silence.since <= latest
    ]
    if not silent:
        return Finding("locations", "ok", "All locations that sold regularly still do.")
    return Finding(
        "locations",
        "warning",
        f"{_told(activity, silent)}. Were they closed, or are their tickets missing?",
    )


def _volume(activity: Activity, settings: CheckSettings) -> Finding:
    periods = _periods(activity.by_day(), settings)
    if periods is None:
        return _too_short("volume", activity, settings)
    recent, past, season = periods
    usual = float(np.median(past))
    low, high = min(1.0, season) * usual, max(1.0, season) * usual
    span = _span(activity, settings)
    said = f"{recent:,.0f} orders from {span}, where {usual:,.0f} are usual"
    advice = (
        "Is an export missing or cut short, or was one read twice under other order ids? Mend it "
        "and run `omnibasket ingest`; if trade is really so, set [checks] min_volume or max_volume."
    )
    if recent + 2 * sqrt(recent + 1) < settings.min_volume * low:
        return Finding(
            "volume", "failed", f"{said}: less than {settings.min_volume:.0%} of it. {advice}"
        )
    if recent - 2 * sqrt(recent + 1) > settings.max_volume * high:
        return Finding(
            "volume", "failed", f"{said}: more than {settings.max_volume:.0%} of it. {advice}"
        )
    return Finding("volume", "ok", f"{said}.")


def _products(activity: Activity, settings: CheckSettings) -> Finding:
    if not activity.listed:
        return Finding("products", "skipped", "There are no product exports.")
    share = _share(activity, "unknown", settings)
    if share is None:
        return _too_short("products", activity, settings)
    recent, usual, risen = share
    said = (
        f"{recent:.1%} of the lines from {_span(activity, settings)} are of products that no "
        f"product export names, {usual:.1%} before"
    )
    if recent > usual + settings.unknown_products and risen:
        return Finding(
            "products",
            "failed",
            f"{said}. Bring the product export up to date, or see whether item ids are written "
            "another way since (`pad`), and run `omnibasket ingest`; or raise [checks] "
            "unknown_products.",
        )
    if recent > _MOST:
        return Finding(
            "products",
            "warning",
            f"{said}: are item ids written the same way in orders and product exports? What no "
            "export names is not recommended.",
        )
    return Finding("products", "ok", f"{said}.")


def _customers(activity: Activity, settings: CheckSettings) -> Finding:
    share = _share(activity, "anonymous", settings)
    if share is None:
        return _too_short("customers", activity, settings)
    recent, usual, risen = share
    said = (
        f"{recent:.1%} of the lines from {_span(activity, settings)} name no customer, "
        f"{usual:.1%} before"
    )
    if recent > usual + settings.unknown_customers and risen:
        return Finding(
            "customers",
            "failed",
            f"{said}. Did a column under [sources.NAME.identifiers] change its name, or was an "
            "identifier blocked (`omnibasket identity blocked`)? Mend it and run "
            "`omnibasket ingest`; or raise [checks] unknown_customers.",
        )
    return Finding("customers", "ok", f"{said}.")


def _currencies(activity: Activity, settings: CheckSettings) -> Finding:
    recent = activity.table.filter(pc.less(activity.table["age"], settings.recent_days))
    past = activity.table.filter(pc.greater_equal(activity.table["age"], settings.recent_days))
    now, before = (
        dict(
            sorted(
                zip(*(c.to_pylist() for c in all_choices.columns), strict=True),
                key=lambda pair: -pair[1],
            )
        )
        for all_choices in (
            table.group_by("currency").aggregate([("lines", "sum")]) for table in (recent, past)
        )
    )
    new = [str(currency) for currency in now if currency not in before]
    if not before or not new:
        return Finding("currencies", "ok", f"Amounts are in {', '.join(map(str, now)) or 'none'}.")
    first = next(iter(now))
    return Finding(
        "currencies",
        "failed" if first in new else "warning",
        f"Amounts in {', '.join(new)} appear from {_span(activity, settings)} for the first time, "
        f"in {sum(now[c] for c in now if str(c) in new) / sum(now.values()):.0%} of the lines; "
        f"until then they were in {', '.join(map(str, before))}. See `currency` of the sources "
        "and of [workspace].",
    )


def _events(activity: Activity, settings: CheckSettings) -> Finding:
    if not activity.events.num_rows:
        return Finding("events", "skipped", "There are no events.")
    ages = np.maximum(activity.events["age"].to_numpy(), 0)
    told = activity.events["events"].to_numpy()
    counts = np.bincount(ages, weights=told, minlength=activity.days).astype(np.int64)
    lasting = [s for s in find_sales_gaps(counts, settings.silent_days, settings) if s.lasts]
    if lasting:
        return Finding(
            "events",
            "warning",
            f"No event after {activity.day(lasting[0].since)}, {lasting[0].since} days before the "
            "last order. Is the latest export of events missing?",
        )
    return Finding("events", "ok", f"Events until {activity.day(int(ages.min()))}.")


def _age(activity: Activity, at: datetime, settings: CheckSettings) -> Finding:
    days = (at.timestamp() - activity.end_ts) / DAY
    last = datetime.fromtimestamp(activity.end_ts, UTC)
    said = f"The last order is of {last:%Y-%m-%d %H:%M} UTC, {max(days, 0):,.0f} days ago"
    if settings.max_age_days is not None and days > settings.max_age_days:
        return Finding(
            "age",
            "failed",
            f"{said}; [checks] max_age_days is {settings.max_age_days:g}. Add the latest exports "
            "and run `omnibasket ingest`.",
        )
    return Finding("age", "ok", f"{said}.")


def _silent(
    activity: Activity, column: str, settings: CheckSettings, least: float
) -> Iterator[tuple[str, SalesGap]]:
    """Find channels or locations that sold regularly and have stopped."""
    for name, counts in activity.by_day_of_each(column):
        for silence in find_sales_gaps(counts, settings.silent_days, settings, least):
            if silence.lasts:
                yield name, silence


def _told(activity: Activity, silent: list[tuple[str, SalesGap]]) -> str:
    told = [
        f"`{name}` has sold nothing since {activity.day(silence.since)}, {silence.since} days in "
        f"which {silence.expected:,.0f} orders were to be expected"
        for name, silence in silent[:_NAMED]
    ]
    more = len(silent) - _NAMED
    return "; ".join([*told, *([f"and {more} more"] if more > 0 else [])])


def _periods(by_day: Counts, settings: CheckSettings) -> tuple[float, Counts, float] | None:
    """Return the recent period's sum, the past ones', and how the same season was a year ago.

    The season is the same period a year ago by what was usual then; 1 where no year is known.
    None where too few periods lie in the history.
    """
    length, wanted = settings.recent_days, settings.past_periods
    full = len(by_day) // length
    sums = by_day[: full * length].reshape(full, length).sum(axis=1)
    past = sums[1 : wanted + 1]
    if len(past) < wanted / 2:
        return None
    season, ago = 1.0, round(_YEAR_DAYS / length)
    if len(sums) > ago + wanted / 2:
        usual = float(np.median(sums[ago + 1 : ago + wanted + 1]))
        season = float(sums[ago]) / usual if usual else 1.0
    return float(sums[0]), past, season


def _share(
    activity: Activity, what: str, settings: CheckSettings
) -> tuple[float, float, bool] | None:
    """Return a share of the recent lines, the usual one, and whether no period had as much."""
    some, all_ = (_periods(activity.by_day(column), settings) for column in (what, "lines"))
    if some is None or all_ is None:
        return None
    past = some[1][all_[1] > 0] / all_[1][all_[1] > 0]
    recent = some[0] / all_[0] if all_[0] else 0.0
    usual = float(np.median(past)) if len(past) else 0.0
    return recent, usual, recent > float(past.max(initial=0.0))


def _too_short(name: CheckName, activity: Activity, settings: CheckSettings) -> Finding:
    needed = settings.recent_days * (1 + -(-settings.past_periods // 2))
    return Finding(
        name,
        "skipped",
        f"The history is {activity.days} days long; from {needed} on this can be judged.",
    )


def _span(activity: Activity, settings: CheckSettings) -> str:
    return f"{activity.day(settings.recent_days)} to {activity.day(0)}"
