"""Proposes a mapping for the columns of an export.

In: an ``Export``. Out: a ``Proposal`` with the kind of source, its mapping and settings, missing
fields, guesses to check, and open questions. Names suggest what a column is; values confirm it.
Called by ``questions``, rendered by ``template``.
"""

from collections.abc import Collection, Mapping, Sequence

from recsys.config import Column
from recsys.values import currency_digits
from training.init import (
    consents,
    currency,
    fees,
    formats,
    orders,
    people,
    places,
    presets,
    quantities,
    roles,
)
from training.init.catalogue_names import CATALOGUE_NAMES
from training.init.channels import channel_of, map_channel
from training.init.decimals import settle_by_products
from training.init.evidence import Evidence
from training.init.exports import Export
from training.init.headers import fields_of, forms, ranked
from training.init.meanings import map_meanings
from training.init.money import map_money
from training.init.names import (
    GROUP_NAMES,
    IDENTIFIER_NAMES,
    MONEY,
    NAMES,
    NEEDED,
    ORDER_NAMES,
    SHOPIFY_HEADER,
    TILL_NAMES,
)
from training.init.overrides import Override
from training.init.proposal import Proposal, used_columns

_KINDS_TEXT = (
    "till_tickets shopify_orders woocommerce_orders order_lines ga4_events products locations "
    "stock customer_links"
)
#: Kinds that ``init`` can propose; a database is written by hand.
KINDS = tuple(_KINDS_TEXT.split())
LINES = ("till_tickets", "order_lines")
#: Fields that are mapped by modules of their own.
_LATER = {*MONEY, "line_type", "cancelled", "channel", "currency"}


def kind_of(export: Export) -> str | None:
    """Detect the kind of an export from its columns; None if unclear."""
    preset = presets.recognise(export)
    if preset is not None:
        return preset.kind
    if export.form == "ndjson" and {"event", "event_name"} & set(export.columns):
        return "ga4_events"
    if set(export.columns) >= SHOPIFY_HEADER:
        return "shopify_orders"
    fields = assign(export, ORDER_NAMES)
    identifiers = assign(export, IDENTIFIER_NAMES, taken=fields.values())
    item = "item_id" in fields or bool(ranked(export.columns, GROUP_NAMES))
    dated, numbered = "occurred_at" in fields, "order_id" in fields
    sold = {"quantity", "unit_price", "amount"} & set(fields)
    lines = numbered and dated and "quantity" in fields  # init asks for the product
    if lines or (item and ((numbered and (dated or sold)) or (dated and (identifiers or sold)))):
        plain = {form for column in export.columns for form in forms(column)}
        return "till_tickets" if plain & set(TILL_NAMES) else "order_lines"
    stock = assign(export, CATALOGUE_NAMES["stock"])
    if {"location_id", "item_id", "on_hand"} <= set(stock):
        return "stock"
    products = assign(export, CATALOGUE_NAMES["products"])
    if "item_id" in products and {"title", "price", "category", "brand"} & set(products):
        return "products"
    if numbered and dated and ({"amount", "order_total"} & set(fields)):
        return None  # orders without lines
    place = "location_id" in assign(export, CATALOGUE_NAMES["locations"])
    if place and len(identifiers) < 2 and not (dated or sold):
        return "locations"
    return "customer_links" if len(identifiers) >= 2 else None


def propose(
    export: Export,
    kind: str,
    *,
    day_first: bool = True,
    currency_code: str = "EUR",
    said: Sequence[Override] = (),
) -> Proposal:
    """Map an export's columns by their names and values.

    Parameters
    ----------
    export : Export
    kind : str
        One of ``KINDS``.
    day_first : bool
        How to read 01/02/2017 if no value shows the order.
    currency_code : str
        The workspace's currency.
    said : sequence of Override
        The user's settings for this source; they replace guesses.
    """
    proposal = Proposal(kind)
    if export.encoding not in ("utf-8", "utf-16", "utf-32"):
        proposal.settings["encoding"] = export.encoding
        proposal.check(f"the text is not UTF-8; it is read as {export.encoding}")
    plain = {o.path[0]: o.value for o in said if len(o.path) == 1}
    evidence = Evidence(
        export, currency_digits(plain.get("currency") or currency_code), plain.get("decimal")
    )
    given = {o.path[1]: o.value for o in said if o.path[0] == "columns" and len(o.path) == 2}
    preset = presets.recognise(export)
    if preset is not None and preset.kind == kind:
        _take_preset(preset, evidence, proposal, currency_code, day_first=day_first)
        proposal.hide_people()
        return proposal
    if kind in ("shopify_orders", "woocommerce_orders", "ga4_events"):
        fees.find_fees(evidence, proposal)
        return proposal
    known_fields = ORDER_NAMES if kind in LINES else CATALOGUE_NAMES[kind]
    if kind in LINES:
        _map_lines(evidence, proposal, given, currency_code)
    else:
        proposal.columns.update(assign(export, known_fields, evidence=evidence))
        if kind == "customer_links":
            people.map_people(evidence, proposal)
        people.check_people(evidence, proposal)
        roles.check_item_id(evidence, proposal)
    if kind in (*LINES, "customer_links"):
        consents.map_consents(evidence, proposal)
    formats.read_times(evidence, proposal, day_first=day_first)
    formats.check_numbers(evidence, proposal)
    if kind == "products":
        roles.check_statuses(evidence, proposal)
    if kind == "stock":
        roles.check_reserved(proposal)
    _finish(export, proposal, known_fields)
    proposal.hide_people()
    return proposal


def assign(
    export: Export,
    known_fields: Mapping[str, Collection[str]],
    taken: Collection[str] = (),
    evidence: Evidence | None = None,
) -> dict[str, str]:
    """Assign each field the best unused column whose values fit."""
    used = set(taken)
    assigned: dict[str, str] = {}
    for name, candidates in fields_of(export.columns, known_fields).items():
        for column in candidates:
            if column in used or (evidence and not roles.fits(evidence, name, column)):
                continue
            assigned[name] = column
            used.add(column)
            break
    return assigned


def _take_preset(
    preset: "presets.Preset",
    evidence: Evidence,
    proposal: Proposal,
    currency_code: str,
    *,
    day_first: bool,
) -> None:
    """Use the mapping of a known system, and note values that contradict it."""
    proposal.columns.update(preset.columns)
    proposal.identifiers.update(preset.identifiers)
    proposal.settings.update(preset.settings)
    if preset.consent is not None:
        consents.take(proposal, preset.consent)
    proposal.check(f"this is read as {preset.name} because of its columns")
    for check in preset.checks:
        proposal.check(check)
    proposal.questions += preset.questions
    people.check_people(evidence, proposal)
    for kind, values in preset.blocked.items():
        proposal.blocked[kind] = sorted({*proposal.blocked.get(kind, []), *values})
    roles.check_item_id(evidence, proposal)
    fees.find_fees(evidence, proposal)
    for rule, values in preset.rules.items():
        proposal.rules[rule] = list(values)
    if proposal.kind in LINES:
        currency.check_signs(evidence, proposal, currency_code)
        orders.check_numbers_of_orders(evidence, proposal)
    if "time_format" not in proposal.settings:
        formats.read_times(evidence, proposal, day_first=day_first)
    formats.check_numbers(evidence, proposal)
    if proposal.kind == "products":
        roles.check_statuses(evidence, proposal)
    if proposal.columns and proposal.kind in (*LINES, *CATALOGUE_NAMES):
        known_fields = ORDER_NAMES if proposal.kind in LINES else CATALOGUE_NAMES[proposal.kind]
        _finish(evidence.export, proposal, known_fields, preset=True)


def _map_lines(
    evidence: Evidence, proposal: Proposal, given: Mapping[str, object], currency_code: str
) -> None:
    """Map order lines: identity, customer, money, then status."""
    export, columns = evidence.export, proposal.columns
    candidates = fields_of(export.columns, ORDER_NAMES)
    for name, spec in given.items():
        if isinstance(spec, str) and spec in export.columns and name not in _LATER:
            columns[name] = spec
    _choose(evidence, proposal, candidates)
    people.map_people(evidence, proposal)
    if "item_id" not in columns:
        _take_group(evidence, proposal)
    orders.join_time_of_day(evidence, proposal)
    map_channel(evidence, proposal)
    if "channel" not in columns and proposal.kind == "order_lines":
        places.tell_channel(evidence, proposal)
    if "quantity" not in columns:
        quantities.find_quantity(evidence, proposal)
    roles.check_order_id(evidence, proposal)
    if "order_id" in columns:
        orders.widen_order_id(evidence, proposal)
    else:
        orders.make_order_id(proposal)
    orders.check_line_no(evidence, proposal)
    settle_by_products(evidence, proposal)
    formats.settle_quantity(evidence, proposal)
    currency.map_currency(evidence, proposal, currency_code)
    map_money(evidence, proposal)
    currency.check_signs(evidence, proposal, currency_code)
    map_meanings(evidence, proposal)
    people.check_people(evidence, proposal)
    roles.check_item_id(evidence, proposal)
    fees.find_fees(evidence, proposal)


def _choose(evidence: Evidence, proposal: Proposal, candidates: Mapping[str, list[str]]) -> None:
    """Choose the columns of time, order, product, place and line number."""
    columns = proposal.columns

    def free(name: str) -> list[str]:
        used = set(used_columns(proposal))
        return [c for c in candidates[name] if c not in used]

    if "occurred_at" not in columns:
        moment = roles.choose_moment(evidence, free("occurred_at"), proposal)
        if moment is not None:
            columns["occurred_at"] = moment
    if "order_id" not in columns:
        chosen = roles.choose_order_id(evidence, free("order_id"), proposal)
        if chosen is not None:
            columns["order_id"] = chosen
    if "item_id" not in columns:
        titles = [c for c in free("title") if c not in candidates["item_id"]]
        chosen = roles.choose_item_id(evidence, free("item_id"), titles, proposal)
        if chosen is not None:
            columns["item_id"] = chosen
    for name in candidates:
        if name in columns or name in _LATER:
            continue
        for column in free(name):
            if name == "location_id" and _are_channels(evidence, column):
                continue
            if roles.fits(evidence, name, column):
                columns[name] = column
                break
    if "title" not in columns:
        item = columns.get("item_id")
        for column in ranked(evidence.export.columns, NAMES):
            free_name = column not in used_columns(proposal)
            if free_name and isinstance(item, str) and roles.names_items(evidence, column, item):
                columns["title"] = column
                break


def _are_channels(evidence: Evidence, column: str) -> bool:
    """Return whether a column of places has words for channels: Online, In-store."""
    counts = evidence.counts(column)
    return len(counts) > 1 and all(channel_of(value) for value in counts)


def _take_group(evidence: Evidence, proposal: Proposal) -> None:
    """Use codes of product groups if no column identifies products."""
    used = set(used_columns(proposal))
    groups = [c for c in ranked(evidence.export.columns, GROUP_NAMES) if c not in used]
    if not groups:
        return
    fine = groups[0]
    above = [c for c in groups[1:] if "categor" in "".join(forms(c))]
    wider = next((c for c in above if not _within(evidence, fine, c)), None)
    proposal.columns["item_id"] = Column(columns=[wider, fine]) if wider else fine
    proposal.check(
        f"no column identifies products, so product groups are used: "
        f"{f'`{wider}` and ' if wider else ''}`{fine}`"
    )


def _within(evidence: Evidence, fine: str, wide: str) -> bool:
    """Return whether each value of one column occurs with only one value of another."""
    return all(len(evidence.distinct(wide, rows)) < 2 for rows in evidence.groups(fine).values())


def _finish(
    export: Export, proposal: Proposal, known_fields: Mapping[str, object], *, preset: bool = False
) -> None:
    """Sort the fields, and list missing, optional and unused ones."""
    order = list(known_fields)
    needed = NEEDED.get(proposal.kind, ())
    for name in known_fields:
        # The ingest uses a column with a field's own name unless it is mapped otherwise.
        if name in export.columns and name not in proposal.columns and name not in needed:
            proposal.columns[name] = Column(value="")
    order += [name for name in proposal.columns if name not in order]  # attributes of products
    proposal.columns = dict(sorted(proposal.columns.items(), key=lambda pair: order.index(pair[0])))
    missing = [name for name in known_fields if name not in proposal.columns]
    proposal.needed = [] if preset else [name for name in missing if name in needed]
    proposal.optional = [name for name in missing if name not in needed]
    if "channel" in proposal.settings and "channel" in proposal.optional:
        proposal.optional.remove("channel")
    used = set(used_columns(proposal))
    proposal.unused = [column for column in export.columns if column not in used]
