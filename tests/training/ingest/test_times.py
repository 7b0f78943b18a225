"""Times as databases, shops and spreadsheets write them: right, or a reject, never shifted."""

import json
from collections.abc import Callable
from typing import Any

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
