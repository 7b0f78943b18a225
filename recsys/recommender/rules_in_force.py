"""Finds which rules of placements hold for questions, and lays them out for the ranker.

In: questions and what is known of who asks. Out: for each question what is pinned, boosted and
buried, what is excluded, and which places are drawn. Called by ``request_context``.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from recsys.config import ActiveRule, Filter, Group, rules_of
from recsys.datasets import Histories, IxArray
from recsys.ranking import ItemRule, Merchandising, RandomSlots
from recsys.recommender.audiences import Asker, is_in_audience
from recsys.recommender.catalogue import Catalogue
from recsys.recommender.placements import Question


class RulesInForce(NamedTuple):
    """What the rules of ``n`` questions' placements do.

    Attributes
    ----------
    merchandising : tuple of length n of (Merchandising or None)
    exclude : list of ndarray of int32, length n
        Products that rules exclude by their ids, with all of their choices.
    filters : list of length n of (Filter or None)
        What products must be to be excluded by no rule.
    """

    merchandising: tuple[Merchandising | None, ...]
    exclude: list[IxArray]
    filters: list[Filter | None]


def rules_in_force(
    questions: Sequence[Question], histories: Histories, catalogue: Catalogue
) -> RulesInForce | None:
    """Find what holds for questions.

    Parameters
    ----------
    questions : sequence of Question, length n
    histories : Histories
        Of the ``n`` customers, empty where a placement is not personal.
    catalogue : Catalogue
        What it does not hold is not pinned and leads no list.

    Returns
    -------
    RulesInForce or None
        None where no question has rules, random places or something that leads.
    """
    if not any(_has_any(question) for question in questions):
        return None
    given, exclude, filters = [], [], []
    for r, question in enumerate(questions):
        held = _holding(question, r, histories, catalogue)
        rules = [_item_rule(rule, catalogue) for rule in held]
        rules += [ItemRule("", "pin", (item_ix,)) for item_ix in _leading(question, catalogue)]
        random = _random_slots(question)
        given.append(Merchandising(tuple(rules), random) if rules or random else None)
        excluded = [rule for rule in rules if rule.action == "exclude"]
        items = [item_ix for rule in excluded for item_ix in rule.item_ix]
        exclude.append(np.unique(np.array(items, np.int32)))
        filters.append(_none_of([rule.filter for rule in excluded if rule.filter is not None]))
    return RulesInForce(tuple(given), exclude, filters)


def _has_any(question: Question) -> bool:
    return bool(question.settings.rules or question.settings.random_slots or question.lead)


def _holding(
    question: Question, r: int, histories: Histories, catalogue: Catalogue
) -> list[ActiveRule]:
    """Return the rules that hold at the time, the location and for the customer of a question."""
    known = question.customer_known and question.settings.personal
    asker = Asker(histories[r : r + 1], known, question.as_of_ts, catalogue)
    return [
        rule
        for rule in rules_of(question.settings)
        if rule.window.holds(question.as_of_ts)
        and (not rule.locations or question.location_id in rule.locations)
        and (rule.audience is None or is_in_audience(rule.audience, asker))
    ]


def _item_rule(rule: ActiveRule, catalogue: Catalogue) -> ItemRule:
    known = catalogue.index.ix_of(rule.item_ids).tolist() if rule.item_ids else []
    items = tuple(dict.fromkeys(item_ix for item_ix in known if item_ix >= 0))
    position = rule.position if rule.action == "pin" else None
    return ItemRule(rule.name, rule.action, items, rule.filter, position, rule.factor)


def _leading(question: Question, catalogue: Catalogue) -> list[int]:
    """Return the products that lead a list, as far as it may depend on the customer."""
    if not question.lead or not question.settings.personal:
        return []
    return [ix for ix in catalogue.index.ix_of(question.lead).tolist() if ix >= 0]


def _random_slots(question: Question) -> RandomSlots | None:
    """Return the places to draw; none for an answer without an id, which nobody could look up."""
    settings, seed = question.settings, question.recommendation_id
    if not settings.random_slots or not seed:
        return None
    return RandomSlots(settings.random_slots, settings.random_within, seed)


def _none_of(filters: list[Filter]) -> Filter | None:
    if not filters:
        return None
    return Group("not", (filters[0] if len(filters) == 1 else Group("or", tuple(filters)),))
