"""Creates the visitors' events around the orders of the web shop, as GA4 exports them.

In: the tables ``web_order``, ``web_line`` and ``household``. Out: ``session`` (device and account
of each visit) and ``event`` (one row per event, with its JSON text). Called by ``build``.
"""

import duckdb

from training.demo.households import DESK_DEVICE

ABANDONED_SHARE = 0.25
#: Events exported twice, as at the boundary of two daily tables.
REPEATED_EVENTS = 20


def make_sessions(con: duckdb.DuckDBPyConnection) -> None:
    """Make ``session``: one for each order of someone with an account, and abandoned carts.

    Visitors log in at checkout, or in two of five visits at the start. Every abandoned cart is
    hours before an order: half contain the products ordered later, half others; half of their
    visitors are logged in.
    """
    con.execute(
        f"""
        CREATE TABLE session AS
        WITH visits AS (
            SELECT o.name, o.household_id, o.at_utc, h.account, h.tablet, h.at_desk, h.device_1,
                h.device_2,
                row_number() OVER (PARTITION BY o.household_id ORDER BY o.at_utc, o.name) AS nth,
                lag(o.name) OVER (ORDER BY u('stranger', o.name), o.name) AS stranger
            FROM web_order o JOIN household h USING (household_id)
            WHERE h.account IS NOT NULL AND NOT o.cancelled AND coalesce(o.trap, '') <> 'test'
        ), placed AS (
            SELECT *, CASE WHEN tablet IS NOT NULL AND nth % 2 = 1 THEN tablet
                WHEN at_desk AND nth = 2 THEN '{DESK_DEVICE}'
                WHEN device_2 IS NOT NULL AND nth > 1 AND u('device', name) < 0.4 THEN device_2
                ELSE device_1 END AS device
            FROM visits
        )
        SELECT name AS session, name AS cart, name AS transaction_id, household_id, device, account,
            at_utc AS end_utc,
            CASE WHEN u('login', name) < 0.4 THEN 'start' ELSE 'checkout' END AS login
        FROM placed
        UNION ALL
        SELECT name || '/left', CASE WHEN u('left', name) < 0.5 OR stranger IS NULL THEN name
                ELSE stranger END, NULL, household_id, device, account,
            at_utc - to_seconds(10800 + floor(u('hours', name) * 200000)::INT),
            CASE WHEN u('left login', name) < 0.5 THEN 'start' END
        FROM placed WHERE u('abandon', name) < {ABANDONED_SHARE} AND at_utc >= '2017-01-04'
        """
    )


def make_events(con: duckdb.DuckDBPyConnection) -> None:
    """Make ``event``: lists and products viewed, carts filled and emptied, checkout, purchase."""
    con.execute(
        """
        CREATE TABLE visited AS
        WITH items AS (
            SELECT s.*, row_number() OVER (PARTITION BY s.session ORDER BY l.line) AS i,
                l.sku, l.quantity, l.price_c
            FROM session s JOIN web_line l ON l.name = s.cart AND l.version = 2
            WHERE l.sku SIMILAR TO '[0-9]+'
        )
        SELECT *, (epoch_us(end_utc) - (90 + 20 * count(*) OVER (PARTITION BY session)) * 1000000)
                AS start_us,
            '{"item_id":"' || sku || '","price":' || money(price_c) || ',"quantity":"' || quantity
                || '"}' AS item
        FROM items
        -- a cart that is left holds three products at most
        WHERE transaction_id IS NOT NULL OR i <= 3;

        CREATE TABLE whole AS
        SELECT session, any_value(cart) AS cart, any_value(transaction_id) AS transaction_id,
            any_value(device) AS device, any_value(account) AS account, any_value(login) AS login,
            any_value(start_us) AS start_us, epoch_us(any_value(end_utc)) AS end_us,
            string_agg(item, ',' ORDER BY i) AS items, count(*) AS n_items,
            arg_min(item, i) AS first_item, sum(price_c * quantity)::BIGINT AS value_c
        FROM visited GROUP BY session;

        CREATE TABLE event AS
        WITH stray AS (
            SELECT *, lead(first_item) OVER (ORDER BY u('stray', session), session) AS other
            FROM whole
        ), found AS (
            SELECT session, 'view_item_list' AS name, start_us AS at_us, items,
                false AS checkout, 0 AS i, n_items
            FROM whole WHERE u('list', session) < 0.2
            UNION ALL
            SELECT session, 'view_item', start_us + (20 * i - 9) * 1000000, item, false, i, 1
            FROM visited WHERE u('view', concat(session, '/', i)) < 0.3
            UNION ALL
            SELECT session, 'add_to_cart', start_us + 20 * max(i) * 1000000,
                string_agg(item, ',' ORDER BY i), false, max(i), count(*)
            FROM visited GROUP BY session, start_us, (i - 1) // 3
            UNION ALL
            SELECT session, name, CASE name WHEN 'remove_from_cart' THEN end_us - 70000000
                ELSE start_us + step * 1000000 END, other, false, 0, 1
            FROM stray, (VALUES ('view_item', 3), ('add_to_cart', 7), ('remove_from_cart', 0))
                AS steps(name, step)
            WHERE u('stray', session) < 0.12 AND other IS NOT NULL
            UNION ALL
            SELECT session, 'begin_checkout', end_us - 45000000, items, true, 0, n_items
            FROM whole WHERE transaction_id IS NOT NULL OR u('checkout', session) < 0.4
            UNION ALL
            SELECT session, 'purchase', end_us, items, true, 0, n_items FROM whole
            WHERE transaction_id IS NOT NULL
        ), timed AS (
            SELECT f.* REPLACE (at_us
                    + floor(u('us', concat(session, '/', f.name, i)) * 900000)::BIGINT AS at_us),
                w.device, w.start_us, w.value_c, w.transaction_id,
                CASE WHEN w.login = 'start' OR (w.login = 'checkout' AND f.checkout)
                    THEN w.account END AS user_id
            FROM found f JOIN whole w USING (session)
        )
        SELECT at_us, session, name, i, device, user_id, n_items,
            month(local_time(make_timestamp(at_us))) AS month,
            -- whole numbers are texts, as BigQuery exports them
            concat('{"event_date":"', strftime(local_time(make_timestamp(at_us)), '%Y%m%d'),
                '","event_timestamp":"', at_us, '","event_name":"', name,
                '","event_params":[{"key":"ga_session_id","value":{"int_value":"',
                start_us // 1000000, '"}},{"key":"currency","value":{"string_value":"USD"}}',
                CASE WHEN name = 'purchase' THEN concat(',{"key":"transaction_id","value":',
                    '{"string_value":"', transaction_id, '"}}') END,
                ']', CASE WHEN user_id IS NOT NULL THEN concat(',"user_id":"', user_id, '"') END,
                ',"user_pseudo_id":"', device, '","platform":"WEB"',
                CASE WHEN name = 'purchase' THEN concat(',"ecommerce":{"transaction_id":"',
                    transaction_id, '","purchase_revenue":', money(value_c), '}') END,
                ',"items":[', items, ']}') AS json
        FROM timed
        """
    )
