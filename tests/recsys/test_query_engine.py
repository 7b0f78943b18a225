"""What the engine is handed as SQL gives what Ibis itself would give."""

from collections.abc import Iterator
from decimal import Decimal

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibis.backends.duckdb import Backend

from recsys.query_engine import (
    another,
    connect,
    constants,
    keep,
    rows,
    scratch,
    sql,
    temporary_name,
    value,
)

SCHEMA = pa.schema([("n", pa.int64()), ("channel", pa.string()), ("title", pa.string())])
LINES = pa.table(
    {
        "n": [3, 1, 2, 4],
        "channel": ["web", "pos", None, "web"],
        "title": ["it's", "b", "c", None],
    },
    schema=SCHEMA,
)


#: Values of which some are equal in Python, and none is in SQL.
ALIKE: list[ir.Value] = [
    ibis.literal(True),
    ibis.literal(1),
    ibis.literal(1.0),
    ibis.literal("1"),
    ibis.literal(Decimal(1), "decimal(18, 6)"),
    ibis.literal(1, "int8"),
    ibis.literal(1, "int64"),
    ibis.literal("2026-01-31"),
    ibis.date("2026-01-31"),
    ibis.timestamp("2026-01-31"),
    ibis.null("string"),
    ibis.null("int64"),
]


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


def test_numbers_have_the_types_that_ibis_gives_them(engine: Backend) -> None:
    table = keep(engine, "lines", LINES)
    (found,) = rows(
        engine,
        table.aggregate(
            seconds=(table.n * 0 + 7).max().cast("timestamp").truncate("s").epoch_seconds(),
            mean=table.n.mean(),
            whole=table.n.sum().cast("float64"),
            any=(table.n > 3).any(),
            first=table.channel.min(),
            nothing=table.n.nullif(table.n).max(),
        ),
    )
    assert found == {
        "seconds": 7,
        "mean": 2.5,
        "whole": 10.0,
        "any": True,
        "first": "pos",
        "nothing": None,
    }
    kinds = {"seconds": int, "mean": float, "whole": float, "any": bool, "first": str}
    assert all(type(found[name]) is kind for name, kind in kinds.items())
    assert rows(engine, table.select(x=table.n.cast("decimal(18, 2)")).limit(0)) == []
    assert value(engine, table.n.cast("decimal(18, 2)").max()) == Decimal("4.00")


def test_temporary_names_begin_again_after_scratch(engine: Backend) -> None:
    outside = keep(engine, "lines", LINES)
    with scratch(engine):
        inside = keep(engine, "lines", LINES)
        with scratch(engine):
            innermost = keep(engine, "lines", LINES)
        again = keep(engine, "lines", LINES.slice(0, 1))
        names = {table.get_name() for table in (outside, inside, again)}
        assert len(names) == 3
        assert again.get_name() == innermost.get_name()
        assert value(engine, inside.count()) == 4
    assert inside.get_name().endswith(temporary_name(engine, "lines"))
    assert value(engine, outside.count()) == 4


def test_another_file_of_the_same_layout_is_read_by_the_same_sql(engine: Backend) -> None:
    own = another(engine)
    compiled, found = [], []
    for begin in (0, 2):
        with scratch(own):
            kept = keep(own, "lines", LINES.slice(begin, 2))
            query = kept.filter(kept.n > 1).select(total=kept.n * 2)
            compiled.append(sql(own, query))
            found.append([row["total"] for row in rows(own, query.order_by("total"))])
    assert compiled[0] is compiled[1]
    assert found == [[6], [4, 8]]
    own.disconnect()


def test_engines_share_the_sql_and_not_the_rows() -> None:
    compiled, found = [], []
    for begin in (0, 2):
        con = connect(memory_mb=256, threads=1)
        kept = keep(con, "lines", LINES.slice(begin, 2))
        query = kept.select(total=kept.n * 3)
        compiled.append(sql(con, query))
        found.append([row["total"] for row in rows(con, query.order_by("total"))])
        con.disconnect()
    assert compiled[0] is compiled[1]
    assert found == [[3, 9], [6, 12]]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(*[st.sampled_from(range(len(ALIKE)))] * 2, st.booleans()), max_size=20))
def test_no_query_is_taken_for_another(queries: list[tuple[int, int, bool]]) -> None:
    con = connect(memory_mb=256, threads=1)
    own = another(con)
    kept = keep(own, "lines", LINES)
    for one, other, filtered in queries:
        table = kept.filter(kept.channel == "web") if filtered else kept
        query = table.mutate(one=ALIKE[one], other=ALIKE[other])
        assert sql(own, query) == own.compile(query)
    own.disconnect()
    con.disconnect()


def test_queries_on_tables_in_memory_are_not_remembered(engine: Backend) -> None:
    own = another(engine)
    for number in range(300):
        query = ibis.memtable(pa.table({"n": [number]}))
        assert rows(own, query) == [{"n": number}]
    own.disconnect()
