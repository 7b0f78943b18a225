"""What a placement does with its products, and what that did to a list.

In: rules that hold for a request, made by ``recommender.merchandising``. Out: what ``steering``
reports of one list, for its answer and its decision.
"""

from dataclasses import dataclass
from typing import NamedTuple

from recsys.config import Action, Filter


@dataclass(frozen=True)
class ItemRule:
    """A rule that holds for one request.

    Parameters
    ----------
    name : str
        Empty for what leads a list without a rule.
    action : Action
    item_ix : tuple of int
        Products that it is about, all of their choices included; of a pin in order of preference.
    filter : Filter, optional
        What the products are that it is about, where it names none.
    position : int, optional
        Of a pin: place in the list, from 1; by default the first that no other pin holds.
    factor : float
        Of a boost or of what is buried: what its value is multiplied by. > 0.
    """

    name: str
    action: Action
    item_ix: tuple[int, ...] = ()
    filter: Filter | None = None
    position: int | None = None
    factor: float = 1.0


@dataclass(frozen=True)
class RandomSlots:
    """Last places of a list that go to random ones of nearly equal candidates.

    Parameters
    ----------
    count : int
        So many places. >= 1.
    within : float
        Share of the best candidate's value from which on others are nearly equal. In (0, 1].
    seed : str
        The same draws the same.
    """

    count: int
    within: float
    seed: str


@dataclass(frozen=True)
class Merchandising:
    """What one request does with its candidates.

    Parameters
    ----------
    rules : tuple of ItemRule
        Of one position the earlier pin stands first.
    random : RandomSlots, optional
        No random places by default.
    """

    rules: tuple[ItemRule, ...] = ()
    random: RandomSlots | None = None


class RuleEffect(NamedTuple):
    """What one rule did to one list."""

    name: str
    action: Action
    places: tuple[int, ...] = ()
    """Places in the list, from 0, of what it pinned, boosted or buried."""
    left_out: int = 0
    """How many candidates would stand in the list but for an exclusion."""
    kept_out: str | None = None
    """Of a pin that nothing stands for: the hard rule that forbids the first of its products."""


class Draw(NamedTuple):
    """A place of one list that was drawn."""

    place: int
    """From 0."""
    propensity: float
    """With which chance this product came to this place."""


class Merchandised(NamedTuple):
    """What merchandising did to one list."""

    effects: tuple[RuleEffect, ...] = ()
    draws: tuple[Draw, ...] = ()


#: What was done to each of several lists; None where no rule holds.
Reports = tuple[Merchandised | None, ...] | None


def with_left_out_of(wide: Reports, usual: Reports) -> Reports:
    """Return what was done to lists, with what exclusions kept out of others.

    Parameters
    ----------
    wide : tuple of length n of (Merchandised or None), or None
        Of the lists that are shown; their candidates are those alone that nothing excludes.
    usual : tuple of length n of (Merchandised or None), or None
        By the same rules, of lists from the usual candidates.

    Returns
    -------
    tuple of length n of (Merchandised or None), or None
    """
    if wide is None or usual is None:
        return None
    return tuple(map(_with_left_out, wide, usual))


def _with_left_out(wide: Merchandised | None, usual: Merchandised | None) -> Merchandised | None:
    if wide is None or usual is None:
        return None
    pairs = zip(wide.effects, usual.effects, strict=True)
    return wide._replace(effects=tuple(b if a.action == "exclude" else a for a, b in pairs))
