"""Which products a shopper cannot tell apart, and which of them stands for the others.

What the catalogue says of the products comes in and becomes one number a product, equal for those
of one choice; of ranked candidates then come out the ones that lead their choices, and the
products that are shown for them. ``Choices.learn`` is called by training, which stores it in the
artefact; the rest by ``Ranker``, ``rules`` and whoever shows lists.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from recsys.datasets import IntArray, IxArray, Lists, Ragged, fixed, zeroed
from recsys.ranking import choice_kernels

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Choices:
    """The choices of one catalogue.

    Parameters
    ----------
    of : ndarray of shape (n_items,), int32
        Choice of each product: the position of the first product of it, so that a product that
        is alone is its own.
    bought : ndarray of shape (n_items,), int64
        Baskets that held each product.
    """

    of: IxArray
    bought: IntArray

    @classmethod
    def alone(cls, n_items: int) -> Self:
        """Return choices in which every product is its own.

        Parameters
        ----------
        n_items : int
            Size of the catalogue.

        Returns
        -------
        Self
            With no baskets counted.
        """
        return cls(np.arange(n_items, dtype=np.int32), np.zeros(n_items, np.int64))

    @classmethod
    def learn(
        cls,
        titles: Sequence[str | None],
        brands: Sequence[str | None],
        prices_minor: Sequence[int | None],
        parents: IxArray,
        said: Sequence[str | None],
        bought: IntArray,
        price_ratio: float,
    ) -> Self:
        """Find what a shopper cannot tell apart.

        Products are one choice where the catalogue says so; else where they have one parent, or
        one title, brand and price class. What the catalogue names a choice of belongs to that one
        alone.

        Parameters
        ----------
        titles, brands : sequence of length n_items
            None or empty where unknown. Compared whatever their case, width and blanks; without a
            title a product is like no other.
        prices_minor : sequence of length n_items
            None where unknown.
        parents : ndarray of shape (n_items,), int32
            Equal for products of one parent; -1 for none.
        said : sequence of length n_items
            Choice that the catalogue names; None or empty for none.
        bought : ndarray of shape (n_items,), int64
        price_ratio : float
            A class holds prices up to so many times its lowest one. >= 1.
        """
        n = len(titles)
        groups = _Groups(n)
        by_name: dict[str, int] = {}
        by_parent: dict[int, int] = {}
        alike: dict[tuple[str, str], list[int]] = {}
        for item in range(n):
            name, title = said[item], _plain(titles[item])
            if name:
                groups.join(by_name.setdefault(name, item), item)
                continue
            if parents[item] >= 0:
                groups.join(by_parent.setdefault(int(parents[item]), item), item)
            if title:
                alike.setdefault((title, _plain(brands[item])), []).append(item)
        for items in alike.values():
            for together in _price_classes(items, prices_minor, price_ratio):
                for item in together[1:]:
                    groups.join(together[0], item)
        return cls(groups.firsts(), np.asarray(bought, np.int64))

    def __len__(self) -> int:
        """Return the number of products."""
        return len(self.of)

    @cached_property
    def members(self) -> tuple[IntArray, IxArray]:
        """Products of each choice, ascending: where choice ``c`` begins, and all of them."""
        order = np.argsort(self.of, kind="stable").astype(np.int32)
        starts = np.zeros(len(self) + 1, np.int64)
        np.cumsum(np.bincount(self.of, minlength=len(self)), out=starts[1:])
        return fixed(starts), fixed(order)

    @cached_property
    def several(self) -> bool:
        """Whether any choice has more than one product."""
        return bool((self.of != np.arange(len(self), dtype=np.int32)).any())

    def widened(self, lists: Ragged) -> Lists:
        """Return lists with every product of the choices in them, each once, choice by choice.

        Parameters
        ----------
        lists : Ragged
            ``n`` rows; what a row holds brings in all of its choice.

        Returns
        -------
        Lists
            ``n`` rows, as they are where every product is alone.
        """
        if not self.several:
            return Lists(np.asarray(lists.indptr, np.int64), np.asarray(lists.item_ix, np.int32))
        arrays = lists.indptr, lists.item_ix, self.of, *self.members
        with zeroed((len(self), np.uint8)) as (mark,):
            return Lists(*choice_kernels.expand_choices(mark, *map(fixed, arrays)))

    def leading(self, candidates: Ragged, total: Floats, behind: Bools | None = None) -> Bools:
        """Say which candidate of each choice stands first.

        Parameters
        ----------
        candidates : Ragged
            ``m`` candidates.
        total : ndarray of shape (m,), float64
            More is better; of equals the lower position.
        behind : ndarray of shape (m,), bool, optional
            Who stands behind all others.

        Returns
        -------
        ndarray of shape (m,), bool
            One candidate of each choice in a row.
        """
        if not self.several:
            return np.ones(len(total), bool)
        last = np.zeros(len(total), bool) if behind is None else behind
        arrays = candidates.indptr, candidates.item_ix, total, last, self.of
        with zeroed((len(self), np.int64)) as (place,):
            return choice_kernels.lead_candidates(place, *map(fixed, arrays))

    def likeliest(self, candidates: Ragged, chance: Floats, wanted: Ragged) -> Floats:
        """Return the best chance that the choice of each wanted product has among candidates.

        Parameters
        ----------
        candidates : Ragged
            ``m`` candidates of ``n`` requests.
        chance : ndarray of shape (m,), float64
            More is better.
        wanted : Ragged
            Products of the same requests.

        Returns
        -------
        ndarray of the length of ``wanted.item_ix``, float64
            NaN where the request has no candidate of the choice.
        """
        arrays = (
            candidates.indptr,
            candidates.item_ix,
            chance,
            wanted.indptr,
            wanted.item_ix,
            self.of,
        )
        with zeroed((len(self), np.int64)) as (place,):
            return choice_kernels.best_chances(place, *map(fixed, arrays))

    def any_of(self, flags: Bools) -> Bools:
        """Say of which products any product of their choice is flagged.

        Parameters
        ----------
        flags : ndarray of shape (n_items,), bool
            For example, which products have a minimum age.

        Returns
        -------
        ndarray of shape (n_items,), bool
        """
        if not self.several or not flags.any():
            return flags
        marked = np.zeros(len(self), bool)
        marked[self.of[flags]] = True
        return marked[self.of]

    def first_of(self, item_ix: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
        """Find the first product of each choice in a list.

        Parameters
        ----------
        item_ix : ndarray of shape (m,), integer
            The list, best first.

        Returns
        -------
        ndarray of shape (n_choices,), int64
            Positions in the list, ascending.
        """
        return np.sort(np.unique(self.of[item_ix], return_index=True)[1])

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything, by name."""
        return {"of": self.of, "bought": self.bought}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], n_items: int) -> Self:
        """Rebuild from what ``arrays`` gave; every product alone where there is nothing.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            What ``arrays`` returned, for example memory-mapped; may be empty.
        n_items : int
            Size of the catalogue, for when ``arrays`` is empty.

        Returns
        -------
        Self
        """
        return cls(arrays["of"], arrays["bought"]) if arrays else cls.alone(n_items)


class _Groups:
    """Positions that are joined one after the other."""

    def __init__(self, n: int) -> None:
        self._above = list(range(n))

    def join(self, one: int, other: int) -> None:
        """Put two positions, and all that is with them, together."""
        one, other = self._first(one), self._first(other)
        self._above[max(one, other)] = min(one, other)

    def firsts(self) -> IxArray:
        """Return the lowest position that each one is with."""
        return np.array([self._first(at) for at in range(len(self._above))], np.int32)

    def _first(self, at: int) -> int:
        while self._above[at] != at:
            self._above[at] = self._above[self._above[at]]
            at = self._above[at]
        return at


def _plain(text: str | None) -> str:
    """A text as it is compared: whatever its case, width and blanks."""
    return " ".join(unicodedata.normalize("NFKC", text or "").casefold().split())


def _price_classes(
    items: Sequence[int], prices_minor: Sequence[int | None], ratio: float
) -> list[list[int]]:
    """Part products of one title by price; those without one are a class, unless there is one."""
    priced = sorted((price, item) for item in items if (price := prices_minor[item]) is not None)
    classes: list[list[int]] = []
    lowest = 0.0
    for price, item in priced:
        if not classes or price > lowest * ratio:
            classes.append([])
            lowest = price
        classes[-1].append(item)
    unpriced = [item for item in items if prices_minor[item] is None]
    if len(classes) == 1:
        return [[*classes[0], *unpriced]]
    return [*classes, unpriced] if unpriced else classes
