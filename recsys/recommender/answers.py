"""Writes answers: ranked items with their reasons, heading and offers, as channels get them.

Prepared questions and what was ranked for them come in; dictionaries in the shape of
``/v1/recommendations`` come out. Called by ``Engine.recommend``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from recsys.ranking import RankedLists, Ranker, RuleEffect, never_bought, ranked_row, rules
from recsys.recommender.catalogue import Catalogue
from recsys.recommender.explanations import explanation, fallback
from recsys.recommender.headings import Heading, heading_of
from recsys.recommender.item_availability import ItemAvailability
from recsys.recommender.reasons import Reason
from recsys.recommender.request_context import PreparedQuestions

#: Key of ``left_out`` for products of the request that the catalogue does not hold.
UNKNOWN_ITEM: Final = "unknown_item"
_SCARCE: Final = "scarce"
#: Why there is nothing to go with the last basket: all of it came back.
RETURNED: Final = "returned"


@dataclass(frozen=True)
class RankedAnswers:
    """What was found for ``n`` questions.

    Attributes
    ----------
    prepared : PreparedQuestions
    ranked : RankedLists
        Items of each question, best first.
    reasons : sequence of Reason, one for each item of ``ranked``
    offers : sequence of list of dict, length n
        Bundles to offer, best first.
    popular_levels : ndarray of shape (n,), uint8
        Index into ``POPULAR_LEVELS``: whose purchases the popular products were counted from.
    """

    prepared: PreparedQuestions
    ranked: RankedLists
    reasons: Sequence[Reason]
    offers: Sequence[list[dict[str, Any]]]
    popular_levels: npt.NDArray[np.uint8]


def write_answers(
    answers: RankedAnswers, item_availability: ItemAvailability, ranker: Ranker, version: str
) -> list[dict[str, Any]]:
    """Write one answer for each question.

    Parameters
    ----------
    answers : RankedAnswers
    item_availability : ItemAvailability
        Knows where products can be had, and their catalogue's titles, prices and links.
    ranker : Ranker
        Knows choices.
    version : str
        Of the artefact.
    """
    prepared, ranked, catalogue = answers.prepared, answers.ranked, item_availability.catalogue
    histories, context = prepared.batch.histories, prepared.batch.context
    is_new = never_bought(ranked, histories, ranker.all_choices)
    written = []
    for r, question in enumerate(prepared.questions):
        left_out = dict(zip(rules.RULES, ranked.left_out[r].tolist(), strict=True))
        if not left_out[_SCARCE]:  # a rule of few placements, told where it kept something out
            del left_out[_SCARCE]
        as_of = datetime.fromtimestamp(question.as_of_ts, UTC)
        written.append(
            {
                **({"withdrawn": RETURNED} if r in prepared.returned else {}),
                "recommendation_id": question.recommendation_id,
                "placement": question.placement,
                "model_version": version,
                "as_of": as_of.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "lang": question.lang,
                "customer_known": question.customer_known and question.settings.personal,
                "heading": _heading(answers, r, is_new, catalogue),
                "items": _items(answers, r, is_new, item_availability),
                "offers": answers.offers[r],
                "fallback": fallback(ranked, r, histories, context, int(answers.popular_levels[r])),
                "left_out": {**left_out, UNKNOWN_ITEM: int(prepared.n_unknown[r])},
                **_merchandised(ranked, r, catalogue),
            }
        )
    return written


def _heading(
    answers: RankedAnswers, r: int, is_new: npt.NDArray[np.bool_], catalogue: Catalogue
) -> Heading | None:
    prepared, indptr = answers.prepared, answers.ranked.indptr
    bought = prepared.batch.histories.indptr
    part = slice(indptr[r], indptr[r + 1])
    return heading_of(
        prepared.questions[r],
        answers.reasons[part],
        frozenset(catalogue.index.item_ids[ix] for ix in prepared.carts[r].tolist()),
        known=bool(bought[r + 1] > bought[r]),
        all_new=bool(is_new[part].all()),
    )


def _merchandised(ranked: RankedLists, r: int, catalogue: Catalogue) -> dict[str, Any]:
    """Say what the placement's rules did to a list, and which of its places were drawn."""
    done = None if ranked.merchandised is None else ranked.merchandised[r]
    if done is None:
        return {}
    names = [catalogue.index.item_ids[ix] for ix in ranked_row(ranked, r).item_ix.tolist()]
    said: dict[str, Any] = {}
    if done.effects:
        said["rules"] = [effect_document(effect, names) for effect in done.effects]
    if done.draws:
        said["random"] = [
            {"item_id": names[one.place], "propensity": one.propensity} for one in done.draws
        ]
    return said


def effect_document(effect: RuleEffect, names: Sequence[str]) -> dict[str, Any]:
    """Say what one rule did to a list of the named products."""
    said: dict[str, Any] = {"name": effect.name, "action": effect.action}
    if effect.action == "exclude":
        return said | {"left_out": effect.left_out}
    said["item_ids"] = [names[place] for place in effect.places]
    return said | ({"kept_out": effect.kept_out} if effect.kept_out else {})


def _items(
    answers: RankedAnswers,
    r: int,
    is_new: npt.NDArray[np.bool_],
    item_availability: ItemAvailability,
) -> list[dict[str, Any]]:
    question, ranked = answers.prepared.questions[r], answers.ranked
    catalogue = item_availability.catalogue
    part = slice(ranked.indptr[r], ranked.indptr[r + 1])
    availability = item_availability.of(
        question.location_id, ranked.item_ix[part], question.as_of_ts
    )
    items = []
    for rank, at in enumerate(range(ranked.indptr[r], ranked.indptr[r + 1]), start=1):
        item_ix = int(ranked.item_ix[at])
        product = catalogue.item(item_ix)
        item = {
            "item_id": product["item_id"],
            "rank": rank,
            "score": round(float(ranked.chance[at]), 6),
            "title": product["title"],
            "price": product["price"],
            "availability": availability[rank - 1],
            "new": bool(is_new[at]),
            "reason": answers.reasons[at],
            **catalogue.links(item_ix),
        }
        if question.attributes:
            item["attributes"] = catalogue.attributes.of(item_ix, question.attributes)
        if question.explain:
            item["explanation"] = explanation(ranked, at)
            item |= _placed(ranked, r, rank - 1)
        items.append(item)
    return items


def _placed(ranked: RankedLists, r: int, place: int) -> dict[str, Any]:
    """Say which rules moved one item, and with which chance it came to a place that was drawn."""
    done = None if ranked.merchandised is None else ranked.merchandised[r]
    if done is None:
        return {}
    rules = [
        {"name": one.name, "action": one.action} for one in done.effects if place in one.places
    ]
    drawn = [one.propensity for one in done.draws if one.place == place]
    return ({"rules": rules} if rules else {}) | ({"propensity": drawn[0]} if drawn else {})
