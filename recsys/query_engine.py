"""The relational engine: an Ibis connection, and the few functions that Ibis lacks.

Queries are Ibis expressions, so that another engine can run them; what depends on DuckDB is in this
file and in ``recsys.ingest.files``, which opens exports. Called by ``ingest`` and by every reader
of a history.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, cast

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend
from ibis.backends.sql.datatypes import DuckDBType

from recsys.expression_comparison import guard

guard()

_COMPRESSION = "snappy"
#: Most queries whose SQL the process remembers; one file of an export needs about 40, the history
#: made from all files 60. Compiling takes longer than running them on a small file.
_MOST_COMPILED = 512
_compiled: OrderedDict[ops.Node, str] = OrderedDict()
_remembering = Lock()


def connect(*, memory_mb: int, threads: int, spill: Path | None = None) -> Backend:
    """Open a DuckDB engine in memory that spills to ``spill`` above ``memory_mb``.

    Parameters
    ----------
    memory_mb : int
        Memory the engine may use. MiB.
    threads : int
        Threads the engine may use.
    spill : Path, optional
        Folder for data that does not fit in memory; created when it is needed.
    """
    # Ibis spends a third of its time on merging selects, which the engine does anyway.
    ibis.options.sql.fuse_selects = False
    con = ibis.duckdb.connect()
    con.raw_sql(f"SET memory_limit = '{memory_mb}MiB'")
    con.raw_sql(f"SET threads = {threads}")
    con.raw_sql("SET TimeZone = 'UTC'")
    _quiet(con)
    if spill is not None:
        con.raw_sql(f"SET temp_directory = '{quote(spill)}'")
    return con


def another(con: Backend) -> Backend:
    """Open one more connection to an engine, for another thread.

    It shares the engine's memory and threads; temporary tables are its own.
    """
    opened = Backend.from_connection(con.con.cursor())
    _quiet(opened)
    return opened


def _quiet(con: Backend) -> None:
    ((shown,),) = con.raw_sql("SELECT current_setting('enable_progress_bar')").fetchall()
    if shown:  # in Jupyter without widgets, disabling a disabled bar is an error
        con.raw_sql("SET enable_progress_bar = false")


@contextmanager
def scratch(con: Backend) -> Iterator[None]:
    """Drop every table and view created inside the block, however it ends."""
    before, numbers = set(_names(con)), _numbers(con).copy()
    try:
        yield
    finally:
        vars(con)["numbers"] = numbers
        made = set(_names(con)) - before
        con.raw_sql("; ".join(f'DROP {kind} IF EXISTS "{name}"' for kind, name in made))


def temporary_name(con: Backend, name: str) -> str:
    """Return a name for a temporary table or view that ``scratch`` drops: ``name`` and a number.

    After ``scratch`` the numbers begin again. So the queries on files of one layout are equal, and
    ``sql`` compiles them once.
    """
    numbers = _numbers(con)
    numbers[name] += 1
    return f"ibis_{name}_{numbers[name]}"


def _numbers(con: Backend) -> Counter[str]:
    numbers: Counter[str] = vars(con).setdefault("numbers", Counter())
    return numbers


def _names(con: Backend) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = con.raw_sql(
        "SELECT 'VIEW', view_name FROM duckdb_views() WHERE NOT internal "
        "UNION ALL SELECT 'TABLE', table_name FROM duckdb_tables() WHERE NOT internal"
    ).fetchall()
    return found


def keep(con: Backend, name: str, table: ir.Table | pa.Table) -> ir.Table:
    """Compute an expression once, into a temporary table; ``scratch`` drops it.

    Columns that hold one constant are not stored; the result has them as literals.
    """
    name = temporary_name(con, name)
    table = ibis.memtable(table) if isinstance(table, pa.Table) else table
    constant_columns, names = constants(table), table.columns
    constant_columns = {} if len(constant_columns) == len(names) else constant_columns
    if constant_columns:
        table = table.drop(*constant_columns)
    # As Ibis' `create_table`, which also copies the compiled query; that takes twice as long as
    # compiling it.
    query = sql(con, table)
    _create(con, name, table.schema())
    con.raw_sql(f"INSERT INTO {quote_name(name)} {query}")
    kept = _kept_table(con, name)
    return kept.mutate(**constant_columns).select(*names) if constant_columns else kept


def empty(con: Backend, name: str, schema: ibis.Schema) -> ir.Table:
    """Return a temporary table without rows; ``scratch`` drops it."""
    name = temporary_name(con, name)
    _create(con, name, schema)
    return _kept_table(con, name)


def _create(con: Backend, name: str, schema: ibis.Schema) -> None:
    columns = ", ".join(f"{quote_name(c)} {_sql_type(kind)}" for c, kind in schema.items())
    con.raw_sql(f"CREATE TEMP TABLE {quote_name(name)} ({columns})")


def view(con: Backend, name: str, table: ir.Table) -> ir.Table:
    """Name an expression, which is computed where it is used; ``scratch`` drops the name.

    Unlike Ibis' ``create_view``, the name is known to this connection alone.
    """
    name = temporary_name(con, name)
    con.raw_sql(f"CREATE TEMP VIEW {quote_name(name)} AS {sql(con, table)}")
    return _kept_table(con, name)


def constants(table: ir.Table) -> dict[str, ir.Scalar]:
    """Return the columns that hold one constant in every row, as literals of the table's types."""
    literals = {}
    for name, kind in table.schema().items():
        literal = _constant(table.op(), name)
        if literal is not None:
            null = "YES" if kind.nullable else "NO"
            literals[name] = ibis.literal(literal.value, _kind(DuckDBType.to_string(kind), null))
    return literals


def _constant(table: ops.Relation, name: str) -> ops.Literal | None:
    """Trace a column back to the literal that it comes from; None where it has no such origin."""
    while isinstance(table, (ops.Project, ops.Filter, ops.Sort, ops.DropColumns)):
        value = table.values[name]
        if isinstance(value, ops.Field):
            table, name = value.rel, value.name
            continue
        candidates = value.arg if isinstance(value, ops.Coalesce) else (value,)
        if not all(isinstance(each, ops.Literal) for each in candidates):
            return None
        return next((each for each in candidates if each.value is not None), candidates[0])
    return None


def _kept_table(con: Backend, name: str) -> ir.Table:
    """Return a temporary table as Ibis' ``table`` does, but parse the name of each type once."""
    columns = con.raw_sql(f"DESCRIBE {quote_name(name)}").fetchall()
    kinds = {column: _kind(kind, null) for column, kind, null, *_ in columns}
    place = ops.Namespace(catalog="temp", database="main")
    table = ops.DatabaseTable(name, schema=ibis.schema(kinds), source=con, namespace=place)
    return cast(ir.Table, table.to_expr())


@cache
def _kind(text: str, null: str) -> dt.DataType:
    return DuckDBType.from_string(text, nullable=null == "YES")


@cache
def _sql_type(kind: dt.DataType) -> str:
    return f"{DuckDBType.to_string(kind)}{'' if kind.nullable else ' NOT NULL'}"


def sql(con: Backend, table: ir.Table) -> str:
    """Compile an expression to the engine's SQL, and register the in-memory tables that it uses.

    The SQL of equal expressions is compiled once for all connections of the process: it names
    tables, and each connection has its own tables under these names.
    """
    expression = table.op()
    with _remembering:
        text = _compiled.get(expression)
        if text is not None:
            _compiled.move_to_end(expression)
            return text
    con._run_pre_execute_hooks(table)
    text = str(con.compile(table))
    # In-memory tables are dropped with the expression, so that one must not be held.
    if not expression.find(ops.InMemoryTable):
        with _remembering:
            _compiled[expression] = text
            if len(_compiled) > _MOST_COMPILED:
                _compiled.popitem(last=False)
    return text


def write(
    con: Backend,
    table: ir.Table,
    path: Path,
    schema: pa.Schema | None = None,
) -> None:
    """Write an expression to Parquet, cast to ``schema`` and in its column order."""
    if schema is not None:
        table = conform(table, schema)
    path.parent.mkdir(parents=True, exist_ok=True)
    con.raw_sql(
        f"COPY ({sql(con, table)}) TO '{quote(path)}' (FORMAT parquet, COMPRESSION {_COMPRESSION})"
    )


def conform(table: ir.Table, schema: pa.Schema) -> ir.Table:
    """Select the columns of ``schema`` with its types; times without a zone are taken as UTC."""
    columns: dict[str, ir.Value] = {}
    for name, kind in ibis.Schema.from_pyarrow(schema).items():
        column = table[name] if name in table.columns else ibis.null(kind)
        columns[name] = column if column.type() == kind else column.cast(kind)
    return table.select(**columns)


def rows(con: Backend, table: ir.Table) -> list[dict[str, Any]]:
    """Fetch a small result as dictionaries."""
    schema = table.schema()
    if all(_is_plain(kind) for kind in schema.types):
        # Without the engine's relation, which has a query parsed by Python and bound twice.
        names, fetched = schema.names, con.raw_sql(sql(con, table)).fetchall()
        types = [_python_type(kind) for kind in schema.types]
        return [
            {
                name: value if value is None or type(value) is own else own(value)
                for name, own, value in zip(names, types, row, strict=True)
            }
            for row in fetched
        ]
    return cast(list[dict[str, Any]], fetch(con, table).to_pylist())


def fetch(con: Backend, table: ir.Table) -> pa.Table:
    """Fetch a result as Arrow, with the types of the expression."""
    found = con.con.sql(sql(con, table)).to_arrow_table()
    return found.cast(table.schema().to_pyarrow())


def _is_plain(kind: dt.DataType) -> bool:
    return isinstance(kind, (dt.Boolean, dt.Integer, dt.Floating, dt.String))


def _python_type(kind: dt.DataType) -> type:
    """Return the type of a column's values; the engine may give a wider one."""
    if kind.is_boolean():
        return bool
    if kind.is_integer():
        return int
    return float if kind.is_floating() else str


def value(con: Backend, expression: ir.Scalar) -> Any:
    """Fetch one value."""
    ((found,),) = (row.values() for row in rows(con, expression.as_table()))
    return found


def batches(con: Backend, table: ir.Table, size: int) -> Iterator[pa.RecordBatch]:
    """Fetch a large result in pieces of at most ``size`` rows.

    Runs a plain query, since Ibis 12 calls a streaming method that DuckDB 2 no longer has.
    """
    yield from con.con.sql(sql(con, table)).to_arrow_reader(size)


def quote(text: object) -> str:
    """Escape text for a single-quoted SQL literal."""
    return str(text).replace("'", "''")


def quote_name(column: str) -> str:
    """Return a column's name as SQL."""
    return '"' + column.replace('"', '""') + '"'


# Functions of the engine that Ibis lacks; their bodies never run.
@ibis.udf.scalar.builtin(
    name="try_strptime", signature=((dt.string, dt.string), dt.Timestamp(scale=6))
)
def parse_time(text, pattern):  # type: ignore[no-untyped-def]
    """Parse a time by a strptime pattern; null where it does not match."""


@ibis.udf.scalar.builtin(name="json_valid", signature=((dt.string,), dt.boolean))
def is_json(text):  # type: ignore[no-untyped-def]
    """Tell whether a text is one JSON value."""


@ibis.udf.scalar.builtin(name="json_merge_patch", signature=((dt.string, dt.string), dt.string))
def merge_json(older, newer):  # type: ignore[no-untyped-def]
    """Merge two JSON objects; fields of ``newer`` win, and its null fields are removed."""
