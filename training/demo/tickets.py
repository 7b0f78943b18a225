"""Turns the other baskets into the lines that the stores' tills export.

In: the tables of ``source`` and ``households``. Out: ``ticket`` (one row per ticket with its card
and payment token), ``returned`` (returned lines and their orders) and ``till_row`` (the rows of the
export). Called by ``build`` after ``orders``, because some web orders are returned in a store.
"""

import duckdb

from training.demo.households import DEFAULT_CARD, UNLISTED_CARD
from training.demo.rule import chosen, size

#: First number of invented tickets; those of the package are below 42 billion.
RETURN_TICKETS = 90_000_000_000
BROKEN_TICKETS = 98_000_000_000


def write_tickets(con: duckdb.DuckDBPyConnection) -> None:
    """Make ``ticket``: payment and loyalty card of each ticket.

    A household's first ticket, and the first of each of its payment tokens, shows its own first
    card: the evidence that holds its identifiers together. Traps touch only other tickets.
    """
    con.execute(
        """
        CREATE TABLE ticket AS
        WITH numbered AS (
            SELECT b.basket_id, b.household_id, b.store_id, b.at_local, b.lines,
                h.cardless, h.cash_only, h.second_card, h.second_token, h.forgetful,
                h.card_1, h.card_2, h.token_1, h.token_2,
                row_number() OVER (
                    PARTITION BY b.household_id ORDER BY b.at_utc, b.basket_id) AS nth,
                u('pay', b.basket_id) AS pay, u('card', b.basket_id) AS shown
            FROM basket b JOIN household h USING (household_id)
            ANTI JOIN web_basket w USING (basket_id)
        ), paid AS (
            SELECT *, CASE WHEN cash_only THEN 0
                WHEN nth = 1 THEN 1
                WHEN pay < 0.12 THEN 0
                WHEN second_token AND at_local >= '2017-07-01' AND pay < 0.6 THEN 2
                ELSE 1 END AS token_no
            FROM numbered
        ), first_paid AS (
            SELECT *, nth = 1 OR (token_no > 0 AND row_number() OVER (
                PARTITION BY household_id, token_no ORDER BY nth) = 1) AS evidence
            FROM paid
        ), carded AS (
            SELECT *, CASE WHEN cardless THEN 0
                WHEN evidence THEN 1
                WHEN second_card AND token_no = 1 AND shown < 0.30 THEN 2
                WHEN forgetful AND token_no > 0 AND shown < 0.35 THEN 0
                WHEN token_no > 0 AND shown < 0.02 THEN 0
                ELSE 1 END AS card_no
            FROM first_paid
        )
        SELECT basket_id, household_id, store_id, at_local, lines,
            1 + floor(u('till', basket_id) * 8)::INT AS till,
            evidence OR (card_no = 2 AND row_number() OVER (
                PARTITION BY household_id, card_no ORDER BY nth) = 1) AS evidence,
            CASE card_no WHEN 1 THEN card_1 WHEN 2 THEN card_2 END AS card,
            CASE token_no WHEN 1 THEN token_1 WHEN 2 THEN token_2 END AS token
        FROM carded
        """
    )
    paid = "NOT evidence AND token IS NOT NULL"
    traps = (
        ("default_card", f"card = '{DEFAULT_CARD}'", "default", paid),
        ("unlisted_card", f"card = '{UNLISTED_CARD}'", "unlisted", paid),
        ("nobody", "card = NULL, token = NULL", "nobody", "NOT evidence"),
    )
    con.execute("ALTER TABLE ticket ADD COLUMN trap VARCHAR")
    _lend_cards(con)
    for name, change, trap, eligible in traps:
        taken = chosen(name, f"{eligible} AND trap IS NULL", "basket_id")
        con.execute(
            f"""
            UPDATE ticket SET {change}, trap = '{trap}'
            WHERE basket_id IN (SELECT basket_id FROM ticket QUALIFY {taken})
            """
        )


def _lend_cards(con: duckdb.DuckDBPyConnection) -> None:
    """Let a few customers use another customer's card once, but pay themselves."""
    taken = chosen("lent_card", "NOT evidence AND token IS NOT NULL", "basket_id")
    con.execute(
        f"""
        UPDATE ticket SET card = lender.card_1, trap = 'lent'
        FROM (
            SELECT borrower.basket_id, h.card_1
            FROM (
                SELECT *, row_number() OVER (ORDER BY basket_id) AS nth
                FROM (SELECT * FROM ticket QUALIFY {taken})
            ) borrower JOIN (
                SELECT *, row_number() OVER (
                    ORDER BY u('lender', household_id), household_id) AS nth
                FROM household WHERE card_1 IS NOT NULL
            ) h ON h.nth = borrower.nth AND h.household_id <> borrower.household_id
        ) AS lender
        WHERE ticket.basket_id = lender.basket_id
        """
    )


def write_returns(con: duckdb.DuckDBPyConnection) -> None:
    """Make ``returned``: whole lines returned at a till one to fourteen days later.

    Three kinds, one third each: bought at a till and returned with the ticket (``referenced``),
    or without it (``unreferenced``), and ordered online and returned in the customer's usual store
    (``web``, every second one with the order's number).
    """
    con.execute(
        f"""
        CREATE TABLE returned AS
        WITH bought AS (
            SELECT l.*, t.basket_id::VARCHAR AS ticket, t.store_id AS back_at, 'till' AS bought_in
            FROM line l JOIN ticket t USING (basket_id)
            WHERE t.trap IS NULL AND coalesce(t.card, t.token) IS NOT NULL
            UNION ALL
            SELECT l.*, o.name AS ticket, h.home_store AS back_at, 'web' AS bought_in
            FROM line l JOIN web_order o USING (basket_id)
            JOIN household h ON h.household_id = l.household_id
            WHERE o.status = 'paid' AND o.trap IS NULL AND NOT o.cancelled
        ), suited AS (
            SELECT *, row_number() OVER (
                PARTITION BY bought_in
                ORDER BY u('return', concat(basket_id, '/', product_id)), basket_id, product_id
            ) AS place
            FROM bought
            WHERE amount_c >= 200 AND NOT non_product AND at_local < '2017-12-10'
                AND department IN ('GROCERY', 'DRUG GM', 'COSMETICS', 'NUTRITION')
                AND u('return', concat(basket_id, '/', product_id)) < 0.05
        ), sized AS (
            SELECT *, (SELECT {size("returned", "count(*)")} FROM basket) AS size
            FROM suited
        ), chosen AS (
            SELECT *, CASE WHEN bought_in = 'web' THEN 'web'
                WHEN place % 2 = 0 THEN 'referenced' ELSE 'unreferenced' END AS kind
            FROM sized WHERE place <= CASE bought_in WHEN 'till' THEN 2 * size ELSE size END
        )
        SELECT row_number() OVER (ORDER BY kind, basket_id, product_id) AS nth, kind, back_at,
            CASE WHEN kind = 'referenced' OR (kind = 'web' AND place % 2 = 0) THEN ticket END
                AS original_ticket,
            existing(at_local + to_days(1 + floor(u('return days', basket_id) * 14)::INT))
                AS back_local,
            household_id, basket_id, product_id, quantity, price_c, discount_c, amount_c
        FROM chosen
        """
    )


def write_rows(con: duckdb.DuckDBPyConnection) -> None:
    """Make ``till_row``: sales, returns, voided lines, and tickets exported twice."""
    void = chosen("struck_out", "lines >= 3 AND trap IS NULL", "basket_id")
    con.execute(
        f"""
        CREATE TABLE voided AS
        WITH picked AS (
            SELECT *, row_number() OVER (ORDER BY basket_id) AS nth
            FROM (SELECT * FROM ticket QUALIFY {void})
        ), item AS (
            SELECT p.*, l.product_id, l.quantity, l.price_c, l.discount_c
            FROM picked p JOIN line l USING (basket_id)
            WHERE NOT l.free AND NOT l.non_product
            QUALIFY row_number() OVER (
                PARTITION BY basket_id ORDER BY u('void line', l.product_id), l.product_id) = 1
        )
        -- every second one was scanned twice; the others are what the next such customer took
        SELECT a.basket_id, a.lines, v.product_id, v.quantity, v.price_c, v.discount_c
        FROM item a JOIN item v
            ON v.nth = CASE WHEN a.nth % 2 = 0 THEN a.nth ELSE a.nth + 1 END;

        CREATE TABLE till_row AS
        WITH rows AS (
            SELECT basket_id AS ticket, line, product_id, quantity, price_c, discount_c,
                'sale' AS type, NULL AS original_ticket
            FROM line SEMI JOIN ticket USING (basket_id)
            UNION ALL
            SELECT basket_id, lines + step, product_id, quantity, price_c, discount_c,
                CASE step WHEN 1 THEN 'sale' ELSE 'void' END, NULL
            FROM voided, range(1, 3) AS steps(step)
        ), named AS (
            SELECT r.*, t.store_id, t.till, t.card, t.token, t.at_local
            FROM rows r JOIN ticket t ON t.basket_id = r.ticket
            UNION ALL
            SELECT {RETURN_TICKETS} + nth, 1, product_id, quantity, price_c, discount_c, 'return',
                original_ticket, back_at, 9, h.card_1, h.token_1, back_local
            FROM returned JOIN household h USING (household_id)
        )
        SELECT *, month(at_local) AS month,
            CASE WHEN quantity = floor(quantity) THEN quantity::BIGINT::VARCHAR
                ELSE printf('%.3f', quantity) END AS quantity_text,
            -- one store in ten prints cards in groups of four
            CASE WHEN u('spaced', store_id) < 0.1
                THEN rtrim(regexp_replace(card, '(....)', '\\1 ', 'g')) ELSE card END AS card_text
        FROM named
        """
    )
    twice = chosen("ticket_twice", "lines BETWEEN 2 AND 30", "basket_id")
    con.execute(f"CREATE TABLE repeated_ticket AS SELECT basket_id FROM ticket QUALIFY {twice}")
