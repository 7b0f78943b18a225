"""Lists of bundles: which of them fit a question, in which order, and which are left out.

``Suggestions`` and a question come in; ids come out, with how many were left out for each reason.
Called by the service and the command line, so that both list the same.
"""

from collections import Counter
from typing import Annotated, Literal, NamedTuple

import msgspec
import numpy as np
from msgspec import Meta

from recsys.bundles import Status
from recsys.datasets import location_key
from recsys.recommender.bundles.suggestions import KnownBundle, Suggestions
from recsys.recommender.bundles.worth import REASONS, Reason, why_not

Sort = Literal["margin", "evidence", "lift", "support", "confidence", "stability", "changed"]
Show = Literal["worth", "all", "left_out"]


class ListRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Which bundles are asked for; what is None does not matter."""

    show: Show = "worth"
    """Those that are worth a decision, all of them, or those that are left out otherwise."""
    status: Status | None = None
    kind: Literal["together", "after"] | None = None
    category: str | None = None
    department: str | None = None
    item_id: str | None = None
    q: str | None = None
    """Text in a title, whatever its case."""
    segment: str | None = None
    """Holds there: ``channel:web``, ``region:North``, ``season:winter``."""
    location_id: str | None = None
    """Bought there."""
    min_lift: Annotated[float, Meta(ge=0)] = 0.0
    min_support: Annotated[int, Meta(ge=0)] = 0
    min_margin: float | None = None
    """Margin a month that its price is expected to add, minor units."""
    pays: bool | None = None
    """Whether the suggested price pays for itself even by the lowest estimate."""
    sort: Sort = "margin"
    """Highest first."""


class Listing(NamedTuple):
    """What is listed.

    Attributes
    ----------
    names : list of str
        Ids in the order asked for.
    left_out : dict
        Reason → how many bundles fit the question otherwise, and are not listed because of it; in
        the order of ``worth.REASONS``.
    """

    names: list[str]
    left_out: dict[Reason, int]


def matching_bundles(suggestions: Suggestions, request: ListRequest) -> Listing:
    """Choose the bundles that fit.

    Parameters
    ----------
    suggestions : Suggestions
    request : ListRequest
    """
    matching: list[KnownBundle] = []
    left_out: Counter[Reason] = Counter()
    for bundle in suggestions.all():
        if not _fits(suggestions, bundle, request):
            continue
        reason = None if request.show == "all" else why_not(suggestions, bundle)
        if request.show == "all" or (reason is None) == (request.show == "worth"):
            matching.append(bundle)
        elif reason is not None:
            left_out[reason] += 1
    if request.sort != "evidence":  # they are in that order
        matching.sort(key=lambda bundle: -_key(suggestions, bundle, request.sort))
    return Listing(
        [bundle.bundle_id for bundle in matching],
        {reason: left_out[reason] for reason in REASONS if left_out[reason]},
    )


def _fits(suggestions: Suggestions, bundle: KnownBundle, request: ListRequest) -> bool:
    if request.status not in (None, bundle.terms.status):
        return False
    if request.kind not in (None, bundle.kind):
        return False
    if request.item_id is not None and request.item_id not in bundle.item_ids:
        return False
    return (
        _fits_labels(suggestions, bundle, request)
        and _fits_evidence(suggestions, bundle, request)
        and _fits_price(suggestions, bundle, request)
    )


def _fits_labels(suggestions: Suggestions, bundle: KnownBundle, request: ListRequest) -> bool:
    items = [ix for ix in bundle.item_ix if ix >= 0]
    for name, value in (("category", request.category), ("department", request.department)):
        if value is not None and value not in [suggestions.label(name, ix) for ix in items]:
            return False
    if request.q is not None:
        text, titles = request.q.casefold(), suggestions.catalogue.titles
        return any(text in (titles[ix] or "").casefold() for ix in items)
    return True


def _fits_evidence(suggestions: Suggestions, bundle: KnownBundle, request: ListRequest) -> bool:
    if not any((request.min_lift, request.min_support, request.segment, request.location_id)):
        return True
    at, found = bundle.at, suggestions.mined
    if at is None:
        return False
    if found.lift[at] < request.min_lift or found.support[at] < request.min_support:
        return False
    if request.location_id and location_key(request.location_id) not in suggestions.places(at):
        return False
    names = [suggestions.segment_name(position) for position in suggestions.segments(at)]
    return not request.segment or request.segment in names


def _fits_price(suggestions: Suggestions, bundle: KnownBundle, request: ListRequest) -> bool:
    if request.pays is not None:
        quoted = suggestions.quote(bundle)
        if request.pays != (quoted is not None and quoted.pays):
            return False
    if request.min_margin is None:
        return True
    price = suggestions.price_point(bundle)
    return price is not None and price.middle >= request.min_margin


def _key(suggestions: Suggestions, bundle: KnownBundle, sort: Sort) -> float:
    if sort == "changed":
        return bundle.decision.changed_ts if bundle.decision else -1
    if sort == "margin":
        price = suggestions.price_point(bundle)
        return -np.inf if price is None else price.middle
    at, found = bundle.at, suggestions.mined
    if at is None:
        return -np.inf
    if sort == "confidence":
        part = slice(*found.indptr[at : at + 2].tolist())
        return float(found.confidence[part].max())
    value = float(getattr(found, sort)[at])
    return -np.inf if np.isnan(value) else value
