"""What was shown to whom, written down by those who looked at it.

In: answers as they reach people. Out: ``Log``, which ``audit`` reads. Filled by ``play``.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

#: Product → the chance that it is bought.
Chances = dict[str, float]


class Showing(NamedTuple):
    """Products that a person saw at a time."""

    person: int
    ts: int
    placement: str
    item_ids: tuple[str, ...]
    left_cart: tuple[str, ...] = ()
    """What it said was left in the cart."""


class Refused(NamedTuple):
    """A product that a person does not want to see, and when that was told."""

    person: int
    item_id: str
    told_ts: int


class PutIntoCart(NamedTuple):
    """A product that a person put into the cart."""

    person: int
    item_id: str
    ts: int


class Compared(NamedTuple):
    """A list that a person got, beside what the same question gets without rules."""

    person: int
    ts: int
    given: Chances
    free: Chances


@dataclass
class Log:
    """All that happened, as people saw it."""

    showings: list[Showing] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    carts: list[PutIntoCart] = field(default_factory=list)
    held: Counter[str] = field(default_factory=Counter)
    """Messages that did not go out, by code."""
    removed: Counter[str] = field(default_factory=Counter)
    """Products that were taken out of a mail as it was sent, by rule."""
    compared: list[Compared] = field(default_factory=list)
    asked: int = 0
    """Questions."""
