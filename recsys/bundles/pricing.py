"""What a bundle may cost: the discount that keeps the margin floor and pays for itself.

Prices and margins of its members and how often they are bought come in; out come a price, what it
must sell to break even, and what it may earn. Called by ``responses.bundles``.

Who buys all members now gets the discount as well, and that is lost. It must come back from those
who buy all members but one: for them the missing one costs less by the whole discount. How many
take it is not in the data of a bundle that was never offered, so it is assumed to lie between two
powers of the price, and everything that follows from it is an estimate.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from recsys.settings import Bundles as Settings

#: Prices that are looked at.
_POINTS: Final = 100


@dataclass(frozen=True)
class Sales:
    """What is known of the members of one bundle.

    Attributes
    ----------
    prices_minor : tuple of int
        Of one of each member, above 0.
    margins_minor : tuple of float
        What a sale of each earns at that price.
    both : float
        Cases a month that hold all members.
    lacking : tuple of float
        Cases a month that hold all members but this one.
    """

    prices_minor: tuple[int, ...]
    margins_minor: tuple[float, ...]
    both: float
    lacking: tuple[float, ...]

    @property
    def full_minor(self) -> int:
        """What the members cost one by one."""
        return sum(self.prices_minor)

    @property
    def cost_minor(self) -> float:
        """What they cost the retailer."""
        return self.full_minor - sum(self.margins_minor)


@dataclass(frozen=True)
class Point:
    """What one price would mean.

    Attributes
    ----------
    price_minor : int
    discount_share, margin_share : float
        Of the full price, and what is left of this price after cost.
    break_even_sales : float or None
        Members that must be sold besides, a month, for the discount to come back; None: they
        never can, since it is larger than what the missing member earns.
    low, middle, high : float
        Margin a month that it adds, minor units; below 0 where it costs more than it brings.
    """

    price_minor: int
    discount_share: float
    margin_share: float
    break_even_sales: float | None
    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class Quote:
    """What may be asked for a bundle.

    Attributes
    ----------
    full_minor : int
    floor_minor : int
        The smallest price that leaves the margin floor.
    suggested : Point or None
        The price with the best middle estimate; None where every discount would only make
        cheaper what sells anyway.
    curve : list of Point
        From the floor, or from what is given away least, up to the full price.
    """

    full_minor: int
    floor_minor: int
    suggested: Point | None
    curve: list[Point]

    @property
    def sells_anyway(self) -> bool:
        """Whether no allowed discount brings more than it costs, by the middle estimate."""
        return self.suggested is None

    @property
    def pays(self) -> bool:
        """Whether the suggested price pays for itself even by the lowest estimate."""
        return self.suggested is not None and self.suggested.low > 0


def quote(sales: Sales, settings: Settings) -> Quote:
    """Find a price.

    Parameters
    ----------
    sales : Sales
    settings : recsys.settings.Bundles
    """
    full, floor = sales.full_minor, floor_minor(sales, settings)
    prices = _prices(min(floor, full), full)
    curve = [point(sales, settings, price) for price in prices]
    least = full * (1 - settings.max_discount)
    allowed = [at for at in curve if max(floor, least) <= at.price_minor < full]
    best = max(allowed, key=lambda at: (at.middle, at.price_minor), default=None)
    return Quote(full, floor, best if best is not None and best.middle > 0 else None, curve)


def floor_minor(sales: Sales, settings: Settings) -> int:
    """Return the smallest price of which the margin floor is left after cost."""
    # What is a hair above a whole number is that number.
    return max(1, math.ceil(sales.cost_minor / (1 - settings.margin_floor) - 1e-6))


def point(sales: Sales, settings: Settings, price_minor: int) -> Point:
    """Say what a price would mean.

    Parameters
    ----------
    sales : Sales
    settings : recsys.settings.Bundles
    price_minor : int
        Above 0 and at most the full price.
    """
    full, off = sales.full_minor, sales.full_minor - price_minor
    low, high = sorted(settings.response)
    earned = [_earned(sales, off, power) for power in (low, math.sqrt(low * high), high)]
    return Point(
        price_minor=price_minor,
        discount_share=off / full,
        margin_share=(price_minor - sales.cost_minor) / price_minor,
        break_even_sales=_break_even(sales, off, math.sqrt(low * high)),
        low=min(earned),
        middle=earned[1],
        high=max(earned),
    )


def _extra(sales: Sales, off: int, power: float) -> list[float]:
    """Cases a month in which each member would be bought besides."""
    extra = []
    for price, lacking in zip(sales.prices_minor, sales.lacking, strict=True):
        share = off / price
        more = np.inf if share >= 1 else sales.both * ((1 - share) ** -power - 1)
        extra.append(float(min(lacking, more)))
    return extra


def _earned(sales: Sales, off: int, power: float) -> float:
    extra = _extra(sales, off, power)
    gained = sum(n * (m - off) for n, m in zip(extra, sales.margins_minor, strict=True))
    return gained - sales.both * off


def _break_even(sales: Sales, off: int, power: float) -> float | None:
    """Sales besides that bring back what those who buy anyway are given."""
    extra = _extra(sales, off, power)
    if not off:
        return 0.0
    total = sum(extra)
    weights: Sequence[float] = extra if total else [1.0] * len(extra)
    earns = sum(w * m for w, m in zip(weights, sales.margins_minor, strict=True)) / sum(weights)
    return sales.both * off / (earns - off) if earns > off else None


def _prices(low: int, full: int) -> list[int]:
    """At most 101 prices, both ends among them."""
    step = max(1, math.ceil((full - low) / _POINTS))
    return sorted({low, full, *range(full, low, -step)})
