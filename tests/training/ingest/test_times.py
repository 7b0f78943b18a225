"""Times as databases, shops and spreadsheets write them: right, or a reject, never shifted."""

import json
from collections.abc import Callable
from typing import Any

import pytest

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
    wrong = [time for n, time in enumerate(SAME)
             if read.get(f"shop:A{n}") != "2026-07-01T12:00:00+00:00"]  # fmt: skip
    assert wrong == []
    assert [row["detail"] for row in workspace.rejects()] == [
        f"occurred_at = {time}" for time in UNREADABLE
    ]


def test_events_in_the_services_own_shape(workspace: Any) -> None:
    times = [time for time in SAME if "14:00" not in time or "+" in time]
    lines = [
        json.dumps({"event_id": str(n), "event": "view_item", "occurred_at": time,
                    "session_id": "visit", "items": [{"item_id": "tea"}]}) + "\n"
        for n, time in enumerate([*times, "2026-07-01 01:00:00 PM"])
    ]  # fmt: skip
    workspace.write(
        omnibasket_toml='[sources.web]\nkind = "ga4_events"\npath = "events"\n',
        events__1_ndjson="".join(lines),
    )
    summary = workspace.ingest()
    found = {row["occurred_at"].isoformat() for row in workspace.table("events")}
    assert found == {"2026-07-01T12:00:00+00:00"}
    assert summary["events"] == len(times)
    assert summary["other_rows"]["rejected"] == {"bad_time": 1}


def read(workspace: Any) -> list[str | None]:
    """Day and hour of orders A0, A1, ..., UTC; None where they were rejected."""
    found = {r["order_id"]: f"{r['occurred_at']:%Y-%m-%d %H}" for r in workspace.table()}
    numbers = range(len(found) + len(workspace.rejects()))
    return [found.get(f"shop:A{n}") for n in numbers]


def orders(times: list[str]) -> str:
    return "".join(f"A{n},{time},tea,1,1.00,\n" for n, time in enumerate(times))


def test_two_formats_in_one_column(shop: Callable[..., Any]) -> None:
    times = ["28-02-2014 12:00", "1/3/2014 12:00", "2014-03-02T12:00:00Z", "13.13.2014 12:00"]
    formats = 'time_format = ["%d-%m-%Y %H:%M", "%d/%m/%Y %H:%M"]'
    workspace = shop(orders(times), source=formats)
    workspace.ingest()
    assert read(workspace) == ["2014-02-28 11", "2014-03-01 11", "2014-03-02 12", None]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (["1/3/2014", "28/2/2014"], ["2014-02-28 23", "2014-02-27 23"]),
        (["1/3/2014", "2/28/2014"], ["2014-01-02 23", "2014-02-27 23"]),
        (["1/3/2014", "28/2/2014", "2/28/2014"], [None, "2014-02-27 23", "2014-02-27 23"]),
        (["1/3/2014", "3/3/2014"], ["2014-02-28 23", "2014-03-02 23"]),
    ],
)
def test_the_whole_column_tells_whether_day_or_month_comes_first(
    shop: Callable[..., Any], times: list[str], expected: list[str | None]
) -> None:
    workspace = shop(orders(times), source='time_format = ["%d/%m/%Y", "%m/%d/%Y"]')
    workspace.ingest()
    assert read(workspace) == expected


def test_a_reject_names_the_formats_that_fit(shop: Callable[..., Any]) -> None:
    workspace = shop(orders(["2014-03-01", "1/3/2014", "2/3/2014"]))
    workspace.ingest()
    assert workspace.rejects()[0]["detail"] == (
        'occurred_at = 1/3/2014: set `time_format` to "%d/%m/%Y" or "%m/%d/%Y"'
    )


def test_a_midnight_that_was_skipped_is_the_days_first_moment(shop: Callable[..., Any]) -> None:
    times = ["2024-09-08", "2024-09-08 00:00:00", "2024-09-08 00:30:00", "2024-09-08 01:00:00"]
    workspace = shop(orders(times), source='time_zone = "America/Santiago"')
    summary = workspace.ingest()
    assert read(workspace) == ["2024-09-08 04", "2024-09-08 04", None, "2024-09-08 04"]
    assert summary["rows"]["rejected"] == {"nonexistent_local_time": 1}


def test_fractions_of_a_second_neither_stop_a_file_nor_move_a_time(
    shop: Callable[..., Any],
) -> None:
    """The second before clocks change is not yet in the hour that they skip."""
    times = ["2026-03-29 01:59:59.700", "2026-07-01T12:00:00.500Z"]
    workspace = shop(orders(times), source='time_zone = "Europe/Berlin"')
    summary = workspace.ingest()
    assert summary["rows"]["rejected"] == {}
    assert read(workspace) == ["2026-03-29 00", "2026-07-01 12"]


def test_registrations_need_no_time_but_a_right_one(workspace: Any) -> None:
    workspace.write(
        omnibasket_toml='[sources.cards]\nkind = "customer_links"\npath = "c.csv"\n'
        '[sources.cards.identifiers]\nloyalty_card = "card"\nemail = "email"\n',
        c_csv="occurred_at,card,email\n,1,a@x.test\nNaT,2,b@x.test\n2024-02-31,3,c@x.test\n",
    )
    summary = workspace.ingest()
    assert summary["other_rows"]["rejected"] == {"bad_time": 1}
    assert summary["links"]["accepted"] == 2


def test_clocks_of_twelve_hours_and_serial_numbers(shop: Callable[..., Any]) -> None:
    times = ["01/07/2026 02:00 PM", "45413.4", "01/07/2026 14:00"]
    workspace = shop(orders(times), source='time_format = "%d/%m/%Y %I:%M %p"')
    workspace.ingest()
    assert read(workspace) == ["2026-07-01 12", None, None]


@pytest.mark.parametrize(
    ("written", "times", "expected"),
    [
        ('"unix"', ["1767225600", "1767225600.5", "2026-01-01", "99"],
         ["2026-01-01 00", "2026-01-01 00", None, None]),
        ('"unix_ms"', ["1767225600000", "1767225600"], ["2026-01-01 00", None]),
        ('"unix_us"', ["1767225600000000"], ["2026-01-01 00"]),
        # Half past noon in Berlin; floating days must not lose a second.
        ('"excel"', ["46023.5208333333", "46023,5208333333", "46023"],
         ["2026-01-01 11", "2026-01-01 11", "2025-12-31 23"]),
        ('["%d/%m/%Y", "unix", "excel"]', ["1/3/2014", "1767225600", "46023", "2026-01-01T01:00Z"],
         ["2014-02-28 23", "2026-01-01 00", "2025-12-31 23", "2026-01-01 01"]),
    ],
)  # fmt: skip
def test_times_that_are_numbers(
    shop: Callable[..., Any], written: str, times: list[str], expected: list[str | None]
) -> None:
    rows = "".join(f'A{n},"{time}",tea,1,1.00,\n' for n, time in enumerate(times))
    workspace = shop(rows, source=f"time_format = {written}")
    workspace.ingest()
    assert read(workspace) == expected
    if written == '"excel"':
        minutes = {row["occurred_at"].strftime("%M:%S") for row in workspace.table()}
        assert minutes == {"30:00", "00:00"}


ITEM = {"item_id": "tea", "price": 9.9}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
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
        ({"items": [ITEM], "event_params": [{"key": "currency", "value": {"string_value": "usd"}}]},
         ("tea", 990, "USD")),
        ({"items": [ITEM], "ecommerce": [], "event_params": 7}, ("tea", 990, "EUR")),
    ],
)  # fmt: skip
def test_prices_of_events_and_shapes_that_nobody_expects(
    workspace: Any, event: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    line = {"event_name": "view_item", "event_timestamp": "1714550401000000", "user_pseudo_id": "d"}
    workspace.write(
        omnibasket_toml='[sources.web]\nkind = "ga4_events"\npath = "events"\n',
        events__1_ndjson=json.dumps({**line, **event}) + "\n",
    )
    workspace.ingest()
    found = [(r["item_id"], r["price_minor"], r["currency"]) for r in workspace.table("events")]
    assert found == [expected]


def test_timestamps_of_events_in_many_shapes_and_codes_that_are_none(workspace: Any) -> None:
    line = {"event_name": "view_item", "items": [ITEM]}
    stamps = ["1714550401000000", 1714550401000000, 1714550401000000.0, "1.714550401E15",
              "1714550401000000.0", "9e300", "-1", "tomorrow", 9223372036854775807]  # fmt: skip
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
