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


def matching_bundles(suggestions: Suggestions, wanted: ListRequest) -> Listing:
    """Choose the bundles that fit.

    Parameters
    ----------
    suggestions : Suggestions
    wanted : ListRequest
    """
    found: list[KnownBundle] = []
    left_out: Counter[Reason] = Counter()
    for bundle in suggestions.all():
        if not _fits(suggestions, bundle, wanted):
            continue
        reason = None if wanted.show == "all" else why_not(suggestions, bundle)
        if wanted.show == "all" or (reason is None) == (wanted.show == "worth"):
            found.append(bundle)
        elif reason is not None:
            left_out[reason] += 1
    if wanted.sort != "evidence":  # they are in that order
        found.sort(key=lambda bundle: -_key(suggestions, bundle, wanted.sort))
    return Listing(
        [bundle.bundle_id for bundle in found],
        {reason: left_out[reason] for reason in REASONS if left_out[reason]},
    )


def _fits(suggestions: Suggestions, bundle: KnownBundle, wanted: ListRequest) -> bool:
    if wanted.status not in (None, bundle.terms.status):
        return False
    if wanted.kind not in (None, bundle.kind):
        return False
    if wanted.item_id is not None and wanted.item_id not in bundle.item_ids:
        return False
    return (
        _fits_labels(suggestions, bundle, wanted)
        and _fits_evidence(suggestions, bundle, wanted)
        and _fits_price(suggestions, bundle, wanted)
    )


def _fits_labels(suggestions: Suggestions, bundle: KnownBundle, wanted: ListRequest) -> bool:
    items = [ix for ix in bundle.item_ix if ix >= 0]
    for name, value in (("category", wanted.category), ("department", wanted.department)):
        if value is not None and value not in [suggestions.label(name, ix) for ix in items]:
            return False
    if wanted.q is not None:
        text, titles = wanted.q.casefold(), suggestions.catalogue.titles
        return any(text in (titles[ix] or "").casefold() for ix in items)
    return True


def _fits_evidence(suggestions: Suggestions, bundle: KnownBundle, wanted: ListRequest) -> bool:
    if not any((wanted.min_lift, wanted.min_support, wanted.segment, wanted.location_id)):
        return True
    at, found = bundle.at, suggestions.found
    if at is None:
        return False
    if found.lift[at] < wanted.min_lift or found.support[at] < wanted.min_support:
        return False
    if wanted.location_id and location_key(wanted.location_id) not in suggestions.places(at):
        return False
    names = [suggestions.segment_name(position) for position in suggestions.segments(at)]
    return not wanted.segment or wanted.segment in names


def _fits_price(suggestions: Suggestions, bundle: KnownBundle, wanted: ListRequest) -> bool:
    if wanted.pays is not None:
        quoted = suggestions.quote(bundle)
        if wanted.pays != (quoted is not None and quoted.pays):
            return False
    if wanted.min_margin is None:
        return True
    asked = suggestions.asked(bundle)
    return asked is not None and asked.middle >= wanted.min_margin


def _key(suggestions: Suggestions, bundle: KnownBundle, sort: Sort) -> float:
    if sort == "changed":
        return bundle.decision.changed_ts if bundle.decision else -1
    if sort == "margin":
        asked = suggestions.asked(bundle)
        return -np.inf if asked is None else asked.middle
    at, found = bundle.at, suggestions.found
    if at is None:
        return -np.inf
    if sort == "confidence":
        part = slice(*found.indptr[at : at + 2].tolist())
        return float(found.confidence[part].max())
    value = float(getattr(found, sort)[at])
    return -np.inf if np.isnan(value) else value
