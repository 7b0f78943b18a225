"""Every kind of source, as retailers export it."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from recsys.errors import ConfigError, DataError

SHOPIFY = """
[workspace]
currency = "EUR"
[sources.shop]
kind = "shopify_orders"
path = "shop"
"""
SHOPIFY_HEADER = (
    "Name,Email,Financial Status,Paid at,Fulfilled at,Currency,Subtotal,Shipping,Total,"
    "Discount Amount,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,"
    "Lineitem discount,Cancelled at,Refunded Amount\n"
)


def order(
    name: str,
    *lines: str,
    status: str = "paid",
    subtotal: str = "",
    cancelled: str = "",
    refunded: str = "0.00",
    email: str = "Ann@Shop.de",
) -> str:
    """Rows of one order, with the order's own values on the first row only."""
    created = "2026-01-05 23:30:00 -0500"
    first, *rest = lines
    rows = [
        f"{name},{email},{status},2026-01-06 08:00:00 -0500,,EUR,{subtotal},4.90,99,0,{created},"
        f"{first},{cancelled},{refunded}"
    ]
    rows += [f"{name},{email},,,,,,,,,{created},{line},," for line in rest]
    return "\n".join(rows) + "\n"


def test_shopify_orders(workspace: Any) -> None:
    workspace.write(
        omnibasket_toml=SHOPIFY,
        shop__1_csv=SHOPIFY_HEADER + order("#1", "2,Green tea,3.50,tea,0.50", "1,Jam,2.00,jam,0"),
    )
    workspace.ingest()
    jam, tea = sorted(workspace.table(), key=lambda row: row["item_id"])
    assert (tea["order_id"], tea["channel"]) == ("shop:#1", "web")
    assert tea["occurred_at"].isoformat() == "2026-01-06T04:30:00+00:00"
    assert (tea["quantity"], tea["unit_price_minor"], tea["amount_minor"]) == (2.0, 350, 650)
    assert jam["customer_id"] == tea["customer_id"] is not None
    assert {p["item_id"]: p["title"] for p in workspace.table("products")}["tea"] == "Green tea"


def test_shopify_order_exported_twice_in_one_file_counts_the_last(workspace: Any) -> None:
    workspace.write(
        omnibasket_toml=SHOPIFY,
        shop__1_csv=SHOPIFY_HEADER
        + order("#1", "2,Tea,3.50,tea,0", "1,Jam,2.00,jam,0")
        + order("#2", "1,Tea,3.50,tea,0")
        + order("#1", "5,Tea,3.50,tea,0"),
    )
    summary = workspace.ingest()
    assert workspace.items() == [("shop:#1", "tea", 5.0), ("shop:#2", "tea", 1.0)]
    assert summary["rows"]["repeated"] == 2


def test_shopify_cancelled_and_voided_orders_are_gone(workspace: Any) -> None:
    workspace.write(
        omnibasket_toml=SHOPIFY,
        shop__1_csv=SHOPIFY_HEADER
        + order("#1", "2,Tea,3.50,tea,0", "1,Jam,2,jam,0", cancelled="2026-01-07 00:00:00 -0500")
        + order("#2", "1,Tea,3.50,tea,0", status="voided")
        + order("#3", "1,Tea,3.50,tea,0"),
    )
    summary = workspace.ingest()
    assert [o for o, *_ in workspace.items()] == ["shop:#3"]
    assert summary["rows"]["left_out"] == {"cancelled": 3}


def test_shopify_refunds_become_returns(workspace: Any) -> None:
    workspace.write(
        omnibasket_toml=SHOPIFY,
        shop__1_csv=SHOPIFY_HEADER
        + order("#1", "2,Tea,3.50,tea,0", "1,Jam,2,jam,0", status="refunded", refunded="13.90")
        + order(
            "#2", "2,Tea,3.50,tea,0", "1,Jam,2,jam,0", status="partially_refunded", refunded="2.00"
        )
        + order("#3", "3,Tea,3.50,tea,0", status="partially_refunded", refunded="7.00")
        + order("#4", "1,Tea,3.50,tea,0", status="partially_refunded", refunded="1.11"),
    )
    summary = workspace.ingest()
    back = sorted(
        (row["order_id"], row["item_id"], row["quantity"], row["amount_minor"], row["return_of"])
        for row in workspace.table()
        if row["kind"] == "return"
    )
    assert back == [
        ("shop:#1", "jam", -1.0, -200, "shop:#1"),
        ("shop:#1", "tea", -2.0, -700, "shop:#1"),
        ("shop:#2", "jam", -1.0, -200, "shop:#2"),
        ("shop:#3", "tea", -2.0, -700, "shop:#3"),
    ]
    assert summary["notes"]["refund_not_matched_to_a_line"] == 1
    assert summary["refund_lines_added"] == 4
    assert summary["rows"]["read"] == summary["rows"]["kept"] == 6


def test_shopify_order_discount_is_spread_without_losing_a_cent(workspace: Any) -> None:
    lines = ("1,A,10.00,a,0", "1,B,10.00,b,0", "1,C,10.00,c,0")
    workspace.write(
        omnibasket_toml=SHOPIFY, shop__1_csv=SHOPIFY_HEADER + order("#1", *lines, subtotal="20.00")
    )
    workspace.ingest()
    assert sum(row["amount_minor"] for row in workspace.table()) == 2000
    assert sorted(row["discount_minor"] for row in workspace.table()) == [333, 333, 334]


def test_a_file_of_another_shape_is_no_shopify_export(workspace: Any) -> None:
    workspace.write(omnibasket_toml=SHOPIFY, shop__1_csv="order,sku\n1,tea\n")
    with pytest.raises(DataError, match="not a Shopify order export"):
        workspace.ingest()


QUERY = """
[sources.db]
kind = "database"
url = "{url}"
query = "select * from orders order by id"
channel = "web"
[sources.db.columns]
order_id = "id"
item_id = "sku"
occurred_at = "at"
quantity = "qty"
unit_price = "price"
[sources.db.identifiers]
account = "customer"
"""


def fill(url: str) -> None:
    metadata = sa.MetaData()
    sa.Table(
        "orders",
        metadata,
        sa.Column("id", sa.Integer),
        sa.Column("sku", sa.Text),
        sa.Column("at", sa.DateTime),
        sa.Column("qty", sa.Float),
        sa.Column("price", sa.Numeric(10, 2)),
        sa.Column("customer", sa.Float),
    )
    engine = sa.create_engine(url)
    metadata.create_all(engine)
    with engine.begin() as con:
        con.execute(
            sa.text(
                "insert into orders values (1, 'tea', '2026-01-05 10:00:00', 2, 3.5, 77),"
                "(1, 'jam', '2026-01-05 10:00:00', 1, 2, 77), "
                "(2, 'tea', '2026-01-06', 1, 3.5, null)"
            )
        )
    engine.dispose()


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_a_database_query(workspace: Any, engine: str, request: Any, monkeypatch: Any) -> None:
    url = f"sqlite:///{workspace.folder / 'shop.db'}"
    if engine == "postgres":
        url = request.getfixturevalue("postgres").replace("postgresql:", "postgresql+psycopg:")
    fill(url)
    monkeypatch.setenv("SHOP_DB", url)
    workspace.write(omnibasket_toml=QUERY.format(url="env:SHOP_DB"))
    workspace.ingest()
    assert workspace.items() == [("db:1", "jam", 1.0), ("db:1", "tea", 2.0), ("db:2", "tea", 1.0)]
    assert {row["amount_minor"] for row in workspace.table()} == {700, 200, 350}
    assert not workspace.ingest()["changed"]


def test_database_errors_say_what_is_wrong_without_the_password(workspace: Any) -> None:
    workspace.write(omnibasket_toml=QUERY.format(url=f"sqlite:///{workspace.folder}/x.db"))
    with pytest.raises(DataError, match=r"sources.db: .*no such table: orders"):
        workspace.ingest()
    url = "postgresql+psycopg://me:hush@127.0.0.1:1/x"
    workspace.write(omnibasket_toml=QUERY.format(url=url))
    with pytest.raises(DataError) as caught:
        workspace.ingest()
    assert "hush" not in str(caught.value)
    workspace.write(omnibasket_toml=QUERY.format(url="env:NO_SUCH_VARIABLE"))
    with pytest.raises(ConfigError, match="NO_SUCH_VARIABLE"):
        workspace.ingest()


EVENTS = """
[workspace]
currency = "USD"
[sources.web]
kind = "ga4_events"
path = "events"
"""


def event(name: str, second: int, *, session: int = 1, **more: Any) -> str:
    """One event as GA4 exports it."""
    body = {
        "event_name": name,
        "event_timestamp": str(1_767_600_000_000_000 + second * 1_000_000),
        "user_pseudo_id": "device-1",
        "event_params": [{"key": "ga_session_id", "value": {"int_value": session}}],
        **more,
    }
    return json.dumps(body) + "\n"


@pytest.mark.parametrize("several", [1, 1_200])
def test_what_items_say_that_is_no_id_or_no_currency(workspace: Any, several: int) -> None:
    """Few such texts and many are told apart in different ways."""
    odd = [f"EUR{n}" for n in range(several)]
    none = [f"(not{n:b}set)".translate({48: "-", 49: "_"}) for n in range(several)]
    tea = [" tea ", "(not set)", None, "", " "]
    lines = [
        event("view_item", 1, items=[{"item_id": text} for text in tea]),
        event("view_item", 2, items=[{"item_id": "n/a", "price": 2}, None]),
        event("view_item", 3, items=[]),
        event("view_item", 4, items=[{"item_id": "jam", "price": 2, "currency": " eur "}]),
        event("view_item", 5, items=[{"item_id": "jam", "currency": c} for c in ("n/a", "Lei")]),
        *(event("view_item", 6, items=[{"item_id": "jam", "currency": code}]) for code in odd),
        *(event("view_item", 7, items=[{"item_id": text}, {"item_id": "rye"}]) for text in none),
    ]
    workspace.write(
        omnibasket_toml=EVENTS + "[ingest]\nmax_reject_share = 1.0\n",
        events__1_ndjson="".join(lines),
    )
    workspace.ingest()
    rows = workspace.table("events")
    found = [(r["item_id"], r["price_minor"], r["currency"]) for r in rows]
    assert found[:4] == [
        ("tea", None, "USD"),
        (None, None, "USD"),
        (None, None, "USD"),
        ("jam", 200, "EUR"),
    ]
    assert found[4:] == [("rye", None, "USD")] * several
    rejects = [(r["line"], r["reason"], r["detail"]) for r in workspace.rejects()]
    assert rejects[:2] == [
        ("5", "unknown_currency", "currency = LEI"),
        ("6", "unknown_currency", "currency = EUR0"),
    ]
    assert len(rejects) == 1 + several


def test_events_and_whose_session_it_was(workspace: Any) -> None:
    view = event("view_item", 1, items=[{"item_id": "tea", "price": 3.5}])
    cart = event(
        "add_to_cart",
        5,
        user_id="u1",
        items=[{"item_id": "tea", "price": "3.50", "quantity": 2}, {"item_id": "jam", "price": 2}],
    )
    other = event("view_item", 9, session=2, items=[{"item_id": "tea"}])
    page = event("page_view", 2)
    workspace.write(
        omnibasket_toml=EVENTS,
        events__1_ndjson=view + cart + page + other + "{broken\n" + '{"event_timestamp": "1"}\n',
        events__2_ndjson=cart,
    )
    summary = workspace.ingest()
    rows = workspace.table("events")
    assert [(r["event"], r["item_id"], r["quantity"], r["price_minor"]) for r in rows] == [
        ("view_item", "tea", 1.0, 350),
        ("add_to_cart", "jam", 1.0, 200),
        ("add_to_cart", "tea", 2.0, 350),
        ("view_item", "tea", 1.0, None),
    ]
    assert rows[0]["occurred_at"].isoformat() == "2026-01-05T08:00:01+00:00"
    assert rows[0]["customer_id"] == rows[1]["customer_id"] is not None
    assert summary["other_rows"]["left_out"] == {"not_a_commerce_event": 1}
    assert summary["other_rows"]["rejected"] == {"missing_event": 1, "not_json": 1}
    assert {(r["line"], r["reason"]) for r in workspace.rejects()} == {
        ("5", "not_json"),
        ("6", "missing_event"),
    }


def test_products_locations_and_stock(shop: Callable) -> None:
    more = """
[sources.items]
kind = "products"
path = "items.csv"
[sources.items.columns]
item_id = "sku"
title = "name"
price = "price"
active = "status"
colour = "colour"
[sources.places]
kind = "locations"
path = "places.csv"
[sources.shelves]
kind = "stock"
path = "stock"
"""
    workspace = shop("A1,2026-01-05,tea,1,3.50,\nA1,2026-01-05,old,1,1.00,\n", settings=more)
    workspace.write(
        items_csv="sku,name,price,status,colour\ntea,Green tea,3.50,active,green\n"
        "cup,Cup,9.00,archived,\ntea,Greener tea,3.60,active,green\n",
        places_csv="location_id,name,kind\ns1,High Street,store\n",
        stock__1_csv="location_id,item_id,on_hand\ns1,tea,4\ns1,cup,1\ns2,tea,9\n",
        stock__2_csv="location_id,item_id,on_hand\ns1,tea,3\n",
    )
    workspace.ingest()
    products = {row["item_id"]: row for row in workspace.table("products")}
    assert (products["tea"]["title"], products["tea"]["price_minor"]) == ("Greener tea", 360)
    assert json.loads(products["tea"]["attributes"]) == {"colour": "green"}
    assert not products["cup"]["active"]
    assert not products["old"]["in_catalogue"]
    assert products["old"]["price_minor"] == 100
    stock = {(r["location_id"], r["item_id"]): r["on_hand"] for r in workspace.table("stock")}
    assert stock == {("s1", "tea"): 3.0, ("s2", "tea"): 9.0}


def test_parquet_with_its_own_types(workspace: Any) -> None:
    workspace.write(
        omnibasket_toml="""
[workspace]
time_zone = "Europe/Berlin"
[sources.lines]
kind = "order_lines"
path = "lines.parquet"
[sources.lines.columns]
order_id = { columns = ["customer", "day", "way"], join = "|" }
item_id = { column = "article", pad = 10 }
occurred_at = "day"
quantity = { value = "1" }
unit_price = { column = "price", times = 1000 }
channel = { column = "way", map = { 1 = "pos", 2 = "web" } }
[sources.lines.identifiers]
account = "customer"
"""
    )
    table = pa.table(
        {
            "customer": pa.array([13085.0, 13085.0, 5.0]),
            "day": pa.array([date(2026, 1, 5)] * 3),
            "article": ["786022008", "0108775015", "5"],
            "price": pa.array([0.0254, 0.01, 0.02], pa.float32()),
            "way": pa.array([1, 2, 3], pa.int8()),
        }
    )
    pq.write_table(table, workspace.folder / "lines.parquet")
    summary = workspace.ingest()
    lines = {row["channel"]: row for row in workspace.table()}
    assert lines["pos"]["item_id"] == "0786022008"
    assert lines["pos"]["unit_price_minor"] == 2540
    assert lines["pos"]["occurred_at"].isoformat() == "2026-01-04T23:00:00+00:00"
    assert lines["pos"]["customer_id"] == lines["web"]["customer_id"]
    assert "13085" not in lines["pos"]["order_id"]  # contains a customer identifier
    assert summary["rows"]["rejected"] == {"unknown_value": 1}
    assert workspace.rejects()[0]["line"] == "3"
