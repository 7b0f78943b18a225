"""Times of databases, shops and spreadsheets: correct or rejected, never shifted."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from .conftest import Workspace, shops_in

#: 12:00 UTC; the workspace's own zone is two hours ahead.
SAME = (
    "2026-07-01T12:00:00Z",
    "2026-07-01T12:00Z",
    "2026-07-01T12:00:00.000Z",
    "2026-07-01 12:00:00 UTC",
    "2026-07-01 12:00:00+00",
    "2026-07-01 08:00:00-04",
    "2026-07-01 08:00-04:00",
    "2026-07-01 14:00:00 +0200",
    "2026-07-01T17:30:00+05:30",
    "2026-07-01T07:30:00.000-04:30",
    "2026-07-01T07:30:00-04:30",
    "2026-07-01 14:00:00",
    "2026-07-01 14:00",
    "2026/07/01 14:00",
)
UNREADABLE = (
    "2026-07-01 12:00:00 CET",
    "2026-07-01 12:00:00 Europe/Berlin",
    "2026-07-01 01:00:00 PM",
    "2026-07-01 12:00:00 +5",
    "2026-07-01+02:00",
    "2026-07-01Z",
    "07/01/2026 12:00",
    "1782907200",
)


def test_one_moment_in_many_manners(shop: Callable[..., Any]) -> None:
    lines = [f"A{n},{time},tea,1,1.00,\n" for n, time in enumerate((*SAME, *UNREADABLE))]
    workspace = shop("".join(lines))
    workspace.ingest()
    read = {row["order_id"]: row["occurred_at"].isoformat() for row in workspace.table()}
    wrong = [
        time for n, time in enumerate(SAME) if read.get(f"shop:A{n}") != "2026-07-01T12:00:00+00:00"
    ]
    assert wrong == []
    assert [row["detail"] for row in workspace.rejects()] == [
        f"occurred_at = {time}" for time in UNREADABLE
    ]


def test_events_in_the_services_own_shape(workspace: Any) -> None:
    times = [time for time in SAME if "14:00" not in time or "+" in time]
    lines = [
        json.dumps(
            {
                "event_id": str(n),
                "event": "view_item",
                "occurred_at": time,
                "session_id": "visit",
                "items": [{"item_id": "tea"}],
            }
        )
        + "\n"
        for n, time in enumerate([*times, "2026-07-01 01:00:00 PM"])
    ]
    workspace.write(
        omnibasket_toml='[sources.web]\nkind = "ga4_events"\npath = "events"\n',
        events__1_ndjson="".join(lines),
    )
    summary = workspace.ingest()
    found = {row["occurred_at"].isoformat() for row in workspace.table("events")}
    assert found == {"2026-07-01T12:00:00+00:00"}
    assert summary["events"] == len(times)
    assert summary["other_rows"]["rejected"] == {"bad_time": 1}


def orders(times: list[str]) -> str:
    return "".join(f'A{n},"{time}",tea,1,1.00,\n' for n, time in enumerate(times))


#: Settings of a source, times of its orders, and their day and hour in UTC; None for rejects.
COLUMNS: dict[str, tuple[str, list[str], list[str | None]]] = {
    "two formats in one column": (
        'time_format = ["%d-%m-%Y %H:%M", "%d/%m/%Y %H:%M"]',
        ["28-02-2014 12:00", "1/3/2014 12:00", "2014-03-02T12:00:00Z", "13.13.2014 12:00"],
        ["2014-02-28 11", "2014-03-01 11", "2014-03-02 12", None],
    ),
    # The whole column shows whether day or month comes first.
    "day first": (
        'time_format = ["%d/%m/%Y", "%m/%d/%Y"]',
        ["1/3/2014", "28/2/2014"],
        ["2014-02-28 23", "2014-02-27 23"],
    ),
    "month first": (
        'time_format = ["%d/%m/%Y", "%m/%d/%Y"]',
        ["1/3/2014", "2/28/2014"],
        ["2014-01-02 23", "2014-02-27 23"],
    ),
    "both first": (
        'time_format = ["%d/%m/%Y", "%m/%d/%Y"]',
        ["1/3/2014", "28/2/2014", "2/28/2014"],
        [None, "2014-02-27 23", "2014-02-27 23"],
    ),
    "either first": (
        'time_format = ["%d/%m/%Y", "%m/%d/%Y"]',
        ["1/3/2014", "3/3/2014"],
        ["2014-02-28 23", "2014-03-02 23"],
    ),
    "a midnight that was skipped is the day's first moment": (
        'time_zone = "America/Santiago"',
        ["2024-09-08", "2024-09-08 00:00:00", "2024-09-08 00:30:00", "2024-09-08 01:00:00"],
        ["2024-09-08 04", "2024-09-08 04", None, "2024-09-08 04"],
    ),
    # The second before the clock change is not in the skipped hour.
    "fractions of a second neither stop a file nor move a time": (
        'time_zone = "Europe/Berlin"',
        ["2026-03-29 01:59:59.700", "2026-07-01T12:00:00.500Z"],
        ["2026-03-29 00", "2026-07-01 12"],
    ),
    "clocks of twelve hours and serial numbers": (
        'time_format = "%d/%m/%Y %I:%M %p"',
        ["01/07/2026 02:00 PM", "45413.4", "01/07/2026 14:00"],
        ["2026-07-01 12", None, None],
    ),
    "seconds": (
        'time_format = "unix"',
        ["1767225600", "1767225600.5", "2026-01-01", "99"],
        ["2026-01-01 00", "2026-01-01 00", None, None],
    ),
    "milliseconds": (
        'time_format = "unix_ms"',
        ["1767225600000", "1767225600"],
        ["2026-01-01 00", None],
    ),
    "microseconds": ('time_format = "unix_us"', ["1767225600000000"], ["2026-01-01 00"]),
    # 12:30 in Berlin; days as floats must not lose a second.
    "days": (
        'time_format = "excel"',
        ["46023.5208333333", "46023,5208333333", "46023"],
        ["2026-01-01 11", "2026-01-01 11", "2025-12-31 23"],
    ),
    "numbers among dates": (
        'time_format = ["%d/%m/%Y", "unix", "excel"]',
        ["1/3/2014", "1767225600", "46023", "2026-01-01T01:00Z"],
        ["2014-02-28 23", "2026-01-01 00", "2025-12-31 23", "2026-01-01 01"],
    ),
}
NAMES = {name: f"s{n}" for n, name in enumerate(COLUMNS)}


@pytest.fixture(scope="module")
def columns(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, datetime]]:
    """Counts of all sources, and their orders' times."""
    sources = {
        NAMES[name]: (settings, orders(times)) for name, (settings, times, _) in COLUMNS.items()
    }
    workspace = shops_in(tmp_path_factory.mktemp("columns"), sources)
    summary = workspace.ingest()
    return summary, {row["order_id"]: row["occurred_at"] for row in workspace.table()}


@pytest.mark.parametrize("name", COLUMNS)
def test_times_of_a_column(columns: Any, name: str) -> None:
    summary, found = columns
    _, times, expected = COLUMNS[name]
    read = [found.get(f"{NAMES[name]}:A{n}") for n, _ in enumerate(times)]
    assert [at and f"{at:%Y-%m-%d %H}" for at in read] == expected
    reasons = {"nonexistent_local_time" if "midnight" in name else "bad_time": expected.count(None)}
    assert summary["sources"][NAMES[name]]["rejected"] == {r: n for r, n in reasons.items() if n}
    if name == "days":
        assert {f"{at:%M:%S}" for at in read if at} == {"30:00", "00:00"}


def test_a_reject_names_the_formats_that_fit(shop: Callable[..., Any]) -> None:
    workspace = shop(orders(["2014-03-01", "1/3/2014", "2/3/2014"]))
    workspace.ingest()
    assert workspace.rejects()[0]["detail"] == (
        'occurred_at = 1/3/2014: set `time_format` to "%d/%m/%Y" or "%m/%d/%Y"'
    )


def test_registrations_need_no_time_but_a_right_one(workspace: Any) -> None:
    workspace.write(
        omnibasket_toml='[sources.cards]\nkind = "customer_links"\npath = "c.csv"\n'
        '[sources.cards.identifiers]\nloyalty_card = "card"\nemail = "email"\n',
        c_csv="occurred_at,card,email\n,1,a@x.test\nNaT,2,b@x.test\n2024-02-31,3,c@x.test\n",
    )
    summary = workspace.ingest()
    assert summary["other_rows"]["rejected"] == {"bad_time": 1}
    assert summary["links"]["accepted"] == 2


ITEM = {"item_id": "tea", "price": 9.9}


#: Further fields of an event, and the expected product, price and currency.
SHAPES: list[tuple[dict[str, Any], tuple[Any, ...]]] = [
    ({"items": [{**ITEM, "price": 1980}], "currency": "jpy"}, ("tea", 1980, "JPY")),
    ({"items": [{**ITEM, "currency": "kwd"}]}, ("tea", 9900, "KWD")),
    ({"items": [ITEM]}, ("tea", 990, "EUR")),
    ({"items": [ITEM], "currency": "(not set)"}, ("tea", 990, "EUR")),
    ({"items": [{**ITEM, "price": "NaN"}]}, ("tea", None, "EUR")),
    ({"items": [{**ITEM, "price": -5}]}, ("tea", None, "EUR")),
    ({"items": [{**ITEM, "price": 1e300}]}, ("tea", None, "EUR")),
    ({"items": [{"item_id": "(not set)"}, ITEM]}, ("tea", 990, "EUR")),
    ({"items": [{"item_id": "(not set)"}]}, (None, None, "EUR")),
    ({"items": {"item_id": "tea"}}, (None, None, "EUR")),
    ({"items": "tea"}, (None, None, "EUR")),
    ({"items": [3, None, "tea"]}, (None, None, "EUR")),
    ({"items": [ITEM], "event_params": {"currency": "USD"}}, ("tea", 990, "EUR")),
    (
        {"items": [ITEM], "event_params": [{"key": "currency", "value": {"string_value": "usd"}}]},
        ("tea", 990, "USD"),
    ),
    ({"items": [ITEM], "ecommerce": [], "event_params": 7}, ("tea", 990, "EUR")),
]


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, ...]]:
    """Second, product, price and currency of events in all formats, one per second."""
    lines = [
        {
            "event_name": "view_item",
            "event_timestamp": f"{1714550400 + n}000000",
            "user_pseudo_id": "d",
            **event,
        }
        for n, (event, _) in enumerate(SHAPES)
    ]
    workspace = Workspace(tmp_path_factory.mktemp("shapes"))
    workspace.write(
        omnibasket_toml='[sources.web]\nkind = "ga4_events"\npath = "events"\n',
        events__1_ndjson="".join(json.dumps(line) + "\n" for line in lines),
    )
    workspace.ingest()
    return [
        (r["occurred_at"].timestamp() - 1714550400, r["item_id"], r["price_minor"], r["currency"])
        for r in workspace.table("events")
    ]


@pytest.mark.parametrize("nth", range(len(SHAPES)))
def test_prices_of_events_and_shapes_that_nobody_expects(shapes: Any, nth: int) -> None:
    assert [said for second, *said in shapes if second == nth] == [[*SHAPES[nth][1]]]


def test_timestamps_of_events_in_many_shapes_and_codes_that_are_none(workspace: Any) -> None:
    line = {"event_name": "view_item", "items": [ITEM]}
    stamps = [
        "1714550401000000",
        1714550401000000,
        1714550401000000.0,
        "1.714550401E15",
        "1714550401000000.0",
        "9e300",
        "-1",
        "tomorrow",
        9223372036854775807,
    ]
    lines = [
        {**line, "event_timestamp": stamp, "event_id": str(n)} for n, stamp in enumerate(stamps)
    ]
    lines.append({**lines[0], "currency": "XQX"})
    workspace.write(
        omnibasket_toml='[sources.web]\nkind = "ga4_events"\npath = "events"\n',
        events__1_ndjson="".join(json.dumps(line) + "\n" for line in lines),
    )
    summary = workspace.ingest()
    assert summary["other_rows"]["rejected"] == {"bad_time": 4, "unknown_currency": 1}
    assert {r["occurred_at"].isoformat() for r in workspace.table("events")} == {
        "2024-05-01T08:00:01+00:00"
    }
