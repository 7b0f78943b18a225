"""Orders that share a number stay separate; an order exported twice is one."""

from collections.abc import Callable
from typing import Any

import pytest

TILLS = """
[workspace]
currency = "EUR"
time_zone = "Europe/Berlin"
[sources.tills]
kind = "till_tickets"
path = "till"
[sources.tills.columns]
order_id = "ticket"
occurred_at = "time"
item_id = "sku"
quantity = "qty"
unit_price = "price"
location_id = "store"
[sources.tills.identifiers]
loyalty_card = "card"
"""
HEADER = "ticket,time,sku,qty,price,store,card\n"
SHOP = "order,time,sku,qty,price,email\n"


def orders(workspace: Any) -> dict[str, list[str]]:
    """Items of each order, by its id."""
    found: dict[str, list[str]] = {}
    for row in workspace.table():
        found.setdefault(row["order_id"], []).append(row["item_id"])
    return {order: sorted(items) for order, items in found.items()}


@pytest.fixture
def tills(workspace: Any) -> Callable[..., Any]:
    def make(*files: str) -> Any:
        workspace.write(omnibasket_toml=TILLS)
        for number, lines in enumerate(files, 1):
            workspace.write(**{f"till__{number}_csv": HEADER + lines})
        return workspace

    return make


MONDAY = "1,2026-01-05 08:00:00,tea,1,3,S1,C1\n1,2026-01-05 08:00:00,jam,1,2,S1,C1\n"
TUESDAY = "1,2026-01-06 08:10:00,tea,1,3,S1,C1\n"


def test_ticket_numbers_that_begin_anew_each_morning(tills: Callable) -> None:
    workspace = tills(MONDAY + TUESDAY)
    summary = workspace.ingest()
    assert orders(workspace) == {"tills:1": ["jam", "tea"], "tills:1~20260106T071000": ["tea"]}
    assert summary["notes"]["orders_sharing_a_number"] == 2
    assert "tills:1 at 2026-01-05 07:00" in summary["examples"]["orders_sharing_a_number"]


def test_the_same_in_a_file_a_day_and_in_a_file_of_the_week(tills: Callable) -> None:
    workspace = tills(MONDAY, TUESDAY)
    workspace.ingest()
    apart = orders(workspace)
    assert len(apart) == 2
    workspace.write(till__3_csv=HEADER + MONDAY + TUESDAY)
    summary = workspace.ingest()
    assert orders(workspace) == apart
    assert summary["rows"]["superseded"] == 3


def test_two_stores_count_from_one(tills: Callable) -> None:
    first = "1,2026-01-05 08:00:00,tea,1,3,S1,\n"
    second = "1,2026-01-05 08:00:00,tea,1,3,S2,\n"
    workspace = tills(first + second)
    workspace.ingest()
    assert len(orders(workspace)) == 2
    workspace = tills(first, second)
    workspace.ingest()
    assert len(orders(workspace)) == 2


def test_lines_of_one_ticket_are_scanned_over_minutes(tills: Callable) -> None:
    workspace = tills(
        "1,2026-01-05 23:58:00,tea,1,3,S1,\n1,2026-01-06 00:01:00,jam,1,3,S1,C1\n"
        "1,2026-01-06 00:02:00,bun,1,3,S1,C1\n"
    )
    summary = workspace.ingest()
    assert orders(workspace) == {"tills:1": ["bun", "jam", "tea"]}
    assert "orders_sharing_a_number" not in summary["notes"]


ANN = "1001,2026-01-05 10:00:00,tea,1,3.50,ann@shop.de\n"
BOB = "1001,2026-01-05 15:00:00,tea,1,3.50,bob@shop.de\n"


@pytest.mark.parametrize("files", [(ANN + BOB,), (ANN, BOB), (BOB, ANN)])
def test_two_shops_count_from_1001(shop: Callable, files: tuple[str, ...]) -> None:
    workspace = shop(*files)
    summary = workspace.ingest()
    assert len({row["customer_id"] for row in workspace.table()}) == 2
    assert summary["orders"] == 2
    assert summary["rows"]["superseded"] == 0


def test_dates_alone_that_name_nobody_have_to_share_a_product(shop: Callable) -> None:
    one, two = "7,2026-01-05,tea,1,3.50,\n", "7,2026-01-05,jam,1,2.00,\n"
    workspace = shop(one, two, one)
    assert workspace.ingest()["orders"] == 2
    workspace.write(shop__4_csv=SHOP + "7,2026-01-05,tea,4,3.50,\n")
    workspace.ingest()
    assert sorted((r["item_id"], r["quantity"]) for r in workspace.table()) == [
        ("jam", 1.0),
        ("tea", 4.0),
    ]


def test_a_corrected_customer_or_moved_time_is_the_same_order(shop: Callable) -> None:
    workspace = shop(
        "1,2026-01-05 10:00:00,tea,1,3.50,ann@shop.ed\n2,2026-01-05 10:00:00,tea,1,3,bob@shop.de\n",
        "1,2026-01-05 10:00:00,tea,1,3.50,ann@shop.de\n2,2026-01-07 10:00:00,tea,1,3,bob@shop.de\n",
    )
    summary = workspace.ingest()
    assert summary["orders"] == 2
    assert summary["rows"]["superseded"] == 2


def test_an_order_without_a_customer_over_days_is_kept_as_one_and_said(shop: Callable) -> None:
    workspace = shop("1,2026-01-05 10:00:00,tea,1,3.5,\n1,2026-01-09 10:00:00,jam,1,3.5,\n")
    summary = workspace.ingest()
    assert summary["orders"] == 1
    assert summary["notes"]["orders_over_several_days"] == 1


def test_a_return_names_the_ticket_that_was_sold_before_it(workspace: Any) -> None:
    workspace.write(
        omnibasket_toml=TILLS.replace('store"\n', 'store"\nreturn_of = "original"\n'),
        till__1_csv=HEADER.replace("card", "card,original")
        + "1,2026-01-05 08:00:00,tea,1,3,S1,,\n1,2026-01-06 08:00:00,tea,1,3,S1,,\n"
        + "1,2026-01-07 08:00:00,tea,1,3,S1,,\n9,2026-01-06 12:00:00,tea,-1,3,S1,,1\n",
    )
    workspace.ingest()
    (back,) = (row["return_of"] for row in workspace.table() if row["kind"] == "return")
    assert back == "tills:1~20260106T070000"


def test_a_counter_that_begins_anew_every_half_hour(tills: Callable) -> None:
    lines, wanted = "", {}
    for nth in range(30):
        number, at = nth % 6 + 1, f"2026-01-05 {8 + nth // 12:02}:{nth % 12 * 5:02}:00"
        lines += f"{number},{at},t{nth},1,3,S1,\n{number},{at},milk,1,1,S1,\n"
        wanted[f"t{nth}"] = 1
    workspace = tills(lines)
    summary = workspace.ingest()
    found = orders(workspace)
    assert sorted(found.values()) == sorted(["milk", name] for name in wanted)
    assert summary["notes"] == {"orders_sharing_a_number": 30}


def test_bills_that_stay_open_are_one_and_it_is_said(tills: Callable) -> None:
    rounds = [1, 2, 3, 2, 1, 4, 3, 5, 1, 4, 2, 6, 5, 3, 6, 4]
    lines = "".join(
        f"{bill},2026-01-05 {18 + nth // 6}:{nth % 6 * 10:02}:00,d{nth},1,3,S1,\n"
        for nth, bill in enumerate(rounds)
    )
    workspace = tills(lines)
    summary = workspace.ingest()
    assert len(orders(workspace)) == 6
    assert summary["notes"] == {"tickets_with_others_between": 6}
    assert summary["examples"]["tickets_with_others_between"] == "till/1.csv: tills:1"
