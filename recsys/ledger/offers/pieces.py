"""Which pieces of an order an offer is for, and what it takes off them.

What an order holds and what its other offers claim come in; out come the pieces that one more
offer claims and its discount, or why there are none. Nothing here reads the ledger. Called by
``redeeming``.

One piece carries one offer. An offer claims one piece of each of its products: the product
itself, else another of its choice, the dearest first.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from recsys.bundles import Offer, least_minor
from recsys.errors import OfferError
from recsys.values import write_amount

#: What arithmetic with weights may be off by.
SLACK: Final = 1e-9
#: Pieces of one product that are looked at; an order carries fewer offers.
_MOST: Final = 512


class OrderItem(msgspec.Struct, frozen=True):
    """What an order holds of a product at one price."""

    item_id: str
    quantity: float = 1.0
    price_minor: int | None = None
    """Of one, after the discounts of the line; None: the price that the offer was made at."""


class Piece(msgspec.Struct, frozen=True, omit_defaults=True):
    """One piece of an order that carries an offer."""

    member: str
    """The offer's product."""
    item_id: str
    """The order's: the same, or another of its choice."""
    price_minor: int | None = None
    """What it cost in the order; None: not told."""


class OfferClaim(NamedTuple):
    """What an offer is used for."""

    pieces: tuple[Piece, ...]
    discount_minor: int


class OfferBounds(msgspec.Struct, frozen=True):
    """What no redemption goes beyond."""

    per_order: int | None = None
    """Offers that one order may use; None: any number."""
    margin_floor: float = 0.0
    """Share of what is paid that must be left after cost, in [0, 1)."""
    cost_of: Callable[[str, str], int | None] | None = None
    """Cost of a product in a currency, minor units; None where it is not known."""


NO_BOUNDS: Final = OfferBounds()


class OpenOrder:
    """The pieces of an order that no offer claims yet.

    Parameters
    ----------
    items : sequence of OrderItem, optional
        All that the order holds; None: not told. Then no choice of products is in two of its
        offers.
    taken : iterable of Piece
        Claimed by the order's other offers.
    back : mapping
        Product → how many came back. Those are not there any more.
    all_back : bool
        Whether the whole order came back.
    choice_of : callable
        Names the choice of a product.
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
        """Return a basket from which claims do not take anything off this one."""
        other = OpenOrder(None, self._taken, self._back, all_back=self._all_back)
        other._choice_of, other._lines, other._of_choice = (
            self._choice_of,
            self._lines,
            self._of_choice,
        )
        other._left = {item_id: list(left) for item_id, left in self._left.items()}
        return other

    @property
    def alike(self) -> bool:
        """Whether it does not matter which piece of a choice an offer claims."""
        kinds: dict[str, set[tuple[str, int | None]]] = {}
        for item_id, lines in (self._lines or {}).items():
            mine = kinds.setdefault(self._choice_of(item_id), set())
            mine |= {(item_id, line.price_minor) for line in lines}
        return all(len(mine) == 1 for mine in kinds.values())

    def claim(self, offer: Offer, bounds: OfferBounds) -> OfferClaim:
        """Claim what an offer is for; it is not there for the next one.

        Parameters
        ----------
        offer : Offer
        bounds : OfferBounds
            Without ``per_order``, which whoever knows the other offers sees to.

        Raises
        ------
        OfferError
            ``offer-incomplete``, ``offer-overlaps``, ``offer-not-cheaper`` or
            ``offer-below-floor``; nothing is claimed.
        """
        members = [item.item_id for item in offer.items]
        pieces = self._untold(members) if self._lines is None else self._told(members)
        found = OfferClaim(pieces, discount(offer, pieces, bounds))
        for piece in pieces:
            if self._lines is not None:
                self._left[piece.item_id].remove(piece.price_minor)
            self._taken.append(piece)
        return found

    def _untold(self, members: Sequence[str]) -> tuple[Piece, ...]:
        taken = {self._choice_of(piece.item_id) for piece in self._taken}
        gone = {self._choice_of(item_id) for item_id, back in self._back.items() if back > SLACK}
        twice = [member for member in members if self._choice_of(member) in taken]
        if twice:
            raise OfferError(
                "offer-overlaps",
                f"another offer of this order is for {_names(twice)}, and the order does not tell "
                "how many it holds: send its `items` with their quantities.",
            )
        if self._all_back or any(self._choice_of(member) in gone for member in members):
            raise OfferError("offer-incomplete", "products of the offer were returned.")
        return tuple(Piece(member, member) for member in members)

    def _told(self, members: Sequence[str]) -> tuple[Piece, ...]:
        chosen: Counter[tuple[str, int | None]] = Counter()

        def take(member: str, item_ids: Iterable[str]) -> Piece | None:
            for item_id in item_ids:
                left = Counter(self._pieces_left(item_id))
                for price_minor in self._pieces_left(item_id):
                    if chosen[item_id, price_minor] < left[price_minor]:
                        chosen[item_id, price_minor] += 1
                        return Piece(member, item_id, price_minor)
            return None

        found = {member: take(member, [member]) for member in members}
        for member, itself in found.items():
            if itself is None:
                others = self._of_choice.get(self._choice_of(member), ())
                found[member] = take(member, others)
        missing = [member for member, piece in found.items() if piece is None]
        if missing:
            self._lacks(members, missing)
        return tuple(piece for piece in found.values() if piece is not None)

    def _lacks(self, members: Sequence[str], missing: Sequence[str]) -> None:
        """Say whether the order lacks something, or another offer claims it."""
        alone = OpenOrder(
            [item for lines in (self._lines or {}).values() for item in lines],
            back=self._back,
            all_back=self._all_back,
            choice_of=self._choice_of,
        )
        if self._taken:
            alone._told(members)  # raises where it would not do without the others either
            raise OfferError(
                "offer-overlaps",
                f"every {_names(missing)} of this order carries another offer already.",
            )
        raise OfferError("offer-incomplete", f"the order lacks {_names(missing)} of the offer.")

    def _pieces_left(self, item_id: str) -> list[int | None]:
        """Prices of the pieces of a product that are there and free, the dearest first."""
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
    """Return what each whole piece of a product costs, the dearest first.

    Parts of pieces add up at their prices. Of what came back, the dearest came back.

    Parameters
    ----------
    lines : iterable of OrderItem
        All of one product.
    back : float
        How many came back.

    Returns
    -------
    list of int or None
        Minor units, rounded down; None where a line does not tell.
    """
    told = [(line.price_minor, line.quantity) for line in lines if line.price_minor is not None]
    told.sort(key=lambda line: -line[0])
    untold = [(0, line.quantity) for line in lines if line.price_minor is None]
    known, back = _cut(told, back)
    unknown, _ = _cut(untold, back)
    return [*known, *(None for _ in unknown)]


def _cut(lines: Iterable[tuple[int, float]], back: float) -> tuple[list[int], float]:
    """Cut lines into whole pieces; return what they cost, and what is left of ``back``."""
    found: list[int] = []
    room, cost = 1.0, 0.0
    for price_minor, quantity in lines:
        gone = min(back, quantity)
        back, left = back - gone, quantity - gone
        while left > SLACK and len(found) < _MOST:
            part = min(room, left)
            cost, room, left = cost + part * price_minor, room - part, left - part
            if room <= SLACK:
                found.append(math.floor(cost + 1e-6))
                room, cost = 1.0, 0.0
    return found, back


def discount(offer: Offer, pieces: Sequence[Piece], bounds: OfferBounds) -> int:
    """Return what an offer takes off its pieces, minor units.

    They cost the offer's price then. The discount is never more than was promised, and never
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
            f"its pieces would cost {left}, and of that less than {bounds.margin_floor:.0%} would "
            "be left after cost.",
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
