"""Detects the number and time formats of an export, and asks if they are ambiguous.

In: an export's evidence and a mapped proposal. Out: ``time_format`` and ``decimal``, if the ingest
cannot detect them itself. Called by ``mapping``.
"""

import msgspec

from recsys.config import Column
from recsys.ingest.columns import number_kind
from training.init import times
from training.init.evidence import Evidence
from training.init.proposal import Proposal, columns_of, shown, value_of

_NUMBERS_TEXT = (
    "quantity unit_price discount amount order_discount order_total order_shipping order_tax "
    "refunded_quantity refunded_amount price sale_price cost on_hand reserved"
)
_NUMBERS = tuple(_NUMBERS_TEXT.split())
_COUNTED = {
    "unix": "seconds since 1970",
    "unix_ms": "milliseconds since 1970",
    "unix_us": "microseconds since 1970",
    "excel": "the serial days of a spreadsheet",
}
_PIECES = ("quantity", "refunded_quantity", "on_hand", "reserved")


def read_times(evidence: Evidence, proposal: Proposal, *, day_first: bool) -> None:
    """Set ``time_format`` if times are not ISO 8601."""
    spec = proposal.columns.get("occurred_at")
    if spec is None:
        return
    texts = [text for row in evidence.export.rows if (text := value_of(row, spec).strip())]
    word = number_kind(texts)
    if word is None and set(columns_of(spec)) & evidence.export.typed:
        return
    if not texts or times.is_iso(texts):
        return
    if word:
        proposal.settings["time_format"] = word
        proposal.check(f"times are numbers; they are read as {_COUNTED[word]}")
        return
    detected = times.reading(texts, day_first=day_first)
    if not detected.patterns:
        proposal.ask(
            f"times such as `{shown(min(texts))}` have an unknown format, so every row would be "
            "rejected; what is their strptime format?",
            "time_format",
            "columns.occurred_at",
            example="%d.%m.%Y %H:%M",
        )
        return
    patterns = detected.patterns
    proposal.settings["time_format"] = patterns[0] if len(patterns) == 1 else patterns
    if detected.contradictory:
        by_day, by_month = detected.contradictory
        proposal.ask(
            f"`{by_day}` has the day first and `{by_month}` has the month first: "
            "two date formats are mixed, and other dates may have either",
            "time_format",
            example=patterns[0],
        )
    if detected.ambiguous:
        first = "%d" in patterns[0] and patterns[0].find("%d") < patterns[0].find("%m")
        order = "day first" if first else "month first"
        proposal.check(
            f"times such as `{shown(min(texts))}` are read {order}; the first rows do not show "
            "whether that is right"
        )
    if len(patterns) > 1:
        listed = ", ".join(f"`{pattern}`" for pattern in patterns)
        proposal.check(f"times have {len(patterns)} formats: {listed}")
    if detected.unread:
        listed = ", ".join(f"`{shown(text)}`" for text in detected.unread)
        proposal.check(f"times such as {listed} have an unknown format; they will be rejected")


def settle_quantity(evidence: Evidence, proposal: Proposal) -> None:
    """Set the decimal sign of quantities such as 1.000 and 2.000, which are pieces."""
    spec = proposal.columns.get("quantity")
    if not isinstance(spec, str) or spec in evidence.export.typed:
        return
    numbers = evidence.alone(spec)  # found by way of other columns, which the ingest may not read
    if numbers.problem != "ambiguous" or spec in evidence.settled:
        return
    signs = {text[-4] for text in evidence.filled(spec) if text.endswith("000") and len(text) > 4}
    # beside 1.000, the quantity 2 would be 2.000
    rounds = evidence.share(spec, lambda text: text.endswith("000") or text in ("0", "-"))
    if rounds == 1.0 and len(signs) == 1 and (sign := signs.pop()) in (".", ","):
        evidence.say_decimal(spec, "." if sign == "." else ",")
        proposal.columns["quantity"] = Column(column=spec, decimal="." if sign == "." else ",")
        proposal.check(
            f"`{shown(numbers.ambiguous[0])}` in `{spec}` is read as "
            f"{numbers.ambiguous[0].split(sign)[0]}, not as thousands"
        )


def check_numbers(evidence: Evidence, proposal: Proposal) -> None:
    """Ask about columns with ambiguous numbers."""
    if "decimal" in proposal.settings:
        return
    for field in _NUMBERS:
        spec = proposal.columns.get(field)
        columns = columns_of(spec)
        if len(columns) != 1 or columns[0] in evidence.export.typed:
            continue
        if isinstance(spec, Column) and spec.decimal is not None:
            continue
        column = columns[0]
        if column in evidence.settled:
            sign = evidence.settled[column]
            known = spec if isinstance(spec, Column) else Column(column=column)
            proposal.columns[field] = msgspec.structs.replace(known, decimal=sign)
            continue
        pieces = field in _PIECES  # the currency helps with money only
        numbers = evidence.without_currency(column) if pieces else evidence.numbers(column)
        if numbers.problem is None:
            _say_decimal(evidence, proposal, field, spec)
            continue
        listed = ", ".join(f"`{shown(text)}`" for text in numbers.ambiguous)
        if numbers.problem == "mixed" and numbers.decimal is not None:
            proposal.check(
                f"{listed} in `{column}` may be thousands or decimals, and other values "
                "contradict each other; such rows will be rejected"
            )
            continue
        proposal.ask(
            f"is {listed} in `{column}` more than a thousand, or a number with three decimals? "
            "State the decimal sign",
            f"columns.{field}.decimal",
            "decimal",
            example=".",
        )


def _say_decimal(
    evidence: Evidence, proposal: Proposal, field: str, spec: str | Column | None
) -> None:
    """Write the decimal sign down if the column alone did not show it.

    It came from the currency, which may differ by row, or from a column that the ingest may not
    read.
    """
    if not isinstance(spec, str):
        return
    numbers = evidence.numbers(spec)
    if evidence.alone(spec).problem == "ambiguous" and numbers.decimal is not None:
        proposal.columns[field] = Column(column=spec, decimal=numbers.decimal)
        return
    if "currency" not in proposal.columns:
        return
    if evidence.without_currency(spec).problem is not None and numbers.decimal is not None:
        proposal.columns[field] = Column(column=spec, decimal=numbers.decimal)
