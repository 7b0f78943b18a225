"""Local times of every zone convert to UTC as in Python's zoneinfo."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from recsys.ingest.columns.time_zones import zone_days

DAYS = (
    "2017-03-12",
    "2017-11-05",
    "2020-03-29",
    "2020-10-25",
    "2011-12-29",
    "2011-12-30",
    "2018-11-04",
    "2017-10-15",
    "2018-02-17",
    "2019-05-05",
    "2021-07-01",
)
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "UTC",
)


@pytest.mark.parametrize("zone", ZONES)
def test_each_local_time_has_the_offset_that_it_had(zone: str) -> None:
    days = {row["zone_day"]: row for row in zone_days(zone).to_pylist()}
    key = ZoneInfo(zone)
    for name in DAYS:
        midnight = datetime.fromisoformat(name)
        day = days[midnight.date()]
        for second in range(0, 86400, 900):
            local = (midnight + timedelta(seconds=second)).replace(tzinfo=key)
            exists = local.astimezone(UTC).astimezone(key).replace(tzinfo=None) == local.replace(
                tzinfo=None
            )
            assert (day["gap_from"] <= second < day["gap_to"]) == (not exists), local
            twice = local.utcoffset() != local.replace(fold=1).utcoffset() and exists
            assert (day["fold_from"] <= second < day["fold_to"]) == twice, local
            offset = day["after"] if second >= day["switch"] else day["before"]
            if exists:
                assert offset == local.utcoffset().total_seconds(), local


def test_time_of_the_day_before_and_after_is_covered() -> None:
    table = zone_days("UTC")
    assert table["zone_day"][0].as_py().isoformat() == "1989-12-31"
    assert table["zone_day"][-1].as_py().isoformat() == "2050-01-01"
