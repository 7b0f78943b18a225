"""What is wrong with the latest data is told before anything is learned from them."""

from datetime import UTC, datetime, timedelta

import pytest

from recsys.config.settings import CheckSettings
from recsys.evaluation.data_checks import check_data, judge_activity
from recsys.evaluation.sales_activity import read

END = datetime(2026, 3, 1, 18, tzinfo=UTC)
NOW = END + timedelta(hours=8)


def sales(days, per_day=6, channel="pos", until=0, since=None, **fields):
    """Orders of every day but Sundays, from ``days`` ago to ``until`` days ago."""
    lines = []
    for age in range(until, days):
        at = END - timedelta(days=age)
        if at.weekday() == 6 and age:
            continue
        lines += [
            {
                "order_id": f"{channel}{fields.get('location_id', '')}-{age}-{number}",
                "ts": int((at - timedelta(hours=number)).timestamp()),
                "channel": channel,
                "item_id": "known",
                "customer_id": "ada",
                **fields,
            }
            for number in range(per_day)
        ]
    return lines


PRODUCTS = [{"item_id": "known"}, {"item_id": "unlisted", "in_catalogue": False}]


@pytest.fixture
def look(write_history):
    def look(*parts, at=NOW, products=PRODUCTS, settings=None, **tables):
        lines = [line for part in parts for line in part]
        findings = check_data(
            write_history(lines, products, **tables), at, settings or CheckSettings()
        )
        return {finding.name: finding for finding in findings}

    return look


def bad(found):
    return {name for name, finding in found.items() if finding.level in ("warning", "failed")}


@pytest.mark.parametrize("days", [1, 3, 7, 20, 60, 400])
def test_a_steady_shop_passes_however_long_its_history(look, days):
    found = look(sales(days), sales(days, 2, "web", customer_id=None))
    assert bad(found) == set()
    assert (found["volume"].level == "skipped") == (days < 35)


def test_holidays_and_quiet_weeks_of_a_small_shop_pass(look):
    closed = [
        line for line in sales(200, 2) if not 60 < (END.timestamp() - line["ts"]) / 86400 < 73
    ]
    assert bad(look(closed)) == set()
    assert bad(look(sales(90, 2, until=7), sales(7, 1))) == set()


def test_half_an_export_is_missed(look):
    found = look(sales(90, 12, until=7), sales(7, 3))
    assert bad(found) == {"volume"}
    told = found["volume"].message
    assert found["volume"].level == "failed"
    assert "21 orders from 2026-02-22 to 2026-03-01, where 72 are usual: less than 50%" in told
    assert "min_volume" in told


def test_orders_that_are_read_twice_are_noticed(look):
    assert bad(look(sales(90, 6, until=7), sales(7, 40))) == {"volume"}


def test_a_season_that_comes_every_year_is_no_surprise(look):
    quiet = [*sales(800, 16, until=371), *sales(371, 5, until=364), *sales(364, 16, until=7)]
    assert bad(look(quiet, sales(7, 4))) == set()
    steady = [*sales(800, 16, until=7), *sales(7, 4)]
    assert bad(look(steady)) == {"volume"}


def test_a_channel_that_went_silent_is_named_with_its_last_day(look):
    found = look(sales(90), sales(90, 3, "web", until=9))
    assert bad(found) == {"channels"}
    assert "`web` has sold nothing since 2026-02-20" in found["channels"].message
    assert found["channels"].level == "failed"


def test_a_channel_that_sells_now_and_then_or_was_closed_long_ago_is_no_news(look):
    rarely = [line for line in sales(90, 1, "app") if line["ts"] // 86400 % 20 == 0]
    closed = sales(300, 3, "web", until=100)
    assert bad(look(sales(300), rarely, closed)) == set()


def test_a_store_that_went_silent_warns(look):
    stores = [sales(90, 6, location_id="S1"), sales(90, 6, location_id="S2", until=10)]
    found = look(*stores)
    assert (bad(found), found["locations"].level) == ({"locations"}, "warning")
    assert "`S2`" in found["locations"].message


def test_a_month_that_is_missing_is_a_gap(look):
    found = look(sales(200, until=60), sales(30))
    assert found["gaps"].level == "failed"
    assert (
        "nothing was sold in any channel from 2026-01-01 until 2026-01-3" in found["gaps"].message
    )
    old = look(sales(500, until=240), sales(210))
    assert (bad(old), old["gaps"].level) == ({"gaps"}, "warning")


def test_a_gap_in_one_channel_is_found_beside_another(look):
    found = look(sales(200), sales(200, 4, "web", until=60), sales(30, 4, "web"))
    assert bad(found) == {"gaps"}
    assert "in web from" in found["gaps"].message


def test_products_that_no_export_names(look):
    news = [{**line, "item_id": "unlisted"} for line in sales(7, 3)]
    found = look(sales(90, 6, until=7), sales(7, 3), [{**n, "line_no": 2} for n in news])
    assert bad(found) == {"products"}
    assert "50.0% of the lines from 2026-02-22 to 2026-03-01" in found["products"].message
    nothing_listed = [{"item_id": "known", "in_catalogue": False}]
    assert look(sales(90), products=nothing_listed)["products"].level == "skipped"
    most = look([{**line, "item_id": "unlisted"} for line in sales(90)])
    assert (bad(most), most["products"].level) == ({"products"}, "warning")


def test_orders_that_lost_their_customers(look):
    found = look(sales(90, until=7), sales(7, customer_id=None))
    assert (bad(found), found["customers"].level) == ({"customers"}, "failed")
    assert "100.0% of the lines" in found["customers"].message


def test_dates_that_cannot_be(look):
    ahead = [{**line, "order_id": "x", "ts": line["ts"] + 40 * 86400} for line in sales(1, 1)]
    found = look(sales(90), ahead)
    assert bad(found) == {"dates"}  # the others are counted back from the last sale that may be
    assert "1 sales are dated later than now (2026-03-02 02:00 UTC), up to 2026-04-10" in (
        found["dates"].message
    )
    assert "order x" in found["dates"].message
    early = [{**line, "order_id": "y", "ts": 0} for line in sales(1, 1)]
    found = look(sales(90, 20), early)
    assert (bad(found), found["dates"].level) == ({"dates"}, "warning")
    assert "1970-01-01" in found["dates"].message


def test_currencies_that_were_never_seen(look):
    few = look(sales(90), sales(3, 1, "web", currency="SEK"))
    assert (bad(few), few["currencies"].level) == ({"currencies"}, "warning")
    all_ = look(sales(90, until=7), sales(7, currency="SEK"))
    assert (bad(all_), all_["currencies"].level) == ({"currencies"}, "failed")


def test_events_that_stopped(look):
    def seen(until):
        return [
            {
                "event_id": f"{age}-{n}",
                "event": "view_item",
                "item_id": "known",
                "occurred_at": END - timedelta(days=age, minutes=n),
            }
            for age in range(until, 90)
            for n in range(9)
        ]

    assert bad(look(sales(90), events=seen(0))) == set()
    found = look(sales(90), events=seen(20))
    assert (bad(found), found["events"].level) == ({"events"}, "warning")


def test_an_old_history_is_told_only_where_that_matters(look):
    later = NOW + timedelta(days=3000)
    assert bad(look(sales(90), at=later)) == set()
    found = look(sales(90), at=later, settings=CheckSettings(max_age_days=3))
    assert bad(found) == {"age"}
    assert "max_age_days is 3" in found["age"].message


def test_a_check_can_be_told_to_warn_only(look):
    found = look(sales(90), sales(90, 3, "web", until=9), settings=CheckSettings(warn=["channels"]))
    assert found["channels"].level == "warning"


def test_an_empty_history_is_somebody_elses_trouble(write_history):
    activity = read(write_history([]), NOW)
    assert all(
        finding.level in ("ok", "skipped")
        for finding in judge_activity(activity, NOW, CheckSettings())
    )
