"""Determines which pieces of an order an offer claims, and its discount on them.

In: the items of an order, and the pieces that its other offers claim. Out: the pieces that a
further offer claims and its discount, or the reason for refusal. This module does not read the
ledger. Called by ``redemption``.

One piece has at most one offer. An offer claims one piece of each of its products: the product
itself, else another of its choice, the most expensive first.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from recsys.bundles import Offer, least_minor
from recsys.errors import OfferError
from recsys.values import write_amount

#: Tolerance for rounding errors in weights.
SLACK: Final = 1e-9
#: Maximum pieces counted per product; no order uses as many offers.
_MOST: Final = 512


class OrderItem(msgspec.Struct, frozen=True):
    """A quantity of a product in an order at one price."""

    item_id: str
    quantity: float = 1.0
    price_minor: int | None = None
    """Unit price after the line's discounts; None for the price in the offer."""


class Piece(msgspec.Struct, frozen=True, omit_defaults=True):
    """One piece of an order with an offer."""

    member: str
    """The offer's product."""
    item_id: str
    """The order's product: the same, or another of its choice."""
    price_minor: int | None = None
    """Its price in the order, minor units; None if not reported."""


class OfferClaim(NamedTuple):
    """The pieces that an offer claims, and the discount."""

    pieces: tuple[Piece, ...]
    discount_minor: int


class OfferBounds(msgspec.Struct, frozen=True):
    """Limits of every redemption."""

    per_order: int | None = None
    """Maximum offers per order; None for no limit."""
    margin_floor: float = 0.0
    """Minimum share of the paid amount left after cost, in [0, 1)."""
    cost_of: Callable[[str, str], int | None] | None = None
    """Cost of a product in a currency, minor units; None if unknown."""


NO_BOUNDS: Final = OfferBounds()


class OpenOrder:
    """The pieces of an order that no offer claims yet.

    Parameters
    ----------
    items : sequence of OrderItem, optional
        All items of the order; None if not reported. Then two of its offers cannot contain the same
        choice.
    taken : iterable of Piece
        Pieces claimed by the order's other offers.
    back : mapping
        Product → quantity returned, which no offer can claim.
    all_back : bool
        Whether the whole order was returned.
    choice_of : callable
        Returns the choice of a product.
    """

    def __init__(
        self,
        items: Sequence[OrderItem] | None,
        taken: Iterable[Piece] = (),
        back: Mapping[str, float] | None = None,
        *,
        all_back: bool = False,
        choice_of: Callable[[str], str] = str,
    ) -> None:
        self._choice_of = choice_of
        self._taken = list(taken)
        self._back = {} if back is None else back
        self._all_back = all_back
        self._lines: dict[str, list[OrderItem]] | None = None
        self._of_choice: dict[str, list[str]] = {}
        self._left: dict[str, list[int | None]] = {}
        if items is not None:
            self._lines = {}
            for item in items:
                self._lines.setdefault(item.item_id, []).append(item)
            for item_id in self._lines:
                self._of_choice.setdefault(choice_of(item_id), []).append(item_id)

    def copy(self) -> "OpenOrder":
        """Return a copy whose claims leave this one unchanged."""
        other = OpenOrder(None, self._taken, self._back, all_back=self._all_back)
        other._choice_of, other._lines, other._of_choice = (
            self._choice_of,
            self._lines,
            self._of_choice,
        )
        other._left = {item_id: list(left) for item_id, left in self._left.items()}
        return other

    @property
    def has_uniform_choices(self) -> bool:
        """Return whether all pieces of a choice are equivalent for an offer."""
        kinds: dict[str, set[tuple[str, int | None]]] = {}
        for item_id, lines in (self._lines or {}).items():
            kinds_of_choice = kinds.setdefault(self._choice_of(item_id), set())
            kinds_of_choice |= {(item_id, line.price_minor) for line in lines}
        return all(len(kinds_of_choice) == 1 for kinds_of_choice in kinds.values())

    def claim(self, offer: Offer, bounds: OfferBounds) -> OfferClaim:
        """Claim the pieces of an offer, so that later offers cannot claim them.

        Parameters
        ----------
        offer : Offer
        bounds : OfferBounds
            Except ``per_order``, which the caller checks.

        Raises
        ------
        OfferError
            ``offer-incomplete``, ``offer-overlaps``, ``offer-not-cheaper`` or
            ``offer-below-floor``; nothing is claimed.
        """
        members = [item.item_id for item in offer.items]
        pieces = (
            self._assumed_pieces(members) if self._lines is None else self._find_pieces(members)
        )
        new_claim = OfferClaim(pieces, discount(offer, pieces, bounds))
        for piece in pieces:
            if self._lines is not None:
                self._left[piece.item_id].remove(piece.price_minor)
            self._taken.append(piece)
        return new_claim

    def _assumed_pieces(self, members: Sequence[str]) -> tuple[Piece, ...]:
        taken = {self._choice_of(piece.item_id) for piece in self._taken}
        gone = {self._choice_of(item_id) for item_id, back in self._back.items() if back > SLACK}
        twice = [member for member in members if self._choice_of(member) in taken]
        if twice:
            raise OfferError(
                "offer-overlaps",
                f"another offer of this order is for {_names(twice)}, and the order's quantities "
                "are unknown: send its `items` with their quantities.",
            )
        if self._all_back or any(self._choice_of(member) in gone for member in members):
            raise OfferError("offer-incomplete", "products of the offer were returned.")
        return tuple(Piece(member, member) for member in members)

    def _find_pieces(self, members: Sequence[str]) -> tuple[Piece, ...]:
        chosen: Counter[tuple[str, int | None]] = Counter()

        def take(member: str, item_ids: Iterable[str]) -> Piece | None:
            for item_id in item_ids:
                left = Counter(self._pieces_left(item_id))
                for price_minor in self._pieces_left(item_id):
                    if chosen[item_id, price_minor] < left[price_minor]:
                        chosen[item_id, price_minor] += 1
                        return Piece(member, item_id, price_minor)
            return None

        pieces = {member: take(member, [member]) for member in members}
        for member, itself in pieces.items():
            if itself is None:
                others = self._of_choice.get(self._choice_of(member), ())
                pieces[member] = take(member, others)
        missing = [member for member, piece in pieces.items() if piece is None]
        if missing:
            self._refuse(members, missing)
        return tuple(piece for piece in pieces.values() if piece is not None)

    def _refuse(self, members: Sequence[str], missing: Sequence[str]) -> None:
        """Raise an error: the order lacks products, or another offer claims them."""
        alone = OpenOrder(
            [item for lines in (self._lines or {}).values() for item in lines],
            back=self._back,
            all_back=self._all_back,
            choice_of=self._choice_of,
        )
        if self._taken:
            alone._find_pieces(
                members
            )  # raises if the order lacks products even without other offers
            raise OfferError(
                "offer-overlaps",
                f"another offer already applies to every {_names(missing)} of this order.",
            )
        raise OfferError("offer-incomplete", f"the order lacks {_names(missing)} of the offer.")

    def _pieces_left(self, item_id: str) -> list[int | None]:
        """Return the prices of a product's free pieces, most expensive first."""
        if item_id not in self._left:
            lines = (self._lines or {}).get(item_id, [])
            left = [] if self._all_back else whole_pieces(lines, self._back.get(item_id, 0.0))
            for piece in self._taken:
                if piece.item_id == item_id and left:
                    at = left.index(piece.price_minor) if piece.price_minor in left else 0
                    left.pop(at)
            self._left[item_id] = left
        return self._left[item_id]


def whole_pieces(lines: Iterable[OrderItem], back: float = 0.0) -> list[int | None]:
    """Return the price of each whole piece of a product, most expensive first.

    Fractions of pieces are added at their prices. Returned pieces count as the most expensive.

    Parameters
    ----------
    lines : iterable of OrderItem
        All lines of one product.
    back : float
        Quantity returned.

    Returns
    -------
    list of int or None
        Minor units, rounded down; None where the line has no price.
    """
    priced = [(line.price_minor, line.quantity) for line in lines if line.price_minor is not None]
    priced.sort(key=lambda line: -line[0])
    unpriced = [(0, line.quantity) for line in lines if line.price_minor is None]
    known, back = _cut(priced, back)
    unknown, _ = _cut(unpriced, back)
    return [*known, *(None for _ in unknown)]


def _cut(lines: Iterable[tuple[int, float]], back: float) -> tuple[list[int], float]:
    """Split lines into whole pieces; return their prices, and the rest of ``back``."""
    prices: list[int] = []
    room, cost = 1.0, 0.0
    for price_minor, quantity in lines:
        gone = min(back, quantity)
        back, left = back - gone, quantity - gone
        while left > SLACK and len(prices) < _MOST:
            part = min(room, left)
            cost, room, left = cost + part * price_minor, room - part, left - part
            if room <= SLACK:
                prices.append(math.floor(cost + 1e-6))
                room, cost = 1.0, 0.0
    return prices, back


def discount(offer: Offer, pieces: Sequence[Piece], bounds: OfferBounds) -> int:
    """Return an offer's discount on its pieces, minor units.

    The pieces then cost the offer's price. The discount never exceeds the promised one, and never
    leaves less than ``bounds.margin_floor`` after cost, as far as costs are known.

    Raises
    ------
    OfferError
        ``offer-not-cheaper`` or ``offer-below-floor``.
    """
    promised = {item.item_id: item.price_minor for item in offer.items}
    costs_now = sum(
        promised[piece.member] if piece.price_minor is None else piece.price_minor
        for piece in pieces
    )
    off = min(offer.discount_minor, costs_now - offer.price_minor)
    if off <= 0:
        cost, price = (write_amount(at, offer.currency) for at in (costs_now, offer.price_minor))
        raise OfferError(
            "offer-not-cheaper", f"the order's pieces cost {cost}, the offer's price is {price}."
        )
    least = least_price_minor([piece.item_id for piece in pieces], offer.currency, bounds)
    if costs_now - off < least:
        left = write_amount(costs_now - off, offer.currency)
        raise OfferError(
            "offer-below-floor",
            f"its pieces would cost {left}, which leaves less than {bounds.margin_floor:.0%} "
            "after cost.",
        )
    return off


def least_price_minor(item_ids: Iterable[str], currency: str, bounds: OfferBounds) -> int:
    """Return the smallest price of products that keeps the margin floor, as far as costs are known.

    Parameters
    ----------
    item_ids : iterable of str
    currency : str
    bounds : OfferBounds
    """
    if bounds.cost_of is None:
        return 0
    known = [bounds.cost_of(item_id, currency) for item_id in item_ids]
    cost = sum(one for one in known if one is not None)
    return least_minor(cost, bounds.margin_floor) if cost else 0


def _names(item_ids: Iterable[str]) -> str:
    return ", ".join(f"`{item_id}`" for item_id in item_ids)
