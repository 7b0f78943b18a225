"""Puts products where a placement wants them, whatever their score: pins.

In: what requests pin, their candidates, and what rules forbid. Out: the candidates that are
pinned, lifted above all others for selection, and lists in which each stands at its position.
Called by ``Ranker``, behind the rules: nothing that a rule forbids is ever pinned.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.datasets import IntArray, IxArray, Lists, pointers
from recsys.ranking.candidates import Candidates
from recsys.ranking.choices import Choices
from recsys.ranking.rules import Rules

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

#: Key of the first pin; each one more lies a step below. Far above all keys and penalties.
_PIN_KEY = 1e15
_PIN_STEP = 1e9


@dataclass(frozen=True)
class Pin:
    """A place in the list that is kept for a product.

    Parameters
    ----------
    item_ix : tuple of int
        Products in order of preference; the first that may be shown has the place.
    position : int, optional
        Place in the list, from 1; by default the first that no other pin holds.
    """

    item_ix: tuple[int, ...]
    position: int | None = None


@dataclass(frozen=True)
class Merchandising:
    """What one request puts where, whatever the scores.

    Parameters
    ----------
    pins : tuple of Pin
        Of one position the earlier one stands first.
    """

    pins: tuple[Pin, ...] = ()


@dataclass(frozen=True)
class PinnedCandidates:
    """Candidates that are pinned, those of one request in the order of their places.

    Attributes
    ----------
    rows : ndarray of shape (p,), int64
        Request of each, ascending.
    at : ndarray of shape (p,), int64
        Position in the candidates; one of each choice in a row.
    position : ndarray of shape (p,), int64
        Place in the list, from 1; 0 for the first that is free.
    as_named : ndarray of shape (p,), bool
        Whether the named product may be shown; otherwise only another one of its choice.
    """

    rows: IntArray
    at: IntArray
    position: IntArray
    as_named: Bools

    def lifted(self, keys: Floats) -> Floats:
        """Return keys in which pinned candidates stand above all others, in their order.

        Parameters
        ----------
        keys : ndarray of shape (m,), float64
            Of all candidates; stays as it is.

        Returns
        -------
        ndarray of shape (m,), float64
        """
        lifted = keys.copy()
        lifted[self.at] = _PIN_KEY - _PIN_STEP * np.arange(len(self.at))
        return lifted

    def flagged(self, flags: Bools, value: bool) -> Bools:
        """Return flags of all candidates in which those of the pinned ones are set.

        Parameters
        ----------
        flags : ndarray of shape (m,), bool
            Stays as it is.
        value : bool
            What they are set to.

        Returns
        -------
        ndarray of shape (m,), bool
        """
        flagged = flags.copy()
        flagged[self.at] = value
        return flagged

    def count(self, flags: Bools, n: int) -> IntArray:
        """Count the pinned candidates of each request that are flagged.

        Parameters
        ----------
        flags : ndarray of shape (m,), bool
            Of all candidates.
        n : int
            Requests.

        Returns
        -------
        ndarray of shape (n,), int64
        """
        return np.bincount(self.rows[flags[self.at]], minlength=n).astype(np.int64)

    def in_place(self, ends: IntArray, shown: IntArray) -> IntArray:
        """Return lists in which what is pinned stands at its position, the rest in its order.

        Parameters
        ----------
        ends : ndarray of shape (n + 1,), int64
            Row ``r`` of the lists is ``ends[r]:ends[r + 1]``.
        shown : ndarray, int64
            Positions in the candidates, in the order in which they are shown.

        Returns
        -------
        ndarray, int64
            Where a list is shorter than a position, what is pinned there stands last.
        """
        out = shown.copy()
        for r in np.unique(self.rows).tolist():
            part = slice(ends[r], ends[r + 1])
            mine = self.rows == r
            held = np.isin(self.at[mine], shown[part])
            pins = zip(
                self.at[mine][held].tolist(), self.position[mine][held].tolist(), strict=True
            )
            out[part] = _spliced(shown[part].tolist(), list(pins))
        return out

    def named(self, shown: IntArray, item_ix: IxArray, candidates: Candidates) -> IxArray:
        """Return the products that are shown, with those that pins name in place of their choice's.

        Parameters
        ----------
        shown : ndarray of shape (k,), int64
            Positions in the candidates.
        item_ix : ndarray of shape (k,), int32
            Product that is shown for each; stays as it is.
        candidates : Candidates

        Returns
        -------
        ndarray of shape (k,), int32
        """
        own = np.isin(shown, self.at[self.as_named])
        return np.where(own, candidates.item_ix[shown], item_ix).astype(np.int32)


def pinned_products(merchandising: Sequence[Merchandising | None]) -> Lists:
    """Return the products that pins name, which must be candidates.

    Parameters
    ----------
    merchandising : sequence of length n of (Merchandising or None)

    Returns
    -------
    Lists
        ``n`` rows, ascending, each product once.
    """
    named = [
        sorted({item for pin in (given.pins if given else ()) for item in pin.item_ix})
        for given in merchandising
    ]
    return Lists.of_rows([np.array(row, np.int32) for row in named])


def pin_candidates(
    merchandising: Sequence[Merchandising | None],
    candidates: Candidates,
    code: npt.NDArray[np.uint8],
    counts: IntArray,
    rules: Rules,
    choices: Choices,
) -> PinnedCandidates:
    """Find what is pinned: for each pin the first of its products that may be shown.

    Parameters
    ----------
    merchandising : sequence of length n of (Merchandising or None)
    candidates : Candidates
        ``m`` candidates, among them those of ``pinned_products``.
    code : ndarray of shape (m,), uint8
        As ``Rules.forbid_choices`` returns it.
    counts : ndarray of shape (n,), int64
        Length of the lists; a pin of a later position is left out.
    rules : Rules
    choices : Choices

    Returns
    -------
    PinnedCandidates
    """
    found: list[tuple[int, int, int]] = []
    for r, given in enumerate(merchandising):
        if given is not None and given.pins:
            part = slice(int(candidates.indptr[r]), int(candidates.indptr[r + 1]))
            items, free = candidates.item_ix[part], code[part] == 0
            pins = _pinned(given.pins, items, free, int(counts[r]), choices)
            found += [(r, part.start + at, position) for at, position in pins]
    table = np.array(found, np.int64).reshape(-1, 3)
    rows, at = table[:, 0], table[:, 1]
    lists = Lists(pointers(rows, len(merchandising)), candidates.item_ix[at])
    return PinnedCandidates(rows, at, table[:, 2], rules.forbid(lists) == 0)


def _pinned(
    pins: Sequence[Pin], items: IxArray, free: Bools, count: int, choices: Choices
) -> list[tuple[int, int]]:
    """Return positions in ``items`` of what one request pins, and its places in the list."""
    found: list[tuple[int, int]] = []
    taken: set[int] = set()
    for pin in sorted(pins, key=lambda pin: pin.position or count + 1):
        if len(found) == count or (pin.position or 0) > count:
            continue
        for item in pin.item_ix:
            at, choice = int(np.searchsorted(items, item)), int(choices.of[item])
            if free[at] and choice not in taken:
                taken.add(choice)
                found.append((at, pin.position or 0))
                break
    return found


def _spliced(shown: list[int], pins: list[tuple[int, int]]) -> list[int]:
    """Put what is pinned where it belongs; the rest fills the other places in its order."""
    n = len(shown)
    places: dict[int, int] = {}
    for at, position in pins:
        wanted = min(max(position, 1), n) - 1
        nearest = (*range(wanted, n), *range(wanted - 1, -1, -1))
        places[next(place for place in nearest if place not in places)] = at
    held = set(places.values())
    rest = iter(at for at in shown if at not in held)
    return [places[place] if place in places else next(rest) for place in range(n)]
