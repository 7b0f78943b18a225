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
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.config import BundleSettings as Settings

Floats = npt.NDArray[np.float64]

#: Prices that are looked at.
_POINTS: Final = 100


@dataclass(frozen=True)
class MemberSales:
    """What is known of the products that one bundle's price is for.

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


class PricePoint(NamedTuple):
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
    suggested : PricePoint or None
        The price with the best middle estimate, of those that may be suggested; None where every
        discount would only make cheaper what sells anyway.
    sales : MemberSales
        What it was worked out of, with ``settings``.
    settings : recsys.config.settings.BundleSettings
    """

    full_minor: int
    floor_minor: int
    suggested: PricePoint | None
    sales: MemberSales
    settings: Settings

    @cached_property
    def curve(self) -> list[PricePoint]:
        """What prices mean, from the floor up to the full price."""
        low = min(self.floor_minor, self.full_minor)
        return price_points(self.sales, self.settings, _prices(low, self.full_minor))

    @property
    def sells_anyway(self) -> bool:
        """Whether no allowed discount brings more than it costs, by the middle estimate."""
        return self.suggested is None

    @property
    def pays(self) -> bool:
        """Whether the suggested price pays for itself even by the lowest estimate."""
        return self.suggested is not None and self.suggested.low > 0


def quote(sales: MemberSales, settings: Settings) -> Quote:
    """Find a price.

    Parameters
    ----------
    sales : MemberSales
    settings : recsys.config.settings.BundleSettings

    Returns
    -------
    Quote
    """
    full, floor = sales.full_minor, floor_minor(sales, settings)
    allowed = _allowed(floor, full, settings) if floor <= full else []
    best = None
    if allowed:
        _, _, middle, _ = _estimated(sales, settings, allowed)
        # Of equals the highest price.
        (best,) = price_points(sales, settings, [allowed[-1 - int(np.argmax(middle[::-1]))]])
    return Quote(
        full, floor, best if best is not None and best.middle > 0 else None, sales, settings
    )


def _allowed(floor: int, full: int, settings: Settings) -> list[int]:
    """Prices that may be suggested: those with an ending that people know, where there are any."""
    # What is a hair off a whole number is that number.
    low = max(floor, math.ceil(full * (1 - settings.max_discount) - 1e-6))
    high = min(full - 1, math.floor(full * (1 - settings.min_discount) + 1e-6))
    known = {
        price
        for ending in settings.price_endings
        for price in _ending(int(ending), 10 ** len(ending), low, high)
    }
    return sorted(known) or _prices(low, high) if low <= high else []


def _ending(ending: int, of: int, low: int, high: int) -> range:
    """Prices of a range that end alike, some hundred of them at most."""
    first = low + (ending - low) % of
    return range(first, high + 1, of * max(1, math.ceil((high - low) / (of * _POINTS))))


def floor_minor(sales: MemberSales, settings: Settings) -> int:
    """Return the smallest price of which the margin floor is left after cost.

    Parameters
    ----------
    sales : MemberSales
        Says what the members cost.
    settings : recsys.config.settings.BundleSettings
        ``margin_floor`` is the share of the price that must be left.

    Returns
    -------
    int
        Minor units, at least 1.
    """
    return least_minor(sales.cost_minor, settings.margin_floor)


def least_minor(cost_minor: float, margin_floor: float) -> int:
    """Return the smallest price of which a share is left after a cost.

    Parameters
    ----------
    cost_minor : float
    margin_floor : float
        Share of the price, in [0, 1).

    Returns
    -------
    int
        Minor units, at least 1.
    """
    # What is a hair above a whole number is that number.
    return max(1, math.ceil(cost_minor / (1 - margin_floor) - 1e-6))


def price_points(
    sales: MemberSales, settings: Settings, prices_minor: Sequence[int]
) -> list[PricePoint]:
    """Say what prices would mean.

    Parameters
    ----------
    sales : MemberSales
    settings : recsys.config.settings.BundleSettings
    prices_minor : sequence of int
        Above 0 and at most the full price.

    Returns
    -------
    list of PricePoint
        In the same order.
    """
    price = np.asarray(prices_minor, np.float64)
    off = sales.full_minor - price
    extra, low, middle, high = _estimated(sales, settings, prices_minor)
    columns = (
        prices_minor,
        (off / sales.full_minor).tolist(),
        ((price - sales.cost_minor) / price).tolist(),
        _break_even(sales, off, extra, np.array(sales.margins_minor)),
        low.tolist(),
        middle.tolist(),
        high.tolist(),
    )
    return [PricePoint(*values) for values in zip(*columns, strict=True)]


def _estimated(
    sales: MemberSales, settings: Settings, prices_minor: Sequence[int]
) -> tuple[Floats, Floats, Floats, Floats]:
    """Sales besides of each member by price, of the middle estimate; margins, low to high."""
    low, high = sorted(settings.response)
    powers = np.array([low, math.sqrt(low * high), high])
    off = sales.full_minor - np.asarray(prices_minor, np.float64)
    extra = _extra(sales, off, powers)
    left = np.array(sales.margins_minor) - off[:, None]
    earned = (extra * left).sum(axis=2) - sales.both * off
    return extra[1], earned.min(axis=0), earned[1], earned.max(axis=0)


def _extra(sales: MemberSales, off: Floats, powers: Floats) -> Floats:
    """Cases a month in which each member would be bought besides, by power and price."""
    left = np.maximum(1 - off[:, None] / np.array(sales.prices_minor, np.float64), 1e-9)
    more = sales.both * (left ** -powers[:, None, None] - 1)
    extra: Floats = np.minimum(more, np.array(sales.lacking))
    return extra


def _break_even(
    sales: MemberSales, off: Floats, extra: Floats, margins: Floats
) -> list[float | None]:
    """Sales besides that bring back what those who buy anyway are given."""
    total = extra.sum(axis=1)
    weights = np.where(total[:, None] > 0, extra, 1.0)
    earns = (weights * margins).sum(axis=1) / weights.sum(axis=1) - off
    return [
        0.0 if not given else sales.both * given / gain if gain > 0 else None
        for given, gain in zip(off.tolist(), earns.tolist(), strict=True)
    ]


def _prices(low: int, full: int) -> list[int]:
    """At most 101 prices, both ends among them."""
    step = max(1, math.ceil((full - low) / _POINTS))
    return sorted({low, full, *range(full, low, -step)})
