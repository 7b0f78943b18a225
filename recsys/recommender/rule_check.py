"""Holds the rules of a placement against an artefact, to see whether each can do anything.

In: an engine and a placement's settings. Out: findings in words. Called by ``placement_check``.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from recsys.config import (
    ActiveRule,
    Condition,
    Filter,
    PlacementSettings,
    filters,
    nearest_name,
    rules_of,
)
from recsys.recommender.engine import Engine
from recsys.recommender.filter_check import unknown_values
from recsys.schema import CHANNELS

Level = Literal["error", "warning"]

#: Fields of audiences → what of products they name.
_LABELS: Final = {
    "bought_item": "item_id",
    "bought_department": "department",
    "bought_category": "category",
    "bought_brand": "brand",
}


def check_rules(engine: Engine, settings: PlacementSettings) -> Iterator[tuple[Level, str]]:
    """Find rules that do nothing, or not what they are meant to.

    Parameters
    ----------
    engine : Engine
        Of the current artefact.
    settings : PlacementSettings

    Yields
    ------
    (str, str)
        ``error``, where a rule cannot do what it is meant to, or ``warning``; and a sentence.
    """
    for rule in rules_of(settings):
        for level, text in _findings(engine, settings, rule):
            yield level, f"rule `{rule.name}`: {text}"
    yield from _left_by_exclusions(engine, settings)


def _findings(
    engine: Engine, settings: PlacementSettings, rule: ActiveRule
) -> Iterator[tuple[Level, str]]:
    known = set(engine.index.item_ids) if rule.item_ids else set()
    wrong = [
        f"there is no product `{item_id}`.{nearest_name(item_id, known)}"
        for item_id in rule.item_ids
        if item_id not in known
    ]
    if rule.filter is not None:
        wrong += [f"filter: {text}" for text in unknown_values(engine, rule.filter)]
        wrong += [f"filter: {text}" for text in _unknown_facts(engine, rule.filter)]
    for text in wrong:
        yield "error", text
    if not wrong:
        yield from _no_products(engine, settings, rule)
    for location_id in sorted(rule.locations):
        if not engine.has_location(location_id):
            places = [name for name, _ in engine.catalogue.places.values()]
            hint = nearest_name(location_id, places)
            yield "error", f"locations: there is no location `{location_id}`.{hint}"
    yield from _audience(engine, settings, rule)
    until_ts = rule.window.until_ts
    if until_ts is not None and until_ts <= engine.manifest.as_of.timestamp():
        ended = datetime.fromtimestamp(until_ts, UTC)
        yield "warning", f"until: it ended {ended:%Y-%m-%d %H:%M} UTC, before the model was made."


def _unknown_facts(engine: Engine, given: Filter) -> Iterator[str]:
    """Yield what a filter asks and nothing is known of."""
    facts = engine.ranker.filter_data
    asked = {one.field for one in filters.conditions(given)}
    if "margin_share" in asked and not engine.knows_costs():
        yield "no product's cost is known, so none has a `margin_share`."
    for field in ("stock_cover_days", "age_days"):
        if field in asked and (facts is None or facts.sales is None):
            yield f"no `{field}` is known until the next `omnibasket train`."


def _no_products(
    engine: Engine, settings: PlacementSettings, rule: ActiveRule
) -> Iterator[tuple[Level, str]]:
    about = _about(engine, rule)
    if rule.action == "exclude":
        if not about.any():
            yield "error", "no product passes its filter."
        return
    if not (about & engine.ranker.availability.active).any():
        yield "error", "no active product is among its products."
    elif not (about & engine.allowed(settings)).any():
        yield "error", "the placement's own settings allow none of its products."


def _about(engine: Engine, rule: ActiveRule) -> npt.NDArray[np.bool_]:
    """Return which products a rule may be about."""
    if rule.filter is not None:
        return engine.fitting(rule.filter)
    about = np.zeros(len(engine.index), bool)
    found = engine.index.ix_of(rule.item_ids)
    about[found[found >= 0]] = True
    return about


def _audience(
    engine: Engine, settings: PlacementSettings, rule: ActiveRule
) -> Iterator[tuple[Level, str]]:
    if rule.audience is None:
        return
    if not settings.personal:
        yield "warning", "audience: without `personal` nobody is known."
    for one in filters.conditions(rule.audience):
        if one.field in _LABELS:
            same = Condition(_LABELS[one.field], one.op, one.value)
            for text in unknown_values(engine, same):
                yield "error", f"audience: {text}"
        elif one.field == "bought_channel" and one.op in ("eq", "ne", "in", "not_in"):
            values = one.value if isinstance(one.value, tuple) else (one.value,)
            for value in values:
                if value not in CHANNELS:
                    hint = nearest_name(value, CHANNELS)
                    yield "error", f"audience: there is no channel `{value}`.{hint}"


def _left_by_exclusions(engine: Engine, settings: PlacementSettings) -> Iterator[tuple[Level, str]]:
    """Say where exclusions that always hold leave less than a list."""
    allowed = engine.allowed(settings)
    before = int(allowed.sum())
    for rule in rules_of(settings):
        always = not (rule.locations or rule.audience or any(rule.window[:4]))
        if rule.action == "exclude" and always:
            allowed = allowed & ~_about(engine, rule)
    left = int(allowed.sum())
    if left < settings.count <= before:
        yield "warning", f"count: {settings.count} are asked for, and exclusions leave {left}."
