"""Estimates what the rules and random places of a placement cost, before anybody sees them.

In: an engine, and questions of a sample of customers. Out: their lists with and without rules, how
much of them changes, and what that is expected to cost in purchases and in margin. Called by
``omnibasket placements preview``.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from recsys.config import Action
from recsys.datasets import CustomerHistory, Floats
from recsys.evaluation.metrics import Interval, bootstrap
from recsys.recommender import Engine, Question, calibrates

#: Questions answered at once, to bound memory.
_BATCH = 100

Answer = Mapping[str, Any]


class Comparison(msgspec.Struct, frozen=True):
    """A mean over customers without the rules, with them, and the difference."""

    before: float
    after: float
    change: float
    low: float
    """Of the 95% interval of ``change``."""
    high: float


class RuleUse(msgspec.Struct, frozen=True):
    """What one rule did in the lists of the sample."""

    name: str
    action: Action
    held: int
    """Lists for which it held."""
    acted: int
    """Lists that it changed something in, or stood in."""
    items: int
    """Places that it pinned, boosted or buried."""
    left_out: int
    """Candidates that would have been shown but for it."""
    kept_out: dict[str, int]
    """Lists in which a hard rule forbade a pin, by that rule; ``""``: nothing fitted."""


class MerchandisingCost(msgspec.Struct, frozen=True):
    """What rules and random places do to the lists of a sample of customers."""

    placement: str
    n: int
    """Customers."""
    changed_lists: int
    changed_items: float
    """Share of places whose product is not in the list without rules."""
    shortened_lists: int
    """Lists that have fewer items than without rules."""
    purchases: Comparison
    """Sum of the chances of purchase of what a list shows."""
    calibrated: bool
    """Whether the scores are chances of purchase."""
    margin: Comparison | None
    """Minor units that a list is expected to earn from what has a known cost; None where nothing
    has, or currencies differ."""
    currency: str | None
    cost_known_before: float
    """Share of the products that are shown without rules of which price and cost are known."""
    cost_known_after: float
    """The same with rules."""
    drawn: int
    """Places that were drawn."""
    rules: list[RuleUse]


def without_rules(question: Question) -> Question:
    """Return a question to the same placement without its rules and random places."""
    settings = msgspec.structs.replace(question.settings, rules=[], random_slots=0)
    return msgspec.structs.replace(question, settings=settings)


def merchandising_cost(
    engine: Engine,
    questions: Sequence[Question],
    rows: Sequence[CustomerHistory],
    seed: int = 0,
) -> tuple[MerchandisingCost, list[tuple[Answer, Answer]]]:
    """Answer questions with and without rules, and compare the lists.

    Parameters
    ----------
    engine : Engine
    questions : sequence of Question, length n
        To one placement, at least one.
    rows : sequence of CustomerHistory, length n
        Of the customers who ask.
    seed : int
        Of the intervals.

    Returns
    -------
    cost : MerchandisingCost
    answers : list of (mapping, mapping), length n
        Without rules and with them, as ``Engine.recommend`` gives them.

    Notes
    -----
    What is expected is so by the model: every item of a list counts as if it was looked at, and
    the chance of a product is the same in every list.
    """
    before = _answers(engine, [without_rules(question) for question in questions], rows)
    after = _answers(engine, questions, rows)
    pairs = list(zip(before, after, strict=True))
    currency = _only_currency(before + after)
    earned = [_margins(engine, questions, answers, currency) for answers in (before, after)]
    chances = [[_purchases(answer) for answer in answers] for answers in (before, after)]
    margins = [[float(np.nansum(one)) for one in lists] for lists in earned]
    known_before, known_after = (1 - float(np.isnan(np.concatenate(one)).mean()) for one in earned)
    cost = MerchandisingCost(
        questions[0].placement,
        len(questions),
        sum(_items(one) != _items(other) for one, other in pairs),
        sum(_replaced(one, other) for one, other in pairs) / max(sum(map(_length, after)), 1),
        sum(_length(other) < _length(one) for one, other in pairs),
        _compared(chances[0], chances[1], seed),
        calibrates(engine, questions[0].settings),
        _compared(margins[0], margins[1], seed) if known_before or known_after else None,
        currency,
        known_before,
        known_after,
        sum(len(answer.get("random", ())) for answer in after),
        _rule_uses(questions[0], after),
    )
    return cost, pairs


def _answers(
    engine: Engine, questions: Sequence[Question], rows: Sequence[CustomerHistory]
) -> list[Answer]:
    found: list[Answer] = []
    for start in range(0, len(questions), _BATCH):
        part = slice(start, start + _BATCH)
        found += engine.recommend(questions[part], rows[part])
    return found


def _items(answer: Answer) -> list[str]:
    return [item["item_id"] for item in answer["items"]]


def _replaced(before: Answer, after: Answer) -> int:
    """Return how many products of a list are not in the other."""
    return len(set(_items(after)) - set(_items(before)))


def _purchases(answer: Answer) -> float:
    return float(sum(item["score"] for item in answer["items"]))


def _length(answer: Answer) -> int:
    return len(answer["items"])


def _only_currency(answers: Sequence[Answer]) -> str | None:
    """Return the currency of all prices that are shown; None where there are several, or none."""
    prices = [item["price"] for answer in answers for item in answer["items"]]
    found = {str(price["currency"]) for price in prices if price is not None}
    return found.pop() if len(found) == 1 else None


def _margins(
    engine: Engine, questions: Sequence[Question], answers: Sequence[Answer], currency: str | None
) -> list[Floats]:
    """Return what each item of each list is expected to earn, minor units; NaN where unknown."""
    margins, earned = engine.ranker.margins, []
    for question, answer in zip(questions, answers, strict=True):
        items = answer["items"]
        out = np.full(len(items), np.nan)
        if margins is not None and currency is not None:
            key = engine.catalogue.location(question.location_id)
            cost = margins.costs.at(np.full(len(items), key), engine.index.ix_of(_items(answer)))
            for at, item in enumerate(items):
                if item["price"] is not None and cost[at] >= 0:
                    out[at] = item["score"] * (item["price"]["amount_minor"] - cost[at])
        earned.append(out)
    return earned


def _compared(before: Sequence[float], after: Sequence[float], seed: int) -> Comparison:
    one, other = np.array(before), np.array(after)
    change: Floats = other - one
    interval: Interval = bootstrap(change, seed)
    return Comparison(
        float(one.mean()), float(other.mean()), interval.mean, interval.low, interval.high
    )


def _rule_uses(question: Question, answers: Sequence[Answer]) -> list[RuleUse]:
    """Count what each rule of the placement did, in the order of the file."""
    uses = []
    for rule in question.settings.rules:
        held = [one for answer in answers for one in answer.get("rules", ())]
        mine = [one for one in held if one["name"] == rule.name]
        acted = [one for one in mine if one.get("item_ids") or one.get("left_out")]
        missed = [one for one in mine if rule.action == "pin" and not one["item_ids"]]
        uses.append(
            RuleUse(
                rule.name,
                rule.action,
                len(mine),
                len(acted),
                sum(len(one.get("item_ids", ())) for one in mine),
                sum(one.get("left_out", 0) for one in mine),
                dict(Counter(one.get("kept_out", "") for one in missed)),
            )
        )
    return uses
