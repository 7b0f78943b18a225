"""Signs, discounts and totals: the lines of an order add up to its cost, to the cent."""

from collections.abc import Callable
from typing import Any

import pytest

TOML = """
[workspace]
currency = "EUR"
time_zone = "Europe/Berlin"
[sources.shop]
kind = "order_lines"
path = "1.csv"
channel = "web"
[sources.shop.columns]
order_id = "order"
item_id = "sku"
occurred_at = "time"
quantity = "qty"
"""


@pytest.fixture
def sell(workspace: Any) -> Callable[..., Any]:
    """Ingest rows ``order sku qty …`` with further fields; return workspace and summary."""

    def make(fields: str, *rows: str, settings: str = "") -> Any:
        names = fields.split()
        mapped = "".join(f'{name} = "{name}"\n' for name in names)
        lines = [
            ",".join(["2026-01-05 10:00:00", *("" if c == "-" else c for c in row.split())])
            for row in rows
        ]
        workspace.write(
            omnibasket_toml=TOML + mapped + settings,
            **{"1_csv": "\n".join([",".join(["time", "order", "sku", "qty", *names]), *lines])},
        )
        return workspace, workspace.ingest()

    return make


def kinds(workspace: Any) -> list[tuple[str, str, float, int]]:
    return sorted(
        (r["item_id"], r["kind"], r["quantity"], r["amount_minor"]) for r in workspace.table()
    )


def test_money_taken_off_goods_that_are_sold_is_a_return_and_of_others_a_correction(
    sell: Callable,
) -> None:
    workspace, summary = sell(
        "amount", "1 kettle 1 29.80", "2 kettle 1 -29.80", "3 spoon 2 3.20", "3 COUPON 1 -1.00"
    )
    assert kinds(workspace) == [
        ("COUPON", "correction", 0.0, -100),
        ("kettle", "return", -1.0, -2980),
        ("kettle", "sale", 1.0, 2980),
        ("spoon", "sale", 2.0, 320),
    ]
    assert summary["amount_minor"] == 220
    assert summary["notes"]["corrections_of_an_order"] == 1
    assert {row["item_id"] for row in workspace.table("products")} == {"kettle", "spoon"}


def test_money_given_back_without_goods_is_a_correction(sell: Callable) -> None:
    """Shops refund part of the price with a quantity of zero."""
    workspace, summary = sell(
        "amount line_type",
        "1 A 2 20.00 sale",
        "2 B 1 10.00 sale",
        "3 C 0 5.00 return",
        "4 D 0 -2.00 sale",
        "5 E 0 -1.00 -",
        "6 A 0 3.00 sale",
        "7 A 0 0.00 return",
    )
    assert summary["amount_minor"] == 2000 + 1000 - 500 - 200 - 100
    assert kinds(workspace)[2:] == [
        ("C", "correction", 0.0, -500),
        ("D", "correction", 0.0, -200),
        ("E", "correction", 0.0, -100),
    ]
    assert summary["rows"]["left_out"] == {"zero_quantity": 2}


def test_returns_may_write_amounts_without_a_sign_where_all_do(sell: Callable) -> None:
    workspace, summary = sell("amount", "1 tea 1 3.00", "2 tea -1 3.00")
    assert kinds(workspace) == [("tea", "return", -1.0, -300), ("tea", "sale", 1.0, 300)]
    assert summary["notes"]["amount_of_a_return_without_sign"] == 1


def test_a_sign_against_the_others_is_a_contradiction(sell: Callable) -> None:
    workspace, summary = sell("amount", "1 tea 1 3.00", "2 tea -1 -3.00", "3 tea -1 3.00")
    assert summary["rows"]["rejected"] == {"sign_contradiction": 1}
    assert summary["amount_minor"] == 0
    assert "amount = 3" in workspace.rejects()[0]["detail"]


def test_a_discount_larger_than_the_price_is_no_amount(sell: Callable) -> None:
    _, summary = sell("unit_price discount", "1 tea 1 3.00 4.00", "2 tea 2 3.00 4.00")
    assert summary["rows"]["rejected"] == {"discount_over_price": 1}
    assert summary["amount_minor"] == 200


def test_discounts_have_one_sign_in_one_export(sell: Callable) -> None:
    workspace, summary = sell(
        "unit_price discount", "1 tea 1 3.00 -1.00", "2 tea 1 3.00 -0.50", "3 tea 1 3.00 1.00"
    )
    assert summary["rows"]["rejected"] == {"sign_contradiction": 1}
    assert [row["discount_minor"] for row in workspace.table()] == [100, 50]


def test_a_negative_price_needs_a_negative_amount_beside_it(sell: Callable) -> None:
    workspace, summary = sell(
        "unit_price amount",
        "1 tea 2 3.00 6.00",
        "2 tea -2 -3.00 -6.00",
        "3 tea 1 -3.00 3.00",
        "4 tea 1 -3.00 -",
    )
    assert summary["rows"]["rejected"] == {"negative_price": 2}
    assert kinds(workspace) == [("tea", "return", -2.0, -600), ("tea", "sale", 2.0, 600)]
    assert {row["unit_price_minor"] for row in workspace.table()} == {300}


def test_the_discount_of_an_order_is_spread_over_its_lines(sell: Callable) -> None:
    workspace, summary = sell(
        "unit_price order_discount order_total",
        "1 a 1 10.00 3.00 27.00",
        "1 b 1 20.00 3.00 27.00",
        "2 a 1 10.00 0.00 10.00",
    )
    assert kinds(workspace) == [
        ("a", "sale", 1.0, 900),
        ("a", "sale", 1.0, 1000),
        ("b", "sale", 1.0, 1800),
    ]
    assert summary["amount_minor"] == 3700
    assert "order_total_differs_from_its_lines" not in summary["notes"]


def test_a_rejected_line_keeps_its_share_of_the_discount(sell: Callable) -> None:
    fields = "unit_price order_discount order_total"
    workspace, _ = sell(fields, "1 a 1 12.00 3.00 27.00", "1 - 1 18.00 3.00 27.00")
    assert kinds(workspace) == [("a", "sale", 1.0, 1080)]
    workspace, _ = sell(fields, "1 a 1 12.00 3.00 27.00", "1 b 1 x 3.00 27.00")
    assert kinds(workspace) == [("a", "sale", 1.0, 1080)]


def test_an_order_that_states_another_total_is_counted_with_an_example(sell: Callable) -> None:
    fields = "unit_price order_total order_shipping order_tax"
    _, summary = sell(
        fields,
        "1 a 1 10.00 10.00 4.00 1.90",
        "2 a 1 10.00 14.00 4.00 1.90",
        "3 a 1 10.00 11.90 4.00 1.90",
        "4 a 1 10.00 15.90 4.00 1.90",
        "5 a 1 10.00 12.00 4.00 1.90",
    )
    assert summary["notes"]["order_total_differs_from_its_lines"] == 1
    example = summary["examples"]["order_total_differs_from_its_lines"]
    assert example == "1.csv: shop:5: 1200 stated, 1000 in its lines (minor units)"


def test_what_a_row_says_came_back_is_a_return_of_its_order(sell: Callable) -> None:
    fields = "unit_price refunded_quantity refunded_amount"
    workspace, summary = sell(
        fields,
        "1 a 2 12.00 1 12.00",
        "2 b 3 5.00 - 10.00",
        "3 c 1 9.00 0 2.50",
        "4 d 1 4.00 1 -",
        "5 e 2 6.00 0 0.00",
    )
    back = [row for row in kinds(workspace) if row[1] != "sale"]
    assert back == [
        ("a", "return", -1.0, -1200),
        ("b", "return", -2.0, -1000),
        ("c", "correction", 0.0, -250),
        ("d", "return", -1.0, -400),
    ]
    assert {r["return_of"] for r in workspace.table() if r["item_id"] == "a"} == {None, "shop:1"}
    assert summary["rows"]["read"] == summary["rows"]["kept"] == 5
    assert summary["refund_lines_added"] == 4
    assert summary["notes"]["refund_of_money_alone"] == 1


def test_every_source_accounts_for_its_rows(sell: Callable) -> None:
    _, summary = sell("unit_price cancelled", "1 a 1 1.00 no", "2 a 1 x no", "3 a 1 1.00 yes")
    assert summary["sources"] == {
        "shop": {
            "read": 3,
            "kept": 1,
            "left_out": {"cancelled": 1},
            "repeated": 0,
            "superseded": 0,
            "rejected": {"bad_number": 1},
        }
    }
