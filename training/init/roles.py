"""Checks by its values which fields a column may be, and chooses among columns with fitting names.

``fits`` decides whether a column can be a field; ``choose_order_id`` and ``choose_item_id`` compare
how values repeat. Called by ``mapping``.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from statistics import median

from recsys.ingest.columns import number_kind
from recsys.values import DAYS_PATTERN, currency_codes, read_statuses
from training.init import times
from training.init.evidence import NEARLY_ALL, Evidence
from training.init.headers import forms
from training.init.names import MONEY
from training.init.proposal import Proposal, shown

#: Minimum rows for the absence of repeats to be evidence.
_MANY = 30
_MAX_PIECES = 10_000
#: Share of filled values that a better column must have.
_FILLED = 0.8
_DATED = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}")
_OTHER_MOMENTS = ("ship", "deliver", "limit", "due", "birth", "expir", "update", "modif", "liefer")
#: Fields of products that state whether they are shown.
STATUSES = ("active", "visibility")
_DEGREES = re.compile(r"\s*[-+]?\d{1,3}(?:[.,]\d+)?\s*")
#: Begins of words for what can still be sold.
_AVAILABLE = re.compile("availab|sellable|verfügbar|disponib|dostępn|kullanılabilir")
_LINE_IDS = {"itemid", "lineitemid", "orderitemid", "lineid"}


def fits(evidence: Evidence, field: str, column: str) -> bool:
    """Return whether a column's values fit a field; an empty column fits any."""
    counts = evidence.counts(column)
    if not counts:
        return True
    if field in MONEY or field in ("price", "sale_price", "cost"):
        return evidence.numeric(column)
    if field in ("quantity", "refunded_quantity"):
        if evidence.numbers(column).units:  # a pack may contain 2.5 l; see ``quantities``
            return False
        return evidence.numeric(column) and small(evidence, column)
    if field in ("on_hand", "reserved"):
        return evidence.numeric(column)
    if field in ("latitude", "longitude"):
        return evidence.share(column, _DEGREES.fullmatch) >= NEARLY_ALL
    if field == "delivery_days":
        return evidence.share(column, re.compile(DAYS_PATTERN).fullmatch) >= NEARLY_ALL
    if field == "line_no":
        return evidence.share(column, re.compile(r"\d{1,9}", re.ASCII).fullmatch) == 1.0
    if field == "currency":
        return evidence.share(column, is_currency) >= NEARLY_ALL
    if field == "occurred_at":
        return _may_be_times(evidence, column)
    if field == "location_id":
        return _may_be_places(evidence, column)
    if field in STATUSES:  # a "state" may also be new, used or Ohio
        return bool(read_statuses(counts))
    return True


def check_statuses(evidence: Evidence, proposal: Proposal) -> None:
    """Note unknown words of a product's status, because their rows will be rejected."""
    for field in STATUSES:
        column = proposal.columns.get(field)
        if not isinstance(column, str):
            continue
        counts = evidence.counts(column)
        unknown = sorted(counts.keys() - read_statuses(counts).keys())
        if unknown:
            listed = ", ".join(f"`{shown(word)}`" for word in unknown[:12])
            proposal.check(
                f"{listed} in `{column}` is unknown, and products with it are rejected; "
                f'map it: {field} = {{ column = "{column}", map = {{ … }} }}'
            )


def check_reserved(proposal: Proposal) -> None:
    """Leave what is reserved out beside what is available, from which it is subtracted already."""
    column, reserved = proposal.columns.get("on_hand"), proposal.columns.get("reserved")
    if isinstance(column, str) and reserved and _AVAILABLE.search(column.casefold()):
        del proposal.columns["reserved"]
        proposal.check(
            f"`{column}` seems to be what is left without `{reserved}`; if it is not, map it: "
            f'reserved = "{reserved}"'
        )


def is_currency(text: str) -> bool:
    """Return whether a text is an ISO 4217 code, in any case."""
    return text.upper() in currency_codes()


def small(evidence: Evidence, column: str) -> bool:
    """Return whether numbers may be pieces or weights."""
    numbers = [abs(n) for n in evidence.numbers(column).values if n == n]
    return not numbers or median(numbers) <= _MAX_PIECES


def _may_be_times(evidence: Evidence, column: str) -> bool:
    """Return whether values may be times; unknown formats count if no other column has a known one.

    Columns of small numbers, prices, or words without digits are not times.
    """
    if column in evidence.export.typed:
        return evidence.share(column, lambda t: re.match(r"\d{4}-\d\d-\d\d", t)) >= NEARLY_ALL
    return evidence.share(column, lambda t: re.search(r"\d.*\d", t) and not _decimal(t)) >= 0.5


def _decimal(text: str) -> bool:
    return bool(re.fullmatch(r"-?\d{1,6}([.,]\d+)?", text))


def _may_be_places(evidence: Evidence, column: str) -> bool:
    """Return whether a column has few values, because places are few compared with products."""
    counts = evidence.counts(column)
    filled = counts.total()
    return filled < _MANY or len(counts) <= filled / 2


def choose_moment(evidence: Evidence, candidates: Sequence[str], proposal: Proposal) -> str | None:
    """Choose the column of times: with a fitting name and readable, else readable, else any."""
    filled = [c for c in candidates if evidence.filled(c)] or list(candidates)
    for column in filled:
        if fits(evidence, "occurred_at", column) and readable_times(evidence, column):
            return column
        if number_kind(evidence.filled(column)):
            return column
    for column in sorted(evidence.export.columns, key=_hardly_the_sale):
        texts = evidence.filled(column)
        dated = texts and evidence.share(column, _DATED.match) >= NEARLY_ALL
        if dated and readable_times(evidence, column):
            proposal.check(f"`{column}` is used as the time because of its values")
            return column
    return filled[0] if filled else None


def _hardly_the_sale(column: str) -> bool:
    """Return whether a time's name suggests another time than the sale; used to sort."""
    name = column.lower()
    return any(word in name for word in _OTHER_MOMENTS)


def names_items(evidence: Evidence, column: str, item_id: str) -> bool:
    """Return whether each recurring product has one name, unlike names of customers."""
    several = [rows for rows in evidence.groups(item_id).values() if len(rows) > 1]
    same = sum(len(evidence.distinct(column, rows)) == 1 for rows in several)
    n_names = len(evidence.counts(column))
    return bool(several) and same / len(several) >= NEARLY_ALL and n_names > 1


def readable_times(evidence: Evidence, column: str) -> bool:
    """Return whether a column's times are ISO 8601 or have a known format."""
    texts = evidence.filled(column)[:200]
    known = not texts or times.is_iso(texts) or number_kind(texts)
    return bool(known or times.reading(texts, day_first=True).patterns)


def choose_order_id(
    evidence: Evidence, candidates: Sequence[str], proposal: Proposal
) -> str | None:
    """Choose the first column that groups rows among candidates for the order id."""
    filled = [c for c in candidates if evidence.filled(c)] or list(candidates)
    if not filled:
        return None
    first = filled[0]
    if evidence.repeats(first) or evidence.n_rows < 2:
        return first
    for other in filled[1:]:
        if evidence.repeats(other) and len(evidence.counts(other)) > 1:
            proposal.check(
                f"`{first}` differs in every row, so `{other}`, which recurs, is used as the order"
            )
            return other
    return first


def check_order_id(evidence: Evidence, proposal: Proposal) -> None:
    """Ask if every row is an order of its own although customers have several rows at once."""
    order_id, when = proposal.columns.get("order_id"), proposal.columns.get("occurred_at")
    if not isinstance(order_id, str) or not isinstance(when, str):
        return
    customers = [spec for spec in proposal.identifiers.values() if isinstance(spec, str)]
    if evidence.repeats(order_id) or not customers or not times.has_hours(evidence.filled(when)):
        return
    if len(evidence.filled(order_id)) != evidence.n_rows:
        return
    together = Counter(
        (who, at)
        for who, at in zip(evidence.texts(customers[0]), evidence.texts(when), strict=True)
        if who and at
    )
    several = sum(n for n in together.values() if n > 1)
    if several * 2 > evidence.n_rows:
        proposal.check(
            f"`{order_id}` differs in every row, although customers have several rows at one "
            "time; is it a line number, and another column the order number?"
        )


def choose_item_id(
    evidence: Evidence, candidates: Sequence[str], titles: Sequence[str], proposal: Proposal
) -> str | None:
    """Choose the column of product ids: its values recur and look like ids.

    Parameters
    ----------
    evidence : Evidence
    candidates, titles : sequence of str
        Columns whose names may mean a product's id, or its name; best match first.
    proposal : Proposal
        Receives a note if another column than the first is chosen.
    """
    filled = [c for c in candidates if evidence.filled(c)] or list(candidates)
    if not filled:
        return None
    first = filled[0]

    def is_line_id(column: str) -> bool:
        return bool(_LINE_IDS & set(forms(column)))

    problems: tuple[tuple[str, Callable[[str], object], Callable[[str], object]], ...] = (
        (
            "has numbers such as 5.01E+12, corrupted by a spreadsheet",
            evidence.scientific,
            lambda c: not evidence.scientific(c),
        ),
        (
            "is empty in many rows",
            lambda c: _share_filled(evidence, c) < _FILLED,
            lambda c: _share_filled(evidence, c) > NEARLY_ALL,
        ),
        (
            "never recurs, like a line number",
            lambda c: not evidence.repeats(c) and evidence.n_rows > 1,
            evidence.repeats,
        ),
        (
            "is a usual name of line numbers",
            lambda c: is_line_id(c) and not evidence.repeats(c),
            lambda c: not is_line_id(c),
        ),
    )
    left = [c for c in filled if not _name_of(c, titles)]
    for problem, is_bad, is_better in problems:
        if not is_bad(first):
            left = [c for c in left if not is_bad(c)]
            continue
        others = [c for c in left if c != first and is_better(c)]
        if others:
            proposal.check(f"`{first}` {problem}; `{others[0]}` is used as the product")
            first, left = others[0], others
    return first


def _share_filled(evidence: Evidence, column: str) -> float:
    return len(evidence.filled(column)) / evidence.n_rows if evidence.n_rows else 1.0


def _name_of(column: str, titles: Sequence[str]) -> bool:
    """Return whether a column is likely a product's name, not its id."""
    return column in titles


def check_item_id(evidence: Evidence, proposal: Proposal) -> None:
    """Ask about implausible product ids."""
    spec = proposal.columns.get("item_id")
    if not isinstance(spec, str) or not evidence.n_rows:
        return
    if evidence.scientific(spec):
        proposal.check(
            f"`{spec}` has numbers such as 5.01E+12: a spreadsheet has corrupted these ids, "
            "and their rows will be rejected. Export the file again and do not open it in one"
        )
    if proposal.kind in ("till_tickets", "order_lines"):
        if len(evidence.filled(spec)) >= _MANY and not evidence.repeats(spec):
            _ask_unique(evidence, proposal, spec)
    elif proposal.kind == "products" and evidence.repeats(spec):
        proposal.check(f"`{spec}` repeats in several rows; the last row of a product counts")


def _ask_unique(evidence: Evidence, proposal: Proposal, spec: str) -> None:
    title = proposal.columns.get("title")
    if isinstance(title, str) and evidence.repeats(title):
        ids: dict[str, set[str]] = defaultdict(set)
        for name, item in zip(evidence.texts(title), evidence.texts(spec), strict=True):
            if name and item:
                ids[name].add(item)
        if sum(len(found) > 1 for found in ids.values()) > len(ids) / 10:
            proposal.ask(
                f"`{spec}` differs in every row, although `{title}` recurs: it numbers "
                "lines, not products",
                "columns.item_id",
                example=title,
            )
            return
    proposal.check(f"`{spec}` never recurs; does it identify a product?")
