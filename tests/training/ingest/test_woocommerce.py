"""WooCommerce exports with one row per order become one history."""

from typing import Any

import pytest

from recsys.errors import DataError

WOO = """
[workspace]
currency = "GBP"
time_zone = "Europe/London"
[sources.woo]
kind = "woocommerce_orders"
path = "woo"
"""
HEADER = (
    "order_id,order_number,order_date,status,shipping_total,tax_total,discount_total,order_total,"
    "refunded_total,order_currency,customer_id,billing_email,billing_phone,line_items,"
    "shipping_items,coupon_items\n"
)
FERN = "id:5501|name:Fern pot|product_id:11|sku:FP-S|quantity:2|subtotal:24.00|total:{}|refunded:{}"
MOSS = (
    "id:5502|name:Moss ball; large|product_id:12|sku:MB-1|quantity:1|subtotal:6.00|total:6.00|"
    "refunded:0.00"
)


def row(
    number: int,
    items: str,
    status: str = "completed",
    *,
    total: str = "34.00",
    discount: str = "0.00",
    refunded: str = "0.00",
    account: str = "0",
    email: str = "ann@shop.test",
    currency: str = "GBP",
) -> str:
    """One order as one row."""
    return (
        f"{number},{number},2024-05-02 09:13:00,{status},4.00,0.00,{discount},{total},{refunded},"
        f'{currency},{account},{email},07700900001,"{items}",method_title:Post|total:4.00,\n'
    )


def lines(workspace: Any) -> list[tuple[Any, ...]]:
    """Order, item, kind, quantity, discount and amount of every line."""
    keys = ("order_id", "item_id", "kind", "quantity", "discount_minor", "amount_minor")
    return sorted(tuple(line[key] for key in keys) for line in workspace.table())


def test_lines_in_one_cell(workspace: Any) -> None:
    both = FERN.format("21.60", "0.00") + ";" + MOSS
    workspace.write(omnibasket_toml=WOO, woo__1_csv=HEADER + row(810, both, discount="2.40"))
    summary = workspace.ingest()
    assert lines(workspace) == [
        ("woo:810", "FP-S", "sale", 2.0, 240, 2160),
        ("woo:810", "MB-1", "sale", 1.0, 0, 600),
    ]
    assert [line["unit_price_minor"] for line in workspace.table()] == [1200, 600]
    assert {p["item_id"]: p["title"] for p in workspace.table("products")} == {
        "FP-S": "Fern pot",
        "MB-1": "Moss ball; large",
    }
    assert workspace.table()[0]["occurred_at"].isoformat() == "2024-05-02T08:13:00+00:00"
    assert {line["channel"] for line in workspace.table()} == {"web"}
    assert summary["rows"]["read"] == summary["rows"]["kept"] == 2


def test_lines_in_columns_of_their_own(workspace: Any) -> None:
    header = "order_id,order_date,status,order_currency,customer_email,line_item_1,line_item_2\n"
    item = "name:{}|product_id:{}|sku:{}|quantity:{}|total:{}|sub_total:{}"
    rows = (
        f"1,2024-05-02 09:13:00,completed,GBP,a@shop.test,"
        f"{item.format('Fern pot', 11, 'FP-S', 2, '20.00', '24.00')},"
        f"{item.format('Moss ball', 12, '', 1, '6.00', '6.00')}\n"
        f"2,2024-05-03 09:13:00,wc-processing,GBP,b@shop.test,"
        f"{item.format('Fern pot', 11, 'FP-S', 1, '12.00', '12.00')},\n"
    )
    workspace.write(omnibasket_toml=WOO, woo__1_csv=header + rows)
    workspace.ingest()
    assert lines(workspace) == [
        ("woo:1", "FP-S", "sale", 2.0, 400, 2000),
        ("woo:1", "id:12", "sale", 1.0, 0, 600),
        ("woo:2", "FP-S", "sale", 1.0, 0, 1200),
    ]


def test_lines_as_json(workspace: Any) -> None:
    cell = (
        '[{""id"":1,""name"":""Fern; pot|s"",""product_id"":11,""sku"":""FP-S"",""quantity"":2,'
        '""subtotal"":""24.00"",""total"":""24.00""},{""id"":2,""name"":""Moss"",""product_id"":12,'
        '""sku"":"""",""quantity"":1,""subtotal"":""6.00"",""total"":""6.00""}]'
    )
    workspace.write(omnibasket_toml=WOO, woo__1_csv=HEADER + row(810, cell))
    workspace.ingest()
    assert lines(workspace) == [
        ("woo:810", "FP-S", "sale", 2.0, 0, 2400),
        ("woo:810", "id:12", "sale", 1.0, 0, 600),
    ]


def test_orders_that_did_not_come_about_and_guests(workspace: Any) -> None:
    item = FERN.format("24.00", "0.00")
    rows = [
        row(1, item, "cancelled"),
        row(2, item, "failed"),
        row(3, item, "trash"),
        row(4, item, "pending"),
        row(5, item, "on-hold", email="bob@shop.test"),
        row(6, item, email="cat@shop.test"),
    ]
    other = [r.replace("07700900001", f"0770090010{ix}") for ix, r in enumerate(rows)]
    workspace.write(omnibasket_toml=WOO, woo__1_csv=HEADER + "".join(other))
    summary = workspace.ingest()
    assert [order for order, *_ in lines(workspace)] == ["woo:5", "woo:6"]
    assert summary["rows"]["left_out"] == {"cancelled": 4}
    assert summary["customers"] == 2, "customer 0 is two people"


def test_what_was_refunded_comes_back(workspace: Any) -> None:
    plain, two = FERN.format("24.00", "0.00"), FERN.format("24.00", "12.00")
    rows = [
        row(1, two + "|refunded_qty:1;" + MOSS, refunded="12.00"),
        row(2, plain + ";" + MOSS, "refunded", refunded="34.00"),
        row(3, plain + ";" + MOSS, refunded="6.00"),
        row(4, plain, total="28.00", refunded="1.11"),
        row(5, two, total="28.00", refunded="12.00"),
    ]
    workspace.write(omnibasket_toml=WOO, woo__1_csv=HEADER + "".join(rows))
    summary = workspace.ingest()
    back = [line for line in lines(workspace) if line[2] == "return"]
    assert back == [
        ("woo:1", "FP-S", "return", -1.0, 0, -1200),
        ("woo:2", "FP-S", "return", -2.0, 0, -2400),
        ("woo:2", "MB-1", "return", -1.0, 0, -600),
        ("woo:3", "MB-1", "return", -1.0, 0, -600),
        ("woo:5", "FP-S", "return", -1.0, 0, -1200),
    ]
    assert summary["notes"] == {"refund_not_matched_to_a_line": 1}
    assert summary["refund_lines_added"] == 5
    assert summary["rows"]["read"] == summary["rows"]["kept"] == 8


def test_a_discount_that_is_in_no_line_is_spread_and_one_that_is_counts_once(
    workspace: Any,
) -> None:
    plain = FERN.format("24.00", "0.00") + ";" + MOSS
    coupon = FERN.format("21.00", "0.00") + ";" + MOSS
    rows = [
        row(1, plain, discount="3.00", total="31.00"),
        row(2, coupon, discount="3.00", total="31.00"),
    ]
    workspace.write(omnibasket_toml=WOO, woo__1_csv=HEADER + "".join(rows))
    workspace.ingest()
    assert lines(workspace) == [
        ("woo:1", "FP-S", "sale", 2.0, 240, 2160),
        ("woo:1", "MB-1", "sale", 1.0, 60, 540),
        ("woo:2", "FP-S", "sale", 2.0, 300, 2100),
        ("woo:2", "MB-1", "sale", 1.0, 0, 600),
    ]


def test_rejects_name_the_line_and_spare_the_rest_of_the_order(workspace: Any) -> None:
    plain = FERN.format("24.00", "0.00")
    rows = [
        row(1, plain + ";id:9|name:Gift|quantity:1|total:5.00;" + MOSS),
        row(2, plain, "quarantined"),
        row(3, plain.replace("quantity:2", "quantity:two")),
        row(4, ""),
        row(5, MOSS),
    ]
    workspace.write(omnibasket_toml=WOO, woo__1_csv=HEADER + "".join(rows))
    summary = workspace.ingest()
    assert [(r["line"], r["reason"]) for r in workspace.rejects()] == [
        ("2", "missing_item_id"),
        ("3", "unknown_value"),
        ("4", "bad_number"),
        ("5", "missing_item_id"),
    ]
    assert [(order, item) for order, item, *_ in lines(workspace)] == [
        ("woo:1", "FP-S"),
        ("woo:1", "MB-1"),
        ("woo:5", "MB-1"),
    ]
    rows_ = summary["rows"]
    assert rows_["read"] == 7 == rows_["kept"] + sum(rows_["rejected"].values())
    text = str(workspace.rejects())
    assert "shop.test" not in text
    assert "0770090" not in text


def test_an_order_twice_in_one_file_counts_the_last(workspace: Any) -> None:
    plain = FERN.format("24.00", "0.00")
    rows = [row(1, plain + ";" + MOSS), row(2, MOSS), row(1, MOSS)]
    workspace.write(omnibasket_toml=WOO, woo__1_csv=HEADER + "".join(rows))
    summary = workspace.ingest()
    assert [(order, item) for order, item, *_ in lines(workspace)] == [
        ("woo:1", "MB-1"),
        ("woo:2", "MB-1"),
    ]
    assert summary["rows"]["repeated"] == 2


def test_another_currency_and_a_mapped_status(workspace: Any) -> None:
    settings = WOO + (
        '[sources.woo.columns]\nstatus = { column = "status", map = { packed = "completed" }, '
        'otherwise = "cancelled" }\n'
    )
    workspace.write(
        omnibasket_toml=settings.replace(', otherwise = "cancelled"', ""),
        woo__1_csv=HEADER + row(1, MOSS, "packed", currency="JPY"),
    )
    workspace.ingest()
    assert [(line["currency"], line["amount_minor"]) for line in workspace.table()] == [("JPY", 6)]


def test_a_file_of_another_shape_is_no_woocommerce_export(workspace: Any) -> None:
    workspace.write(omnibasket_toml=WOO, woo__1_csv="order_id,sku\n1,tea\n")
    with pytest.raises(DataError, match="no column `line_items`"):
        workspace.ingest()
