"""Creates the households: how they identify themselves, and whether they shop online.

In: the tables of ``source``. Out: the tables ``household`` (one row per household: flags, cards,
tokens, e-mails, accounts, devices) and ``web_basket`` (the baskets that became web orders). ``u``
makes all choices, so the same seed gives the same data. Called by ``build``.
"""

import duckdb

from training.demo.rule import chosen, size

#: A till's default card for customers without one; `identity.blocked` lists it.
DEFAULT_CARD = "2900000000000"
#: A shared card at other tills, which `identity.blocked` does not list.
UNLISTED_CARD = "2999999999997"
TEST_EMAIL = "test@example.com"
#: The tablet at the service desk, on which staff log customers in.
DESK_DEVICE = "1000000001.1483228800"

_FIRST_NAMES_TEXT = (
    "Ada Amir Ana Ben Carla Chloé Dana Diego Elif Emma Felix Grace Hana Ines Ivan Jonas José "
    "Kofi Lena Liam Maya Mei Nadia Noah Olga Omar Priya Rosa Sam Søren Tara Victor Yara Zoë"
)
FIRST_NAMES = tuple(_FIRST_NAMES_TEXT.split())
LAST_NAMES = (
    "Adams",
    "Baker",
    "Brown",
    "Castillo",
    "Chen",
    "Cole",
    "Díaz",
    "Evans",
    "Fischer",
    "Garcia",
    "Haddad",
    "Ito",
    "Johnson",
    "Kim",
    "Kowalski",
    "Larsen",
    "Lopez",
    "Martin",
    "Moore",
    "Müller",
    "Nguyen",
    "O'Neil",
    "Okafor",
    "Patel",
    "Quinn",
    "Reyes",
    "Rossi",
    "Silva",
    "Singh",
    "Stone",
    "Turner",
    "Weber",
    "Wong, Jr.",
    "Young",
)

#: Relative chance that a basket is ordered online, in percent of the average, by department.
ONLINE_TILT = {
    "DRUG GM": 190,
    "COSMETICS": 220,
    "NUTRITION": 170,
    "GROCERY": 110,
    "GARDEN CENTER": 120,
    "SPIRITS": 90,
    "MEAT-PCKGD": 70,
    "FROZEN GROCERY": 70,
    "PRODUCE": 55,
    "PASTRY": 50,
    "SEAFOOD-PCKGD": 50,
    "MEAT": 40,
    "SEAFOOD": 30,
    "DELI": 30,
    "FLORAL": 30,
}


def assign_households(con: duckdb.DuckDBPyConnection) -> None:
    """Make the table ``household`` with each household's traits and identifiers."""
    # In this order, because eligibility depends on earlier choices.
    eligible = {
        "web": "baskets >= 8 AND online_baskets >= 5",
        "cardless": "true",
        "cash_only": "NOT cardless",
        "second_card": "NOT cardless AND NOT cash_only",
        "second_token": "NOT cash_only AND NOT cardless",
        "forgetful": "NOT cardless AND NOT cash_only",
        "guest": "web AND evidence = 'token'",
        "second_email": "web AND NOT guest",
        "second_device": "web AND NOT guest",
        "newsletter": "NOT web AND NOT cardless",
    }
    con.execute(
        """
        CREATE TABLE household AS
        SELECT household_id, count(*) AS baskets, count(*) FILTER (WHERE online) AS online_baskets,
            mode(store_id ORDER BY store_id) AS home_store
        FROM basket GROUP BY household_id
        """
    )
    for name, condition in eligible.items():
        columns = f"*, {chosen(name, condition, 'household_id')} AS {name}"
        con.execute(f"CREATE OR REPLACE TABLE household AS SELECT {columns} FROM household")
        if name == "cash_only":
            con.execute(
                f"CREATE OR REPLACE TABLE household AS SELECT *, {_EVIDENCE} FROM household"
            )
    con.execute(f"CREATE OR REPLACE TABLE household AS {_identifiers()}")


#: The household used in the documentation, in every size of the demo: of the web households that
#: always show their only card, the one with the most online orders.
_IS_ADA = """household_id IS NOT DISTINCT FROM (
    SELECT household_id FROM household
    WHERE web AND NOT (guest OR cardless OR forgetful OR second_card OR second_email)
    ORDER BY online_baskets DESC, household_id LIMIT 1)"""
ADA_EMAIL = "ada@example.org"
ADA_CARD = "21000017"


#: Evidence that links a web shopper's till tickets to the web orders.
_EVIDENCE = """
    CASE WHEN NOT web THEN NULL
        WHEN cardless THEN 'token'
        WHEN cash_only THEN 'registered'
        ELSE ['registered', 'token', 'registered', 'token', 'both'][1 + row_number() OVER (
            PARTITION BY web, cardless, cash_only
            ORDER BY u('evidence', household_id), household_id) % 5] END AS evidence
"""


def _identifiers() -> str:
    """Return SQL that gives each household its identifiers.

    Numbers are multiplied modulo a prime, so they are unique and do not reveal the id.
    """

    def number(factor: int, prime: int, k: int) -> str:
        return f"((household_id * 8 + {k}) * {factor} % {prime})"

    def card(k: int) -> str:
        return f"'29' || lpad({number(48271, 99999989, k)}::VARCHAR, 8, '0') || '{k + 101}'"

    def token(k: int) -> str:
        return f"'tok_' || left(md5(concat('{k}/', u('token', household_id), household_id)), 16)"

    def device(k: int) -> str:
        return f"(2000000000 + {number(69621, 99999989, k)}) || '.' || (1483228800 + household_id)"

    def pick(names: tuple[str, ...], purpose: str) -> str:
        listed = ", ".join("'" + name.replace("'", "''") + "'" for name in names)
        return f"[{listed}][1 + floor(u('{purpose}', household_id) * {len(names)})::INT]"

    email = (
        "regexp_replace(lower(strip_accents(first_name || '.' || last_name)), '[^a-z.ø]', '', 'g')"
    )
    return f"""
        SELECT *,
            CASE WHEN ada THEN '{ADA_CARD}' WHEN NOT cardless THEN {card(0)} END AS card_1,
            CASE WHEN second_card THEN {card(1)} END AS card_2,
            CASE WHEN NOT cash_only THEN {token(0)} END AS token_1,
            CASE WHEN second_token THEN {token(1)} END AS token_2,
            CASE WHEN web THEN {token(2)} END AS token_web,
            CASE WHEN ada THEN '{ADA_EMAIL}' WHEN web OR newsletter THEN replace({email}, 'ø', 'o')
                || {number(7919, 99991, 0)} || '@mail.example' END AS email_1,
            CASE WHEN second_email THEN replace({email}, 'ø', 'o')
                || {number(7919, 99991, 1)} || '@post.example' END AS email_2,
            CASE WHEN web AND NOT guest
                THEN 'A' || lpad({number(5641, 999983, 0)}::VARCHAR, 6, '0') END AS account,
            CASE WHEN web AND NOT guest THEN {device(0)} END AS device_1,
            CASE WHEN second_device THEN {device(1)} END AS device_2
        FROM (
            SELECT *,
                CASE WHEN ada THEN 'Ada' ELSE {pick(FIRST_NAMES, "first")} END AS first_name,
                {pick(LAST_NAMES, "last")} AS last_name
            FROM (SELECT *, {_IS_ADA} AS ada FROM household)
        )
    """


def split_channels(con: duckdb.DuckDBPyConnection) -> None:
    """Make the table ``web_basket``: which whole baskets were ordered in the web shop.

    A web household orders 12 to 45 percent of its baskets online, with a preference for typical
    online products (``ONLINE_TILT``) and large baskets; at least two are ordered online and at
    least three are bought in stores.
    """
    tilt = " ".join(f"WHEN '{name}' THEN {percent}" for name, percent in ONLINE_TILT.items())
    con.execute(
        f"""
        CREATE TABLE web_basket AS
        WITH tilted AS (
            SELECT basket_id, sum(amount_c * CASE department {tilt} ELSE 60 END)::DOUBLE
                / greatest(sum(amount_c), 1) / 100 AS tilt
            FROM line GROUP BY basket_id
        ), scored AS (
            SELECT b.basket_id, b.household_id, h.baskets,
                u('channel', b.basket_id) / ((0.12 + 0.33 * u('taste', h.household_id)) * t.tilt
                    * (0.5 + least(b.amount_c / 4000.0, 1.0))) AS score
            FROM basket b JOIN household h USING (household_id) JOIN tilted t USING (basket_id)
            WHERE h.web AND b.online AND b.amount_c > 0
        ), ranked AS (
            SELECT *,
                row_number() OVER (PARTITION BY household_id ORDER BY score, basket_id) AS place
            FROM scored
        )
        SELECT basket_id, household_id FROM ranked
        WHERE (score < 1 OR place <= 2) AND place <= baskets - 3
        """
    )


def share_devices(con: duckdb.DuckDBPyConnection) -> None:
    """Give pairs of households one tablet, and a few more the device at the customers' desk.

    Only households with at least four web orders share, so that each is observed on it.
    """
    con.execute(
        f"""
        CREATE OR REPLACE TABLE household AS
        WITH orders AS (
            SELECT household_id, count(*) AS web_orders FROM web_basket GROUP BY household_id
        ), joined AS (
            SELECT h.*, coalesce(o.web_orders, 0) AS web_orders,
                account IS NOT NULL AND coalesce(o.web_orders, 0) >= 4 AS shares
            FROM household h LEFT JOIN orders o USING (household_id)
        ), placed AS (
            SELECT *, row_number() OVER (
                ORDER BY NOT shares, u('tablet', household_id), household_id) AS place,
                {size("tablet_pair", "count(*) OVER ()")} AS pairs,
                {size("desk", "count(*) OVER ()")} AS desks
            FROM joined
        )
        SELECT * EXCLUDE (shares, place, pairs, desks),
            CASE WHEN shares AND place <= 2 * pairs
                THEN (3000000000 + (place + 1) // 2) || '.1483228800' END AS tablet,
            shares AND place > 2 * pairs AND place <= 2 * pairs + desks AS at_desk
        FROM placed
        """
    )


def register(con: duckdb.DuckDBPyConnection) -> None:
    """Make ``registration``: which account has which e-mail, and whose card it is.

    It has everyone with an account, the day before their first order, with the card if that is
    their evidence. Some store customers registered card and e-mail for the newsletter. Two cards
    were registered with the shop's test e-mail.
    """
    con.execute(
        f"""
        CREATE TABLE registration AS
        WITH first AS (
            SELECT household_id, min(at_local) AS at_local FROM web_order GROUP BY household_id
        )
        SELECT account, email_1 AS email, existing(f.at_local - INTERVAL 1 DAY) AS at_local,
            CASE WHEN evidence IN ('registered', 'both') THEN card_1 END AS card
        FROM household JOIN first f USING (household_id) WHERE account IS NOT NULL
        UNION ALL
        SELECT account, email_2, existing(f.at_local - INTERVAL 1 HOUR), NULL
        FROM household JOIN first f USING (household_id) WHERE second_email
        UNION ALL
        SELECT NULL, email_1, TIMESTAMP '2017-01-02 09:00:00'
            + to_hours(24 * floor(u('signed up', household_id) * 360)::INT), card_1
        FROM household WHERE newsletter
        UNION ALL
        (SELECT NULL, '{TEST_EMAIL}', TIMESTAMP '2017-02-01 09:00:00', card_1
        FROM household WHERE card_1 IS NOT NULL AND NOT web AND NOT newsletter
        ORDER BY u('desk test', household_id), household_id LIMIT 2)
        """
    )
