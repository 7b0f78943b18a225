"""Bundles as a table for spreadsheets.

Bundles as ``bundles`` puts them come in; CSV in UTF-8 comes out. Called by the service and the
command line.
"""

import csv
import io
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from recsys.values import currency_digits

#: Products of a bundle that have columns of their own.
_MEMBERS: Final = 4
_EVIDENCE: Final = (
    "support",
    "support_share",
    "cases",
    "customers",
    "lift",
    "lift_low",
    "lift_high",
    "p_value",
    "q_value",
    "stability",
    "complement",
    "undiscounted_lift",
)
_PRICES: Final = ("full_price", "suggested_price", "floor_price")
_PRICING: Final = (
    "discount_share",
    "margin_share",
    "break_even_sales",
    "sells_anyway",
    "pays",
    "cost_known",
)
_ENDS: Final = ("low", "middle", "high")
_TERMS: Final = ("starts_at", "ends_at", "per_customer", "offer_hours", "gives_back", "note")
_COUNTS: Final = ("issued", "standing", "redeemed", "returned")
#: A cell that begins so would be run as a formula by spreadsheets, some of which take wide signs
#: for narrow ones, and leave blanks out.
_FORMULA: Final = frozenset("=+-@\u2212")
_LOOKED_AT: Final = 64
_CONTROL: Final = ("\t", "\r", "\n")


def spreadsheet(bundles: Sequence[Mapping[str, Any]]) -> bytes:
    """Lay bundles out, one a row.

    Parameters
    ----------
    bundles : sequence of mapping
        As ``/v1/bundles`` lists them.

    Returns
    -------
    bytes
        CSV that begins with a byte order mark, which tells spreadsheets that it is UTF-8. Texts
        that a spreadsheet would run as a formula begin with an apostrophe.
    """
    text = io.StringIO()
    write = csv.writer(text).writerow
    write(name for name, _ in _cells({}))
    for bundle in bundles:
        write(_cell(value) for _, value in _cells(bundle))
    return text.getvalue().encode("utf-8-sig")


def short(bundles: Sequence[Mapping[str, Any]]) -> bytes:
    """Lay out what people read of bundles, one a row: in words, amounts in major units.

    Parameters and returns as of ``spreadsheet``.
    """
    text = io.StringIO()
    write = csv.writer(text).writerow
    write(_SHORT)
    for bundle in bundles:
        write(_cell(value) for value in _short_row(bundle))
    return text.getvalue().encode("utf-8-sig")


#: Headings of the short table.
_SHORT: Final = (
    "Products",
    "Status",
    "Baskets with all of them",
    "Times as often as by chance",
    "Currency",
    "Price one by one",
    "Suggested price",
    "Decided price",
    "Discount in percent",
    "Margin a month (estimate)",
    "Lowest estimate",
    "Highest estimate",
    "Offers made",
    "Offers used",
    "Hardly worth a decision because",
    "Bundle",
)


def _short_row(bundle: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the cells of the short table."""
    pricing, terms, offers = (bundle.get(name) or {} for name in ("pricing", "terms", "offers"))
    prices = (pricing.get("full_price"), pricing.get("suggested_price"), terms.get("price"))
    currency = next((price["currency"] for price in prices if price), None)
    full, suggested, decided = (_major(_minor(price), currency) for price in prices)
    yield " + ".join(item.get("title") or item["item_id"] for item in bundle["items"])
    yield bundle["status"]
    yield bundle.get("support")
    yield bundle.get("lift")
    yield currency
    yield full
    yield suggested
    yield decided
    share = pricing.get("discount_share") if suggested is not None or decided is not None else None
    yield None if share is None else round(100 * share, 1)
    margin = pricing.get("expected_margin") or {}
    for end in ("middle", "low", "high"):
        yield _major(margin.get(end), currency)
    yield offers.get("issued")
    yield offers.get("redeemed")
    yield (bundle.get("left_out") or {}).get("text")
    yield bundle["bundle_id"]


def _major(amount_minor: float | None, currency: str | None) -> str | None:
    if amount_minor is None or currency is None:
        return None
    places = currency_digits(currency)
    return f"{amount_minor / 10**places:.{places}f}"


def _cells(bundle: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield every column with its value, those of an empty bundle for the heading."""
    for name in ("bundle_id", "kind", "status"):
        yield name, bundle.get(name)
    items = bundle.get("items", [])
    for number in range(1, _MEMBERS + 1):
        item = items[number - 1] if number <= len(items) else {}
        yield f"item_{number}", item.get("item_id")
        yield f"title_{number}", item.get("title")
        yield f"price_{number}_minor", _minor(item.get("price"))
    pricing, terms = bundle.get("pricing") or {}, bundle.get("terms", {})
    prices = [pricing.get("full_price"), terms.get("price"), *(item.get("price") for item in items)]
    yield "currency", next((price["currency"] for price in prices if price), None)
    confidence = bundle.get("confidence") or {}
    for name in _EVIDENCE:
        yield name, bundle.get(name)
        if name == "customers":
            for way in ("a_to_b", "b_to_a"):
                yield f"confidence_{way}", confidence.get(way)
    yield "holds_in", ", ".join(found["segment"] for found in bundle.get("segments", ()))
    for name in _PRICES:
        yield f"{name}_minor", _minor(pricing.get(name))
    for name in _PRICING:
        yield name, pricing.get(name)
    margin = pricing.get("expected_margin") or {}
    for end in _ENDS:
        yield f"expected_margin_{end}_minor", margin.get(end)
    for name in ("price", "budget"):
        yield f"{name}_minor", _minor(terms.get(name))
    for name in ("channels", "locations"):
        yield name, ", ".join(terms.get(name, ()))
    for name in _TERMS:
        yield name, terms.get(name)
    offers = bundle.get("offers", {})
    for name in _COUNTS:
        yield name, offers.get(name)
    for name in ("reserved", "spent"):
        yield f"{name}_minor", _minor(offers.get(name))
    for name in ("revision", "changed_at", "changed_by", "in_model"):
        yield name, bundle.get(name)
    yield "left_out", (bundle.get("left_out") or {}).get("reason")


def _minor(money: Mapping[str, Any] | None) -> int | None:
    return None if money is None else money["amount_minor"]


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and _is_run(value):
        return f"'{value}"
    return value


def _is_run(text: str) -> bool:
    """Whether a spreadsheet might run a text."""
    plain = unicodedata.normalize("NFKC", text[:_LOOKED_AT])
    # Neither blanks nor marks that nobody sees, such as those of a text's direction.
    first = next((sign for sign in plain if unicodedata.category(sign)[0] not in "CZ"), "")
    return text.startswith(_CONTROL) or first in _FORMULA
