"""Creates the catalogue, the locations and the stock of the demo's retailer.

In: the tables of ``source``. Out: ``catalogue`` (products with readable titles, variants, prices
and invented costs), ``place`` (stores and the online warehouse) and ``stock`` (invented). Called by
``build``.
"""

import duckdb
import pyarrow as pa

from training.demo import titles
from training.demo.source import TIME_ZONE

ONLINE = "online"
REGIONS = ("North", "East", "South", "West")
#: Maximum size of a variant group; larger ones are whole shelves, such as greeting cards.
MOST_VARIANTS = 24
#: Minimum age for beer, wine, liquor and tobacco in the United States.
MINIMUM_AGE = 21
_FOR_ADULTS_TEXT = (
    "SPIRITS, BEERS/ALES, DOMESTIC WINE, IMPORTED WINE, MISC WINE, CIGARETTES, CIGARS, "
    "BEERALEMALT LIQUORS, GIFT BASKETS BEER, VODKAS(42 UNDER PROOF), CHEWING TOBACCO, "
    "SMOKING TOBACCO, SNUFF"
)
#: Departments, categories and types with the age limit, and types exempt from it.
_FOR_ADULTS = tuple(_FOR_ADULTS_TEXT.split(", "))
_FOR_ALL = ("BEERALE -NON ALCOHOLIC", "NON-ALCOHLIC WINES", "CRV DEPOSIT T/NF")


def make_catalogue(con: duckdb.DuckDBPyConnection) -> None:
    """Make ``catalogue``: the purchased products, and their unsold sizes.

    - Price: the median shelf price of one piece; none if nobody bought it.
    - Cost: invented. The margin is 18 to 42 percent by category, 8 points more for own brands.
    - Active: sold in the last 26 weeks.
    - Age restriction: 21 for beer, wine, liquor and tobacco.
    - Variant: same type, brand and maker in several sizes. The parent is the active variant with
      the smallest id, else the smallest id. Variants of an inactive parent are not sold either.
    """
    labels = con.execute(
        "SELECT DISTINCT unnest([product_type, product_category]) AS label FROM raw_product"
    ).fetchall()
    shelf = [row[0] for row in labels if row[0] is not None]
    names = con.execute("SELECT DISTINCT department FROM raw_product").fetchall()
    sizes = con.execute("SELECT DISTINCT package_size FROM raw_product").fetchall()
    for table, spoken in (
        ("words", {label: titles.readable(label) for label in shelf}),
        ("departments", {name: titles.department(name) for (name,) in names if name}),
        ("sizes", {text: titles.size(text) for (text,) in sizes if text}),
    ):
        con.register(
            table,
            pa.table(
                {
                    "raw": pa.array(spoken, pa.string()),
                    "said": pa.array(spoken.values(), pa.string()),
                }
            ),
        )
    con.execute(
        f"""
        CREATE TABLE catalogue AS
        WITH sold AS (
            SELECT product_id, round(median(price_c))::BIGINT AS price_c,
                max(at_local) >= '2017-07-03' AS active
            FROM line WHERE price_c > 0 GROUP BY product_id
        ), family AS (
            SELECT product_type, product_category, brand, manufacturer_id,
                coalesce(min(product_id) FILTER (active), min(product_id)) AS parent
            FROM raw_product LEFT JOIN sold USING (product_id)
            WHERE package_size IS NOT NULL AND product_type IS NOT NULL
            GROUP BY ALL
            HAVING count(*) BETWEEN 2 AND {MOST_VARIANTS} AND count(DISTINCT package_size) > 1
        ), variant AS (
            SELECT p.*, CASE WHEN p.package_size IS NOT NULL THEN f.parent END AS parent
            FROM raw_product p
            LEFT JOIN family f USING (product_type, product_category, brand, manufacturer_id)
        ), bought AS (SELECT DISTINCT product_id FROM line),
        listed AS (
            SELECT product_id FROM bought
            UNION
            SELECT v.product_id FROM variant v SEMI JOIN (
                SELECT parent FROM variant SEMI JOIN bought USING (product_id)
                WHERE parent IS NOT NULL
            ) USING (parent)
        )
        SELECT v.product_id::VARCHAR AS item_id,
            concat_ws(', ', CASE WHEN v.product_type IN {titles.VAGUE}
                    THEN c.said || ': ' || lower(t.said) ELSE coalesce(t.said, d.said) END,
                s.said, CASE v.brand WHEN 'Private' THEN 'own brand'
                    ELSE 'maker ' || v.manufacturer_id END) AS title,
            CASE WHEN v.parent <> v.product_id THEN v.parent::VARCHAR END AS parent_id,
            d.said AS department, coalesce(c.said, d.said) AS category,
            CASE v.brand WHEN 'Private' THEN 'Own brand'
                ELSE 'Maker ' || v.manufacturer_id END AS brand,
            sold.price_c,
            CASE WHEN sold.price_c IS NOT NULL THEN greatest(1, round(sold.price_c
                * (1 - 0.18 - 0.24 * u('margin', v.product_category)
                    - CASE v.brand WHEN 'Private' THEN 0.08 ELSE 0 END)))::BIGINT END AS cost_c,
            coalesce(sold.active, false) AS active,
            v.package_size, v.manufacturer_id::VARCHAR AS maker,
            CASE WHEN coalesce(v.product_type NOT IN {_FOR_ALL}, true) AND (
                v.department IN {_FOR_ADULTS} OR v.product_category IN {_FOR_ADULTS}
                OR v.product_type IN {_FOR_ADULTS}
            ) THEN {MINIMUM_AGE} END AS age_restriction,
            v.product_id
        FROM variant v
        SEMI JOIN listed USING (product_id)
        JOIN departments d ON d.raw = v.department
        LEFT JOIN words t ON t.raw = v.product_type
        LEFT JOIN words c ON c.raw = v.product_category
        LEFT JOIN sizes s ON s.raw = v.package_size
        LEFT JOIN sold USING (product_id)
        """
    )
    for table in ("words", "departments", "sizes"):
        con.unregister(table)


def make_places(con: duckdb.DuckDBPyConnection) -> None:
    """Make ``place`` (with invented regions) and ``stock`` (all invented).

    A store stocks the products that it sold in the last quarter; the warehouse stocks everything
    sold in that quarter. On hand are one to five weeks of sales plus a few pieces; 7 percent are
    sold out. A location's cost differs from the catalogue's by up to 4 percent.
    """
    regions = ", ".join(f"'{region}'" for region in REGIONS)
    con.execute(
        f"""
        CREATE TABLE place AS
        SELECT store_id::VARCHAR AS location_id, 'Store ' || store_id AS name, 'store' AS kind,
            [{regions}][1 + floor(u('region', store_id) * {len(REGIONS)})::INT] AS region,
            '{TIME_ZONE}' AS time_zone, store_id
        FROM (SELECT DISTINCT store_id FROM basket)
        UNION ALL
        SELECT '{ONLINE}', 'Online warehouse', 'online', NULL, '{TIME_ZONE}', NULL;

        CREATE TABLE stock AS
        WITH sold AS (
            SELECT store_id::VARCHAR AS location_id, product_id, sum(quantity) / 13 AS weekly
            FROM line WHERE at_local >= '2017-10-01' AND price_c > 0 AND NOT non_product
            GROUP BY ALL
            UNION ALL
            SELECT '{ONLINE}', product_id, sum(quantity) / 13
            FROM line WHERE at_local >= '2017-10-01' AND price_c > 0 AND online
            GROUP BY ALL
        ), keyed AS (
            SELECT *, concat(location_id, '/', product_id) AS key FROM sold
        )
        SELECT location_id, c.item_id,
            CASE WHEN u('empty', key) < 0.07 THEN 0
                ELSE ceil(weekly * (1 + 4 * u('weeks', key)) + 4 * u('pieces', key))::BIGINT END
                AS on_hand,
            greatest(1, round(c.cost_c * (0.96 + 0.08 * u('local cost', key))))::BIGINT AS cost_c
        FROM keyed JOIN catalogue c USING (product_id)
        """
    )
