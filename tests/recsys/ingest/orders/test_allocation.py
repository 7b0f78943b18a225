"""Every line gets its share of an order's discount, exact to the cent."""

from collections.abc import Iterator

import ibis
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ibis.backends.duckdb import Backend

from recsys.ingest.orders.allocation import allocate
from recsys.query_engine import connect, rows


@pytest.fixture(scope="module")
def con() -> Iterator[Backend]:
    engine = connect(memory_mb=256, threads=1)
    yield engine
    engine.disconnect()


ORDERS = st.lists(
    st.tuples(
        st.lists(st.integers(-500, 50_000), min_size=1, max_size=7),  # accepted lines
        st.lists(st.integers(0, 50_000), max_size=2),  # rejected lines
        st.integers(0, 60_000),
    ),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ORDERS)
def test_each_line_pays_its_share(
    con: Backend, orders: list[tuple[list[int], list[int], int]]
) -> None:
    lines = [
        {
            "_row": 100 * number + place,
            "order_id": str(number),
            "amount_minor": amount,
            "discount_minor": 0,
        }
        for number, (amounts, _, _) in enumerate(orders)
        for place, amount in enumerate(amounts)
    ]
    gross = [sum(a for a in (*amounts, *lost) if a > 0) for amounts, lost, _ in orders]
    stated = [
        {"order_id": str(number), "reduced": reduced, "gross": gross[number]}
        for number, (_, _, reduced) in enumerate(orders)
    ]
    tables = [ibis.memtable(pa.Table.from_pylist(given)) for given in (lines, stated)]
    found = rows(con, allocate(*tables).order_by("_row"))
    for number, (amounts, lost, reduced) in enumerate(orders):
        after = [row["amount_minor"] for row in found if row["order_id"] == str(number)]
        off = [row["discount_minor"] for row in found if row["order_id"] == str(number)]
        rate = min(reduced, gross[number]) / gross[number] if gross[number] else 0.0
        assert [a + o for a, o in zip(after, off, strict=True)] == amounts
        standing = sum(a for a in amounts if a > 0)
        assert abs(sum(off) - rate * standing) <= 0.5 + 1e-6
        if not lost:
            assert sum(off) == min(reduced, gross[number])
        for amount, taken in zip(amounts, off, strict=True):
            assert abs(taken - rate * max(amount, 0)) <= 1 + 1e-6
            assert amount < 0 or taken <= amount
