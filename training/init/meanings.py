"""Maps the columns that state the type or status of a line or an order.

In: the evidence of an export and a proposal. The fields ``line_type`` and ``cancelled`` are mapped
with every value that occurs, or a question is added. Such a column changes amounts, so it is also
recognised by its values if its name does not match. Called by ``mapping``.
"""

import re
from collections.abc import Iterable

from recsys.config import Column
from training.init.evidence import NEARLY_ALL, Evidence
from training.init.headers import fold, ranked
from training.init.names import ORDER_NAMES, RETURN_NAMES, STATUS_NAMES
from training.init.proposal import Proposal, columns_of, shown, used_columns
from training.init.word_columns import MAX_WORDS, WordColumn, list_values, words_of

_TIME = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}([ T].*)?")
_LINE_TYPES = {
    "s": "sale",
    "r": "return",
    "ret": "return",
    "v": "void",
    "voided": "voided",
}


def map_meanings(evidence: Evidence, proposal: Proposal) -> None:
    """Map ``line_type`` and ``cancelled`` by the words that columns hold."""
    columns = evidence.export.columns
    types = ranked(columns, ("linetype", *ORDER_NAMES["line_type"]))
    types.sort(key=lambda column: not _says_more_than_sold(evidence, column))
    flags = ranked(columns, ("cancelled", *ORDER_NAMES["cancelled"]))
    returns = ranked(columns, RETURN_NAMES)
    statuses = ranked(columns, STATUS_NAMES)
    proposal.columns.pop("line_type", None)
    proposal.columns.pop("cancelled", None)
    recognised = [*flags, *types, *returns, *statuses]
    for column in flags:
        _map_flag(evidence, proposal, column)
    for column in types:
        _map_type(evidence, proposal, column, by_name=True)
    for column in returns:
        if column not in types:
            _map_return_flag(evidence, proposal, column)
    for column in statuses:
        _map_status(evidence, proposal, column)
    for column in columns:
        if column not in recognised and column not in used_columns(proposal):
            _look_at_unnamed(evidence, proposal, column)


def _says_more_than_sold(evidence: Evidence, column: str) -> bool:
    words = words_of(evidence, column)
    return words is not None and bool(words.values("refund", "void", "cancelled"))


def _map_flag(evidence: Evidence, proposal: Proposal, column: str) -> None:
    """Map a column named cancelled: yes and no, words, or times."""
    counts = evidence.counts(column)
    if not counts:
        proposal.columns.setdefault("cancelled", column)
        return
    if all(_TIME.fullmatch(value) for value in counts):
        _set_cancelled(evidence, proposal, column, None, struck=list(counts))
        return
    words = words_of(evidence, column)
    if words is None or words.values(None):
        listed = list_values(words.values(None) if words else list(counts)[:3])
        proposal.ask(
            f"what does {listed} in `{column}` mean: was the order cancelled?",
            "columns.cancelled",
            "columns.line_type",
            example=f'{{ column = "{column}", map = {{ … }} }}',
        )
        return
    struck = words.values("yes", "cancelled", "void", "refund")
    plain = not words.values("refund", "sale", "void")
    _set_cancelled(evidence, proposal, column, None if plain else words, struck=struck)


def _set_cancelled(
    evidence: Evidence,
    proposal: Proposal,
    column: str,
    words: WordColumn | None,
    *,
    struck: list[str],
) -> None:
    """Map cancelled orders to ``cancelled`` and voided lines to ``line_type``."""
    if not _whole_orders(evidence, proposal, column, struck):
        counts = evidence.counts(column)
        if "line_type" in proposal.columns or len(counts) > MAX_WORDS:
            proposal.ask(
                f"`{column}` voids single lines of orders, and another column says what lines are",
                "columns.line_type",
                "columns.cancelled",
                example=column,
            )
            return
        meant = {value: "voided" if value in struck else "sale" for value in sorted(counts)}
        proposal.columns["line_type"] = Column(column=column, map=meant)
        proposal.check(
            f"`{column}` differs between the lines of an order, so it is read as voiding "
            "single lines, not orders"
        )
        return
    if "cancelled" in proposal.columns:
        if struck:
            proposal.check(f"`{column}` is not used: another column states cancellations")
        return
    if words is None:
        proposal.columns["cancelled"] = column
        return
    proposal.columns["cancelled"] = Column(
        column=column, map={value: "yes" if value in struck else "no" for value in words.known}
    )


def _whole_orders(
    evidence: Evidence, proposal: Proposal, column: str, struck: Iterable[str]
) -> bool:
    """Return whether the lines of each order are all voided or all kept."""
    spec = proposal.columns.get("order_id")
    if spec is None:
        return True
    texts, out = evidence.texts(column), set(struck)
    mixed = whole = 0
    for rows in evidence.groups(spec).values():
        n_out = sum(texts[ix] in out for ix in rows)
        if len(rows) > 1 and n_out:
            mixed += n_out < len(rows)
            whole += n_out == len(rows)
    return mixed <= whole / 10


def _map_type(evidence: Evidence, proposal: Proposal, column: str, *, by_name: bool) -> None:
    """Map a column with the type of a line or a document."""
    words = words_of(evidence, column)
    if words is None or "line_type" in proposal.columns:
        return
    meant: dict[str, str] = {}
    unknown: list[str] = []
    for value, meaning in words.known.items():
        folded = fold(value)
        if folded in _LINE_TYPES:
            meant[value] = _LINE_TYPES[folded]
        elif meaning == "refund":
            meant[value] = "return"
        elif meaning == "cancelled":
            meant[value] = "voided"
        elif meaning == "void":
            meant[value] = "void" if _negative(evidence, proposal, column, value) else "voided"
        elif meaning == "sale":
            meant[value] = "sale"
        else:
            unknown.append(value)
    undone = set(meant.values()) - {"sale"}
    if not undone and (unknown or not by_name):
        return  # a column of other words: Dining, Takeaway
    if not undone and not set(meant.values()):
        return
    if unknown:
        sold = [value for value in unknown if not _negative(evidence, proposal, column, value)]
        if "sale" in meant.values() or len(sold) < len(unknown):
            pairs = ", ".join(f'"{shown(v)}" = "{meant.get(v, "…")}"' for v in words.known)
            proposal.ask(
                f"what does {list_values(unknown)} in `{column}` mean: sale, return, void or "
                "voided?",
                "columns.line_type",
                "columns.cancelled",
                example=f'{{ column = "{column}", map = {{ {pairs} }} }}',
            )
            return
        proposal.check(f"{list_values(unknown)} in `{column}` is read as a sale")
        meant.update(dict.fromkeys(unknown, "sale"))
    ordered = {value: meant[value] for value in words.known}
    if all(value == meaning for value, meaning in ordered.items()):
        proposal.columns["line_type"] = column
        return
    proposal.columns["line_type"] = Column(column=column, map=ordered)


def _map_return_flag(evidence: Evidence, proposal: Proposal, column: str) -> None:
    """Map a yes/no column named returned."""
    words = words_of(evidence, column)
    if words is None or not words.values("yes", "refund"):
        return
    if words.values(None) or {"0", "1"} < set(words.known):
        return  # numbers of returned pieces, or free text
    if "line_type" in proposal.columns:
        proposal.check(f"`{column}` is not used: another column states returns")
        return
    meant = {
        value: "return" if meaning in ("yes", "refund") else "sale"
        for value, meaning in words.known.items()
    }
    proposal.columns["line_type"] = Column(column=column, map=meant)


def _map_status(evidence: Evidence, proposal: Proposal, column: str) -> None:
    """Map a column with the status of orders if any were cancelled or returned."""
    words = words_of(evidence, column)
    if words is None or column in used_columns(proposal):
        return
    struck = words.values("cancelled", "void")
    back = words.values("refund")
    if not struck and not back:
        if words.values("sale") and not words.values("yes") and "cancelled" not in proposal.columns:
            # Values further down may be unknown; their rows will be rejected.
            _set_cancelled(evidence, proposal, column, words, struck=[])
            _name_unknown(proposal, words)
        return
    signed = [v for v in back if _negative(evidence, proposal, column, v)]
    unsigned = [v for v in back if v not in signed]
    documents = [v for v in unsigned if _own_documents(evidence, proposal, v, words)]
    if documents and "line_type" not in proposal.columns and not struck:
        meant = {value: "return" if value in back else "sale" for value in words.known}
        proposal.columns["line_type"] = Column(column=column, map=meant)
        proposal.check(f"{list_values(back)} in `{column}` is read as a return of goods")
        _name_unknown(proposal, words)
        return
    if undone := unsigned:
        proposal.check(
            f"an order that is {list_values(undone)} in `{column}` counts as cancelled: "
            "all of it was returned"
        )
    _name_unknown(proposal, words)
    _set_cancelled(evidence, proposal, column, words, struck=[*struck, *undone])


def _name_unknown(proposal: Proposal, words: WordColumn) -> None:
    if unknown := words.values(None):
        proposal.check(
            f"{list_values(unknown)} in `{words.column}` is read as an order that counts"
        )


def _own_documents(evidence: Evidence, proposal: Proposal, value: str, words: WordColumn) -> bool:
    """Return whether rows of a status exist beside the sale that they reverse.

    Then the same customer has the same product in another row with another status.
    """
    customers = [spec for spec in proposal.identifiers.values() if isinstance(spec, str)]
    item = proposal.columns.get("item_id")
    if not customers or not isinstance(item, str):
        return False
    statuses = evidence.texts(words.column)
    bought = list(zip(evidence.texts(customers[0]), evidence.texts(item), strict=True))
    other = {pair for pair, status in zip(bought, statuses, strict=True) if status != value}
    rows = [pair for pair, status in zip(bought, statuses, strict=True) if status == value]
    return bool(rows) and sum(pair in other and bool(pair[0]) for pair in rows) >= (
        NEARLY_ALL * len(rows)
    )


def _negative(evidence: Evidence, proposal: Proposal, column: str, value: str) -> bool:
    """Return whether the rows of a value have negative quantities or amounts."""
    rows = [ix for ix, text in enumerate(evidence.texts(column)) if text == value]
    for name in ("quantity", "amount"):
        for source in columns_of(proposal.columns.get(name)):
            numbers = evidence.numbers(source).values
            values = [numbers[ix] for ix in rows if numbers[ix] == numbers[ix]]
            if values and sum(n < 0 for n in values) >= NEARLY_ALL * len(values):
                return True
    return False


def _look_at_unnamed(evidence: Evidence, proposal: Proposal, column: str) -> None:
    """Find refunds and cancellations in a column with an unknown name."""
    words = words_of(evidence, column)
    if words is None or not words.values("refund", "cancelled", "void"):
        return
    known = len(words.known) - len(words.values(None))
    if known * 2 < len(words.known) or evidence.n_rows < 2 * len(words.known) - 1:
        undone = list_values(words.values("refund", "cancelled"))
        proposal.check(f"`{column}` is not used, although it says {undone}")
        return
    if words.values("refund") and not words.values("cancelled"):
        before = proposal.columns.get("line_type")
        _map_type(evidence, proposal, column, by_name=False)
        if proposal.columns.get("line_type") is before and before is not None:
            proposal.check(f"`{column}` is not used: another column states the type of lines")
        return
    _map_status(evidence, proposal, column)
