"""What ``omnibasket bundles`` says to a person.

Bundles as ``responses.bundles`` puts them come in. Called by ``bundles``.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from training.console import money, output, table

#: Prices of the curve that are shown.
_PRICES: Final = 8

Json = dict[str, Any]


def show_list(bundles: Sequence[Json], total: int, left_out: Sequence[Json]) -> None:
    """Print bundles as a table, the first of ``total``, and why others are left out."""
    say = partial(output().print, markup=False)
    left = sum(one["bundles"] for one in left_out)
    others = f"{left:,} more are hardly worth a decision; --all shows them:" if left else ""
    if not bundles:
        say(f"No bundle fits. {others}".rstrip())
        _why(left_out)
        return
    heads = ("bundle", "products", "support, lift", "price, margin a month", "offers used")
    laid_out = table(heads, [_cells(bundle) for bundle in bundles])
    for column in laid_out.columns:
        column.no_wrap = column.header != "products"
    output().print(laid_out)
    more = ""
    if total > len(bundles):
        more = f"The first {len(bundles):,} of {total:,}; --limit shows more. "
    if others:
        say(others)
        _why(left_out)
    say(f"{more}One of them: omnibasket bundles show {bundles[0]['bundle_id']}")


def _why(left_out: Sequence[Json]) -> None:
    """Print why bundles are left out, the most common reason first."""
    say = partial(output().print, markup=False, soft_wrap=True)
    for one in sorted(left_out, key=lambda one: -int(one["bundles"])):
        say(f"  {one['bundles']:>7,}  {one['text']}")


def show_one(bundle: Json) -> None:
    """Print everything that speaks for a bundle, and what was decided about it."""
    say = partial(output().print, markup=False, soft_wrap=True)
    say(f"Bundle {bundle['bundle_id']}, {bundle['status']}, revision {bundle['revision']}")
    _members(bundle)
    say(_evidence(bundle))
    if bundle["segments"]:
        rows = [
            (found["segment"], found["support"], _lift(found), found["q_value"])
            for found in bundle["segments"]
        ]
        output().print(table(("holds in", "support", "lift", "q"), rows))
    _pricing(bundle)
    _terms(bundle)
    _history(bundle)


def _cells(bundle: Json) -> tuple[object, ...]:
    """Two lines a row: a bundle has two products at least."""
    support, offers = bundle["support"], bundle["offers"]
    return (
        f"{bundle['bundle_id']}\n{bundle['status']}",
        _name(bundle),
        None if support is None else f"{support:,} times\n{_lift(bundle)}",
        f"{_prices(bundle) or ''}\n{_margin(bundle['pricing'] or {}) or ''}",
        f"{offers['redeemed']:,} of {offers['issued']:,}" if offers["issued"] else None,
    )


def _prices(bundle: Json) -> str | None:
    """What the products cost one by one, and as a bundle: as decided, else as suggested."""
    pricing = bundle["pricing"] or {}
    full, price = pricing.get("full_price"), bundle["terms"]["price"]
    price = price or pricing.get("suggested_price")
    return " → ".join(str(money(amount)) for amount in (full, price) if amount) or None


def _name(bundle: Json) -> str:
    joint = "+" if bundle["kind"] == "together" else "→"
    return f"\n{joint} ".join(item["title"] or item["item_id"] for item in bundle["items"])


def _lift(found: Json) -> str | None:
    """A lift with its interval."""
    ends = [found[name] for name in ("lift", "lift_low", "lift_high")]
    if None in ends:
        return None
    lift, low, high = (f"{end:.3g}" for end in ends)
    return f"{lift} ({low}–{high})"


def _share(share: float | None) -> str | None:
    return None if share is None else f"{share:.0%}"


def _margin(pricing: Json) -> str | None:
    """An expected margin, from low to high, in the currency's units."""
    if not pricing:
        return None
    margin, currency = pricing["expected_margin"], pricing["full_price"]["currency"]
    low, high = (
        money({"amount_minor": round(margin[end]), "currency": currency}) for end in ("low", "high")
    )
    return f"{low} to {high}"


def _members(bundle: Json) -> None:
    completes = bundle["completes"] or [None] * len(bundle["items"])
    rows = [
        (
            item["item_id"],
            item["title"],
            money(item["price"]),
            money(item["cost"]),
            item["category"],
            "yes" if item["active"] else "no",
            _share(share),
        )
        for item, share in zip(bundle["items"], completes, strict=True)
    ]
    heads = ("item", "title", "price", "cost", "category", "sold", "with all others")
    output().print(table(heads, rows))


def _evidence(bundle: Json) -> str:
    if not bundle["in_model"]:
        return "The present model does not find it any more; it stays because it was decided about."
    how = "In one basket" if bundle["kind"] == "together" else "One after the other"
    text = (
        f"{how} {bundle['support']:,} times of {bundle['cases']:,} "
        f"({bundle['support_share']:.2%}), by {bundle['customers']:,} known customers: "
        f"{_lift(bundle)} times as often as by chance (95% interval), in "
        f"{_share(bundle['stability'])} of the months. Share of false discoveries at which it "
        f"would still be found: {bundle['q_value']:.2g}."
    )
    if bundle["complement"] is not None:
        text += f" Complement: {bundle['complement']:g}, below 1 for substitutes."
    if bundle["undiscounted_lift"] is not None:
        text += f" Lift without discounts: {bundle['undiscounted_lift']:g}."
    return text


def _pricing(bundle: Json) -> None:
    pricing, say = bundle["pricing"], partial(output().print, markup=False, soft_wrap=True)
    if pricing is None:
        say("No price can be suggested: a price or the evidence is missing.")
        return
    currency = pricing["full_price"]["currency"]
    curve = pricing["curve"]
    step = max(1, -(-(len(curve) - 1) // (_PRICES - 1)))
    rows = [
        (
            money({"amount_minor": at["price_minor"], "currency": currency}),
            _share(at["discount_share"]),
            _share(at["margin_share"]),
            at["break_even_sales"],
            _margin({**pricing, "expected_margin": at}),
        )
        for at in [*curve[::-step][::-1]]
    ]
    heads = ("price", "discount", "margin left", "must sell besides", "margin a month")
    suggested = money(pricing["suggested_price"]) or "none: it sells anyway"
    say(
        f"One by one {money(pricing['full_price'])}, floor {money(pricing['floor_price'])}, "
        f"suggested {suggested}."
    )
    output().print(table(heads, rows))
    say(pricing["estimate"])


def _terms(bundle: Json) -> None:
    terms, offers = bundle["terms"], bundle["offers"]
    say = partial(output().print, markup=False, soft_wrap=True)
    if not bundle["revision"]:
        say("Nobody has decided about it yet.")
        return
    where = ", ".join([*terms["channels"], *terms["locations"]]) or "everywhere"
    when = f"from {terms['starts_at'] or 'now'} until {terms['ends_at'] or 'further notice'}"
    say(
        f"Price {money(terms['price']) or '–'}, {where}, {when}, budget "
        f"{money(terms['budget']) or 'without limit'}, {terms['per_customer']} a customer for "
        f"{terms['offer_hours']:g} hours."
    )
    if terms["note"]:
        say(f"Note: {terms['note']}")
    spent = f", {money(offers['spent'])} spent" if offers["spent"] else ""
    say(
        f"Offers: {offers['issued']:,} made, {offers['standing']:,} stand, "
        f"{offers['redeemed']:,} used, {offers['returned']:,} given back{spent}."
    )


def _history(bundle: Json) -> None:
    rows = [
        (entry["revision"], entry["changed_at"], entry["changed_by"], _changed(entry))
        for entry in bundle["history"]
    ]
    if rows:
        output().print(table(("revision", "when", "who", "what"), rows))


def _changed(entry: Json) -> str:
    before, after = entry["before"], entry["after"]
    parts = []
    for name, value in after.items():
        if before[name] != value:
            shown = money(value) if isinstance(value, dict) else value
            parts.append(f"{name.replace('_', ' ')}: {'–' if shown in (None, [], '') else shown}")
    return "; ".join(parts)
