"""Writes the truth of a demo: the identifiers of each household, and the expected ingest counts.

In: the finished tables. Out: ``truth.csv`` (type, value, household_id: raw identifiers as exported;
no household for shared ones) and ``truth.json`` (counts of orders, lines, traps and broken rows).
Called by ``build``; read by the self-check, the tests and ``benchmarks/identity.py``.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb

from training.demo.broken import Broken
from training.demo.households import DEFAULT_CARD, DESK_DEVICE, TEST_EMAIL, UNLISTED_CARD

IDENTIFIERS = "truth.csv"
COUNTS = "truth.json"

#: Each identifier in the exports. Shared identifiers belong to no household.
_WHO_IS_WHO = f"""
    WITH seen AS (
        SELECT 'loyalty_card' AS type, card AS value, household_id FROM ticket
            WHERE coalesce(trap, '') <> 'lent'
        UNION SELECT 'payment_token', token, household_id FROM ticket
        UNION SELECT 'loyalty_card', card_1, household_id
            FROM returned JOIN household USING (household_id)
        UNION SELECT 'payment_token', token_1, household_id
            FROM returned JOIN household USING (household_id)
        UNION SELECT 'payment_token', token, household_id FROM web_order
        UNION SELECT 'email', email, household_id FROM web_order
        UNION SELECT 'device', device, household_id FROM session
        UNION SELECT 'account', account, household_id FROM session WHERE login IS NOT NULL
        UNION SELECT 'account', account, household_id
            FROM registration JOIN household USING (account)
        UNION SELECT 'email', email, household_id
            FROM registration r JOIN household h ON r.email IN (h.email_1, h.email_2)
        UNION SELECT 'loyalty_card', card, household_id
            FROM registration r JOIN household h ON r.card = h.card_1
    )
    SELECT DISTINCT type, value,
        CASE WHEN value NOT IN (
            '{DEFAULT_CARD}', '{UNLISTED_CARD}', '{TEST_EMAIL}', '{DESK_DEVICE}')
            AND value NOT IN (SELECT tablet FROM household WHERE tablet IS NOT NULL)
            THEN household_id END AS household_id
    FROM seen WHERE value IS NOT NULL ORDER BY type, value
"""

_COUNTS = {
    "package": """
        SELECT count(*) AS lines, count(DISTINCT basket_id) AS baskets,
            count(DISTINCT household_id) AS households, count(DISTINCT store_id) AS stores,
            sum(amount_c) AS amount_minor FROM line
    """,
    "households": """
        SELECT count(*) FILTER (WHERE web) AS web,
            count(*) FILTER (WHERE web AND evidence = 'registered') AS web_by_registered_card,
            count(*) FILTER (WHERE web AND evidence = 'token') AS web_by_payment_token,
            count(*) FILTER (WHERE web AND evidence = 'both') AS web_by_both,
            count(*) FILTER (WHERE guest) AS web_guests,
            count(*) FILTER (WHERE second_card) AS two_cards,
            count(*) FILTER (WHERE second_token) AS two_payment_tokens,
            count(*) FILTER (WHERE second_email) AS two_emails,
            count(*) FILTER (WHERE second_device) AS two_devices,
            count(*) FILTER (WHERE cardless) AS no_card,
            count(*) FILTER (WHERE cash_only) AS no_payment_token_at_tills,
            count(*) FILTER (WHERE forgetful) AS often_without_card,
            count(*) FILTER (WHERE newsletter) AS newsletter_only FROM household
    """,
    "pos": """
        SELECT count(DISTINCT ticket) FILTER (WHERE type = 'sale') AS tickets,
            count(*) FILTER (WHERE type = 'sale') - count(*) FILTER (WHERE type = 'void') AS lines,
            (SELECT count(DISTINCT basket_id) FROM line SEMI JOIN ticket USING (basket_id)
                WHERE NOT free AND NOT non_product) AS orders,
            (SELECT count(*) FROM line SEMI JOIN ticket USING (basket_id)
                WHERE NOT free AND NOT non_product) AS sale_lines,
            (SELECT sum(amount_c) FROM line SEMI JOIN ticket USING (basket_id)
                WHERE NOT free AND NOT non_product) AS sale_minor,
            count(*) FILTER (WHERE type = 'return') AS return_lines,
            (SELECT -sum(amount_c) FROM returned) AS return_minor FROM till_row
    """,
    "web": """
        WITH kept AS (
            SELECT o.name, o.status, l.line = o.refund_line AS refunded, l.sku, l.line,
                l.price_c * l.quantity - l.discount_c AS amount_c
            FROM web_order o JOIN web_line l USING (name) WHERE l.version = 2 AND NOT o.cancelled
        ), product AS (SELECT * FROM kept WHERE sku SIMILAR TO '[0-9]+'),
        back AS (SELECT * FROM product WHERE status = 'refunded' OR coalesce(refunded, false))
        SELECT count(DISTINCT name) AS orders, count(*) AS sale_lines,
            sum(amount_c)::BIGINT AS sale_minor,
            (SELECT count(*) FROM back) AS return_lines,
            (SELECT -sum(amount_c)::BIGINT FROM back) AS return_minor,
            (SELECT count(DISTINCT name) FROM shop_row WHERE NOT cancelled AND postage_c > 0)
                AS orders_with_postage
        FROM product
    """,
    # Lines that rules leave out, counted under the first matching rule, in this order.
    "left_out": """
        SELECT (SELECT 2 * count(*) FROM till_row WHERE type = 'void') AS void,
            (SELECT count(*) FROM web_order JOIN web_line USING (name)
                WHERE cancelled AND version = 2) AS cancelled,
            count(*) FILTER (WHERE quantity = 0) AS zero_quantity,
            count(*) FILTER (WHERE quantity > 0 AND non_product)
                + (SELECT count(*) FROM web_order JOIN web_line USING (name)
                    WHERE NOT cancelled AND NOT sku SIMILAR TO '[0-9]+') AS non_product,
            count(*) FILTER (WHERE quantity > 0 AND NOT non_product AND free) AS free
        FROM line SEMI JOIN ticket USING (basket_id)
    """,
    # Rows exported twice: the copies that do not count.
    "counted_once": """
        SELECT (SELECT count(*) FROM shop_row WHERE part = 1)
                + (SELECT count(*) FROM till_row JOIN repeated_ticket r ON ticket = r.basket_id)
                AS in_one_file,
            (SELECT count(*) FROM (SELECT file, max(file) OVER (PARTITION BY name) AS last_file
                FROM shop_row WHERE part = 0) WHERE file < last_file) AS in_a_later_file
    """,
    "events": f"""
        SELECT count(*) AS events, sum(n_items)::BIGINT AS item_rows,
            count(DISTINCT session) AS sessions,
            count(DISTINCT session) FILTER (WHERE session LIKE '%/left') AS abandoned_carts,
            count(*) FILTER (WHERE name = 'purchase') AS purchases,
            count(*) FILTER (WHERE device = '{DESK_DEVICE}') AS on_the_desk_device FROM event
    """,
    "catalogue": """
        SELECT count(*) AS products, count(*) FILTER (WHERE active) AS active,
            count(parent_id) AS variants, (SELECT count(*) FROM place) AS locations,
            (SELECT count(*) FROM stock) AS stock, (SELECT count(*) FROM registration)
                AS registrations FROM catalogue
    """,
    "traps": f"""
        SELECT count(*) FILTER (WHERE cancelled) AS cancelled_orders,
            count(*) FILTER (WHERE status = 'refunded') AS refunded_orders,
            count(*) FILTER (WHERE status = 'partially_refunded') AS partly_refunded_orders,
            count(*) FILTER (WHERE trap = 'corrected') AS corrected_orders,
            count(*) FILTER (WHERE trap = 'repeated') AS orders_twice_in_a_file,
            (SELECT count(*) FROM (SELECT name FROM shop_row GROUP BY name
                HAVING count(DISTINCT file) > 1)) AS orders_in_two_files,
            count(*) FILTER (WHERE trap = 'test') AS test_email_orders,
            (SELECT count(*) FROM repeated_ticket) AS tickets_twice_in_a_file,
            (SELECT count(*) FROM till_row WHERE type = 'void') AS void_lines,
            (SELECT count(*) FROM ticket WHERE trap = 'default') AS default_card_tickets,
            (SELECT count(*) FROM ticket WHERE trap = 'unlisted') AS unlisted_card_tickets,
            (SELECT count(*) FROM ticket WHERE trap = 'lent') AS lent_card_tickets,
            (SELECT count(*) FROM ticket WHERE coalesce(card, token) IS NULL) AS tickets_of_nobody,
            (SELECT count(*) FROM returned WHERE kind = 'referenced') AS returns_with_ticket,
            (SELECT count(*) FROM returned WHERE kind = 'unreferenced') AS returns_without_ticket,
            (SELECT count(*) FROM returned WHERE kind = 'web' AND original_ticket IS NOT NULL)
                AS web_returns_in_store_with_number,
            (SELECT count(*) FROM returned WHERE kind = 'web' AND original_ticket IS NULL)
                AS web_returns_in_store_without_number,
            (SELECT count(DISTINCT tablet) FROM household) AS shared_tablets,
            (SELECT count(DISTINCT household_id) FROM session WHERE device = '{DESK_DEVICE}')
                AS households_on_the_desk_device,
            (SELECT count(*) FROM ticket WHERE at_local >= '2017-11-05 01:00:00'
                AND at_local < '2017-11-05 02:00:00') AS tickets_in_the_hour_that_came_twice
        FROM web_order
    """,
}


def write_truth(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    *,
    seed: int,
    broken: list[Broken],
    repeated_events: int,
) -> dict[str, Any]:
    """Write both files, and return the content of the second."""
    target = str(folder / IDENTIFIERS).replace("'", "''")
    con.execute(f"COPY ({_WHO_IS_WHO}) TO '{target}' (FORMAT csv, HEADER true)")
    truth: dict[str, Any] = {"seed": seed}
    for name, query in _COUNTS.items():
        result = con.execute(query)
        columns = [column[0] for column in result.description or []]
        row = result.fetchone() or ()
        truth[name] = {column: int(value or 0) for column, value in zip(columns, row, strict=True)}
    truth["traps"]["repeated_events"] = repeated_events
    truth["broken"] = [asdict(row) for row in broken]
    (folder / COUNTS).write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    return truth
