"""Rules of placements, ``[[placements.NAME.rules]]``: what is pinned, boosted, buried or excluded.

In: a placement's settings. Out: checks of its rules with clear errors, and each rule with its
products, audience and times as they are asked. Called by ``toml_file`` when settings are read and
by the recommender for a question.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from recsys.config import filters
from recsys.config.filters import Filter, FilterError, Language, parse_filter
from recsys.config.placement_settings import Action, PlacementRule, PlacementSettings
from recsys.config.time_windows import TimeWindow, parse_window
from recsys.errors import ConfigError

#: Settings that only some actions have.
_ONLY: Final[dict[str, tuple[Action, ...]]] = {"position": ("pin",), "factor": ("boost", "bury")}


class ActiveRule(NamedTuple):
    """A rule as it is asked."""

    name: str
    action: Action
    item_ids: tuple[str, ...]
    filter: Filter | None
    position: int
    factor: float
    window: TimeWindow
    locations: frozenset[str]
    audience: Filter | None


def rules_of(settings: PlacementSettings) -> tuple[ActiveRule, ...]:
    """Return a placement's rules as they are asked.

    Parameters
    ----------
    settings : PlacementSettings
        Checked.

    Returns
    -------
    tuple of ActiveRule
        In the order of the file.
    """
    return _rules(msgspec.json.encode(settings.rules)) if settings.rules else ()


@lru_cache(maxsize=256)  # placements are few, and asked again and again
def _rules(text: bytes) -> tuple[ActiveRule, ...]:
    return tuple(map(_active, msgspec.json.decode(text, type=list[PlacementRule])))


def _active(rule: PlacementRule) -> ActiveRule:
    hours = [rule.hours] if isinstance(rule.hours, str) else rule.hours
    return ActiveRule(
        rule.name,
        rule.action,
        tuple(rule.item_ids),
        _filter("filter", rule.filter, filters.ALL_OF_PRODUCTS),
        rule.position or 1,
        rule.factor or 1.0,
        parse_window(rule.since, rule.until, rule.days, hours, rule.time_zone or "UTC"),
        frozenset(rule.locations),
        _filter("audience", rule.audience, filters.CUSTOMERS),
    )


def _filter(name: str, document: dict[str, Any], language: Language) -> Filter | None:
    try:
        return parse_filter(document, language=language) if document else None
    except FilterError as error:
        raise ConfigError(f"{name}: {error}") from None


def check_products(settings: PlacementSettings) -> None:
    """Refuse a filter that is none, rules that cannot be meant, and contradictions between them.

    Parameters
    ----------
    settings : PlacementSettings
        With the zones of its rules.

    Raises
    ------
    ConfigError
        Names the setting; a rule by its position in the file, from 0.
    """
    _filter("filter", settings.filter, filters.ALL_OF_PRODUCTS)
    names: list[str] = []
    for ix, rule in enumerate(settings.rules):
        where = f"rules.{ix}"
        if rule.name in names:
            raise ConfigError(f"{where}.name: an earlier rule is called `{rule.name}`, too.")
        names.append(rule.name)
        for setting, problem in _problems(rule, settings.count):
            raise ConfigError(f"{where}.{setting}: {problem}")
        try:
            _active(rule)
        except ConfigError as error:
            raise ConfigError(f"{where}.{error}") from None
    always = [rule for rule in settings.rules if rule.action == "pin" and not _conditional(rule)]
    if len(always) > settings.count:
        raise ConfigError(
            f"rules: {len(always)} products are always pinned, and `count` is {settings.count}."
        )
    if len(always) + settings.random_slots > settings.count:
        raise ConfigError(
            f"random_slots: {len(always)} pins and {settings.random_slots} random slots do not fit "
            f"into a `count` of {settings.count}."
        )


def _problems(rule: PlacementRule, count: int) -> Iterator[tuple[str, str]]:
    """Yield settings of a rule that contradict its action or each other, and what is wrong."""
    if bool(rule.item_ids) == bool(rule.filter):
        yield "item_ids", "give either `item_ids` or `filter`: the products that it is about."
    for setting, actions in _ONLY.items():
        if getattr(rule, setting) is not None and rule.action not in actions:
            known = " and ".join(f"`{action}`" for action in actions)
            yield setting, f"is of {known} only, not of `{rule.action}`."
    if rule.action in _ONLY["factor"]:
        yield from _factor_problems(rule)
    if (rule.position or 1) > count:
        yield "position", f"there is no place {rule.position}: `count` is {count}."


def _factor_problems(rule: PlacementRule) -> Iterator[tuple[str, str]]:
    above = rule.action == "boost"
    if rule.factor is None:
        example = "2.0" if above else "0.5"
        yield "factor", f"is missing: what the value is multiplied by, such as {example}."
    elif rule.factor == 1 or (rule.factor > 1) != above:
        side, other = ("above", "bury") if above else ("below", "boost")
        yield "factor", f"a `{rule.action}` has a factor {side} 1; use `{other}` for the contrary."


def _conditional(rule: PlacementRule) -> bool:
    when = (rule.since, rule.until, rule.days, rule.hours, rule.locations, rule.audience)
    return any(when)


def with_time_zone(settings: PlacementSettings, zone: str) -> PlacementSettings:
    """Return a placement whose rules all name the zone of their times.

    Parameters
    ----------
    settings : PlacementSettings
    zone : str
        For rules that name none.

    Returns
    -------
    PlacementSettings
        The same where it has no rules.
    """
    if not settings.rules:
        return settings
    rules = [
        msgspec.structs.replace(rule, time_zone=rule.time_zone or zone) for rule in settings.rules
    ]
    return msgspec.structs.replace(settings, rules=rules)
