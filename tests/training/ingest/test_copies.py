"""A repeated order counts once, in one file or in several, changed or not."""

from collections.abc import Callable

import pytest

ORDERS = [
    f"{n},2026-01-05 {8 + n:02}:00:00,{sku},1,2.00,\n"
    for n in range(1, 9)
    for sku in (f"t{n}", "m")
]
ONCE = sorted((f"shop:{n}", sku, 1.0) for n in range(1, 9) for sku in (f"t{n}", "m"))


def test_a_file_that_was_put_behind_itself_counts_once(shop: Callable) -> None:
    workspace = shop("".join(ORDERS) + "order,time,sku,qty,price,email\n" + "".join(ORDERS))
    assert workspace.ingest()["rows"]["repeated"] == len(ORDERS)
    assert workspace.items() == ONCE


def test_copies_in_one_file_that_differ_are_noted(shop: Callable) -> None:
    filler = "".join(f"B{n},2026-01-05,x,1,3.50,\n" for n in range(60))
    changed = ORDERS[2] + ORDERS[3].replace("m,1", "m,5")
    back = ORDERS[4].replace("t3,1", "t3,-1")  # not a copy: a return
    workspace = shop(
        "".join(ORDERS)
        + filler
        + changed
        + "X1,2026-01-05,x,1,1,\n"
        + back
        + "X2,2026-01-05,x,1,1,\n"
        + ORDERS[0]
    )
    summary = workspace.ingest()
    wanted = [x for x in ONCE if x != ("shop:2", "m", 1.0)]
    wanted += [("shop:2", "m", 5.0), ("shop:3", "t3", -1.0)]
    assert [x for x in workspace.items() if not x[0].startswith(("shop:B", "shop:X"))] == sorted(
        wanted
    )
    assert summary["notes"]["orders_changed_in_a_file"] == 2
    assert summary["examples"]["orders_changed_in_a_file"] == "shop/1.csv: shop:1"


LATE = "".join(
    f"{n},2026-01-05 {14}:{n:02}:17,{s},1,2.00,\n" for n in (1, 2) for s in (f"t{n}", "m")
)
SHIFT = "".join(
    f"{n},2026-01-05 {14}:{20 + n:02}:41,{s},1,2.00,\n" for n in (1, 2) for s in (f"u{n}", "m")
)


@pytest.mark.parametrize(
    ("other", "orders"),
    [
        (SHIFT, 4),  # the numbers of another shift or shop
        (LATE.replace("14:", "15:"), 2),  # summer time
        (LATE.replace("14:", "05:"), 2),  # another zone
        (LATE.replace("05 14:01:17", "05 00:00:00").replace("05 14:02:17", "05 00:00:00"), 2),
        (LATE.replace("05 14:", "06 14:"), 4),
        (LATE.replace(":17", ":39"), 2),
    ],
)
def test_of_two_files_the_content_tells_where_times_differ(
    shop: Callable, other: str, orders: int
) -> None:
    workspace = shop(LATE, other)
    summary = workspace.ingest()
    assert summary["orders"] == orders
    assert summary["notes"].get("orders_sharing_a_number", 0) == (orders if orders > 2 else 0)


def test_one_customer_of_two_shops_has_two_orders_of_a_number(shop: Callable) -> None:
    one = "1001,2026-01-05 10:00:00,tea,1,3,a@x.de\n1001,2026-01-05 10:00:00,jam,1,3,a@x.de\n"
    other = "1001,2026-01-08 11:00:00,tea,1,3,a@x.de\n1001,2026-01-08 11:00:00,cup,1,3,a@x.de\n"
    assert shop(one, other).ingest()["orders"] == 2
