"""Proposes what an export's columns mean.

An ``Export`` comes in; out comes a ``Proposal``: the kind of source, its mapping and settings,
what could not be found, and what a person should check. Nothing is taken for granted silently:
whatever was guessed is in ``checks``. Called by the command, rendered by ``template``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from recsys.config import Column
from recsys.schema import CHANNELS
from training.init import names, times
from training.init.exports import Export

#: Kinds that ``init`` can propose; a database is written by hand.
KINDS = (
    "till_tickets",
    "shopify_orders",
    "order_lines",
    "ga4_events",
    "products",
    "locations",
    "stock",
    "customer_links",
)
_LINES = ("till_tickets", "order_lines")
_COMMA = re.compile(r"-?\d{1,3}(\.?\d{3})*,\d+", re.ASCII)
_POINT = re.compile(r"-?[\d,]*\.\d+", re.ASCII)
_FEW = 20


@dataclass
class Proposal:
    """What a source in ``omnibasket.toml`` may look like.

    Attributes
    ----------
    kind : str
    columns, identifiers : dict
        Field or identifier type → column of the export, or a ``Column``.
    settings : dict
        Other settings of the source: channel, time_format, decimal, encoding.
    needed : list of str
        Fields without which the ingest will refuse the export, and which were not found.
    optional : list of str
        Other fields that were not found.
    unused : list of str
        Columns that mean nothing to us, as far as their names tell.
    values : dict
        Field → values whose meaning is not known; a person can say it.
    checks : list of str
        What was guessed.
    """

    kind: str
    columns: dict[str, str | Column] = field(default_factory=dict)
    identifiers: dict[str, str | Column] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    needed: list[str] = field(default_factory=list)
    optional: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    values: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    checks: list[str] = field(default_factory=list)


def kind_of(export: Export) -> str | None:
    """Tell from its columns what kind of source an export is; None when they do not say."""
    if export.form == "ndjson":
        return "ga4_events" if {"event", "event_name"} & set(export.columns) else None
    if set(export.columns) >= names.SHOPIFY_HEADER:
        return "shopify_orders"
    orders = find(export, names.ORDER_NAMES)
    people = find(export, names.IDENTIFIER_NAMES)
    plain = {_plain(column) for column in export.columns}
    named = {"order_id", "quantity"} <= set(orders) or {"order_id", "occurred_at"} <= set(orders)
    if "item_id" in orders and (named or (people and "occurred_at" in orders)):
        return "till_tickets" if plain & names.TILL_NAMES else "order_lines"
    stock = find(export, names.CATALOGUE_NAMES["stock"])
    if {"location_id", "item_id", "on_hand"} <= set(stock):
        return "stock"
    products = find(export, names.CATALOGUE_NAMES["products"])
    if "item_id" in products and {"title", "price", "category", "brand"} & set(products):
        return "products"
    if "location_id" in find(export, names.CATALOGUE_NAMES["locations"]) and len(people) < 2:
        return "locations"
    return "customer_links" if len(people) >= 2 else None


def propose(export: Export, kind: str, *, day_first: bool = True) -> Proposal:
    """Map an export's columns by their names and values.

    Parameters
    ----------
    export : Export
    kind : str
        One of ``KINDS``.
    day_first : bool
        How to read 01/02/2017 where no value tells.
    """
    proposal = Proposal(kind)
    if export.encoding not in ("utf-8", "utf-16", "utf-32"):
        proposal.settings["encoding"] = export.encoding
        proposal.checks.append(f"the text is not UTF-8; it is read as {export.encoding}")
    if kind in ("shopify_orders", "ga4_events"):
        return proposal
    wanted = names.ORDER_NAMES if kind in _LINES else names.CATALOGUE_NAMES[kind]
    found = find(export, wanted)
    proposal.columns.update(found)
    if kind in (*_LINES, "customer_links"):
        people = find(export, names.IDENTIFIER_NAMES, taken=found.values())
        proposal.identifiers.update(people)
    if kind in _LINES:
        _complete_lines(export, proposal)
    _read_times(export, proposal, day_first=day_first)
    _read_decimals(export, proposal)
    order = list(wanted)
    proposal.columns = dict(sorted(proposal.columns.items(), key=lambda pair: order.index(pair[0])))
    fields = [name for name in wanted if name not in proposal.columns]
    proposal.needed += [name for name in fields if name in names.NEEDED[kind]]
    proposal.optional = [name for name in fields if name not in proposal.needed]
    if "channel" in proposal.settings and "channel" in proposal.optional:
        proposal.optional.remove("channel")
    used = set(used_columns(proposal))
    proposal.unused = [column for column in export.columns if column not in used]
    return proposal


def find(
    export: Export, wanted: Mapping[str, tuple[str, ...]], taken: Iterable[str] = ()
) -> dict[str, str]:
    """Match columns to fields by name; a column is given to one field only."""
    free = {_plain(column): column for column in reversed(export.columns)}
    for column in taken:
        free.pop(_plain(column), None)
    found: dict[str, str] = {}
    for name, known in wanted.items():
        for candidate in (_plain(name), *known):
            if candidate in free:
                found[name] = free.pop(candidate)
                break
    for name in (name for name in names.MEASURES if name in wanted and name not in found):
        for prefix in names.MEASURE_PREFIXES:
            match = next((k for k in wanted[name] if prefix + k in free), None)
            if match is not None:
                found[name] = free.pop(prefix + match)
                break
    return found


def used_columns(proposal: Proposal) -> list[str]:
    """List the export's columns that a proposal reads."""
    specs = (*proposal.columns.values(), *proposal.identifiers.values())
    columns = [column for spec in specs for column in columns_of(spec)]
    return columns + [column for column, _ in proposal.values.values()]


def columns_of(spec: str | Column | None) -> list[str]:
    """List the export's columns that one field is read from."""
    if spec is None or isinstance(spec, str):
        return [spec] if spec else []
    return [spec.column] if spec.column else list(spec.columns)


def value_of(row: Mapping[str, str], spec: str | Column) -> str:
    """Read a field from a row of the sample, as the ingest will."""
    if isinstance(spec, str):
        return row.get(spec, "")
    if spec.value is not None:
        return spec.value
    text = spec.join.join(row.get(column, "") for column in columns_of(spec))
    return spec.map.get(text, text).zfill(spec.pad)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _complete_lines(export: Export, proposal: Proposal) -> None:
    """Finish the mapping of order lines with what their values tell."""
    columns = proposal.columns
    line_no = columns.get("line_no")
    if isinstance(line_no, str) and not _all(export, line_no, r"\d{1,9}"):
        del columns["line_no"]
    _translate(export, proposal, "line_type", names.LINE_TYPE_WORDS, tuple(names.LINE_TYPE_WORDS))
    _translate(export, proposal, "channel", names.CHANNEL_WORDS, CHANNELS)
    if "channel" not in columns and proposal.kind == "order_lines":
        proposal.settings["channel"] = "pos" if "location_id" in columns else "web"
        if "channel" not in proposal.values:
            proposal.checks.append(
                f"no column says the channel; `{proposal.settings['channel']}` was taken for all"
            )
    if "quantity" not in columns:
        columns["quantity"] = Column(value="1")
        proposal.checks.append("no column says how many; every row was taken for one piece")
    _join_time_of_day(export, proposal)
    if "order_id" in columns:
        _widen_order_id(export, proposal)
    elif "account" in proposal.identifiers and "occurred_at" in columns:
        parts = columns_of(proposal.identifiers["account"]) + columns_of(columns["occurred_at"])
        parts += columns_of(columns.get("channel"))
        parts += [column for name, (column, _) in proposal.values.items() if name == "channel"]
        columns["order_id"] = Column(columns=parts)
        proposal.checks.append(
            "there are no order numbers; what one customer bought at one time is one order"
        )


def _all(export: Export, column: str, pattern: str) -> bool:
    return all(re.fullmatch(pattern, text, re.ASCII) for text in export.values(column))


def _translate(
    export: Export,
    proposal: Proposal,
    name: str,
    words: Mapping[str, tuple[str, ...]],
    known: tuple[str, ...],
) -> None:
    """Map an export's words for a channel or a kind of line to ours, where all are known."""
    column = proposal.columns.get(name)
    if not isinstance(column, str):
        return
    values = sorted(export.values(column))
    ours = {word: meaning for meaning, listed in words.items() for word in listed}
    if all(value in known for value in values):
        return
    mapped = {value: ours.get(_plain(value)) for value in values}
    del proposal.columns[name]
    if all(mapped.values()):
        proposal.columns[name] = Column(column=column, map={k: v for k, v in mapped.items() if v})
    elif len(values) <= _FEW:
        proposal.values[name] = (column, values)
        listed = ", ".join(f"`{value}`" for value in values)
        proposal.checks.append(f"what do {listed} in `{column}` mean? Map them to `{name}`")


def _join_time_of_day(export: Export, proposal: Proposal) -> None:
    """Put date and time of day together where they stand in two columns."""
    date = proposal.columns.get("occurred_at")
    if (
        not isinstance(date, str)
        or date in export.typed
        or any(":" in t for t in export.values(date))
    ):
        return
    plain = {_plain(column): column for column in export.columns}
    for name in names.TIME_OF_DAY_NAMES:
        column = plain.get(name)
        if column is None or column == date or column in used_columns(proposal):
            continue
        if _all(export, column, r"\d{1,2}[:.]?\d\d([:.]?\d\d)?( ?[AaPp][Mm])?"):
            proposal.columns["occurred_at"] = Column(columns=[date, column], join=" ")
            return


def _widen_order_id(export: Export, proposal: Proposal) -> None:
    """Add store, day and till to a ticket number that does not name a ticket by itself."""
    order_id = proposal.columns["order_id"]
    if not isinstance(order_id, str):
        return
    plain = {_plain(column): column for column in export.columns}
    parts = columns_of(proposal.columns.get("location_id"))
    time = proposal.columns.get("occurred_at")
    if isinstance(time, Column):
        parts.append(time.columns[0])
    parts += [plain[name] for name in names.TILL_NUMBER_NAMES if name in plain][:1]
    places: dict[str, set[tuple[str, ...]]] = {}
    for row in export.rows:
        place = tuple(row.get(part, "") for part in parts)
        places.setdefault(row.get(order_id, ""), set()).add(place)
    varying = [
        part
        for ix, part in enumerate(parts)
        if any(len({place[ix] for place in seen}) > 1 for seen in places.values())
    ]
    if varying:
        proposal.columns["order_id"] = Column(columns=[*varying, order_id])
        proposal.checks.append(
            f"`{order_id}` comes again with another {' or '.join(varying)}; together they name "
            "an order"
        )


def _read_times(export: Export, proposal: Proposal, *, day_first: bool) -> None:
    spec = proposal.columns.get("occurred_at")
    if spec is None or (isinstance(spec, str) and spec in export.typed):
        return
    texts = {value_of(row, spec) for row in export.rows} - {""}
    if not texts or times.is_iso(texts):
        return
    fitting = times.formats(texts)
    if not fitting:
        proposal.checks.append(
            f"times such as `{min(texts)}` are in no format we know; set `time_format`"
        )
        return
    proposal.settings["time_format"] = fitting[0] if day_first else fitting[-1]
    if len(fitting) > 1:
        order = "day first" if day_first else "month first"
        proposal.checks.append(f"times such as `{min(texts)}` were read {order}")


def _read_decimals(export: Export, proposal: Proposal) -> None:
    numbers = ("quantity", "unit_price", "discount", "amount", "price", "cost", "on_hand")
    texts: set[str] = set()
    for name in numbers:
        spec: Any = proposal.columns.get(name)
        if isinstance(spec, str) and spec not in export.typed:
            texts.update(export.values(spec))
    commas = sum(bool(_COMMA.fullmatch(text)) for text in texts)
    if commas and commas > sum(bool(_POINT.fullmatch(text)) for text in texts):
        proposal.settings["decimal"] = ","
