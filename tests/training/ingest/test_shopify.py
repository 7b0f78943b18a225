"""Shopify's order export, original and as saved by spreadsheets."""

import csv
import io
import random
from collections.abc import Iterable
from itertools import chain
from typing import Any

import pytest

SETTINGS = """
[workspace]
currency = "GBP"
time_zone = "Europe/London"
[sources.shop]
kind = "shopify_orders"
path = "shop"
"""
HEADER = (
    "Name",
    "Email",
    "Financial Status",
    "Paid at",
    "Fulfilled at",
    "Currency",
    "Subtotal",
    "Shipping",
    "Taxes",
    "Total",
    "Discount Amount",
    "Created at",
    "Lineitem quantity",
    "Lineitem name",
    "Lineitem price",
    "Lineitem sku",
    "Cancelled at",
    "Refunded Amount",
    "Location",
    "Id",
    "Source",
    "Lineitem discount",
    "Phone",
    "Billing Phone",
)
#: Columns on every row of an order, even without filling down.
ON_EVERY_ROW = {"Name", "Email", "Created at"}
Row = dict[str, str]


def order(number: int, *lines: tuple[int, str, str, str], **said: str) -> list[Row]:
    """Rows of one order, filled down; a line is quantity, SKU, price and discount."""
    readable = [(q, float(p), float(d)) for q, _, p, d in lines if p.strip("?")]
    cents = sum(round(q * p * 100) - round(d * 100) for q, p, d in readable)
    whole = {
        "Name": f"#{number}",
        "Email": f"c{number}@shop.test",
        "Financial Status": "paid",
        "Currency": "GBP",
        "Subtotal": f"{cents / 100:.2f}",
        "Total": f"{cents / 100:.2f}",
        "Created at": "2024-05-01 10:00:00 +0100",
    } | {name.replace("_", " "): value for name, value in said.items()}
    return [
        dict.fromkeys(HEADER, "")
        | whole
        | {
            "Lineitem quantity": str(quantity),
            "Lineitem name": f"Title of {sku}",
            "Lineitem price": price,
            "Lineitem sku": sku,
            "Lineitem discount": discount,
        }
        for quantity, sku, price, discount in lines
    ]


def unfilled(rows: list[Row], but: Iterable[str] = ()) -> list[Row]:
    """The rows as Shopify writes them: the order's columns on the first row only."""
    kept = ON_EVERY_ROW | set(but)
    return rows[:1] + [
        {c: v if c in kept or c.startswith("Lineitem") else "" for c, v in row.items()}
        for row in rows[1:]
    ]


def text(*orders: list[Row]) -> str:
    """The file."""
    out = io.StringIO()
    writer = csv.DictWriter(out, HEADER, lineterminator="\n")
    writer.writeheader()
    writer.writerows(chain.from_iterable(orders))
    return out.getvalue()


def lines(workspace: Any) -> list[tuple[Any, ...]]:
    """Number, item, quantity and amount of every line."""
    return sorted(
        (r["order_id"].removeprefix("shop:"), r["item_id"], r["quantity"], r["amount_minor"])
        for r in workspace.table()
    )


def ingest(workspace: Any, *orders: list[Row], settings: str = "") -> dict[str, Any]:
    workspace.write(omnibasket_toml=SETTINGS + settings, shop__1_csv=text(*orders))
    summary: dict[str, Any] = workspace.ingest()
    rows = summary["rows"]
    parts = [rows["kept"], rows["repeated"], rows["superseded"]]
    parts += [*rows["left_out"].values(), *rows["rejected"].values()]
    assert rows["read"] == sum(parts)
    return summary


ONE = ((1, "FP-S", "12.00", "0"), (2, "MB-1", "4.50", "0"), (1, "TR-9", "9.00", "0"))
TWO = ((2, "MB-1", "4.50", "0"), (1, "FP-S", "12.00", "0"))


@pytest.mark.parametrize("way", ["filled", "some columns", "some orders"])
def test_filled_down_orders_are_the_orders_they_were(workspace: Any, way: str) -> None:
    one, two, three = order(1, *ONE), order(2, *TWO), order(3, (5, "FP-S", "12.00", "0"))
    if way == "some columns":
        one, two = unfilled(one, ["Financial Status"]), unfilled(two, ["Subtotal", "Total"])
    if way == "some orders":
        one = unfilled(one)
    summary = ingest(workspace, one, two, three)
    assert summary["rows"]["kept"] == 6
    assert lines(workspace) == [
        ("#1", "FP-S", 1.0, 1200),
        ("#1", "MB-1", 2.0, 900),
        ("#1", "TR-9", 1.0, 900),
        ("#2", "FP-S", 1.0, 1200),
        ("#2", "MB-1", 2.0, 900),
        ("#3", "FP-S", 5.0, 6000),
    ]
    assert summary["customers"] == 3


@pytest.mark.parametrize(("filled", "apart"), [(True, True), (True, False), (False, False)])
def test_copies_of_an_order_count_once(workspace: Any, filled: bool, apart: bool) -> None:
    one, two = order(1, *ONE), order(2, (1, "FP-S", "12.00", "0"))
    if not filled:
        one = unfilled(one)
    copies = [one, two, one, two] if apart else [one, one, two, two]
    summary = ingest(workspace, *copies)
    assert summary["rows"]["repeated"] == 4
    assert [(o, i) for o, i, *_ in lines(workspace)] == [
        ("#1", "FP-S"),
        ("#1", "MB-1"),
        ("#1", "TR-9"),
        ("#2", "FP-S"),
    ]


def test_lines_of_a_filled_order_that_lie_apart_are_one_order(workspace: Any) -> None:
    one, two = order(1, *ONE), order(2, *TWO)
    by_sku = sorted([*one, *two], key=lambda row: row["Lineitem sku"])
    summary = ingest(workspace, by_sku)
    assert summary["rows"]["kept"] == 5


def test_two_equal_lines_of_a_filled_order_are_two(workspace: Any) -> None:
    twice = order(1, (1, "FP-S", "12.00", "0"), (1, "FP-S", "12.00", "0"))
    ingest(workspace, twice, order(2, *TWO))
    assert [line for line in lines(workspace) if line[0] == "#1"] == [("#1", "FP-S", 1.0, 1200)] * 2


@pytest.mark.parametrize("filled", [True, False])
def test_of_an_order_that_changed_in_the_file_the_later_state_counts(
    workspace: Any, filled: bool
) -> None:
    before = order(1, *ONE, Financial_Status="pending")
    after = order(1, *TWO)
    states = [before, after] if filled else [unfilled(before), unfilled(after)]
    summary = ingest(workspace, states[0], order(2, (1, "FP-S", "12.00", "0")), states[1])
    assert summary["rows"]["repeated"] == 3
    assert [line for line in lines(workspace) if line[0] == "#1"] == [
        ("#1", "FP-S", 1.0, 1200),
        ("#1", "MB-1", 2.0, 900),
    ]


def test_without_subtotals_different_lines_of_a_filled_file_are_one_order(workspace: Any) -> None:
    one, two = order(1, *ONE, Subtotal="", Total=""), order(2, *TWO, Subtotal="", Total="")
    summary = ingest(workspace, one, two)
    assert (summary["rows"]["kept"], summary["rows"]["repeated"]) == (5, 0)


def test_two_orders_of_one_number_are_two(workspace: Any) -> None:
    one = unfilled(order(1, *ONE))
    other = unfilled(order(1, *TWO, Created_at="2024-05-09 18:00:00 +0100", Email="x@shop.test"))
    summary = ingest(workspace, one, other)
    assert (summary["rows"]["kept"], summary["rows"]["repeated"]) == (5, 0)
    assert summary["orders"] == summary["customers"] == 2


def test_random_orders_filled_unfilled_and_copied_are_what_they_were(workspace: Any) -> None:
    """However the rows are changed, the orders stay the same."""
    chance = random.Random(7)
    wanted, files = [], []
    for number in range(300):
        items = chance.sample("ABCDEFGH", chance.randint(1, 5))
        made = tuple((chance.randint(1, 3), i, f"{chance.randint(1, 99)}.50", "0") for i in items)
        off = chance.choice([0, 0, 1, 2])
        gross = sum(round(q * float(p) * 100) for q, _, p, _ in made)
        rows = order(
            number, *made, Subtotal=f"{(gross - off * 100) / 100:.2f}", Discount_Amount=f"{off}.00"
        )
        rows = rows if chance.random() < 0.5 else unfilled(rows)
        files += [rows] * chance.choice([1, 1, 1, 2])
        wanted.append((f"#{number}", sorted(items), gross - off * 100))
    chance.shuffle(files)
    ingest(workspace, *files)
    found = {}
    for order_id, item, _, amount in lines(workspace):
        items, paid = found.get(order_id, ([], 0))
        found[order_id] = ([*items, item], paid + amount)
    assert found == {order_id: (items, paid) for order_id, items, paid in wanted}


SOURCES = {
    "pos": "pos",
    "POS": "pos",
    "iphone": "pos",
    "web": "web",
    "shopify_draft_order": "web",
    "580111": "web",
    "Amazon by Codisto": "marketplace",
    "": "web",
}


def test_source_says_the_channel(workspace: Any) -> None:
    orders = [
        unfilled(order(number, *TWO, Source=source, Location=f"at {source}"))
        for number, source in enumerate(SOURCES)
    ]
    ingest(workspace, *orders)
    found = {line["location_id"]: line["channel"] for line in workspace.table()}
    assert found == {f"at {source}".strip(): channel for source, channel in SOURCES.items()}
    kinds = {place["location_id"]: place["kind"] for place in workspace.table("locations")}
    assert {place for place, kind in kinds.items() if kind == "store"} == {
        place for place, channel in found.items() if channel == "pos"
    }


def test_settings_say_the_channel_louder(workspace: Any) -> None:
    settings = SETTINGS.replace('path = "shop"', 'path = "shop"\nchannel = "app"')
    workspace.write(omnibasket_toml=settings, shop__1_csv=text(order(1, *ONE, Source="pos")))
    workspace.ingest()
    assert {line["channel"] for line in workspace.table()} == {"app"}


FERN = (1, "FP-S", "12.00", "0")


DISCOUNTS = [
    # The other line has no SKU, and keeps its share of the discount.
    (order(0, FERN, (1, "", "18.00", "0"), Subtotal="27.00", Discount_Amount="3.00"), [1080]),
    # Its price is unreadable: 3.00 of 27.00 + 3.00 is a tenth.
    (order(0, FERN, (1, "W", "?", "0"), Subtotal="27.00", Discount_Amount="3.00"), [1080]),
    (order(0, FERN, (1, "W", "", "0"), Subtotal="27.00", Discount_Amount="3.00"), [1080]),
    # No discount, and another line is unreadable.
    (order(0, FERN, (1, "", "18.00", "0"), Subtotal="30.00"), [1200]),
    # A line's discount is in the subtotal, and may be in the order's discount too.
    (order(0, (1, "FP-S", "12.00", "2.00"), Subtotal="10.00", Discount_Amount="2.00"), [1000]),
    (order(0, (1, "FP-S", "12.00", "2.00"), Subtotal="9.00", Discount_Amount="1.00"), [900]),
    # A discount on shipping does not reduce lines.
    (order(0, FERN, Subtotal="12.00", Discount_Amount="4.50", Total="12.00"), [1200]),
    # Prices include tax, the subtotal does not.
    (order(0, FERN, Subtotal="10.00", Taxes="2.00", Total="12.00"), [1200]),
    (order(0, FERN, Subtotal="10.00", Taxes="2.90", Shipping="5.40", Total="18.30"), [1200]),
    (order(0, FERN, Subtotal="9.00", Discount_Amount="1.00", Taxes="2.00", Total="11.00"), [1100]),
    # The subtotal includes tax, prices do not.
    (order(0, FERN, Subtotal="14.40", Taxes="2.40", Total="14.40"), [1200]),
    # Without a subtotal, the discount is that of the order minus those of its lines.
    (order(0, FERN, Subtotal="", Total="", Discount_Amount="3.00"), [900]),
    (order(0, (1, "FP-S", "12.00", "3.00"), Subtotal="", Total="", Discount_Amount="3.00"), [900]),
]


def test_discounts_of_orders(workspace: Any) -> None:
    numbered = [
        [row | {"Name": f"#{number}"} for row in unfilled(rows)]
        for number, (rows, _) in enumerate(DISCOUNTS)
    ]
    ingest(workspace, *numbered, settings="[ingest]\nmax_reject_share = 1.0\n")
    found = {(order_id, amount) for order_id, _, _, amount in lines(workspace)}
    assert found == {
        (f"#{n}", amount) for n, (_, amounts) in enumerate(DISCOUNTS) for amount in amounts
    }


def test_no_cent_of_a_discount_is_lost_among_the_lines_that_stand(workspace: Any) -> None:
    thirds = tuple((1, sku, "10.00", "0") for sku in ("A", "B", "C"))
    rows = order(1, *thirds, (1, "", "10.00", "0"), Subtotal="30.01", Discount_Amount="9.99")
    ingest(workspace, unfilled(rows))
    # Three quarters of 9.99 is 7.4925.
    assert sum(amount for *_, amount in lines(workspace)) == 3000 - 749


def test_yen_have_no_cents(workspace: Any) -> None:
    rows = order(
        1,
        (2, "A", "1200", "0"),
        (1, "B", "600", "0"),
        Currency="JPY",
        Subtotal="2700",
        Total="2700",
        Discount_Amount="300",
    )
    ingest(workspace, unfilled(rows))
    assert lines(workspace) == [("#1", "A", 2.0, 2160), ("#1", "B", 1.0, 540)]


def test_a_refund_in_a_filled_file_comes_back_once(workspace: Any) -> None:
    rows = order(
        1,
        *ONE,
        Financial_Status="partially_refunded",
        Refunded_Amount="4.50",
        Fulfilled_at="2024-05-03 10:00:00 +0200",
    )
    odd = order(2, FERN, Financial_Status="partially_refunded", Refunded_Amount="1.11")
    summary = ingest(workspace, rows, odd)
    back = [line for line in workspace.table() if line["kind"] == "return"]
    assert [(r["item_id"], r["quantity"], r["amount_minor"]) for r in back] == [("MB-1", -1, -450)]
    assert back[0]["occurred_at"].isoformat() == "2024-05-03T08:00:00+00:00"
    assert summary["notes"] == {"refund_not_matched_to_a_line": 1}


def test_times_without_an_offset_are_local(workspace: Any) -> None:
    rows = order(
        1,
        FERN,
        Created_at="2024-05-01 10:00:00",
        Paid_at="2024-05-01 12:00",
        Financial_Status="refunded",
        Refunded_Amount="12.00",
    )
    ingest(workspace, rows)
    times = {line["kind"]: line["occurred_at"].isoformat() for line in workspace.table()}
    assert times == {"sale": "2024-05-01T09:00:00+00:00", "return": "2024-05-01T11:00:00+00:00"}


def test_phones_tell_who_it_was(workspace: Any) -> None:
    first = order(1, FERN, Email="", Phone="'+447700900111")
    second = order(2, FERN, Email="", Billing_Phone="'+44 7700 900111")
    other = order(3, FERN, Email="nell@shop.test", Phone="'+447700900112")
    summary = ingest(workspace, first, second, other)
    assert summary["customers"] == 2
    customers = {line["order_id"]: line["customer_id"] for line in workspace.table()}
    assert customers["shop:#1"] == customers["shop:#2"] != customers["shop:#3"]
    everything = "".join(
        path.read_text(errors="ignore") for path in workspace.folder.rglob("*.json")
    )
    assert "900111" not in everything
