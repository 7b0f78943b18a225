"""Sales at locations and ages of products: what rules ask, against plain loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.config.filters import ALL_OF_PRODUCTS, FilterError, parse_filter
from recsys.datasets.item_index import ItemIndex
from recsys.ranking.availability import Availability
from recsys.ranking.margins import Costs, Margins
from recsys.ranking.product_filter import FilterData
from recsys.ranking.sales import Sales
from recsys.units import DAY

N, AS_OF = 6, 100 * DAY
STORE, OTHER, NOWHERE = 5, 7, 0


@given(st.lists(st.tuples(st.sampled_from([STORE, OTHER]), st.integers(0, N - 1)), unique=True))
def test_what_is_laid_out_is_found_again(cells):
    pieces = np.arange(len(cells), dtype=np.float64) - 1  # of the first more came back than sold
    where = np.array([key for key, _ in cells], np.int64)
    items = np.array([item for _, item in cells], np.int32)
    sales = Sales.build(np.full(N, 0), where, items, pieces)
    again = Sales.from_arrays(sales.arrays())
    for key in (STORE, OTHER):
        found = again.a_day(np.full(N, key), np.arange(N, dtype=np.int32))
        for item in range(N):
            sold = [p for (k, i), p in zip(cells, pieces, strict=True) if (k, i) == (key, item)]
            expected = max([0.0, *sold]) / 28 if key in where else np.nan
            assert found[item] == pytest.approx(expected, nan_ok=True)
    assert Sales.from_arrays({}) is None


def facts():
    """Six products: their price, cost, stock at the store, pieces sold there and first sale."""
    index = ItemIndex([f"i{n}" for n in range(N)])
    price = np.array([100, 200, 300, -1, 100, 100])
    cost = np.array([50, 180, -1, 10, 120, 0])
    margins = Margins.of(
        Costs.build(cost, np.array([STORE]), np.array([0], np.int32), np.array([90])),
        price,
        np.zeros(N, np.int32),
    )
    first = np.array([AS_OF - 10 * DAY, AS_OF - 20 * DAY, Sales.NEVER_TS, 0, 0, AS_OF + DAY])
    sales = Sales.build(
        first, np.full(3, STORE), np.array([0, 1, 3], np.int32), np.array([28.0, 56.0, 7.0])
    )
    data = FilterData(index, [""] * N, price, {}, np.ones(N, bool), None, margins, sales)
    shelf = Availability.build(
        np.ones(N, bool),
        np.full(4, STORE),
        np.array([0, 1, 3, 4], np.int32),
        np.array([10.0, 0.0, 3.0, 5.0]),
    )
    return data, shelf


def number(name, key):
    data, shelf = facts()
    every = np.arange(N, dtype=np.int32)
    return data.number(name, shelf, np.full(N, key), every, np.full(N, AS_OF)).tolist()


def test_a_margin_is_a_share_of_the_price_and_of_the_location_where_that_differs():
    unknown = np.nan
    assert number("margin_share", NOWHERE) == pytest.approx(
        [0.5, 0.1, unknown, unknown, -0.2, 1.0], nan_ok=True
    )
    assert number("margin_share", STORE)[0] == pytest.approx(0.1)


def test_stock_cover_is_stock_over_what_sells_a_day():
    # Sold 1, 2 and a quarter a day; the fifth is never sold, the others are not carried.
    assert number("stock_cover_days", STORE) == [10.0, 0.0, 0.0, 12.0, np.inf, 0.0]
    assert np.isnan(number("stock_cover_days", OTHER)).all()


def test_an_age_counts_from_the_first_sale():
    assert number("age_days", NOWHERE) == pytest.approx([10, 20, np.nan, 100, 100, 0], nan_ok=True)


@pytest.mark.parametrize("field", ["margin_share", "stock_cover_days", "age_days"])
def test_only_settings_may_ask_what_a_product_earns(field):
    asked = {"field": field, "op": "lt", "value": 0.3}
    assert parse_filter(asked, language=ALL_OF_PRODUCTS)
    with pytest.raises(FilterError, match="settings of placements only"):
        parse_filter(asked)


def test_nothing_is_known_without_sales_costs_or_a_time():
    data, shelf = facts()
    every, here = np.arange(N, dtype=np.int32), np.full(N, STORE)
    bare = FilterData(data.index, data.titles, data.price_minor, {}, data.active)
    for name in ("margin_share", "stock_cover_days", "age_days"):
        assert np.isnan(bare.number(name, shelf, here, every, np.full(N, AS_OF))).all()
    assert np.isnan(data.number("age_days", shelf, here, every, None)).all()
