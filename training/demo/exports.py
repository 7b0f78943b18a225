"""Writes the demo's exports: files of a retailer's tills, web shop, event tag and back office.

In: the finished tables and a folder. Out: the files in it. The data determines the order of rows,
so the same data gives the same bytes. Called by ``build``.
"""

from pathlib import Path

import duckdb

TILLS = "exports/tills"
SHOP = "exports/shop"
EVENTS = "exports/events"
PRODUCTS = "exports/products.csv"
LOCATIONS = "exports/locations.csv"
STOCK = "exports/stock.csv"
REGISTRATIONS = "exports/registrations.csv"

#: Columns of the tills' export, and the SQL of each over ``till_row``.
TILL_COLUMNS = {
    "ticket": "ticket",
    "line": "line",
    "store": "store_id",
    "till": "till",
    "card": "card_text",
    "payment_token": "token",
    "time": "strftime(at_local, '%Y-%m-%d %H:%M:%S')",
    "sku": "product_id",
    "quantity": "quantity_text",
    "price": "money(price_c)",
    "discount": "money(discount_c)",
    "type": "type",
    "original_ticket": "original_ticket",
}

#: Columns of Shopify's order export, and the SQL of each over ``shop_row``; None stays empty.
SHOP_COLUMNS: dict[str, str | None] = {
    "Name": "name",
    "Email": "email",
    "Financial Status": "CASE WHEN head THEN financial END",
    "Paid at": "CASE WHEN head THEN created_at END",
    "Fulfillment Status": "CASE WHEN head THEN CASE WHEN cancelled THEN 'unfulfilled' "
    "ELSE 'fulfilled' END END",
    "Fulfilled at": None,
    "Accepts Marketing": "CASE WHEN head THEN CASE WHEN u('marketing', email) < 0.7 "
    "THEN 'yes' ELSE 'no' END END",
    "Currency": "CASE WHEN head THEN 'USD' END",
    "Subtotal": "CASE WHEN head THEN money(subtotal_c) END",
    "Shipping": "CASE WHEN head THEN money(postage_c) END",
    "Taxes": "CASE WHEN head THEN money(0) END",
    "Total": "CASE WHEN head THEN money(total_c) END",
    "Discount Code": None,
    "Discount Amount": "CASE WHEN head THEN money(order_discount_c) END",
    "Shipping Method": "CASE WHEN head THEN 'Home delivery' END",
    "Created at": "created_at",
    "Lineitem quantity": "quantity",
    "Lineitem name": "title",
    "Lineitem price": "money(price_c)",
    "Lineitem compare at price": None,
    "Lineitem sku": "sku",
    "Lineitem requires shipping": "true",
    "Lineitem taxable": "false",
    "Lineitem fulfillment status": "CASE WHEN cancelled THEN 'pending' ELSE 'fulfilled' END",
    "Billing Name": "CASE WHEN head THEN buyer END",
    "Shipping Name": "CASE WHEN head THEN buyer END",
    "Notes": None,
    "Cancelled at": "CASE WHEN head AND cancelled THEN created_at END",
    "Payment Method": "CASE WHEN head THEN 'Card' END",
    "Payment Reference": "CASE WHEN head THEN token END",
    "Refunded Amount": "CASE WHEN head THEN money(refunded_c) END",
    "Vendor": "'Demo grocer'",
    "Id": "CASE WHEN head THEN (4000000000 + substr(name, 2)::BIGINT) END",
    "Tags": None,
    "Source": "CASE WHEN head THEN 'web' END",
    "Lineitem discount": "money(discount_c)",
    "Phone": None,
}


def write_tills(con: duckdb.DuckDBPyConnection, folder: Path, month: int) -> str:
    """Write one month of till tickets; tickets exported twice are repeated at its end."""
    columns = ", ".join(f"{sql} AS {name}" for name, sql in TILL_COLUMNS.items())
    return _copy(
        con,
        f"""
        SELECT {columns} FROM (
            SELECT *, 0 AS part FROM till_row WHERE month = {month}
            UNION ALL
            SELECT t.*, 1 FROM till_row t JOIN repeated_ticket r ON t.ticket = r.basket_id
            WHERE month = {month}
        ) AS r ORDER BY r.part, r.at_local, r.ticket, r.line
        """,
        folder / TILLS / f"tills-2017-{month:02d}.csv",
    )


def write_shop(con: duckdb.DuckDBPyConnection, folder: Path, quarter: int) -> str:
    """Write one quarter of web orders in Shopify's format, newest first as in Shopify."""
    columns = ", ".join(f'{sql or "NULL"} AS "{name}"' for name, sql in SHOP_COLUMNS.items())
    return _copy(
        con,
        f"""
        SELECT {columns} FROM shop_row s WHERE file = {quarter}
        ORDER BY s.part, s.at_utc DESC, s.name, s.line
        """,
        folder / SHOP / f"orders-2017-Q{quarter}.csv",
    )


def write_events(con: duckdb.DuckDBPyConnection, folder: Path, month: int, repeated: int) -> str:
    """Write one month of events as NDJSON; the first ``repeated`` of them twice."""
    return _copy(
        con,
        f"""
        SELECT json FROM (
            SELECT 0 AS part, at_us, session, name, i, json FROM event WHERE month = {month}
            UNION ALL
            (SELECT 1, at_us, session, name, i, json FROM event WHERE month = {month}
            ORDER BY at_us, session, name, i LIMIT {repeated})
        ) ORDER BY part, at_us, session, name, i
        """,
        folder / EVENTS / f"events-2017-{month:02d}.ndjson",
        "FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\\x01'",
    )


def write_catalogue(con: duckdb.DuckDBPyConnection, folder: Path) -> list[str]:
    """Write products, locations, stock and registrations."""
    return [
        _copy(
            con,
            """
            SELECT item_id, title, parent_id, department, category, brand, money(price_c) AS price,
                money(cost_c) AS cost, active, package_size, maker,
                age_restriction
            FROM catalogue ORDER BY product_id
            """,
            folder / PRODUCTS,
        ),
        _copy(
            con,
            """
            SELECT location_id, name, kind, region, time_zone FROM place
            ORDER BY store_id NULLS FIRST
            """,
            folder / LOCATIONS,
        ),
        _copy(
            con,
            """
            SELECT location_id, item_id, on_hand, money(cost_c) AS cost FROM stock
            ORDER BY location_id, item_id
            """,
            folder / STOCK,
        ),
        _copy(
            con,
            """
            SELECT account, email, card, strftime(at_local, '%Y-%m-%d %H:%M:%S') AS registered_at
            FROM registration ORDER BY at_local, email, account, card
            """,
            folder / REGISTRATIONS,
        ),
    ]


def _copy(
    con: duckdb.DuckDBPyConnection, query: str, path: Path, how: str = "FORMAT csv, HEADER true"
) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    target = str(path).replace("'", "''")
    con.execute(f"COPY ({query}) TO '{target}' ({how})")
    return path.name
