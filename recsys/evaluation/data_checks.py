"""Checks before training whether the latest data are consistent with earlier data.

In: sales by day, and ``[checks]``. Out: one finding per check, which states the problem, its place
and time, and the remedy. Called by training, which stops at a failed check, and by ``promote``,
which reads the findings from the manifest.

Channels' orders without a customer that are in no export cannot fail a check alone: if there are
any, a check fails only if it fails both with and without them.

Periods are counted back from the last sale, so that a partial day does not look like a bad one, and
whole weeks are compared with whole weeks.
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

#: Replaces ``EXPECTED`` for locations: there are many, and some have no sales by chance.
_EXPECTED_AT_LOCATION: Final = 15.0
#: A location without sales for more periods than this counts as closed.
_LOCATION_PERIODS: Final = 4
#: A gap that ended longer ago than this does not fail a check.
_LONG_AGO_DAYS: Final = 90
#: Lines this long before all others count as wrong dates if they are this few.
_APART_DAYS: Final = 365
_FEW: Final = 0.01
#: Share of unknown products at which item ids look wrong.
_MOST: Final = 0.5
_YEAR_DAYS: Final = 364
_NAMED: Final = 5


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes
    ----------
    name : str
        The check.
    level : str
        ``ok``, ``skipped`` (too little data), ``warning`` or ``failed``.
    message : str
        The problem, its place and time, and the remedy.
    """

    name: CheckName
    level: Literal["ok", "skipped", "warning", "failed"]
    message: str


def check_data(history: History, at: datetime, settings: CheckSettings) -> list[Finding]:
    """Check a history before training on it.

    Parameters
    ----------
    history : History
    at : datetime
        The present, UTC.
    settings : CheckSettings

    Returns
    -------
    list of Finding
        One per check, in the order in which problems should be fixed.
    """
    findings = judge_activity(read(history, at), at, settings)
    if not any(finding.level == "failed" for finding in findings) or not has_doubtful(history):
        return findings
    vouched = judge_activity(read(history, at, vouched=True), at, settings)
    return [
        vouched_finding if finding.level == "failed" else finding
        for finding, vouched_finding in zip(findings, vouched, strict=True)
    ]


def judge_activity(activity: Activity, at: datetime, settings: CheckSettings) -> list[Finding]:
    """Run the checks of ``check_data`` on activity that was already counted."""
    findings = [
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
        Finding(finding.name, "warning", finding.message)
        if finding.level == "failed" and finding.name in settings.warn
        else finding
        for finding in findings
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
                "are these dates right? They count as very old purchases.",
            )
    return Finding("dates", "ok", f"{activity.days:,} days, none after today.")


def _gaps(activity: Activity, settings: CheckSettings) -> Finding:
    overall = find_sales_gaps(activity.by_day(), settings.gap_days, settings)
    gaps = [("any channel", gap) for gap in overall]
    if not gaps:
        gaps = [
            (name, gap)
            for name, counts in activity.by_day_of_each("channel")
            for gap in find_sales_gaps(counts, settings.gap_days, settings)
        ]
    gaps = [(where, gap) for where, gap in gaps if not gap.lasts]
    if not gaps:
        return Finding("gaps", "ok", f"Never more than {settings.gap_days} days without orders.")
    recent = [one for one in gaps if one[1].until <= _LONG_AGO_DAYS]
    summary = "; ".join(
        f"nothing was sold in {where} from {activity.day(gap.since - 1)} until "
        f"{activity.day(gap.until)}, {gap.since - gap.until - 1} days in which "
        f"{gap.expected:,.0f} orders were expected"
        for where, gap in (recent or gaps)[:_NAMED]
    )
    return Finding(
        "gaps",
        "failed" if recent else "warning",
        f"{summary}. Is an export missing? Add it and run `omnibasket ingest`; if nothing was sold "
        "in that time, raise [checks] gap_days.",
    )


def _channels(activity: Activity, settings: CheckSettings) -> Finding:
    silent = list(_silent(activity, "channel", settings, EXPECTED))
    if not silent:
        return Finding("channels", "ok", "All channels that sold regularly still do.")
    return Finding(
        "channels",
        "failed",
        f"{_describe(activity, silent)}. Is its latest export missing, or did its `channel` column "
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
        f"{_describe(activity, silent)}. Were they closed, or are their tickets missing?",
    )


def _volume(activity: Activity, settings: CheckSettings) -> Finding:
    periods = _periods(activity.by_day(), settings)
    if periods is None:
        return _too_short("volume", activity, settings)
    recent, past, season = periods
    usual = float(np.median(past))
    low, high = min(1.0, season) * usual, max(1.0, season) * usual
    span = _span(activity, settings)
    summary = f"{recent:,.0f} orders from {span}, where {usual:,.0f} are usual"
    advice = (
        "Is an export missing or truncated, or was one read twice with other order ids? Fix it and "
        "run `omnibasket ingest`; if the volume is right, set [checks] min_volume or max_volume."
    )
    if recent + 2 * sqrt(recent + 1) < settings.min_volume * low:
        return Finding(
            "volume", "failed", f"{summary}: less than {settings.min_volume:.0%} of it. {advice}"
        )
    if recent - 2 * sqrt(recent + 1) > settings.max_volume * high:
        return Finding(
            "volume", "failed", f"{summary}: more than {settings.max_volume:.0%} of it. {advice}"
        )
    return Finding("volume", "ok", f"{summary}.")


def _products(activity: Activity, settings: CheckSettings) -> Finding:
    if not activity.listed:
        return Finding("products", "skipped", "There are no product exports.")
    share = _share(activity, "unknown", settings)
    if share is None:
        return _too_short("products", activity, settings)
    recent, usual, risen = share
    summary = (
        f"{recent:.1%} of the lines from {_span(activity, settings)} are of products missing from "
        f"the product exports, {usual:.1%} before"
    )
    if recent > usual + settings.unknown_products and risen:
        return Finding(
            "products",
            "failed",
            f"{summary}. Update the product export, or check whether the format of item ids has "
            "changed (`pad`), and run `omnibasket ingest`; or raise [checks] "
            "unknown_products.",
        )
    if recent > _MOST:
        return Finding(
            "products",
            "warning",
            f"{summary}: do item ids have the same format in orders and product exports? Products "
            "missing from the exports are not recommended.",
        )
    return Finding("products", "ok", f"{summary}.")


def _customers(activity: Activity, settings: CheckSettings) -> Finding:
    share = _share(activity, "anonymous", settings)
    if share is None:
        return _too_short("customers", activity, settings)
    recent, usual, risen = share
    summary = (
        f"{recent:.1%} of the lines from {_span(activity, settings)} have no customer, "
        f"{usual:.1%} before"
    )
    if recent > usual + settings.unknown_customers and risen:
        return Finding(
            "customers",
            "failed",
            f"{summary}. Did a column under [sources.NAME.identifiers] change its name, or was an "
            "identifier blocked (`omnibasket identity blocked`)? Fix it and run "
            "`omnibasket ingest`; or raise [checks] unknown_customers.",
        )
    return Finding("customers", "ok", f"{summary}.")


def _currencies(activity: Activity, settings: CheckSettings) -> Finding:
    recent = activity.table.filter(pc.less(activity.table["age"], settings.recent_days))
    past = activity.table.filter(pc.greater_equal(activity.table["age"], settings.recent_days))
    now, before = (
        dict(
            sorted(
                zip(*(c.to_pylist() for c in counts.columns), strict=True),
                key=lambda pair: -pair[1],
            )
        )
        for counts in (
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
    n_events = activity.events["events"].to_numpy()
    counts = np.bincount(ages, weights=n_events, minlength=activity.days).astype(np.int64)
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
    text = f"The last order is of {last:%Y-%m-%d %H:%M} UTC, {max(days, 0):,.0f} days ago"
    if settings.max_age_days is not None and days > settings.max_age_days:
        return Finding(
            "age",
            "failed",
            f"{text}; [checks] max_age_days is {settings.max_age_days:g}. Add the latest exports "
            "and run `omnibasket ingest`.",
        )
    return Finding("age", "ok", f"{text}.")


def _silent(
    activity: Activity, column: str, settings: CheckSettings, least: float
) -> Iterator[tuple[str, SalesGap]]:
    """Find channels or locations that sold regularly and have stopped."""
    for name, counts in activity.by_day_of_each(column):
        for silence in find_sales_gaps(counts, settings.silent_days, settings, least):
            if silence.lasts:
                yield name, silence


def _describe(activity: Activity, silent: list[tuple[str, SalesGap]]) -> str:
    descriptions = [
        f"`{name}` has sold nothing since {activity.day(silence.since)}, {silence.since} days in "
        f"which {silence.expected:,.0f} orders were expected"
        for name, silence in silent[:_NAMED]
    ]
    more = len(silent) - _NAMED
    return "; ".join([*descriptions, *([f"and {more} more"] if more > 0 else [])])


def _periods(by_day: Counts, settings: CheckSettings) -> tuple[float, Counts, float] | None:
    """Return the sum of the recent period, of past periods, and the seasonal factor.

    The seasonal factor is the same period a year ago, relative to the usual volume at that time; 1
    if the history is too short. None if the history has too few periods.
    """
    length, n_past = settings.recent_days, settings.past_periods
    full = len(by_day) // length
    sums = by_day[: full * length].reshape(full, length).sum(axis=1)
    past = sums[1 : n_past + 1]
    if len(past) < n_past / 2:
        return None
    season, ago = 1.0, round(_YEAR_DAYS / length)
    if len(sums) > ago + n_past / 2:
        usual = float(np.median(sums[ago + 1 : ago + n_past + 1]))
        season = float(sums[ago]) / usual if usual else 1.0
    return float(sums[0]), past, season


def _share(
    activity: Activity, what: str, settings: CheckSettings
) -> tuple[float, float, bool] | None:
    """Return a share of the recent lines, the usual share, and whether it is a maximum."""
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
        f"The history is {activity.days} days long; this check needs {needed}.",
    )


def _span(activity: Activity, settings: CheckSettings) -> str:
    return f"{activity.day(settings.recent_days)} to {activity.day(0)}"
