"""Whether a bundle may be offered as a marketer wants it.

New terms of a bundle come in; what is wrong with them comes out, each with the name of its
problem. Called by the service before the ledger is asked to keep them.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from recsys.bundles import Terms, floor_minor
from recsys.config import Config
from recsys.recommender.bundles.suggestions import KnownBundle, Suggestions
from recsys.recommender.placements import BOUGHT_ON, all_placements
from recsys.schema import CHANNELS
from recsys.values import write_amount


class TermsFault(NamedTuple):
    """One thing that is wrong.

    Attributes
    ----------
    kind : str
        ``bundle-inactive``, ``price-missing``, ``price-below-floor``, ``price-not-lower``,
        ``dates-reversed``, ``budget-empty``, ``channel-without-offers`` or ``invalid-request``.
    pointer : str
        JSON pointer to the field.
    detail : str
        What is wrong and what to do.
    """

    kind: str
    pointer: str
    detail: str


def with_price(suggestions: Suggestions, bundle_id: str, terms: Terms) -> Terms:
    """Give terms that are to be approved without a price the suggested one, where there is one.

    Raises
    ------
    KeyError
        When there is no such bundle.
    """
    bundle = suggestions.get(bundle_id)
    if terms.price_minor is not None or terms.status != "approved":
        return terms
    quoted = suggestions.quote(bundle)
    if quoted is None or quoted.suggested is None:
        return terms
    return msgspec.structs.replace(
        terms, price_minor=quoted.suggested.price_minor, currency=suggestions.currency(bundle)
    )


def check_terms(suggestions: Suggestions, bundle_id: str, terms: Terms) -> list[TermsFault]:
    """Find what is wrong with terms.

    Parameters
    ----------
    suggestions : Suggestions
    bundle_id : str
    terms : Terms
        As they would be from then on.

    Returns
    -------
    list of TermsFault
        Empty where nothing is wrong.

    Raises
    ------
    KeyError
        When there is no such bundle.
    """
    bundle = suggestions.get(bundle_id)
    faults = []
    if terms.status == "approved":
        titles = suggestions.catalogue.titles
        idle = [
            (titles[ix] if ix >= 0 else None) or name
            for name, ix in zip(bundle.item_ids, bundle.item_ix, strict=True)
            if not suggestions.active(ix)
        ]
        if idle:
            detail = f"not in the catalogue, or no longer sold: {'; '.join(idle)}."
            faults.append(TermsFault("bundle-inactive", "/status", detail))
    faults += _price(suggestions, bundle, terms)
    starts, ends = terms.starts_ts, terms.ends_ts
    if starts is not None and ends is not None and ends <= starts:
        faults.append(
            TermsFault("dates-reversed", "/ends_at", "must be later than when it begins.")
        )
    faults += _budget(suggestions, bundle, terms)
    known = {name for name, _ in suggestions.catalogue.places.values()}
    for at, name in enumerate(terms.locations):
        if name not in known:
            detail = f"there is no location `{name}`."
            faults.append(TermsFault("invalid-request", f"/locations/{at}", detail))
    return faults


def _price(suggestions: Suggestions, bundle: KnownBundle, terms: Terms) -> list[TermsFault]:
    if terms.price_minor is None:
        if terms.status != "approved":
            return []
        detail = "is needed: no discount is suggested for this bundle. Say what it shall cost."
        return [TermsFault("price-missing", "/price", detail)]
    currency = suggestions.currency(bundle)
    if currency is not None and terms.currency != currency:
        detail = f"must be in {currency}, as the products' prices are."
        return [TermsFault("invalid-request", "/price/currency", detail)]
    if terms.price_minor <= 0:
        return [TermsFault("price-below-floor", "/price", "must be above 0.")]
    full, money = _full_minor(suggestions, bundle), terms.currency or ""
    if full is not None and terms.price_minor >= full:
        detail = f"must be below {write_amount(full, money)}, what the products cost one by one."
        return [TermsFault("price-not-lower", "/price", detail)]
    sales = suggestions.sales(bundle)
    if sales is not None and suggestions.cost_known(bundle):
        floor = floor_minor(sales, suggestions.settings)
        if terms.price_minor < floor:
            share = suggestions.settings.margin_floor
            detail = (
                f"must be at least {write_amount(floor, money)}: for less, under {share:.0%} "
                "of the price would be left after what the products cost."
            )
            return [TermsFault("price-below-floor", "/price", detail)]
    return []


def _budget(suggestions: Suggestions, bundle: KnownBundle, terms: Terms) -> list[TermsFault]:
    budget = terms.budget_minor
    if budget is None:
        return []
    if budget <= 0:
        return [
            TermsFault(
                "budget-empty", "/budget", "must be above 0; without a budget there is no limit."
            )
        ]
    full = _full_minor(suggestions, bundle)
    if full is None or terms.price_minor is None or terms.price_minor >= full:
        return []
    least = full - terms.price_minor
    if budget < least:
        discount = write_amount(least, terms.currency or suggestions.currency(bundle) or "")
        detail = f"does not pay for one offer, which takes {discount} off."
        return [TermsFault("budget-empty", "/budget", detail)]
    return []


def _full_minor(suggestions: Suggestions, bundle: KnownBundle) -> int | None:
    if min(bundle.priced) < 0:
        return None
    prices = [int(suggestions.catalogue.prices_minor[ix]) for ix in bundle.priced]
    return sum(prices) if min(prices) >= 0 else None


def offering_channels(config: Config) -> list[str]:
    """Return where customers may buy with an offer that some placement shows them.

    An e-mail leads anywhere; a tablet in a store sells at its till.

    Parameters
    ----------
    config : Config
        Placements that are personal and show offers count.

    Returns
    -------
    list of str
        In the order of ``schema.CHANNELS``.
    """
    shown = {
        BOUGHT_ON.get(placement.channel, placement.channel)
        for placement in all_placements(config).values()
        if placement.offers and placement.personal
    }
    sold = [channel for channel in CHANNELS if channel in BOUGHT_ON.values()]
    return [channel for channel in sold if None in shown or channel in shown]


def unshown(before: Terms, terms: Terms, offering: Sequence[str]) -> list[TermsFault]:
    """Find channels that are chosen and show no offers.

    What was chosen when they did may stay, until the bundle is to be offered anew.

    Parameters
    ----------
    before, terms : Terms
        As they were, and as they would be.
    offering : sequence of str
        As of ``offering_channels``.
    """
    begins = terms.status == "approved" and before.status != "approved"
    kept = () if begins else before.channels
    where = f"choose {', '.join(offering)}" if offering else "no placement shows any"
    return [
        TermsFault(
            "channel-without-offers",
            f"/channels/{at}",
            f"nobody is shown an offer that can be used on `{channel}`; {where}.",
        )
        for at, channel in enumerate(terms.channels)
        if channel not in (*offering, *kept)
    ]
