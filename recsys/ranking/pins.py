"""Chooses what is pinned in one list, and puts it in its place.

In: pins with the candidates that each would take, in its order of preference. Out: one candidate a
pin, and lists in which each stands at its position. Called by ``steering``.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from recsys.datasets import IntArray
from recsys.ranking.merchandising import ItemRule


def choose_pins(
    wanted: Sequence[tuple[ItemRule, IntArray]], choice: npt.NDArray[np.int32], count: int
) -> list[tuple[ItemRule, int]]:
    """Choose for each pin the first of its candidates whose choice no other pin has.

    Parameters
    ----------
    wanted : sequence of (ItemRule, ndarray of int64)
        Pins, and positions of the candidates that each would take, best first.
    choice : ndarray of shape (m,), int32
        Of every candidate.
    count : int
        Length of the list.

    Returns
    -------
    list of (ItemRule, int)
        By position, those without one last; of equals the earlier one first.
    """
    found: list[tuple[ItemRule, int]] = []
    taken: set[int] = set()
    for rule, preferred in sorted(wanted, key=lambda pin: pin[0].position or count + 1):
        if len(found) == count:
            break
        for at in preferred.tolist():
            if int(choice[at]) not in taken:
                taken.add(int(choice[at]))
                found.append((rule, at))
                break
    return found


def spliced(shown: list[int], pins: list[tuple[int, int]]) -> list[int]:
    """Put what is pinned where it belongs; the rest fills the other places in its order.

    Parameters
    ----------
    shown : list of int
        Candidates of a list, among them all that are pinned.
    pins : list of (int, int)
        Candidate, and its place from 1. A place that is held, or lies behind the end, gives way to
        the next free one, or else to the one before.

    Returns
    -------
    list of int
        The same candidates.
    """
    n = len(shown)
    places: dict[int, int] = {}
    for at, position in pins:
        wanted = min(position, n) - 1
        nearest = (*range(wanted, n), *range(wanted - 1, -1, -1))
        places[next(place for place in nearest if place not in places)] = at
    held = set(places.values())
    rest = iter(at for at in shown if at not in held)
    return [places[place] if place in places else next(rest) for place in range(n)]
