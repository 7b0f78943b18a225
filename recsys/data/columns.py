"""Columns of an export become typed fields, and rows that do not fit get a reason.

A raw table and a source's mapping come in; each method returns one field as an Ibis expression and
remembers which rows cannot be read. ``Fields.parsed`` marks those rows, ``Fields.rejected`` says
why.
Called by the adapters (``orders``, ``shopify``, ``events``, ``catalogue``).
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import cast

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend
from ibis.util import gen_name

from recsys.config import Column, Config, Source
from recsys.data.engine import parse_time
from recsys.data.files import ROW
from recsys.data.times import read_time
from recsys.data.zones import FIRST_YEAR, LAST_YEAR, zone_days
from recsys.errors import ConfigError, DataError

DECIMAL = "decimal(18, 6)"
_NUMBER = "number of "
_FALSE = ("", "0", "n", "no", "false", "f")


class Fields:
    """The fields of one export.

    Parameters
    ----------
    table : ibis table
        Raw rows with ``_row``.
    columns : sequence of str
        The export's columns.
    config : Config
    name : str
        The source's name.
    where : str
        The file, for messages.
    defaults : mapping
        Field → column for shapes whose columns are known; the source's own mapping wins.
    """

    def __init__(
        self,
        table: ir.Table,
        columns: Sequence[str],
        config: Config,
        name: str,
        where: str,
        defaults: Mapping[str, str] | None = None,
    ) -> None:
        self.table = table
        self.columns = columns
        self.config = config
        self.source: Source = config.sources[name]
        self.name = name
        self.where = where
        self._bad: list[tuple[str, str, ir.BooleanValue, ir.StringValue]] = []
        self._specs: dict[str, str | Column] = {}
        self._read: set[str] = set()
        self.shown: dict[str, ir.StringValue] = {}
        """Column → what a reject may show of it, where not all that stands there."""
        lower = {column.lower(): column for column in columns}
        for field, column in (defaults or {}).items():
            if column.lower() in lower:
                self._specs[field] = lower[column.lower()]
        self._specs.update(self.source.columns)

    def check_known(self, known: Sequence[str]) -> None:
        """Refuse mapped fields that this kind of source does not have.

        Raises
        ------
        ConfigError
            Naming the nearest known field.
        """
        for field in self.source.columns:
            if field not in known:
                near = difflib.get_close_matches(field, known, 1)
                hint = f" Did you mean `{near[0]}`?" if near else ""
                raise ConfigError(
                    f"sources.{self.name}.columns: unknown field `{field}`.{hint} "
                    f"Known for {self.source.kind}: {', '.join(known)}."
                )

    def has(self, field: str) -> bool:
        """Tell whether the export has the field, by mapping or by a column of its name."""
        return field in self._specs or field in self.columns

    def require(self, *fields: str) -> None:
        """Refuse an export without these fields.

        Raises
        ------
        DataError
            Naming the field, the export's columns and the setting to add.
        """
        for field in fields:
            if not self.has(field):
                raise DataError(
                    f'{self.where}: nothing is mapped to `{field}`. Add `{field} = "…"` under '
                    f"[sources.{self.name}.columns]; the columns are: {', '.join(self.columns)}."
                )

    def text(self, field: str, *, required: bool = False) -> ir.StringValue:
        """Return a field as trimmed text, null where it is empty."""
        spec = self._specs.get(field, field if field in self.columns else None)
        if spec is None:
            return cast(ir.StringValue, ibis.null("string"))
        value = self._spec(field, spec)
        if required:
            self.reject(f"missing_{field}", field, value.isnull(), ibis.literal(""))
        return value

    def identifier(self, kind: str) -> ir.StringValue:
        """Return the raw identifiers of one type."""
        return self._spec(f"identifiers.{kind}", self.source.identifiers[kind])

    def read_numbers(self, con: Backend, *names: str) -> None:
        """Read these fields as numbers, once, for ``number``; before any other field is asked for.

        A view of its own holds them: in one query with everything that is asked of a number, the
        engine would read its text again each time.
        """
        numbers: dict[str, ir.Value] = {}
        for field in names:
            spec = self._specs.get(field, field if field in self.columns else None)
            if spec is None:
                continue
            if isinstance(spec, str) and self._column(field, spec).type().is_numeric():
                numbers[_NUMBER + field] = self._column(field, spec).try_cast(DECIMAL)
                continue
            value = self._decimal(self._spec(field, spec))
            if isinstance(spec, Column) and spec.times != 1.0:
                value = (value.cast("float64") * spec.times).try_cast(DECIMAL)
            numbers[_NUMBER + field] = value
        self._bad.clear()
        self.table = con.create_view(gen_name("numbers"), self.table.mutate(**numbers))

    def number(self, field: str, *, required: bool = False) -> ir.DecimalValue:
        """Return one of the fields that ``read_numbers`` read: a decimal with six places."""
        text = self.text(field, required=required)
        if _NUMBER + field not in self.table.columns:
            return cast(ir.DecimalValue, ibis.null(DECIMAL))
        value = self.table[_NUMBER + field]
        self.reject("bad_number", field, text.isnull() != value.isnull(), text)
        return cast(ir.DecimalValue, value)

    def flag(self, field: str) -> ir.BooleanValue:
        """Return a field as yes or no; empty, ``no``, ``false`` and ``0`` are no."""
        text = self.text(field)
        return cast(ir.BooleanValue, text.notnull() & ~text.lower().isin(_FALSE))

    def choice(self, field: str, known: Sequence[str], default: str | None) -> ir.StringValue:
        """Return a field that must be one of ``known``."""
        text = self.text(field)
        self.reject("unknown_value", field, ~text.isin(known), text)
        return cast(ir.StringValue, text.fill_null(default) if default is not None else text)

    def moment(self, field: str) -> tuple[ir.TimestampValue, ir.BooleanValue]:
        """Return a field as a UTC time, and whether its local hour came twice that day.

        Times with an offset are taken at their word. Others are local times of the source's zone:
        an hour that daylight saving skipped is a reject; an hour that came twice is taken as the
        first of the two. Joins a table of days, so it must be the last field that is asked for.
        """
        spec = self._specs.get(field, field if field in self.columns else None)
        raw = self._column(field, spec) if isinstance(spec, str) else self.text(field)
        shift: ir.Value = ibis.literal(0, "int64")
        offset: ir.Value = ibis.literal(value=False)
        if raw.type().is_timestamp() and raw.type().timezone is None:
            local = raw.cast("timestamp(6)")
        elif raw.type().is_timestamp():
            local, offset = raw.cast("timestamp(6)"), ibis.literal(value=True)
        elif raw.type().is_date():
            local = raw.cast("timestamp(6)")
        elif self.source.time_format is not None:
            local = parse_time(raw.cast("string"), self.source.time_format)
        else:
            local, stated = read_time(raw.cast("string"))
            offset, shift = stated.notnull(), stated.fill_null(0)
        zone = self.source.time_zone or self.config.workspace.time_zone
        days = ibis.memtable(zone_days(zone))
        table = self.table.mutate(
            _local=local,
            _second=(local.epoch_seconds() % 86400).cast("int64"),
            _shift=shift,
            _offset=offset,
            _shown=raw.cast("string"),
        )
        self.table = t = table.left_join(days, table["_local"].date() == days.zone_day)
        at, second = t["_local"], t["_second"]
        missing = t["_shown"].isnull()
        self.reject(f"missing_{field}", field, missing, t["_shown"])
        first, end = (ibis.timestamp(f"{year}-01-01") for year in (FIRST_YEAR, LAST_YEAR))
        self.reject("bad_time", field, at.isnull() | (at < first) | (at >= end), t["_shown"])
        gap = ~t["_offset"] & (second >= t.gap_from) & (second < t.gap_to)
        self.reject("nonexistent_local_time", field, gap, t["_shown"])
        twice = ~t["_offset"] & (second >= t.fold_from) & (second < t.fold_to)
        zone_shift = ibis.ifelse(second >= t.switch, t.after, t.before)
        seconds = ibis.ifelse(t["_offset"], t["_shift"], zone_shift)
        return at - seconds.as_interval("s"), cast(ir.BooleanValue, twice.fill_null(False))

    def reject(self, reason: str, field: str, condition: ir.Value, value: ir.Value) -> None:
        """Remember that rows which meet a condition cannot be read."""
        self._bad.append((reason, field, condition, value))

    def parsed(self, **fields: ir.Value) -> ir.Table:
        """Return the fields with ``_row``, and ``bad`` for rows that cannot be read.

        Why they cannot is left to ``rejected``: it costs as much again, and most rows are good.
        """
        counted: ir.Value = ibis.literal(0, "int8")
        for _, _, condition, _ in self._bad:
            # A sum, where `or` would keep the engine from computing what conditions share once.
            counted = counted + condition.fill_null(False).cast("int8")
        return self.table.select(self.table[ROW], bad=counted > 0, **fields)

    def rejected(self, bad: ir.Table) -> ir.Table:
        """Return ``_row, reason, detail, raw`` of rows that cannot be read.

        Parameters
        ----------
        bad : ibis table
            Their ``_row``.

        Notes
        -----
        ``raw`` holds the columns that a field is read from, identifiers hidden: of what else an
        export says of people (names, addresses) nothing is kept. E-mails are blanked everywhere.
        """
        table = self.table.semi_join(bad, ROW)
        cases = [
            (condition.fill_null(False), reason, field, value)
            for reason, field, condition, value in self._bad
        ]
        private = self._private()
        shown: dict[str, ir.Value] = {
            column: ibis.literal("(hidden)")
            if column in private
            else self.shown.get(column, table[column].cast("string"))
            for column in self.columns
            if column in self._read | private | self.shown.keys()
        }
        detail = ibis.cases(
            *(
                (c, ibis.literal(f"{f} = ") + v.cast("string").fill_null("").left(200))
                for c, _, f, v in cases
            )
        )
        return table.select(
            table[ROW],
            reason=ibis.cases(*((c, r) for c, r, _, _ in cases)),
            detail=_without_emails(detail),
            raw=_without_emails(ibis.struct(shown).cast("json").cast("string")),
        )

    def names_people(self, field: str) -> bool:
        """Tell whether a field is made of a column that names the customer."""
        spec = self._specs.get(field, field)
        used = {spec} if isinstance(spec, str) else {spec.column, *spec.columns}
        return not used.isdisjoint(self._private())

    def _private(self) -> set[str]:
        names: set[str] = set()
        for spec in self.source.identifiers.values():
            if isinstance(spec, str):
                names.add(spec)
            else:
                names.update([spec.column] if spec.column else spec.columns)
        return names

    def _decimal(self, text: ir.StringValue) -> ir.Value:
        if self.source.decimal != ",":
            return text.try_cast(DECIMAL)
        whole = text.re_search(r"^[+-]?(\d+|\d{1,3}(\.\d{3})+)?(,\d+)?$")
        plain = text.replace(".", "").replace(",", ".")
        return ibis.ifelse(whole, plain, ibis.null("string")).try_cast(DECIMAL)

    def _spec(self, field: str, spec: str | Column) -> ir.StringValue:
        if isinstance(spec, str):
            return _trimmed(self._column(field, spec))
        value: ir.Value
        if spec.value is not None:
            value = ibis.literal(spec.value)
        elif spec.columns:
            parts = [_trimmed(self._column(field, column)) for column in spec.columns]
            value = reduce(lambda a, b: a + spec.join + b, parts)
        else:
            value = _trimmed(self._column(field, cast(str, spec.column)))
        if spec.map:
            mapped = ibis.cases(*((value == key, to) for key, to in spec.map.items()))
            self.reject("unknown_value", field, value.notnull() & mapped.isnull(), value)
            value = mapped
        if spec.default is not None:
            value = value.fill_null(spec.default)
        if spec.pad:
            value = ibis.ifelse(value.length() < spec.pad, value.lpad(spec.pad, "0"), value)
        return cast(ir.StringValue, value)

    def _column(self, field: str, column: str) -> ir.Value:
        if column not in self.columns:
            near = difflib.get_close_matches(column, self.columns, 1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            raise DataError(
                f"{self.where}: there is no column `{column}` (mapped to `{field}` in "
                f"[sources.{self.name}]).{hint} The columns are: {', '.join(self.columns)}."
            )
        self._read.add(column)
        return self.table[column]


@dataclass(frozen=True)
class Typed:
    """An export whose rows have types.

    Attributes
    ----------
    table : ibis table
        ``_row``, ``bad`` and the fields.
    fields : Fields
        Says why rows are bad.
    """

    table: ir.Table
    fields: Fields


def _without_emails(text: ir.Value) -> ir.StringValue:
    return cast(ir.StringValue, text).re_replace(r'[^\s"@]+@[^\s"@]+', "(e-mail)")


def _trimmed(value: ir.Value) -> ir.StringValue:
    """Return a column as text; whole floating numbers lose their ``.0``."""
    kind = value.type()
    if kind.is_string():
        return cast(ir.StringValue, value)
    if kind.is_floating():
        whole = value == value.floor()
        return cast(
            ir.StringValue,
            ibis.ifelse(whole, value.try_cast("int64").cast("string"), value.cast("string")),
        )
    return cast(ir.StringValue, value.cast("string"))
