"""What exports say that customers consent to: read with each file, the latest word taken.

In: columns such as Shopify's ``Accepts Marketing``, with the time of their row. Out: in a part, who
said what when; at the end of an ingest, the latest word of each customer. Called by ``staging`` and
by ``training.ingest``, which brings the words to the ledger.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from typing import Final, NamedTuple

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.config import ORDER_KINDS, Config, Purpose
from recsys.errors import ConfigError
from recsys.ingest.columns.fields import Fields
from recsys.ingest.erased import Marks, until_of
from recsys.ingest.files.export_files import ROW, RawTable
from recsys.ingest.parts import Manifest, Part
from recsys.ingest.staged import Staged
from recsys.query_engine import batches, keep, rows, scratch, value
from recsys.values import words_by_meaning

#: Distinct words of one column that are looked at; further ones are not read.
_MOST_WORDS: Final = 1_000
_OF_IDENTIFIER: Final = ("type", "value", "purpose", "channel")
_OF_CUSTOMER: Final = ("customer_id", "purpose", "channel")
_BATCH_ROWS: Final = 50_000


class ImportedConsent(NamedTuple):
    """The latest word of a customer in the exports, under one of their identifiers."""

    own_id: str
    purpose: Purpose
    channel: str
    """Empty: on every channel."""
    given: bool
    at_ts: int
    """Time of the row, UTC epoch seconds."""
    source: str


def read_words(
    con: Backend, raw: RawTable, config: Config, name: str, good: ir.Table, part: Part
) -> ir.Table | None:
    """Read what the rows of a file say, and note in its part what cannot be read.

    Parameters
    ----------
    con : ibis backend
        The engine; keeps the words.
    raw : RawTable
        The opened file.
    config : Config
    name : str
        The source's name.
    good : ibis table
        The file's typed rows.
    part : Part
        Gets the notes.

    Returns
    -------
    ibis table or None
        ``_row, at, purpose, channel, given``; None where the source has no such column.

    Raises
    ------
    ConfigError
        When rows of this kind of source name no customer, or have no time.
    """
    source = config.sources[name]
    if not source.consents:
        return None
    if source.kind not in (*ORDER_KINDS, "customer_links"):
        raise ConfigError(f"sources.{name}: {source.kind} have no `consents`; orders have.")
    if source.kind == "customer_links" and not {"occurred_at"} & {*source.columns, *raw.columns}:
        raise ConfigError(
            f"sources.{name}: `consents` need an `occurred_at`, so that the later word counts."
        )
    fields = Fields(raw.table, raw.columns, config, name, raw.file.name)
    columns = [
        _read(con, fields, purpose, channel)
        for purpose, by_channel in source.consents.items()
        for channel in by_channel
    ]
    times = good.group_by(ROW).agg(at=good.occurred_at.min())
    said = keep(con, "consents_said", _union(columns).join(times, ROW))
    unread, timeless = said.given.isnull(), said["at"].isnull()
    for note, which in (
        ("consents_not_read", unread),
        ("consents_without_a_time", ~unread & timeless),
    ):
        count = value(con, said.filter(which).count())
        if count:
            part.notes[note] = int(count)
    return said.filter(~unread & ~timeless)


def _read(con: Backend, fields: Fields, purpose: str, channel: str) -> ir.Table:
    """Read one column; ``given`` is null for a word that says neither yes nor no."""
    table = fields.table.select(ROW, word=fields.words(f"consents.{purpose}.{channel}"))
    table = keep(con, "consent_words", table.filter(table.word.notnull()))
    few = rows(con, table.select("word").distinct().order_by("word").limit(_MOST_WORDS))
    known = words_by_meaning([row["word"] for row in few])
    yes, no = ([word for word, is_ in known.items() if is_ == said] for said in ("yes", "no"))
    given = ibis.cases(
        (table.word.isin(yes), True), (table.word.isin(no), False), else_=ibis.null("boolean")
    )
    return table.select(
        ROW,
        purpose=ibis.literal(purpose),
        channel=ibis.literal("" if channel == "all" else channel),
        given=given,
    )


def of_identifiers(said: Sequence[ir.Table]) -> ir.Table:
    """Return the latest word of each identifier.

    Parameters
    ----------
    said : sequence of ibis table
        ``type, value, purpose, channel, at, given``.
    """
    return _latest(_union(said), _OF_IDENTIFIER)


def imported_consents(
    con: Backend,
    config: Config,
    manifest: Manifest,
    folder: Path,
    erased: Marks,
    until_ts: int,
) -> Iterator[ImportedConsent]:
    """Read the latest word of each customer in all exports, for each of their identifiers.

    Parameters
    ----------
    con : ibis backend
    config : Config
        Parts of sources that it does not name are left out.
    manifest : Manifest
        The parts.
    folder : Path
        Of the history, whose identifiers say who is one customer.
    erased : mapping of str to int or None
        As of ``unify``.
    until_ts : int
        Later words do not count yet. UTC epoch seconds.

    Yields
    ------
    ImportedConsent
        Sorted by ``own_id``.
    """
    staged = Staged(con, config, manifest, None)
    if not staged.has_consents():
        return
    with scratch(con):
        known = con.read_parquet(folder / "identifiers.parquet")
        known = known.filter(known.customer_id.notnull())
        known = keep(con, "known", known.select("type", "value", "own_id", "customer_id"))
        said = staged.consents()
        until = ibis.literal(datetime.fromtimestamp(until_ts, UTC).replace(tzinfo=None))
        said = said.filter(said["at"] <= until).join(known, ["type", "value"])
        marked = said.left_join(until_of(con, erased), [("own_id", "_marked")])
        at = marked["at"].cast("timestamp('UTC', 6)")
        new = marked["_marked"].isnull() | (at >= marked["_until"])
        said = keep(con, "consents_of_customers", marked.filter(new).select(*said.columns))
        latest = _latest(said, _OF_CUSTOMER, "source")
        told = latest.join(known.select("own_id", "customer_id"), "customer_id")
        told = told.select(
            "own_id",
            "purpose",
            "channel",
            "given",
            at_ts=told["at"].epoch_seconds().cast("int64"),
            source=told.source,
        )
        for batch in batches(con, told.order_by("own_id", "purpose", "channel"), _BATCH_ROWS):
            yield from map(ImportedConsent._make, zip(*batch.to_pydict().values(), strict=True))


def _latest(said: ir.Table, key: Sequence[str], *more: str) -> ir.Table:
    """Take the latest word of each key; of equal times the refusal."""
    newest = said.group_by(*key).agg(newest=said["at"].max())
    last = said.join(newest, list(key))
    last = last.filter(last["at"] == last.newest).select(*said.columns)
    extra = {name: last[name].min() for name in more}
    return last.group_by(*key, "at").agg(given=last.given.all(), **extra)


def _union(tables: Sequence[ir.Table]) -> ir.Table:
    return reduce(ibis.union, tables)
