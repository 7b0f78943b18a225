"""Puts products where a placement wants them: pins, boosts, what is buried, and random places.

In: the merchandising of requests, their candidates, and what hard rules forbid. Out: factors on
the candidates' order, the candidates that are pinned, lists in which each stands at its position,
and what each rule did. Called by ``Ranker``, behind the hard rules: nothing that one of them
forbids is ever pinned, boosted or drawn.

Precedence: hard rules and exclusions, then pins by position and the order of the file, then boosts
and what is buried, multiplied, then random places.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.datasets import IntArray, IxArray, Lists, rows_of
from recsys.ranking.candidates import Candidates
from recsys.ranking.choices import Choices
from recsys.ranking.likeness import Likeness
from recsys.ranking.merchandising import (
    Draw,
    ItemRule,
    Merchandised,
    Merchandising,
    RuleEffect,
)
from recsys.ranking.pins import choose_pins, spliced
from recsys.ranking.random_slots import draw, draw_pool, log_worth
from recsys.ranking.rules import RULES, Rules

Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

#: Key of the first pin; each one more lies a step below. Far above all keys and penalties.
_PIN_KEY: Final = 1e15
_PIN_STEP: Final = 1e9
#: Candidates of a pin by filter that the trees score, to choose the best of them.
_HOPEFUL: Final = 10


@dataclass
class Steering:
    """Merchandising over the candidates of ``n`` requests.

    Parameters
    ----------
    given : sequence of length n of (Merchandising or None)
    candidates : Candidates
        ``m`` candidates, among them the products that rules name.
    counts : ndarray of shape (n,), int64
        Length of the lists.
    rules : Rules
        The hard rules of the same requests.
    choices : Choices

    Attributes
    ----------
    log_factor : ndarray of shape (m,), float64
        What boosts and burying add to the logarithm of each candidate's value.
    """

    given: Sequence[Merchandising | None]
    candidates: Candidates
    counts: IntArray
    rules: Rules
    choices: Choices
    log_factor: Floats = field(init=False)
    _hits: list[list[Bools]] = field(init=False)
    _pins: list[list[tuple[ItemRule, int]]] = field(default_factory=list)
    _left_out: dict[tuple[int, str], int] = field(default_factory=dict)
    _propensity: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.log_factor = np.zeros(len(self.candidates.item_ix))
        self._hits = [
            [self._matching(r, rule) for rule in self._rules(r)] for r in range(len(self.given))
        ]
        for r, hits in enumerate(self._hits):
            for rule, hit in zip(self._rules(r), hits, strict=True):
                if rule.action in ("boost", "bury"):
                    self.log_factor[self._part(r)][hit] += np.log(rule.factor)

    def _rules(self, r: int) -> tuple[ItemRule, ...]:
        given = self.given[r]
        return given.rules if given is not None else ()

    def _part(self, r: int) -> slice:
        return slice(int(self.candidates.indptr[r]), int(self.candidates.indptr[r + 1]))

    def _matching(self, r: int, rule: ItemRule) -> Bools:
        """Return which candidates of a request a rule is about."""
        items = self.candidates.item_ix[self._part(r)]
        if rule.filter is None:
            of = self.choices.of
            return np.isin(of[items], of[list(rule.item_ix)])
        indptr = np.zeros(len(self.given) + 1, np.int64)
        indptr[r + 1 :] = len(items)
        return self.rules.passing(rule.filter, Lists(indptr, items))

    def note_excluded(self, code: Codes, keys: Floats, free: Bools) -> None:
        """Count what exclusions keep out of each list.

        Parameters
        ----------
        code : ndarray of shape (m,), uint8
            As ``Rules.forbid_choices`` returns it.
        keys : ndarray of shape (m,), float64
            More is better; of the same kind for what is forbidden and what is not.
        free : ndarray of shape (m,), bool
            One candidate of each choice that may be shown.
        """
        for r, hits in enumerate(self._hits):
            part = self._part(r)
            best = np.sort(keys[part][free[part]])[::-1]
            count = int(self.counts[r])
            bar = best[count - 1] if len(best) >= count else -np.inf
            for rule, hit in zip(self._rules(r), hits, strict=True):
                if rule.action == "exclude":
                    out = hit & (code[part] > 0) & (keys[part] > bar)
                    of = self.choices.of[self.candidates.item_ix[part][out]]
                    self._left_out[r, rule.name] = len(np.unique(of))

    def hopeful(self, code: Codes, keys: Floats) -> Floats:
        """Return keys in which whatever may be pinned stands above all others.

        Parameters
        ----------
        code : ndarray of shape (m,), uint8
        keys : ndarray of shape (m,), float64
            Stays as it is.

        Returns
        -------
        ndarray of shape (m,), float64
            For the choice of what the trees score.
        """
        lifted = keys.copy()
        for r in range(len(self.given)):
            for rule, hit in zip(self._rules(r), self._hits[r], strict=True):
                if rule.action == "pin":
                    lifted[self._in_order(r, rule, hit, code, keys)[:_HOPEFUL]] = _PIN_KEY
        return lifted

    def pin(self, code: Codes, keys: Floats, behind: Bools | None) -> None:
        """Choose what is pinned: for each pin the first of its products that may be shown.

        Parameters
        ----------
        code : ndarray of shape (m,), uint8
        keys : ndarray of shape (m,), float64
            Orders the products of a pin by filter.
        behind : ndarray of shape (m,), bool, or None
            Candidates that stand behind all others.
        """
        ranked = keys if behind is None else np.where(behind, keys - _PIN_KEY, keys)
        self._pins = [self._pinned(r, code, ranked) for r in range(len(self.given))]

    def _pinned(self, r: int, code: Codes, keys: Floats) -> list[tuple[ItemRule, int]]:
        count = int(self.counts[r])
        wanted = [
            (rule, self._in_order(r, rule, hit, code, keys))
            for rule, hit in zip(self._rules(r), self._hits[r], strict=True)
            if rule.action == "pin" and (rule.position or 0) <= count
        ]
        return choose_pins(wanted, self.choices.of[self.candidates.item_ix], count)

    def _in_order(self, r: int, rule: ItemRule, hit: Bools, code: Codes, keys: Floats) -> IntArray:
        """Return the candidates of a pin that may be shown, in its order of preference."""
        part = self._part(r)
        if rule.filter is None:
            items = self.candidates.item_ix[part]
            at = np.searchsorted(items, np.array(rule.item_ix, np.int32)) + part.start
        else:
            at = np.flatnonzero(hit) + part.start
            at = at[np.argsort(-keys[at], kind="stable")]
        allowed: IntArray = at[code[at] == 0]
        return allowed

    @property
    def pinned(self) -> IntArray:
        """Positions in the candidates of what is pinned, request by request, in their order."""
        return np.array([at for pins in self._pins for _, at in pins], np.int64)

    def worth(
        self, keys: Floats, chance: Floats, by_margin: Bools, rotation: Floats | None = None
    ) -> Floats:
        """Return what candidates are worth, as ``random_slots.log_worth`` does.

        ``rotation`` has logarithms of factors on the odds of what was shown and ignored.
        """
        ordered = by_margin[rows_of(self.candidates)] if by_margin.any() else None
        factor = self.log_factor if rotation is None else self.log_factor + rotation
        return log_worth(keys, chance, factor, ordered)

    def lifted(
        self, keys: Floats, behind: Bools | None, new: Bools | None, needed: IntArray
    ) -> tuple[Floats, Bools | None, Bools | None, IntArray]:
        """Return keys and flags by which what is pinned is chosen first, in its order.

        Parameters
        ----------
        keys : ndarray of shape (m,), float64
        behind : ndarray of shape (m,), bool, or None
            Candidates that stand behind all others.
        new : ndarray of shape (m,), bool, or None
            Candidates that are new to their customer; None: no list needs any.
        needed : ndarray of shape (n,), int64
            How many new ones each list needs.

        Returns
        -------
        tuple
            The same four for a list without its drawn places; the arrays that came in stay as they
            are. What is pinned counts as new and adds to what is needed, so that it takes no place
            from new products.
        """
        pinned = self.pinned
        lifted = keys.copy()
        lifted[pinned] = _PIN_KEY - _PIN_STEP * np.arange(len(pinned))
        if behind is not None:
            behind = behind.copy()
            behind[pinned] = False
        if new is not None:
            more = [sum(not new[at] for _, at in pins) for pins in self._pins]
            needed = np.minimum(needed + more, self.counts - self.drawn_places)
            new = new.copy()
            new[pinned] = True
        return lifted, behind, new, needed

    @property
    def drawn_places(self) -> IntArray:
        """How many places of each list are drawn, shape (n,): those that pins leave, at most."""
        wanted = [given.random.count if given and given.random else 0 for given in self.given]
        held = np.array([len(pins) for pins in self._pins], np.int64)
        drawn: IntArray = np.minimum(np.array(wanted, np.int64), self.counts - held)
        return drawn

    def arranged(
        self,
        ends: IntArray,
        shown: IntArray,
        free: Bools,
        behind: Bools | None,
        worth: Floats,
        needed: IntArray,
        new: Bools | None,
        likeness: Likeness,
    ) -> tuple[IntArray, IntArray]:
        """Return whole lists: with drawn places, and with what is pinned at its position.

        Parameters
        ----------
        ends : ndarray of shape (n + 1,), int64
            Row ``r`` of the lists is ``ends[r]:ends[r + 1]``.
        shown : ndarray, int64
            Positions in the candidates of what is chosen so far, best first.
        free : ndarray of shape (m,), bool
            What may be chosen, one candidate of each choice.
        behind, new, needed
            As ``lifted`` returns them.
        worth : ndarray of shape (m,), float64
            As ``worth`` returns it.
        likeness : Likeness

        Returns
        -------
        ends : ndarray of shape (n + 1,), int64
        shown : ndarray, int64
            Where a list is shorter than a position, what is pinned there stands last.
        """
        rows = [shown[ends[r] : ends[r + 1]] for r in range(len(self.given))]
        for r, count in enumerate(self.drawn_places.tolist()):
            if count:
                left = self._left(r, rows[r], free, behind, count)
                if new is not None and new[rows[r]].sum() < needed[r] and new[left].any():
                    left = left[new[left]]
                drawn = self._drawn(r, left, rows[r], worth, count, likeness)
                rows[r] = np.concatenate([rows[r], drawn])
            if self._pins[r]:
                places = [(at, rule.position or 1) for rule, at in self._pins[r]]
                rows[r] = np.array(spliced(rows[r].tolist(), places), np.int64)
        ends = np.array([0, *np.cumsum([len(row) for row in rows])], np.int64)
        return ends, np.concatenate(rows)

    def _left(
        self, r: int, chosen: IntArray, free: Bools, behind: Bools | None, count: int
    ) -> IntArray:
        """Return the candidates of a request that are left to be drawn."""
        part = self._part(r)
        left = np.flatnonzero(free[part]) + part.start
        left = left[~np.isin(left, chosen)]
        ahead: IntArray = left if behind is None else left[~behind[left]]
        return ahead if len(ahead) >= count else left

    def _drawn(
        self,
        r: int,
        left: IntArray,
        chosen: IntArray,
        worth: Floats,
        count: int,
        likeness: Likeness,
    ) -> IntArray:
        given = self.given[r]
        if given is None or given.random is None:  # has no drawn places
            return left[:0]
        items = self.candidates.item_ix
        log_value = worth[left] + likeness.penalty(r, items[left], items[chosen])
        pool = draw_pool(log_value, count, given.random.within)
        pool = pool[likeness.distinct(r, items[left[pool]], count)]
        drawn, propensity = draw(np.sort(left[pool]), given.random.seed, count)
        self._propensity |= dict.fromkeys(drawn.tolist(), propensity)
        return drawn

    def named(self, shown: IntArray, item_ix: IxArray) -> IxArray:
        """Return the products that are shown: those that pins name, where they may be.

        Parameters
        ----------
        shown : ndarray of shape (k,), int64
            Positions in the candidates.
        item_ix : ndarray of shape (k,), int32
            Product that is shown for each; stays as it is.

        Returns
        -------
        ndarray of shape (k,), int32
        """
        pinned = self.pinned
        counts = np.array([len(pins) for pins in self._pins])
        lists = Lists(np.array([0, *np.cumsum(counts)], np.int64), self.candidates.item_ix[pinned])
        own = np.isin(shown, pinned[self.rules.forbid(lists) == 0])
        return np.where(own, self.candidates.item_ix[shown], item_ix).astype(np.int32)

    def report(
        self, ends: IntArray, shown: IntArray, code: Codes
    ) -> tuple[Merchandised | None, ...]:
        """Say what was done to each list.

        Parameters
        ----------
        ends, shown
            As of ``in_place``, which the lists went through.
        code : ndarray of shape (m,), uint8

        Returns
        -------
        tuple of length n of (Merchandised or None)
        """
        return tuple(
            None if given is None else self._reported(r, shown[ends[r] : ends[r + 1]], code)
            for r, given in enumerate(self.given)
        )

    def _reported(self, r: int, shown: IntArray, code: Codes) -> Merchandised:
        place = {at: place for place, at in enumerate(shown.tolist())}
        effects = [
            self._effect(r, rule, hit, place, code)
            for rule, hit in zip(self._rules(r), self._hits[r], strict=True)
            if rule.name
        ]
        draws = [
            Draw(place[at], self._propensity[at]) for at in shown.tolist() if at in self._propensity
        ]
        return Merchandised(tuple(effects), tuple(draws))

    def _effect(
        self, r: int, rule: ItemRule, hit: Bools, place: dict[int, int], code: Codes
    ) -> RuleEffect:
        part = self._part(r)
        if rule.action == "exclude":
            return RuleEffect(rule.name, rule.action, left_out=self._left_out[r, rule.name])
        if rule.action == "pin":
            mine = [at for pinned, at in self._pins[r] if pinned is rule]
            if mine:
                return RuleEffect(rule.name, rule.action, tuple(place[at] for at in mine))
            forbidden = code[part][hit]
            forbidden = forbidden[forbidden > 0]
            by = RULES[int(forbidden[0]) - 1] if len(forbidden) else None
            return RuleEffect(rule.name, rule.action, kept_out=by)
        pinned = {at for _, at in self._pins[r]}
        moved = (part.start + np.flatnonzero(hit)).tolist()
        places = sorted(place[at] for at in moved if at in place and at not in pinned)
        return RuleEffect(rule.name, rule.action, tuple(places))
