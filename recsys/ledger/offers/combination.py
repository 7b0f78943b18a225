"""Chooses which of several offers an order uses: those with the largest joint discount.

In: an order's free pieces, and offers. Out: the offers to use, with the pieces that each claims.
Called by ``redemption``.
"""

from collections.abc import Sequence
from typing import NamedTuple

from recsys.bundles import Offer
from recsys.errors import OfferError
from recsys.ledger.offers.pieces import OfferBounds, OfferClaim, OpenOrder


class Combination(NamedTuple):
    """Offers that one order uses together."""

    claims: tuple[tuple[int, OfferClaim], ...] = ()
    """Position of each offer in order of claiming, and its claim."""

    @property
    def discount_minor(self) -> int:
        """The joint discount."""
        return sum(claim.discount_minor for _, claim in self.claims)


def best_combination(
    open_order: OpenOrder, offers: Sequence[Offer], bounds: OfferBounds, most: int
) -> Combination:
    """Choose the offers with the largest joint discount.

    Among equal combinations, the one with the fewest offers wins, so that the others remain for
    another order; then the one whose offers come first.

    Parameters
    ----------
    open_order : OpenOrder
        Not changed.
    offers : sequence of Offer
        A few: the search tries every combination that may beat the best so far, and every order
        of its offers if the pieces that they claim depend on it.
    bounds : OfferBounds
    most : int
        Maximum number of offers to use.
    """
    search = _Search(offers, bounds, most, ordered=not open_order.has_uniform_choices)
    search.go(open_order, Combination(), range(len(offers)))
    return search.best


class _Search:
    def __init__(
        self, offers: Sequence[Offer], bounds: OfferBounds, most: int, *, ordered: bool
    ) -> None:
        self._offers, self._bounds, self._most, self._ordered = offers, bounds, most, ordered
        self.best = Combination()

    def go(self, open_order: OpenOrder, so_far: Combination, left: Sequence[int]) -> None:
        """Try every remaining offer after the chosen ones."""
        if _rank(so_far) > _rank(self.best):
            self.best = so_far
        room = self._most - len(so_far.claims)
        hoped = sorted((self._offers[at].discount_minor for at in left), reverse=True)[:room]
        if room <= 0 or so_far.discount_minor + sum(hoped) < self.best.discount_minor:
            return
        for number, at in enumerate(left):
            after = open_order.copy()
            try:
                claim = after.claim(self._offers[at], self._bounds)
            except OfferError:
                continue
            rest = [*left[:number], *left[number + 1 :]] if self._ordered else left[number + 1 :]
            self.go(after, Combination((*so_far.claims, (at, claim))), rest)


def _rank(combination: Combination) -> tuple[int, int, list[int]]:
    positions = sorted(at for at, _ in combination.claims)
    return combination.discount_minor, -len(positions), [-at for at in positions]
