"""Builds order ids and times from several columns if one is not enough.

In: an export's evidence and a proposal. Date and time of day are joined. A ticket number that
restarts (in each store, at each till, on each day) is combined with that column. Called by
``mapping``.
"""

import re
from collections import defaultdict
from collections.abc import Mapping

from recsys.config import Column
from recsys.values import meaning_of_word
from training.init import times
from training.init.evidence import NEARLY_ALL, Evidence
from training.init.headers import ranked
from training.init.names import TILL_NUMBER_NAMES, TIME_OF_DAY_NAMES
from training.init.proposal import Proposal, columns_of, used_columns, value_of

_TIME_OF_DAY = re.compile(
    r"\d{1,2}(h|H|時)\d\d分?|\d{1,2}([:.]\d\d){1,2}(\.\d+)?( ?[AaPp]\.?[Mm]\.?)?|\d{3,4}|\d{6}"
)

#: Identifiers that are unique per order, unlike payment cards.
_ONE_AN_ORDER = ("account", "email", "phone", "loyalty_card")
#: Largest first line number of an order.
_FIRST_LINE = 100
#: Tolerated share of exceptions.
_FEW_SHARED = 0.02
#: Share of multi-line orders with several days that shows that numbers restart.
_MANY_SPREAD = 0.5


def join_time_of_day(evidence: Evidence, proposal: Proposal) -> None:
    """Join date and time of day if they are in two columns."""
    date = proposal.columns.get("occurred_at")
    if not isinstance(date, str) or date in evidence.export.typed:
        return
    if any(":" in text for text in evidence.filled(date)):
        # 2024-05-02 00:00:00 beside a time of day: only its date counts.
        days = {re.split("[ T]", text, maxsplit=1)[-1] for text in evidence.filled(date)}
        if not all(re.fullmatch(r"0?0:00(:00(\.0+)?)?", text) for text in days):
            return
    used = set(used_columns(proposal)) | {date}
    for column in ranked(evidence.export.columns, TIME_OF_DAY_NAMES):
        if column in used or not evidence.filled(column):
            continue
        if evidence.share(column, _TIME_OF_DAY.fullmatch) == 1.0:
            midnight = any(":" in text for text in evidence.filled(date))
            proposal.columns["occurred_at"] = Column(
                columns=[date, column], join=" ", days=[date] if midnight else []
            )
            return
        if any(re.search(r"\d", text) for text in evidence.filled(column)):
            proposal.check(f"`{column}` has an unknown format, so times do not include it")


def make_order_id(proposal: Proposal) -> None:
    """Make an order id of customer and time if there is no order number."""
    columns = proposal.columns
    when, account = columns.get("occurred_at"), proposal.identifiers.get("account")
    if "order_id" in columns or when is None or account is None:
        return
    parts = columns_of(account) + columns_of(when) + columns_of(columns.get("channel"))
    parts += [column for name, (column, _) in proposal.values.items() if name == "channel"]
    columns["order_id"] = Column(columns=parts)
    proposal.check("there are no order numbers; a customer's purchases at one time are one order")


def widen_order_id(evidence: Evidence, proposal: Proposal) -> None:
    """Add store, day, till or customer to a number that is not unique per order."""
    order_id = proposal.columns.get("order_id")
    if not isinstance(order_id, str):
        return
    parts: list[str] = []
    day = _day_part(proposal)
    if day and _varies(evidence, proposal, [order_id], day, by_day=True):
        parts.append(day)
    tills = ranked(evidence.export.columns, TILL_NUMBER_NAMES)
    used = set(used_columns(proposal)) - set(columns_of(proposal.columns.get("location_id")))
    places = columns_of(proposal.columns.get("location_id"))
    places += [till for till in tills if till not in used and evidence.filled(till)][:1]
    for place in places:
        if _varies(evidence, proposal, [order_id, *parts], place):
            parts.append(place)
    if parts:
        order = [*columns_of(proposal.columns.get("location_id")), day, *tills]
        parts.sort(key=order.index)
        spec = Column(columns=[*parts, order_id], days=_days(evidence, day) if day in parts else [])
        proposal.columns["order_id"] = spec
        _say(proposal, order_id, parts)
        if "return_of" in proposal.columns:
            proposal.check("`return_of` must join the same columns as `order_id`")
    _add_customer(evidence, proposal)


def _say(proposal: Proposal, order_id: str, parts: list[str]) -> None:
    proposal.check(
        f"`{order_id}` recurs with another {' or '.join(parts)}; together they identify an order"
    )


def _day_part(proposal: Proposal) -> str | None:
    """Return the column of the day, if there is one."""
    spec = proposal.columns.get("occurred_at")
    columns = columns_of(spec)
    return columns[0] if columns else None


def _days(evidence: Evidence, column: str) -> list[str]:
    """Return the column as a day: the text before its first blank, if that is the day."""
    filled = evidence.filled(column)
    timed = any(re.search(r"\d[ T]\d", text) for text in filled)
    return [column] if timed and times.day_ends_at_blank(set(filled)) else []


def _varies(
    evidence: Evidence, proposal: Proposal, key: list[str], part: str, *, by_day: bool = False
) -> bool:
    """Return whether one number has several values of a column, which implies several orders.

    Differences at one time for one customer do not count: one order may ship from two
    warehouses.
    """
    days = _days(evidence, part) if by_day else []
    spec = Column(columns=[part], days=days)
    day = _day_part(proposal)
    number = Column(columns=key, days=_days(evidence, day) if day in key else [])
    rows, moment = evidence.export.rows, proposal.columns.get("occurred_at")
    clock = moment is not None and times.has_hours(
        value_of(row, moment) for row in rows[: min(len(rows), 200)]
    )
    customers = list(proposal.identifiers.values())
    several = spread = 0
    for every in evidence.groups(number).values():
        bought = [ix for ix in every if not _came_back(rows[ix], proposal)]
        values = {value_of(rows[ix], spec) for ix in bought} - {""}
        several += len(bought) > 1
        if len(values) < 2:
            continue
        if by_day and proposal.kind != "till_tickets":
            # An order may ship on several days, but has one customer.
            customer_values = {tuple(value_of(rows[ix], who) for who in customers) for ix in bought}
            spread += len(customer_values) > 1 or not any(map(any, customer_values))
            if any(map(any, customer_values)) and len(customer_values) > 1:
                return True
            continue
        if by_day or moment is None or not clock:
            return True
        at: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        for ix in bought:
            at[value_of(rows[ix], spec)].add(
                (value_of(rows[ix], moment), *(value_of(rows[ix], who) for who in customers))
            )
        if len(set.union(*at.values())) > 1:
            return True
    return spread > _MANY_SPREAD * several


def _came_back(row: Mapping[str, str], proposal: Proposal) -> bool:
    """Return whether a row is a return, which may have the number of its order."""
    quantity, kind = (
        value_of(row, spec) if (spec := proposal.columns.get(name)) is not None else ""
        for name in ("quantity", "line_type")
    )
    minus = quantity.startswith(("-", "\u2212", "(")) or quantity.endswith("-")
    return minus or meaning_of_word(kind) == "refund"


def check_numbers_of_orders(evidence: Evidence, proposal: Proposal) -> None:
    """Note if order numbers of a known system occur with several days or places."""
    order_id = proposal.columns.get("order_id")
    if not isinstance(order_id, str):
        return
    day = _day_part(proposal)
    if day and _varies(evidence, proposal, [order_id], day, by_day=True):
        proposal.check(f"`{order_id}` recurs on another day; does it identify one order?")


def _add_customer(evidence: Evidence, proposal: Proposal) -> None:
    """Separate orders of different customers with the same number."""
    spec = proposal.columns["order_id"]
    customers = [
        who
        for kind, who in proposal.identifiers.items()
        if isinstance(who, str) and kind in _ONE_AN_ORDER
    ]
    groups = [rows for rows in evidence.groups(spec).values() if len(rows) > 1]
    for who in customers:
        shared = [rows for rows in groups if len(evidence.distinct(who, rows)) > 1]
        if not shared:
            continue
        column = columns_of(spec)[-1]
        if len(shared) < _FEW_SHARED * len(groups):
            proposal.check(f"`{column}` has several values of `{who}` in {len(shared)} orders")
            continue
        filled = len(evidence.filled(who)) / max(evidence.n_rows, 1)
        if filled >= NEARLY_ALL and who not in columns_of(spec):
            days = spec.days if isinstance(spec, Column) else []
            proposal.columns["order_id"] = Column(columns=[*columns_of(spec), who], days=days)
            proposal.check(
                f"`{column}` recurs with another `{who}` at one time; together they identify "
                "an order"
            )
            return
        proposal.ask(
            f"`{column}` has several values of `{who}` in {len(shared)} orders, and no other "
            "column separates these orders; which columns identify an order?",
            "columns.order_id",
            example=f'{{ columns = ["…", "{column}"] }}',
        )
        return


def check_line_no(evidence: Evidence, proposal: Proposal) -> None:
    """Leave out a line number that does not number the lines of an order."""
    line_no, order_id = proposal.columns.get("line_no"), proposal.columns.get("order_id")
    if not isinstance(line_no, str) or order_id is None or not evidence.filled(line_no):
        return
    texts, items = evidence.texts(line_no), columns_of(proposal.columns.get("item_id"))
    firsts: list[int] = []
    for rows in evidence.groups(order_id).values():
        seen: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        for ix in rows:
            if texts[ix]:
                seen[texts[ix]].add(tuple(evidence.texts(item)[ix] for item in items))
        if any(len(found) > 1 for found in seen.values()):
            del proposal.columns["line_no"]
            proposal.check(
                f"`{line_no}` is the same for several products of one order, so it is not used: it "
                "does not number lines"
            )
            return
        firsts += [min(int(text) for text in seen)] if seen else []
    if firsts and min(firsts) > _FIRST_LINE and not evidence.repeats(line_no):
        del proposal.columns["line_no"]  # it numbers the rows of the table
