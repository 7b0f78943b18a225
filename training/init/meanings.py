"""Finds the columns that say what became of a line or an order, and by which channel it came.

An export's evidence and a proposal come in; fields ``line_type``, ``cancelled`` and ``channel`` are
mapped with every value that was seen, or a question is left. What such a column says changes money,
so it is found by its values also where its name says nothing. Called by ``mapping``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from recsys.config import Column
from recsys.schema import CHANNELS
from recsys.values import WordMeaning, words_by_meaning
from training.init.evidence import NEARLY_ALL, Evidence
from training.init.headers import fold, ranked
from training.init.names import ORDER_NAMES, RETURN_NAMES, STATUS_NAMES
from training.init.proposal import Proposal, columns_of, shown, used_columns
from training.init.vocabulary import (
    CHANNEL_WORDS,
    DONE_WORDS,
    NEGATIONS,
    PARTS,
    SALE_WORDS,
    UNPAID_WORDS,
)

_FEW = 20
_TIME = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}([ T].*)?")
_LINE_TYPES = {
    "s": "sale",
    "r": "return",
    "ret": "return",
    "v": "void",
    "voided": "voided",
}
_WEAK_CHANNEL_NAMES = (
    "source",
    "platform",
    "createdvia",
    "saletype",
    "ordertype",
    "type",
    "shopname",
    "store",
    "shop",
    "location",
)


@dataclass(frozen=True)
class Words:
    """A column of few words, by what they mean.

    Attributes
    ----------
    column : str
    known : dict
        Value → its meaning; None where it is not known.
    """

    column: str
    known: dict[str, WordMeaning | None]

    def values(self, *meant: str | None) -> list[str]:
        """List the values of some meanings."""
        return [value for value, meaning in self.known.items() if meaning in meant]


def words_of(evidence: Evidence, column: str) -> Words | None:
    """Read a column as words; None where it has too many different values, or none."""
    counts = evidence.counts(column)
    if not counts or len(counts) > _FEW:
        return None
    known = words_by_meaning(list(counts))
    return Words(column, {value: _refined(value, known[value]) for value in sorted(counts)})


def _refined(value: str, meaning: WordMeaning | None) -> WordMeaning | None:
    """Add what only ``init`` knows: unpaid orders, orders in good order, what came back in part."""
    folded, lower = fold(value), value.strip().lower()
    if any(part in folded for part in PARTS):
        return "sale"
    if meaning is not None:
        return meaning
    if folded in UNPAID_WORDS:
        return "cancelled"
    if folded in DONE_WORDS or folded in SALE_WORDS:
        return "sale"
    if lower.startswith(NEGATIONS):
        return "no"
    # wc-completed, Order completed, Refunded (full): a known word among others tells.
    parts = [part for part in re.split(r"[\W_]+", value) if len(part) > 1]
    found = {words_by_meaning([part])[part] for part in parts}
    strongest: tuple[WordMeaning, ...] = ("cancelled", "refund", "void", "sale")
    return next((strong for strong in strongest if strong in found), None)


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
    named = [*flags, *types, *returns, *statuses]
    for column in flags:
        _map_flag(evidence, proposal, column)
    for column in types:
        _map_type(evidence, proposal, column, named=True)
    for column in returns:
        if column not in types:
            _map_return_flag(evidence, proposal, column)
    for column in statuses:
        _map_status(evidence, proposal, column)
    for column in columns:
        if column not in named and column not in used_columns(proposal):
            _look_at_unnamed(evidence, proposal, column)


def _says_more_than_sold(evidence: Evidence, column: str) -> bool:
    words = words_of(evidence, column)
    return words is not None and bool(words.values("refund", "void", "cancelled"))


def _map_flag(evidence: Evidence, proposal: Proposal, column: str) -> None:
    """Map a column that is called cancelled: yes and no, words, or times."""
    counts = evidence.counts(column)
    if not counts:
        proposal.columns.setdefault("cancelled", column)
        return
    if all(_TIME.fullmatch(value) for value in counts):
        _set_cancelled(evidence, proposal, column, None, struck=list(counts))
        return
    words = words_of(evidence, column)
    if words is None or words.values(None):
        listed = _listed(words.values(None) if words else list(counts)[:3])
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
    words: Words | None,
    *,
    struck: list[str],
) -> None:
    """Map to ``cancelled`` what concerns whole orders, to ``line_type`` what concerns lines."""
    if not _whole_orders(evidence, proposal, column, struck):
        counts = evidence.counts(column)
        if "line_type" in proposal.columns or len(counts) > _FEW:
            proposal.ask(
                f"`{column}` strikes out single lines of orders, and another column says what "
                "lines are",
                "columns.line_type",
                "columns.cancelled",
                example=column,
            )
            return
        meant = {value: "voided" if value in struck else "sale" for value in sorted(counts)}
        proposal.columns["line_type"] = Column(column=column, map=meant)
        proposal.check(
            f"`{column}` is not the same in all lines of an order, so it was taken to strike out "
            "single lines, not orders"
        )
        return
    if "cancelled" in proposal.columns:
        if struck:
            proposal.check(f"`{column}` is not used: another column says what was cancelled")
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
    """Tell whether the lines of one order are all struck out, or none of them."""
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


def _map_type(evidence: Evidence, proposal: Proposal, column: str, *, named: bool) -> None:
    """Map a column that says what a line or a document is."""
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
    told = set(meant.values()) - {"sale"}
    if not told and (unknown or not named):
        return  # a column of other words: Dining, Takeaway
    if not told and not set(meant.values()):
        return
    if unknown:
        sold = [value for value in unknown if not _negative(evidence, proposal, column, value)]
        if "sale" in meant.values() or len(sold) < len(unknown):
            pairs = ", ".join(f'"{shown(v)}" = "{meant.get(v, "…")}"' for v in words.known)
            proposal.ask(
                f"what does {_listed(unknown)} in `{column}` mean: sale, return, void or voided?",
                "columns.line_type",
                "columns.cancelled",
                example=f'{{ column = "{column}", map = {{ {pairs} }} }}',
            )
            return
        proposal.check(f"{_listed(unknown)} in `{column}` was taken for a sale")
        meant.update(dict.fromkeys(unknown, "sale"))
    ordered = {value: meant[value] for value in words.known}
    if all(value == meaning for value, meaning in ordered.items()):
        proposal.columns["line_type"] = column
        return
    proposal.columns["line_type"] = Column(column=column, map=ordered)


def _map_return_flag(evidence: Evidence, proposal: Proposal, column: str) -> None:
    """Map a column that is called returned and says yes or no."""
    words = words_of(evidence, column)
    if words is None or not words.values("yes", "refund"):
        return
    if words.values(None) or {"0", "1"} < set(words.known):
        return  # numbers of pieces that came back, or free text
    if "line_type" in proposal.columns:
        proposal.check(f"`{column}` is not used: another column says what came back")
        return
    meant = {
        value: "return" if meaning in ("yes", "refund") else "sale"
        for value, meaning in words.known.items()
    }
    proposal.columns["line_type"] = Column(column=column, map=meant)


def _map_status(evidence: Evidence, proposal: Proposal, column: str) -> None:
    """Map a column that says what became of an order, where anything was undone."""
    words = words_of(evidence, column)
    if words is None or column in used_columns(proposal):
        return
    struck = words.values("cancelled", "void")
    back = words.values("refund")
    if not struck and not back:
        if words.values("sale") and not words.values("yes") and "cancelled" not in proposal.columns:
            # A value that stands further down may say more; unknown ones will be rejected.
            _set_cancelled(evidence, proposal, column, words, struck=[])
            _name_unknown(proposal, words)
        return
    signed = [v for v in back if _negative(evidence, proposal, column, v)]
    unsigned = [v for v in back if v not in signed]
    documents = [v for v in unsigned if _own_documents(evidence, proposal, v, words)]
    if documents and "line_type" not in proposal.columns and not struck:
        meant = {value: "return" if value in back else "sale" for value in words.known}
        proposal.columns["line_type"] = Column(column=column, map=meant)
        proposal.check(f"{_listed(back)} in `{column}` was taken for a return of goods")
        _name_unknown(proposal, words)
        return
    if undone := unsigned:
        proposal.check(
            f"an order that is {_listed(undone)} in `{column}` was taken as if it had been "
            "cancelled: all of it came back"
        )
    _name_unknown(proposal, words)
    _set_cancelled(evidence, proposal, column, words, struck=[*struck, *undone])


def _name_unknown(proposal: Proposal, words: Words) -> None:
    if unknown := words.values(None):
        proposal.check(f"{_listed(unknown)} in `{words.column}` was taken for an order that counts")


def _own_documents(evidence: Evidence, proposal: Proposal, value: str, words: Words) -> bool:
    """Tell whether rows of a status stand beside the sale that they undo.

    Then the same customer has the same product once in another row of another status.
    """
    people = [spec for spec in proposal.identifiers.values() if isinstance(spec, str)]
    item = proposal.columns.get("item_id")
    if not people or not isinstance(item, str):
        return False
    statuses = evidence.texts(words.column)
    bought = list(zip(evidence.texts(people[0]), evidence.texts(item), strict=True))
    other = {pair for pair, status in zip(bought, statuses, strict=True) if status != value}
    rows = [pair for pair, status in zip(bought, statuses, strict=True) if status == value]
    return bool(rows) and sum(pair in other and bool(pair[0]) for pair in rows) >= (
        NEARLY_ALL * len(rows)
    )


def _negative(evidence: Evidence, proposal: Proposal, column: str, value: str) -> bool:
    """Tell whether the rows of a value have negative quantities or amounts."""
    rows = [ix for ix, text in enumerate(evidence.texts(column)) if text == value]
    for name in ("quantity", "amount"):
        for source in columns_of(proposal.columns.get(name)):
            numbers = evidence.numbers(source).values
            found = [numbers[ix] for ix in rows if numbers[ix] == numbers[ix]]
            if found and sum(n < 0 for n in found) >= NEARLY_ALL * len(found):
                return True
    return False


def _look_at_unnamed(evidence: Evidence, proposal: Proposal, column: str) -> None:
    """Find refunds and cancellations in a column whose name says nothing."""
    words = words_of(evidence, column)
    if words is None or not words.values("refund", "cancelled", "void"):
        return
    known = len(words.known) - len(words.values(None))
    if known * 2 < len(words.known) or evidence.n_rows < 2 * len(words.known) - 1:
        proposal.check(
            f"`{column}` is not used, though it says {_listed(words.values('refund', 'cancelled'))}"
        )
        return
    if words.values("refund") and not words.values("cancelled"):
        before = proposal.columns.get("line_type")
        _map_type(evidence, proposal, column, named=False)
        if proposal.columns.get("line_type") is before and before is not None:
            proposal.check(f"`{column}` is not used: another column says what lines are")
        return
    _map_status(evidence, proposal, column)


def map_channel(evidence: Evidence, proposal: Proposal) -> None:
    """Map a column of channels, or leave its values for a person to say."""
    columns = evidence.export.columns
    candidates = ranked(columns, ("channel", *ORDER_NAMES["channel"]))
    weak = ranked(columns, _WEAK_CHANNEL_NAMES)
    proposal.columns.pop("channel", None)
    used = set(used_columns(proposal))
    for column in [*candidates, *(c for c in columns if c not in candidates and c not in used)]:
        counts = evidence.counts(column)
        if column in used or not counts or len(counts) > _FEW:
            continue
        mapped = {value: channel_of(value) for value in sorted(counts)}
        n_known = sum(channel is not None for channel in mapped.values())
        if column in candidates or (column in weak and n_known == len(mapped)):
            _set_channel(proposal, column, mapped)
            return
        if n_known == len(mapped) and len(mapped) > 1:
            proposal.check(f"`{column}` was taken for the channel, by its values")
            _set_channel(proposal, column, mapped)
            return


def channel_of(value: str) -> str | None:
    """Tell which channel a word means."""
    if value in CHANNELS:
        return value
    folded = {fold(value), fold(value.split(".")[0])}  # Amazon.de
    return next((c for c, words in CHANNEL_WORDS.items() if folded.intersection(words)), None)


def _set_channel(proposal: Proposal, column: str, mapped: Mapping[str, str | None]) -> None:
    if all(value == channel for value, channel in mapped.items()):
        proposal.columns["channel"] = column
    elif all(mapped.values()):
        proposal.columns["channel"] = Column(
            column=column, map={k: v for k, v in mapped.items() if v}
        )
    else:
        proposal.values["channel"] = (column, dict(mapped))
        unknown = [value for value, channel in mapped.items() if channel is None]
        pairs = ", ".join(f'"{shown(v)}" = "{c or "…"}"' for v, c in mapped.items())
        proposal.ask(
            f"what do {_listed(unknown)} in `{column}` mean? Map them to `channel`",
            "columns.channel",
            "channel",
            example=f'{{ column = "{column}", map = {{ {pairs} }} }}',
            serious=False,
        )


def _listed(values: Iterable[str]) -> str:
    return ", ".join(f"`{shown(value)}`" for value in values)
