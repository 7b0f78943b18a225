"""Steers a list that something other than chances orders: what goes with a product, or is like it.

In: the list of one request with what orders it, and the merchandising that holds. Out: the list as
the placement wants it, and what each rule did. Called by ``recommender.product_pages``; lists of
recommendations are steered while they are ranked.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.datasets import Histories, IntArray, IxArray, Lists
from recsys.ranking.candidates import Candidates
from recsys.ranking.likeness import Likeness
from recsys.ranking.merchandising import Merchandised, Merchandising
from recsys.ranking.ranker import Ranker
from recsys.ranking.rules import Limits
from recsys.ranking.selection import best_candidates
from recsys.ranking.steering import Steering

Floats = npt.NDArray[np.float64]

#: Far below the logarithm of any worth, times any factor.
_NOWHERE: Final = -1e9
#: What one place further back takes off among equals.
_TIE: Final = 1e-9


class SteeredList(NamedTuple):
    """One list as its placement wants it.

    Attributes
    ----------
    item_ix : ndarray of shape (k,), int32
        What is shown, one of each choice.
    place : ndarray of shape (k,), int64
        Where the choice of each stood in the list that came in; -1 for what a pin brought in.
    done : Merchandised
        What each rule did.
    """

    item_ix: IxArray
    place: IntArray
    done: Merchandised


def steer(
    ranker: Ranker,
    item_ix: IxArray,
    worth: Floats,
    given: Merchandising,
    limits: Limits,
    count: int,
) -> SteeredList | None:
    """Pin, boost, bury and exclude within one list.

    Parameters
    ----------
    ranker : Ranker
        For its rules, its choices and the products that rules are about.
    item_ix : ndarray of shape (m,), int32
        The list, best first, each product once.
    worth : ndarray of shape (m,), float64
        What it is ordered by, > 0, falling; boosts and what is buried multiply it.
    given : Merchandising
        Without random places.
    limits : Limits
        Of one request; what they forbid is neither shown nor pinned.
    count : int
        Products wanted.

    Returns
    -------
    SteeredList or None
        None where nothing of the list may be shown: pins alone are no list.
    """
    nobody = Histories.nobody(1, len(ranker.index))
    rules, choices = ranker.rules(nobody, limits), ranker.all_choices
    pins = Merchandising(tuple(rule for rule in given.rules if rule.action == "pin"))
    items = np.union1d(item_ix, ranker.products_of(pins, limits)).astype(np.int32)
    indptr = np.array([0, len(items)], np.int64)
    blank = np.zeros((len(items), 0), np.float32), np.zeros(len(items), np.uint8)
    candidates = Candidates(indptr, items, *blank)
    keys, place = _keys(items, item_ix, worth, choices.bought)
    code = rules.forbid_choices(candidates)
    allowed = (code == 0) & (place >= 0)
    if not allowed.any():
        return None
    counts = np.array([count])
    steering = Steering([given], candidates, counts, rules, choices)
    keys = keys + steering.log_factor
    steering.note_excluded(code, keys, allowed & choices.leading(candidates, keys))
    steering.pin(code, keys, None)
    allowed[steering.pinned] = True
    lifted, _, _, needed = steering.lifted(keys, None, None, np.zeros(1, np.int64))
    free = allowed & choices.leading(candidates, lifted)
    ends, shown = best_candidates(candidates, lifted, free, counts)
    likeness = Likeness(np.zeros(1), None, nobody)
    ends, shown = steering.arranged(ends, shown, free, None, keys, needed, None, likeness)
    chosen = rules.representatives(Lists(ends, items[shown]))
    (done,) = steering.report(ends, shown, code)
    known = np.full(len(choices), -1, np.int64)
    known[choices.of[item_ix][::-1]] = np.arange(len(item_ix))[::-1]
    at = known[choices.of[items[shown]]]
    return SteeredList(steering.named(shown, chosen), at, done or Merchandised())


def _keys(
    items: IxArray, item_ix: IxArray, worth: Floats, bought: IntArray
) -> tuple[Floats, IntArray]:
    """Return what orders all products, and where each stands in the list; -1 for nowhere.

    Equal ones keep their order; what pins alone bring in stands last, what sells best first.
    """
    place = np.full(len(items), -1, np.int64)
    at = np.searchsorted(items, item_ix)
    place[at] = np.arange(len(item_ix))
    keys = np.empty(len(items))
    keys[np.argsort(bought[items], kind="stable")] = _NOWHERE + np.arange(len(items))
    keys[at] = np.log(np.maximum(worth, np.finfo(np.float32).tiny)) - _TIE * np.arange(len(at))
    return keys, place
