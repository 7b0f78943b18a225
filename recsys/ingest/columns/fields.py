"""Turns the columns of an export into typed fields, and rejects rows that do not fit.

In: a raw table and a source's mapping. Each method returns one field as an Ibis expression and
records which rows cannot be read. ``Fields.parsed`` marks these rows; ``Fields.rejected`` gives the
reasons. Called by the adapters (``order_lines``, ``shopify``, ``events``, ``catalogue``).
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.config import Column, Config, Source
from recsys.errors import ConfigError, DataError
from recsys.ingest.columns.field_texts import number_of, says_nothing, text_of, without_emails
from recsys.ingest.columns.integer_ids import is_id, of_whole_numbers, whole
from recsys.ingest.columns.number_columns import (
    NumberColumn,
    contradicts,
    digits_of_all,
    read_columns,
    stated_code,
    value_name,
)
from recsys.ingest.columns.number_formats import DECIMAL
from recsys.ingest.columns.reject_rules import RejectRules
from recsys.ingest.columns.time_zones import to_utc
from recsys.ingest.columns.times import hint, read_as, read_formats, read_time
from recsys.ingest.files.export_files import ROW
from recsys.query_engine import rows, view
from recsys.values import words_by_meaning

#: Maximum number of distinct words in a yes/no column; further words are unknown.
_MOST_WORDS = 1000


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
        Field → column for known layouts; the source's own mapping takes precedence.
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
        self.table, self.columns, self.config = table, columns, config
        self.source: Source = config.sources[name]
        self.name, self.where, self._hint = name, where, ""
        self._rules = RejectRules()
        self._specs: dict[str, str | Column] = {}
        self._read: set[str] = set()
        self._whole: set[str] | None = None
        self._numbers: dict[str, NumberColumn] = {}
        self._own_currency: ir.StringValue | None = None
        self._time: ir.StringValue | None = None
        self._assumed = self.source.currency or config.workspace.currency
        #: Column → the redacted text that a reject may show, where not the column itself.
        self.shown: dict[str, ir.StringValue] = {}
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
            Names the nearest known field.
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
        """Return whether the export has the field, by mapping or by a column of that name."""
        exists = field in self._specs or field in self.columns
        return exists or (field == "currency" and self._own_currency is not None)

    def require(self, *fields: str) -> None:
        """Refuse an export without these fields.

        Raises
        ------
        DataError
            Names the field, the export's columns and the setting to add.
        """
        for field in fields:
            if not self.has(field):
                raise DataError(
                    f'{self.where}: no column is mapped to `{field}`. Add `{field} = "…"` under '
                    f"[sources.{self.name}.columns]; the columns are: {', '.join(self.columns)}."
                )

    def text(self, field: str, *, required: bool = False) -> ir.StringValue:
        """Return a field as trimmed text; null where it is empty.

        Without a currency column, ``currency`` is the one found beside the prices.
        """
        if field == "currency" and self._own_currency is not None:
            return self._own_currency
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

    def words(self, place: str) -> ir.StringValue:
        """Return what a column of a place in ``Source.specs`` says, unknown words as they are."""
        value, unlisted = text_of(self.source.specs[place], partial(self._column, place))
        return value if unlisted is None else cast(ir.StringValue, value.fill_null(unlisted))

    def read_numbers(self, con: Backend, *names: str) -> None:
        """Read these fields as numbers, for ``number``. Call before any other field is read.

        The format comes from ``decimal`` of the column or the source, else from all values of the
        column. The numbers are stored in a view of their own; otherwise the engine would parse the
        text at every use.
        """
        stated_codes = self.text("currency").upper() if self.has("currency") else None
        minor_digits = digits_of_all(con, self.table, stated_codes, self._assumed)
        plain: dict[str, ir.Value] = {}
        texts: list[tuple[str, ir.StringValue, str | Column]] = []
        for field in names:
            spec = self._specs.get(field, field if field in self.columns else None)
            if spec is None:
                continue
            number = number_of(spec, partial(self._column, field))
            if number is None:
                texts.append((field, self._spec(field, spec), spec))
                continue
            times = spec.times if isinstance(spec, Column) else 1.0
            if times != 1.0:
                number = (number.cast("float64") * times).try_cast(DECIMAL)
            plain[value_name(field)] = number
            self._numbers[field] = NumberColumn(field)
        read = read_columns(con, self.table, texts, self.source.decimal, minor_digits)
        self.table = read[0]
        self._numbers |= read[1]
        self._rules.clear()
        self.table = view(con, "numbers", self.table.mutate(**plain))
        self._read_currencies()

    def number(self, field: str, *, required: bool = False) -> ir.DecimalValue:
        """Return a field read by ``read_numbers``, as a decimal with six places."""
        text = self.text(field)
        column = self._numbers.get(field)
        if column is None:
            return cast(ir.DecimalValue, ibis.null(DECIMAL))
        value = column.value(self.table)
        missing = text.isnull()
        if column.explained:
            reason = column.reason(self.table)
            missing = value.isnull() & reason.isnull()
            if column.form.problem is not None:
                where = (
                    f": thousands or decimals? Set `decimal` under [sources.{self.name}.columns]"
                )
                either = reason == "ambiguous_number"
                self.reject("ambiguous_number", field, either, text.left(80) + where)
            self.reject("bad_number", field, reason == "bad_number", text)
        else:
            self.reject("bad_number", field, text.isnull() != value.isnull(), text)
        if required:
            self.reject(f"missing_{field}", field, missing, ibis.literal(""))
        return value

    def flag(self, field: str) -> ir.BooleanValue:
        """Return a field as a boolean.

        Empty values and words for no or a sale are false; words for yes, cancelled or void, and
        times, are true. Other values are rejected.
        """
        text = self.text(field)
        stated, no = text.notnull(), ibis.literal(value=False)
        if not self.has(field):
            return cast(ir.BooleanValue, no)
        time = self._clock(text)[0].notnull()
        words = self.table.select(word=ibis.ifelse(time, ibis.null("string"), text))
        words = words.filter(words.word.notnull()).group_by("word").aggregate(n=lambda t: t.count())
        few = words.order_by(ibis.desc("n"), "word").limit(_MOST_WORDS)
        known = words_by_meaning([row["word"] for row in rows(self._engine(), few)])
        says_yes = [word for word, is_ in known.items() if is_ in ("yes", "cancelled", "void")]
        says_no = [word for word, is_ in known.items() if is_ in ("no", "sale")]
        yes = time | text.isin(says_yes)
        self.reject("unknown_value", field, stated & ~yes & ~text.isin(says_no), text)
        return cast(ir.BooleanValue, yes.fill_null(no))

    def choice(self, field: str, known: Sequence[str], default: str | None) -> ir.StringValue:
        """Return a field that must be one of ``known``."""
        text = self.text(field)
        self.reject("unknown_value", field, ~text.isin(known), text)
        return cast(ir.StringValue, text.fill_null(default) if default is not None else text)

    def moment(
        self, field: str, *, required: bool = True
    ) -> tuple[ir.TimestampValue, ir.BooleanValue]:
        """Return a field as a UTC time, and whether its local hour occurred twice that day.

        Times with an offset are used as they are. Others are local times in the source's zone.
        Times in an hour skipped by daylight saving are rejected, except a midnight, which becomes
        the start of the day. An hour that occurred twice means the first. The method joins a table
        of days, so call it last.
        """
        spec = self._specs.get(field, field if field in self.columns else None)
        raw = self._column(field, spec) if isinstance(spec, str) else self.text(field)
        kind, offset = raw.type(), cast(ir.IntegerValue, ibis.null("int64"))
        if kind.is_timestamp() or kind.is_date():
            local = cast(ir.TimestampValue, raw.cast("timestamp(6)"))
            if kind.is_timestamp() and kind.timezone is not None:
                offset = cast(ir.IntegerValue, ibis.literal(0, "int64"))
        else:
            local, offset = self._clock(raw.cast("string"))
        table = self.table.mutate(_shown=raw.cast("string"))
        zone = self.source.time_zone or self.config.workspace.time_zone
        moments = to_utc(table, local, offset, zone)
        self.table, shown = moments.table, cast(ir.StringValue, moments.table["_shown"])
        # `&` would make the engine evaluate the text of every time.
        missing = moments.at.isnull().ifelse(says_nothing(shown), False)
        if required:
            self.reject(f"missing_{field}", field, missing, shown)
        self.reject("bad_time", field, ~missing & moments.out_of_range, shown)
        if self.source.time_format is None:
            self._time = shown
        self.reject("nonexistent_local_time", field, moments.skipped, shown)
        return moments.at, moments.twice

    def distinct(self, value: ir.Value, condition: ir.Value) -> list[str]:
        """Return some of the distinct texts in rows that meet a condition."""
        texts = self.table.filter(condition.fill_null(False)).select(text=value).distinct()
        return [row["text"] for row in rows(self._engine(), texts.limit(_MOST_WORDS))]

    def reject(self, reason: str, field: str, condition: ir.Value, value: ir.Value) -> None:
        """Reject the rows that meet a condition; ``value`` becomes the detail."""
        self._rules.add(reason, field, condition, value)

    def parsed(self, **fields: ir.Value) -> ir.Table:
        """Return the fields with ``_row``, and ``bad`` for rows that cannot be read.

        ``rejected`` computes the reasons: they double the cost, and most rows are good.
        """
        return self.table.select(self.table[ROW], bad=self._rules.count() > 0, **fields)

    def rejected(self, bad: ir.Table | Sequence[int] | None) -> ir.Table:
        """Return ``_row, reason, detail, raw`` of rows that cannot be read.

        Parameters
        ----------
        bad : ibis table, sequence of int or None
            Their ``_row``; None where the export shows no other rows, as inside ``only``.

        Notes
        -----
        ``raw`` has only the columns that a field is read from, with identifiers hidden, so no other
        personal data (names, addresses) is kept. E-mail addresses are blanked everywhere.
        """
        table = self._of(bad)
        private = self._private()
        shown: dict[str, ir.Value] = {
            column: ibis.literal("(hidden)")
            if column in private
            else self.shown.get(column, table[column].cast("string"))
            for column in self.columns
            if column in self._read | private | self.shown.keys()
        }
        return table.select(
            table[ROW],
            reason=self._rules.reason(),
            detail=without_emails(self._rules.detail({"bad_time": self._hint})),
            raw=without_emails(ibis.struct(shown).cast("json").cast("string")),
        )

    def find_hint(self, bad: ir.Table | Sequence[int] | None) -> bool:
        """Find a time format for the bad rows, which ``rejected`` then suggests."""
        wrong = self._rules.condition("bad_time")
        if self._time is not None:
            text = ibis.ifelse(wrong, self._time, ibis.null("string"))
            texts = self._of(bad).select(text=text).distinct().order_by("text").limit(_MOST_WORDS)
            self._hint = hint([row["text"] for row in rows(self._engine(), texts) if row["text"]])
        return bool(self._hint)

    def _of(self, bad: ir.Table | Sequence[int] | None) -> ir.Table:
        t = self.table
        if bad is None:
            return t
        return t.semi_join(bad, ROW) if isinstance(bad, ir.Table) else t.filter(t[ROW].isin(bad))

    def names_people(self, field: str) -> bool:
        """Return whether a field is read from a column that identifies the customer."""
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

    def _engine(self) -> Backend:
        return cast(Backend, self.table.get_backend())

    def _clock(self, text: ir.StringValue) -> tuple[ir.TimestampValue, ir.IntegerValue]:
        """Read times in the source's format: the local time, and its offset if stated."""
        written = self.source.time_format
        if written is None:
            return read_time(text)
        if isinstance(written, str):
            return read_as(text, written)
        return read_formats(self._engine(), self.table, text, written)

    def _read_currencies(self) -> None:
        """Compare the currencies beside the prices with each other and with the export's own."""
        carried = [column for column in self._numbers.values() if column.currencies]
        if not carried:
            return
        stated = self.text("currency").upper() if self.has("currency") else ibis.null("string")
        codes = [stated_code(column, self.table, self._assumed) for column in carried]
        own = cast(ir.StringValue, ibis.coalesce(stated, *codes, self._assumed))
        for column in carried:
            differs = contradicts(column, self.table, own)
            self.reject("currency_differs", column.name, differs, self.text(column.name))
        self._own_currency = own

    def _spec(self, field: str, spec: str | Column) -> ir.StringValue:
        value, unlisted = text_of(spec, partial(self._column, field))
        if unlisted is not None:
            self.reject("unknown_value", field, unlisted.notnull(), unlisted)
        return value

    def _column(self, field: str, column: str) -> ir.Value:
        if column not in self.columns:
            near = difflib.get_close_matches(column, self.columns, 1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            raise DataError(
                f"{self.where}: there is no column `{column}` (mapped to `{field}` in "
                f"[sources.{self.name}]).{hint} The columns are: {', '.join(self.columns)}."
            )
        self._read.add(column)
        if is_id(field) and self._whole is None:
            self._whole = of_whole_numbers(self._engine(), self.table, self._specs, self.source)
        value = self.table[column]
        return whole(value) if is_id(field) and column in (self._whole or ()) else value


@dataclass(frozen=True)
class Typed:
    """An export whose rows have types.

    Attributes
    ----------
    table : ibis table
        ``_row``, ``bad`` and the fields.
    fields : Fields
        Gives the reasons why rows are bad.
    """

    table: ir.Table
    fields: Fields
