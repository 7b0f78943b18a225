"""Holds placements against an artefact, to see whether each can answer as it is meant to.

Settings and an engine come in; findings in words come out. Called by ``omnibasket placements``;
the service asks here too which values of a filter, or names of a list of bundles, nothing has.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from recsys.bundles import SEASONS
from recsys.config import PlacementSettings, nearest_name
from recsys.ranking import factors_of
from recsys.recommender.bundles.listing import ListRequest
from recsys.recommender.engine import Engine
from recsys.recommender.filter_check import unknown_values
from recsys.recommender.placements import KIOSK, Question, filter_of
from recsys.recommender.rule_check import check_rules
from recsys.schema import CHANNELS


class Finding(msgspec.Struct, frozen=True):
    """Something about a placement that its owner should know."""

    placement: str
    level: Literal["error", "warning"]
    """An error: it cannot do what it is meant to."""
    text: str


def check_placement(engine: Engine, name: str, settings: PlacementSettings) -> Iterator[Finding]:
    """Find what is wrong with a placement, beyond what its types tell.

    Parameters
    ----------
    engine : Engine
        Of the current artefact.
    name : str
    settings : PlacementSettings

    Yields
    ------
    Finding
    """
    given = filter_of(Question(placement=name, settings=settings, as_of_ts=0))
    if given is not None:
        for text in unknown_values(engine, given):
            yield Finding(name, "error", f"filter: {text}")
    allowed = int(engine.allowed(settings).sum())
    if not allowed:
        yield Finding(name, "error", "no active product passes its filter.")
    elif allowed < settings.count:
        text = f"count: {settings.count} are asked for, and only {allowed} products may be shown."
        yield Finding(name, "warning", text)
    if settings.personal and settings.channel == "store_screen" and name != KIOSK:
        text = "personal: a screen that everybody sees would show what one customer buys."
        yield Finding(name, "warning", text)
    if settings.from_last_basket and not settings.personal:
        text = "from_last_basket: without `personal` nobody's last basket is known."
        yield Finding(name, "error", text)
    if settings.objective == "new" and not settings.personal:
        text = "objective: without `personal` nobody is known, so everything is new to them."
        yield Finding(name, "warning", text)
    if settings.new_share and not settings.personal:
        text = "new_share: without `personal` nobody is known, so everything is new to them."
        yield Finding(name, "warning", text)
    if settings.objective == "margin" and not engine.knows_costs():
        text = "objective: no product's cost is known; the order is that of chance times price."
        yield Finding(name, "warning", text)
    if settings.weights and not any(settings.weights.values()):
        text = "weights: every factor is 0, so only popularity by chance is left."
        yield Finding(name, "warning", text)
    for level, text in check_rules(engine, settings):
        yield Finding(name, level, text)
    if not calibrates(engine, settings):
        text = "weights: scores are no chances of purchase until the next `omnibasket train`."
        yield Finding(name, "warning", text)


def unknown_names(engine: Engine, request: ListRequest) -> Iterator[tuple[str, str]]:
    """Yield what a list of bundles is asked for and nothing has: the field, and a sentence.

    Parameters
    ----------
    engine : Engine
        Holds the products and the bundles.
    request : ListRequest
        ``category``, ``department`` and ``segment`` are looked at.

    Yields
    ------
    (str, str)
    """
    labels = engine.catalogue.labels
    for field, value in (("category", request.category), ("department", request.department)):
        if value is not None and value not in labels[field].position:
            yield (
                field,
                f"no product has the {field} `{value}`.{nearest_name(value, labels[field].names)}",
            )
    segments = [name.decode() for name in engine.bundles.segment_names.tolist()]
    own = [*(f"channel:{name}" for name in CHANNELS), *(f"season:{name}" for name in SEASONS)]
    if request.segment is not None and request.segment not in (*segments, *own):
        hint = nearest_name(request.segment, (*segments, *own))
        known = f" Known: {', '.join(segments)}." if segments else ""
        yield "segment", f"no bundle holds in `{request.segment}`.{hint}{known}"


def calibrates(engine: Engine, settings: PlacementSettings) -> bool:
    """Whether chances of purchase were learned for a placement's weights.

    Parameters
    ----------
    engine : Engine
    settings : PlacementSettings
        Of the placement; ``weights`` count.

    Returns
    -------
    bool
        False: its scores are no chances of purchase.
    """
    factors = factors_of(settings.weights)
    blends = (engine.ranker.plain, engine.ranker.cart)
    return all(
        (blend.factors_ == factors[: len(blend.columns)]).all(axis=1).any() for blend in blends
    )
