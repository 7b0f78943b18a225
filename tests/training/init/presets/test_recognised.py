"""What a preset derives from an export's values, and what it asks or ignores."""

from pathlib import Path

import pytest

from recsys.config.toml_file import Column
from training.init.exports import Export, look
from training.init.presets import recognise

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    "columns",
    [
        ("Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID"),
        ("id", "title", "price"),
        ("order_id", "order_date", "sku", "qty", "price"),
        ("Date", "Item", "Qty", "Total"),
        ("store_code", "name", "city"),
    ],
)
def test_other_exports_are_nobodys(columns: tuple[str, ...]) -> None:
    assert recognise(Export(Path("x.csv"), "csv", columns, ())) is None


def test_words_that_a_system_is_not_known_to_write_are_asked_about() -> None:
    export = look(HERE / "loyverse_receipts.csv")
    rows = tuple({**row, "Status": "Schwebend"} for row in export.rows)
    preset = recognise(Export(export.path, "csv", export.columns, rows))
    assert preset is not None
    assert any("`Schwebend` in `Status`" in check for check in preset.checks)
    column = preset.columns["cancelled"]
    assert isinstance(column, Column)
    assert "Schwebend" not in column.map


def test_products_are_known_by_name_where_many_lines_have_no_sku() -> None:
    export = look(HERE / "square_items.csv")
    rows = tuple({**row, "SKU": ""} for row in export.rows)
    preset = recognise(Export(export.path, "csv", export.columns, rows))
    assert preset is not None
    assert preset.columns["item_id"] == "Item"
    assert any("no `SKU`" in check for check in preset.checks)


def test_what_shopify_has_not_published_is_hidden() -> None:
    preset = recognise(look(HERE / "shopify_products.csv"))
    assert preset is not None
    assert (preset.columns["active"], preset.columns["visibility"]) == ("Status", "Published")


def test_woocommerces_products_are_known_by_sku_unless_most_have_none() -> None:
    export = look(HERE / "woocommerce_products.csv")
    for without, expected in ((1, "SKU"), (len(export.rows), "ID")):
        rows = [{**r, "SKU": ""} if n < without else r for n, r in enumerate(export.rows)]
        preset = recognise(Export(export.path, "csv", export.columns, tuple(rows)))
        assert preset is not None
        assert preset.columns["item_id"] == expected
        assert any("no `SKU`" in check for check in preset.checks)


def rows_of(text: str) -> Export:
    """Read a small export."""
    head, *rows = [tuple(line.split(",")) for line in text.strip().splitlines()]
    return Export(Path("x.csv"), "csv", head, tuple(dict(zip(head, r, strict=True)) for r in rows))


def test_rows_of_postage_are_no_lines_and_no_rejects() -> None:
    preset = recognise(
        rows_of(
            "order_id,order_date,status,item_type,item_sku,item_quantity,item_total\n"
            "1,2024-05-02,completed,line_item,MUG,2,18.00\n"
            "1,2024-05-02,completed,shipping,,1,5.00\n"
        )
    )
    assert preset is not None
    assert preset.columns["item_id"] == Column(column="item_sku", default="NO_PRODUCT")
    assert preset.rules["non_product_ids"] == ["NO_PRODUCT"]
    kinds = preset.columns["line_type"]
    assert isinstance(kinds, Column)
    assert (kinds.map["line_item"], kinds.map["shipping"]) == ("sale", "voided")


@pytest.mark.parametrize(
    ("total", "expected"), [("32.00", "Cart Discount Amount"), ("35.00", None), ("99.00", "asked")]
)
def test_totals_tell_whether_prices_are_before_coupons(total: str, expected: str | None) -> None:
    preset = recognise(
        rows_of(
            "Order Number,Order Date,SKU,Item Name,Quantity,Item Cost,Cart Discount Amount,"
            "Order Shipping Amount,Order Total Amount\n"
            f"1,2024-05-02,MUG,Mug,2,10.00,3.00,5.00,{total}\n"
            f"1,2024-05-02,POT,Pot,1,10.00,3.00,5.00,{total}\n"
        )
    )
    assert preset is not None
    assert bool(preset.questions) == (expected == "asked")
    if expected != "asked":
        assert preset.columns.get("order_discount") == expected


def test_odoo_s_percentages_are_not_left_out_in_silence() -> None:
    head = "name,date_order,lines/product_id,lines/qty,lines/price_unit,lines/discount"
    row = "S/1,2024-05-02 10:00:00,[TEA] Tea,2,5.00,10.0"
    preset = recognise(rows_of(f"{head}\n{row}\n"))
    assert preset is not None
    assert [q.settings[0] for q in preset.questions] == ["columns.discount"]
    preset = recognise(rows_of(f"{head},lines/price_subtotal_incl\n{row},9.00\n"))
    assert preset is not None
    assert preset.columns["amount"] == "lines/price_subtotal_incl"
    assert not preset.questions


MAGENTO = ("Order Number", "Order Date", "SKU", "Qty", "Price", "Discount Amount", "Order Currency")


def test_a_discount_that_each_line_of_an_order_repeats_is_the_orders() -> None:
    cells = [
        ("1", "2024-05-01", "A", "1", "9", "3", "EUR"),
        ("1", "2024-05-01", "B", "1", "5", "3", "EUR"),
        ("2", "2024-05-02", "A", "1", "9", "0", "EUR"),
    ]
    rows = tuple(dict(zip(MAGENTO, row, strict=True)) for row in cells)
    preset = recognise(Export(Path("x.csv"), "csv", MAGENTO, rows))
    assert preset is not None
    assert preset.columns["order_discount"] == "Discount Amount"
    assert "discount" not in preset.columns
    assert any("`Discount Amount`" in check for check in preset.checks)
