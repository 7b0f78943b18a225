"""Bundles in words: what marketers see of one, as ``/v1/bundles`` and the command line give it.

``Suggestions`` and what the ledger counted come in; plain dictionaries come out, amounts in minor
units of a currency. Called by the service and by ``training.bundles``.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import numpy as np

from recsys.bundles import Counts, PricePoint, Terms, TermsChange, price_points
from recsys.languages import ENGLISH, Language
from recsys.recommender.bundles.assumptions import assumptions, estimate
from recsys.recommender.bundles.suggestions import KnownBundle, Suggestions
from recsys.recommender.bundles.worth import Reason, said, why_not
from recsys.recommender.product_attributes import EVERY
from recsys.schema import CHANNELS

Json = dict[str, Any]

_NOTHING: Final = Counts()


def row(
    suggestions: Suggestions,
    bundle_id: str,
    counts: Counts = _NOTHING,
    attributes: Sequence[str] = (),
    language: Language = ENGLISH,
) -> Json:
    """Say what a list shows of a bundle.

    Parameters
    ----------
    suggestions : Suggestions
    bundle_id : str
        Known to them.
    counts : Counts
        Of its offers.
    attributes : sequence of str
        What else to say of each product, by name; ``*`` for everything.
    language : Language
        Of what is said in words.

    Raises
    ------
    KeyError
        When there is no such bundle.
    """
    bundle = suggestions.get(bundle_id)
    currency = suggestions.currency(bundle) or bundle.terms.currency
    decision, reason = bundle.decision, why_not(suggestions, bundle)
    return {
        "bundle_id": bundle_id,
        "kind": bundle.kind,
        "status": bundle.terms.status,
        "revision": decision.revision if decision else 0,
        "items": _items(suggestions, bundle, attributes),
        **_evidence(suggestions, bundle),
        "segments": _segments(suggestions, bundle),
        "pricing": _pricing(suggestions, bundle, language),
        "terms": terms(bundle.terms, currency),
        "offers": _offers(counts, currency),
        "changed_at": time(decision.changed_ts) if decision else None,
        "changed_by": decision.changed_by if decision else None,
        "in_model": bundle.at is not None,
        "left_out": None if reason is None else left_out(reason, suggestions, currency, language),
    }


def left_out(
    reason: Reason,
    suggestions: Suggestions,
    currency: str | None,
    language: Language = ENGLISH,
) -> Json:
    """Say why a bundle is left out of lists of what is worth a decision."""
    text = said(reason, suggestions.settings, currency or "", language)
    return {"reason": reason, "text": text}


def left_out_counts(
    suggestions: Suggestions,
    counts: Mapping[Reason, int],
    currency: str | None,
    language: Language = ENGLISH,
) -> list[Json]:
    """Say how many bundles a list leaves out, by the reason why."""
    return [
        {**left_out(reason, suggestions, currency, language), "bundles": many}
        for reason, many in counts.items()
    ]


def full(
    suggestions: Suggestions,
    bundle_id: str,
    counts: Counts = _NOTHING,
    changes: Sequence[TermsChange] = (),
    by_day: Sequence[tuple[int, int, int]] = (),
    as_of_ts: int | None = None,
    language: Language = ENGLISH,
) -> Json:
    """Say everything of a bundle: evidence to draw, the price curve, who changed what.

    Parameters
    ----------
    suggestions, bundle_id, counts
        As ``row`` takes them.
    changes : sequence of TermsChange
        The oldest first.
    by_day : sequence of (int, int, int)
        Beginning of a day, UTC epoch seconds, with the offers issued and redeemed on it.
    as_of_ts : int, optional
        When it is asked, UTC epoch seconds, for what of the stock is trusted; that of the model by
        default.
    language : Language
        Of what is said in words.

    Raises
    ------
    KeyError
        When there is no such bundle.
    """
    bundle = suggestions.get(bundle_id)
    currency = suggestions.currency(bundle) or bundle.terms.currency
    found = row(suggestions, bundle_id, counts, [EVERY], language)
    quoted = suggestions.quote(bundle)
    if found["pricing"] is not None and quoted is not None:
        found["pricing"]["curve"] = [_point(at) for at in quoted.curve]
    if as_of_ts is None:
        as_of_ts = int(suggestions.engine.manifest.as_of.timestamp())
    found["stock"] = _stock(suggestions, bundle, as_of_ts)
    found["evidence"] = _drawn(suggestions, bundle)
    found["history"] = [
        {
            "revision": change.revision,
            "changed_at": time(change.changed_ts),
            "changed_by": change.changed_by,
            "before": {"status": change.before.status, **terms(change.before, currency)},
            "after": {"status": change.after.status, **terms(change.after, currency)},
        }
        for change in changes
    ]
    found["offers_by_day"] = [
        {"day": time(day)[:10], "issued": issued, "redeemed": redeemed}
        for day, issued, redeemed in by_day
    ]
    found["lang"] = language.tag
    return found


def money(amount_minor: float, currency: str) -> Json:
    """Return an amount with its currency."""
    return {"amount_minor": round(amount_minor), "currency": currency}


def time(ts: int) -> str:
    """Return a time as ISO 8601, UTC."""
    return datetime.fromtimestamp(ts, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def terms(given: Terms, currency: str | None) -> Json:
    """Say under which terms a bundle is offered."""
    currency = given.currency or currency

    def amount(minor: int | None) -> Json | None:
        return None if minor is None or currency is None else money(minor, currency)

    return {
        "price": amount(given.price_minor),
        "starts_at": None if given.starts_ts is None else time(given.starts_ts),
        "ends_at": None if given.ends_ts is None else time(given.ends_ts),
        "channels": list(given.channels),
        "locations": list(given.locations),
        "budget": amount(given.budget_minor),
        "per_customer": given.per_customer,
        "offer_hours": given.offer_hours,
        "gives_back": given.gives_back,
        "note": given.note,
    }


def _offers(counts: Counts, currency: str | None) -> Json:
    document = msgspec.structs.asdict(counts)
    for name in ("reserved", "spent"):
        amount = document.pop(f"{name}_minor")
        document[name] = None if currency is None else money(amount, currency)
    return document


def _items(suggestions: Suggestions, bundle: KnownBundle, attributes: Sequence[str]) -> list[Json]:
    items = []
    for item_id, ix in zip(bundle.item_ids, bundle.item_ix, strict=True):
        known: Json = {"item_id": item_id, "title": None, "price": None}
        if ix >= 0:
            known = suggestions.catalogue.item(ix)
            if attributes:
                known["attributes"] = suggestions.catalogue.attributes.of(ix, attributes)
        cost, price = suggestions.cost_minor(ix), known["price"]
        known["cost"] = None if cost is None or not price else money(cost, price["currency"])
        for name in ("category", "department", "brand"):
            known[name] = suggestions.label(name, ix) if ix >= 0 else None
        items.append({**known, "active": suggestions.active(ix)})
    return items


def _evidence(suggestions: Suggestions, bundle: KnownBundle) -> Json:
    found, at = suggestions.mined, bundle.at
    if at is None:
        names = (
            "support",
            "support_share",
            "cases",
            "customers",
            "confidence",
            "completes",
            "lift",
            "lift_low",
            "lift_high",
            "p_value",
            "q_value",
            "stability",
            "complement",
            "undiscounted_lift",
        )
        return dict.fromkeys(names)
    part = slice(*found.indptr[at : at + 2].tolist())
    support, cases = int(found.support[at]), int(found.cases[at])
    completes = [round(share, 4) for share in found.confidence[part].tolist()]
    pair = len(completes) == 2
    return {
        "support": support,
        "support_share": round(support / max(1, cases), 6),
        "cases": cases,
        "customers": int(found.customers[at]),
        "confidence": {"a_to_b": completes[1], "b_to_a": completes[0]} if pair else None,
        "completes": completes,
        "lift": _rounded(found.lift[at]),
        "lift_low": _rounded(found.lift_low[at]),
        "lift_high": _rounded(found.lift_high[at]),
        "p_value": _exact(found.p_value[at]),
        "q_value": _exact(found.q_value[at]),
        "stability": _rounded(found.stability[at]),
        "complement": _rounded(found.complement[at]),
        "undiscounted_lift": _rounded(found.undiscounted_lift[at]),
    }


def _rounded(value: np.floating[Any]) -> float | None:
    return round(float(value), 3) if np.isfinite(value) else None


def _exact(value: np.floating[Any]) -> float:
    return float(f"{float(value):.3g}")


def _segments(suggestions: Suggestions, bundle: KnownBundle) -> list[Json]:
    if bundle.at is None:
        return []
    found = suggestions.mined
    return [
        {
            "segment": suggestions.segment_name(place),
            "support": int(found.segment_support[place]),
            "lift": _rounded(found.segment_lift[place]),
            "lift_low": _rounded(found.segment_low[place]),
            "lift_high": _rounded(found.segment_high[place]),
            "q_value": _exact(found.segment_q[place]),
        }
        for place in suggestions.segments(bundle.at)
    ]


def _pricing(suggestions: Suggestions, bundle: KnownBundle, language: Language) -> Json | None:
    """What a bundle may cost, and what the price earns: the decided one, or the suggested."""
    quoted, currency = suggestions.quote(bundle), suggestions.currency(bundle)
    if quoted is None or currency is None:
        return None
    assumed = assumptions(suggestions, bundle, language)
    suggested, at = quoted.suggested, suggestions.price_point(bundle)
    if at is None:
        (at,) = price_points(quoted.sales, suggestions.settings, [quoted.full_minor])
    return {
        "full_price": money(quoted.full_minor, currency),
        "floor_price": money(quoted.floor_minor, currency),
        "suggested_price": None if suggested is None else money(suggested.price_minor, currency),
        **{name: value for name, value in _point(at).items() if name in _SHOWN},
        "expected_margin": {name: round(getattr(at, name), 1) for name in _RANGE},
        "sells_anyway": quoted.sells_anyway,
        "pays": quoted.pays,
        "cost_known": suggestions.cost_known(bundle),
        "assumed": assumed,
        "estimate": estimate(assumed, language),
    }


_SHOWN: Final = ("discount_share", "margin_share", "break_even_sales")
_RANGE: Final = ("low", "middle", "high")


def _point(at: PricePoint) -> Json:
    sales = at.break_even_sales
    return {
        "price_minor": at.price_minor,
        "discount_share": round(at.discount_share, 4),
        "margin_share": round(at.margin_share, 4),
        "break_even_sales": None if sales is None else round(sales, 1),
        **{name: round(getattr(at, name), 1) for name in _RANGE},
    }


def _stock(suggestions: Suggestions, bundle: KnownBundle, as_of_ts: int) -> Json | None:
    """At how many locations of a bundle all its products can be sold; None: unknown."""
    availability, given = suggestions.availability, bundle.terms.locations
    known = len(availability.location_keys)
    if not known or min(bundle.item_ix) < 0:
        return None
    keys = availability.location_keys
    if given:
        keys = np.array([suggestions.catalogue.location(name) for name in given], np.int64)
    held = np.ones(len(keys), bool)
    for ix in bundle.item_ix:
        items = np.full(len(keys), ix, np.int32)
        held &= availability.stock_at(keys, items, as_of_ts).sellable > 0
    return {"locations_with_all": int(held.sum()), "locations": len(keys)}


def _drawn(suggestions: Suggestions, bundle: KnownBundle) -> Json | None:
    """Counts by month, channel and location, to be drawn."""
    found, at = suggestions.mined, bundle.at
    if at is None:
        return None
    part = slice(*found.indptr[at : at + 2].tolist())
    support = int(found.support[at])
    each = found.with_item[part].tolist()
    channels = [
        {
            "channel": name,
            "baskets": int(found.channel_cases[c]),
            "together": int(found.by_channel[at, c]),
            "items": found.items_by_channel[part, c].tolist(),
        }
        for c, name in enumerate(CHANNELS)
        if found.channel_cases[c]
    ]
    return {
        "months": [time(ts)[:7] for ts in found.month_ts.tolist()],
        "month_baskets": found.month_cases.tolist(),
        "together": found.monthly[at].tolist(),
        "items_by_month": found.items_monthly[part].tolist(),
        "channels": channels,
        "locations": [
            {**suggestions.catalogue.place(key), "together": count}
            for key, count in suggestions.places(at).items()
        ],
        "baskets": {"total": int(found.cases[at]), "each": each, "all": support},
    }
