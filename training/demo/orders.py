"""Turns the baskets that were ordered online into rows of Shopify's order export.

In: the tables of ``source`` and ``households``. Out: ``web_order`` (one row per order, with its
status), ``web_line`` (its lines; version 1 is the earlier export of an order that was corrected
later) and ``shop_row`` (the rows of the export with their file and position). Called by ``build``.
"""

import duckdb

from training.demo.households import TEST_EMAIL
from training.demo.rule import chosen

FIRST_ORDER = 10_001
FREE_POSTAGE_FROM_C = 3500
POSTAGE_C = 599
SAMPLE_SKU = "SAMPLE-TASTING"
WRAP_SKU, WRAP_C = "SVC-GIFTWRAP", 250


def write_orders(con: duckdb.DuckDBPyConnection) -> None:
    """Make ``web_order``: number, customer, payment and status.

    Cancelled orders are invented: an earlier copy of the same basket, ordered by mistake, so no
    real basket is lost.
    """
    mistaken = chosen("cancelled", "true", "basket_id")
    con.execute(
        f"""
        CREATE TABLE web_order AS
        WITH placed AS (
            SELECT b.basket_id, b.household_id, b.at_utc, b.lines, b.amount_c, false AS cancelled,
                row_number() OVER (
                    PARTITION BY b.household_id ORDER BY b.at_utc, b.basket_id) AS nth
            FROM basket b SEMI JOIN web_basket USING (basket_id)
        ), cancelled AS (
            SELECT * REPLACE (true AS cancelled,
                at_utc - to_minutes(8 + floor(u('mistake', basket_id) * 40)::INT) AS at_utc)
            FROM (SELECT * FROM placed QUALIFY {mistaken})
        ), orders AS (FROM placed UNION ALL FROM cancelled)
        SELECT '#' || ({FIRST_ORDER - 1}
                + row_number() OVER (ORDER BY at_utc, basket_id, cancelled)) AS name,
            o.*, local_time(at_utc) AS at_local,
            CASE WHEN h.second_email AND nth > 1 AND u('address', basket_id) < 0.5
                THEN h.email_2 ELSE h.email_1 END AS email,
            CASE WHEN h.evidence = 'registered' OR (nth > 1 AND u('token', basket_id) < 0.2)
                THEN h.token_web ELSE h.token_1 END AS token,
            h.first_name || ' ' || h.last_name AS buyer,
            row_number() OVER (PARTITION BY household_id, token, cancelled ORDER BY nth) = 1
                AS evidence,
            NULL::VARCHAR AS trap, 'paid' AS status
        FROM orders o JOIN household h USING (household_id)
        """
    )
    con.execute(f"CREATE TABLE standing_out AS {_LINES_THAT_STAND_OUT}")
    # A household's first order with each token has its own e-mail, so that both can be linked.
    free = "NOT cancelled AND NOT evidence AND trap IS NULL AND status = 'paid'"
    _mark(con, "test_email", f"trap = 'test', email = '{TEST_EMAIL}'", free)
    _mark(con, "refunded", "status = 'refunded'", free)
    stands_out = f"{free} AND {_ONE_LINE_STANDS_OUT}"
    _mark(con, "partly_refunded", "status = 'partially_refunded'", stands_out)
    _mark(con, "corrected", "trap = 'corrected'", f"{free} AND {_EXPORTED_TWICE}")
    _mark(con, "order_twice", "trap = 'repeated'", free)
    con.execute("ALTER TABLE web_order ADD COLUMN refund_line BIGINT")
    con.execute(
        """
        UPDATE web_order SET refund_line = s.line FROM standing_out s
        WHERE web_order.basket_id = s.basket_id AND status = 'partially_refunded'
        """
    )


#: One line of each order with a unique amount, so that its refund can be matched.
_LINES_THAT_STAND_OUT = """
    SELECT basket_id, min(line) AS line FROM (
        SELECT basket_id, line FROM line SEMI JOIN web_basket USING (basket_id)
        WHERE amount_c > 0 QUALIFY count(*) OVER (PARTITION BY basket_id, amount_c) = 1
    ) GROUP BY basket_id
"""
_ONE_LINE_STANDS_OUT = "lines > 2 AND basket_id IN (SELECT basket_id FROM standing_out)"
#: The last week of a quarter is exported again with the next quarter.
_EXPORTED_TWICE = (
    "at_local >= date_trunc('quarter', at_local) + INTERVAL 3 MONTH - INTERVAL 7 DAY "
    "AND at_local < '2017-10-01'"
)


def _mark(con: duckdb.DuckDBPyConnection, name: str, change: str, eligible: str) -> None:
    """Change the orders that a quota selects."""
    taken = chosen(name, eligible, "name")
    con.execute(
        f"""
        UPDATE web_order SET {change}
        WHERE name IN (SELECT name FROM web_order QUALIFY {taken})
        """
    )


def write_lines(con: duckdb.DuckDBPyConnection) -> None:
    """Make ``web_line``: the ordered products, plus free samples and gift wrapping on some.

    A corrected order has an earlier version: every second one with one more piece of its first
    product, the others with one more product.
    """
    con.execute(
        f"""
        CREATE TABLE web_line AS
        WITH real AS (
            SELECT o.name, l.line, l.product_id::VARCHAR AS sku, l.quantity::BIGINT AS quantity,
                l.price_c, l.discount_c, o.trap, o.lines, o.status
            FROM line l JOIN web_order o USING (basket_id)
        ), extra AS (
            SELECT name, lines + 1 AS line, '{SAMPLE_SKU}' AS sku, 1 AS quantity, 0 AS price_c,
                0 AS discount_c
            FROM web_order WHERE u('sample', name) < 0.03 AND status = 'paid' AND trap IS NULL
            UNION ALL
            SELECT name, lines + 2, '{WRAP_SKU}', 1, {WRAP_C}, 0
            FROM web_order WHERE u('wrap', name) < 0.01 AND status = 'paid' AND trap IS NULL
        ), corrected AS (
            SELECT *, row_number() OVER (ORDER BY name) AS nth FROM real
            WHERE trap = 'corrected' AND line = 1
        ), earlier AS (
            SELECT r.name, r.line, r.sku,
                r.quantity + (r.line = 1 AND c.nth % 2 = 0)::INT AS quantity,
                r.price_c, r.discount_c
            FROM real r JOIN corrected c USING (name)
            UNION ALL
            SELECT a.name, a.lines + 1, b.sku, b.quantity, b.price_c, b.discount_c
            FROM corrected a JOIN corrected b ON b.nth = a.nth + 1 WHERE a.nth % 2 = 1
        )
        SELECT name, line, sku, quantity, price_c, discount_c, 2 AS version FROM real
        UNION ALL SELECT *, 2 FROM extra
        UNION ALL SELECT *, 1 FROM earlier
        """
    )


def write_rows(con: duckdb.DuckDBPyConnection) -> None:
    """Make ``shop_row``: the rows of the export, with the order's values on its first row."""
    con.execute(
        f"""
        CREATE TABLE shop_row AS
        WITH total AS (
            SELECT name, version, sum(price_c * quantity)::BIGINT AS gross_c,
                sum(discount_c)::BIGINT AS discount_c, min(line) AS first_line
            FROM web_line GROUP BY name, version
        ), refund AS (
            SELECT o.name, (l.price_c * l.quantity - l.discount_c)::BIGINT AS line_c
            FROM web_order o JOIN web_line l ON l.name = o.name AND l.line = o.refund_line
                AND l.version = 2
        ), counted AS (
            SELECT o.*, t.version, t.first_line, t.discount_c,
                t.gross_c - t.discount_c AS subtotal_c,
                CASE WHEN t.gross_c - t.discount_c >= {FREE_POSTAGE_FROM_C} THEN 0
                    ELSE {POSTAGE_C} END AS postage_c,
                refund.line_c, quarter(at_local) AS quarter,
                strftime(at_local, '%Y-%m-%d %H:%M:%S ')
                    || CASE date_diff('hour', at_utc, at_local) WHEN -4 THEN '-0400'
                        ELSE '-0500' END AS created_at,
                u('status', o.name) < 0.5 AS void
            FROM web_order o JOIN total t USING (name) LEFT JOIN refund USING (name)
        ), placed AS (
            -- the quarter's own export: of a corrected order the earlier version
            SELECT *, quarter AS file, 0 AS part FROM counted
            WHERE version = CASE WHEN trap = 'corrected' THEN 1 ELSE 2 END
            UNION ALL
            SELECT *, quarter + 1, 0 FROM counted WHERE version = 2 AND {_EXPORTED_TWICE}
            UNION ALL
            SELECT *, quarter, 1 FROM counted WHERE trap = 'repeated'
        ), amounts AS (
            SELECT *, subtotal_c + postage_c AS total_c,
                CASE WHEN cancelled THEN CASE WHEN void THEN 'voided' ELSE 'refunded' END
                    ELSE status END AS financial,
                CASE WHEN cancelled THEN CASE WHEN void THEN 0 ELSE subtotal_c + postage_c END
                    WHEN status = 'refunded' THEN subtotal_c + postage_c
                    WHEN status = 'partially_refunded' THEN line_c ELSE 0 END AS refunded_c
            FROM placed
        )
        SELECT p.file, p.part, p.name, l.line, l.line = p.first_line AS head, p.created_at,
            CASE WHEN u('case', p.name) < 0.04 THEN upper(p.email) ELSE p.email END AS email,
            p.buyer, p.token, p.financial, p.cancelled, p.at_utc, p.subtotal_c, p.postage_c,
            p.total_c, p.discount_c AS order_discount_c, p.refunded_c,
            l.sku, l.quantity, l.price_c, l.discount_c,
            CASE l.sku WHEN '{SAMPLE_SKU}' THEN 'Free sample for tasting'
                WHEN '{WRAP_SKU}' THEN 'Gift wrapping' ELSE c.title END AS title
        FROM amounts p JOIN web_line l USING (name, version)
        LEFT JOIN catalogue c ON c.item_id = l.sku
        """
    )
