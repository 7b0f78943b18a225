"""What the engine is handed as SQL gives what Ibis itself would give."""

from collections.abc import Iterator

import duckdb
import ibis
import pyarrow as pa
import pytest
from ibis.backends.duckdb import Backend

from recsys.query_engine import connect, constants, keep, rows, scratch, value

SCHEMA = pa.schema([("n", pa.int64()), ("channel", pa.string()), ("title", pa.string())])
LINES = pa.table(
    {
        "n": [3, 1, 2, 4],
        "channel": ["web", "pos", None, "web"],
        "title": ["it's", "b", "c", None],
    },
    schema=SCHEMA,
)


@pytest.fixture
def engine() -> Iterator[Backend]:
    engine = connect(memory_mb=256, threads=1)
    yield engine
    engine.disconnect()


def test_what_is_kept_has_the_types_and_rows_that_ibis_gives_it(engine: Backend) -> None:
    table = ibis.memtable(LINES).mutate(
        price=ibis.literal("1.5").cast("decimal(18, 6)"),
        local=ibis.timestamp("2026-01-31 12:30:00"),
        at=ibis.timestamp("2026-01-31 12:30:00").cast("timestamp('UTC', 6)"),
        items=ibis.array(["a", "b"]),
        small=ibis.literal(1, "int8"),
        flag=ibis._.n > 2,
        odd_name=ibis._.n,
    )
    table = table.rename({'an "odd" name': "odd_name"})
    theirs = engine.create_table("theirs", table, temp=True)
    ours = keep(engine, "ours", table)
    assert ours.schema() == theirs.schema()
    assert engine.to_pyarrow(ours.order_by("n")).equals(engine.to_pyarrow(theirs.order_by("n")))


def test_scratch_drops_what_was_kept_inside(engine: Backend) -> None:
    before = keep(engine, "before", LINES)
    with scratch(engine):
        kept = keep(engine, "inside", ibis.memtable(LINES))
        assert value(engine, kept.count()) == 4
    with pytest.raises(duckdb.CatalogException):
        value(engine, kept.count())
    assert value(engine, before.count()) == 4
    with scratch(engine):
        pass


def test_sums_and_counts_are_whole_numbers(engine: Backend) -> None:
    kept = keep(engine, "lines", LINES)
    (found,) = rows(engine, kept.aggregate(total=kept.n.sum(), lines=kept.count()))
    assert found == {"total": 10, "lines": 4}
    assert all(type(number) is int for number in found.values())


def test_a_constant_is_found_where_nothing_else_can_stand(engine: Backend) -> None:
    table = ibis.memtable(LINES).mutate(
        currency=ibis.literal("EUR"),
        place=ibis.null("string"),
        told=ibis.null("string").fill_null("web"),
        shown=ibis._.title.fill_null("web"),
    )
    table = table.filter(table.n > 1).drop("n").rename(money="currency")
    said = {name: value.op().value for name, value in constants(table).items()}
    assert said == {"money": "EUR", "place": None, "told": "web"}
    joined = table.left_join(table.view(), "title")
    assert not constants(joined)


def test_constants_are_not_stored(engine: Backend) -> None:
    table = ibis.memtable(LINES).mutate(currency=ibis.literal("EUR"), half=ibis.literal(0.5))
    kept = keep(engine, "lines", table.relocate("half", before="n"))
    assert kept.columns == ("half", "n", "channel", "title", "currency")
    assert [row["currency"] for row in rows(engine, kept)] == ["EUR"] * 4
    stored = engine.raw_sql(
        "SELECT column_name FROM duckdb_columns() WHERE table_name LIKE 'ibis_lines%'"
    ).fetchall()
    assert stored == [("n",), ("channel",), ("title",)]
    assert rows(engine, keep(engine, "same", table.select("half"))) == [{"half": 0.5}] * 4
