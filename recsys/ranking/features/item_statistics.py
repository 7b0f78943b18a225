"""Statistics of each product: how it sells, to whom, at what price.

In: orders × products. Out: arrays with one row a product. Computed by training, stored in the
artefact; ``table`` puts them beside a customer's history.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import numpy.typing as npt

from recsys.datasets import IxArray, all_fixed
from recsys.ranking.features.columns import ITEM, STATISTIC
from recsys.schema import CHANNELS
from recsys.units import DAY

if TYPE_CHECKING:
    from recsys.datasets import TrainingSet

Floats = npt.NDArray[np.float64]
Scores = npt.NDArray[np.float32]

#: Ages at which a purchase counts half in a product's share of all purchases. Days.
HALF_LIVES: Final = (7.0, 28.0, 90.0, 365.0)
#: First purchases are counted over this many days.
FRESH_DAYS: Final = 28
#: Days whose sales a year ago are compared with those of all weeks.
SEASON_DAYS: Final = 28
YEAR_DAYS: Final = 364
#: Orders by which a product's share is shrunk towards the share of all products.
SHRINKAGE: Final = 20.0
#: Stands for a number that is not known.
UNKNOWN: Final = -1.0

#: Columns of ``ItemStatistics.columns``.
COLUMNS: Final = ITEM


@dataclass(frozen=True, eq=False)
class ItemStatistics:
    """Statistics of ``n_items`` products.

    Attributes
    ----------
    category, brand, department, family : ndarray of shape (n_items,), int32
        Number of each product's group; -1 where unknown. A family is the variants of one product.
    columns : ndarray of shape (n_items, len(COLUMNS)), float32
        In the order of ``COLUMNS``: logarithms of the share of recent purchases at each of
        ``HALF_LIVES``; of the customers who ever bought it; which share of its purchases are
        repeats; logarithm of the days since its first purchase; customers who bought it for the
        first time lately, as a share of those who did not yet; logarithm of the typical days
        between two purchases of one customer, ``UNKNOWN`` where there were none; where its price
        stands in its category, in [0, 1], ``UNKNOWN`` without a price; which share of its price is
        taken off on average; logarithm of how much more it sold in these weeks a year ago than
        otherwise, 0 where nothing is known; logarithm of the mean size of its orders.
    on_channel : ndarray of shape (n_items, len(CHANNELS)), float32
        Logarithm of how much more it sells there than others do.
    on_weekday : ndarray of shape (n_items, 7), float32
        The same by day of week (UTC), Thursday first, as days are counted since the epoch.
    log_price : ndarray of shape (n_items,), float32
        Logarithm of one plus the usual price in minor units; ``UNKNOWN`` without one.
    """

    category: IxArray
    brand: IxArray
    department: IxArray
    family: IxArray
    columns: Scores
    on_channel: Scores
    on_weekday: Scores
    log_price: Scores

    @classmethod
    def fit(cls, training: "TrainingSet") -> Self:
        """Compute the statistics of a training set, from before ``training.as_of_ts`` alone.

        Parameters
        ----------
        training : TrainingSet
            Its orders and categories, and what its products say of price, discount, brand,
            department and family; without products those are unknown.

        Returns
        -------
        Self
        """
        baskets, n, as_of_ts = training.baskets, training.n_items, training.as_of_ts
        items, order = baskets.items.indices, _order_of(training)
        ts = baskets.ts[order]
        columns = np.zeros((n, len(COLUMNS)), np.float32)
        for half_life in HALF_LIVES:
            sold = np.bincount(items, baskets.decay(as_of_ts, half_life)[order], n)
            share = np.log((sold + 0.05) / max(sold.sum(), 1.0))
            columns[:, COLUMNS.index(f"log_share_{half_life:.0f}")] = share
        first_ts = np.full(n, as_of_ts)
        np.minimum.at(first_ts, items, ts)
        columns[:, STATISTIC.log_age_days] = np.log1p((as_of_ts - first_ts) / DAY)
        for name, values in _buyers(training, items, order, ts).items():
            columns[:, COLUMNS.index(name)] = values
        products = training.products
        nothing = np.full(n, -1, np.int32)
        price = None if products is None else products.price_minor
        price = np.zeros(n) if price is None else price
        log_price = np.where(price > 0, np.log1p(price), UNKNOWN)
        columns[:, STATISTIC.price_level] = _level(log_price, training.category)
        if products is not None and products.discount_share is not None:
            columns[:, STATISTIC.discount_share] = products.discount_share
        columns[:, STATISTIC.season] = _season(items, ts, as_of_ts, n)
        sizes = np.diff(baskets.items.indptr)
        held = np.maximum(np.bincount(items, minlength=n), 1)
        basket_size = np.bincount(items, np.log1p(sizes)[order], n) / held
        columns[:, STATISTIC.basket_size] = basket_size
        weekday = (ts // DAY % 7).astype(np.int64)
        return cls(
            training.category,
            nothing if products is None else products.brand,
            nothing if products is None else products.department,
            nothing if products is None else products.family,
            columns,
            _lift(items, baskets.channel[order].astype(np.int64), n, len(CHANNELS)),
            _lift(items, weekday, n, 7),
            log_price.astype(np.float32),
        )

    @cached_property
    def sizes(self) -> tuple[int, int, int, int]:
        """Numbers of categories, brands, departments and families, at least 1 each."""
        groups = (self.category, self.brand, self.department, self.family)
        n_category, n_brand, n_department, n_family = (
            int(group.max(initial=0)) + 1 for group in groups
        )
        return n_category, n_brand, n_department, n_family

    @cached_property
    def columns_read_only(self) -> tuple[npt.NDArray[Any], ...]:
        """All arrays in the order of the attributes, as the compiled loops take them."""
        columns: tuple[npt.NDArray[Any], ...] = all_fixed(*self.arrays().values())
        return columns

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return all arrays, by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Rebuild the statistics from ``arrays()``.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            What ``arrays`` returned, for example memory-mapped.

        Returns
        -------
        Self
        """
        return cls(**{name: arrays[name] for name in cls.__dataclass_fields__})


def _order_of(training: "TrainingSet") -> npt.NDArray[np.int64]:
    """Order of every purchase."""
    indptr = training.baskets.items.indptr
    return np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))


def _buyers(
    training: "TrainingSet",
    items: IxArray,
    order: npt.NDArray[np.int64],
    ts: npt.NDArray[np.int64],
) -> dict[str, Floats]:
    """Columns that count customers: who bought, who again and how soon, who for the first time."""
    n, customer = training.n_items, training.baskets.customer[order].astype(np.int64)
    known = np.flatnonzero(customer >= 0)
    # Orders are sorted by time already.
    at = known[np.argsort(customer[known] * n + items[known], kind="stable")]
    key, when, what = customer[at] * n + items[at], ts[at], items[at]
    first = np.ones(len(key), bool)
    first[1:] = key[1:] != key[:-1]
    buyers = np.bincount(what[first], minlength=n).astype(np.float64)
    times = np.bincount(what, minlength=n)
    again = np.flatnonzero(~first)
    gaps = np.bincount(what[again], np.log1p((when[again] - when[again - 1]) / DAY), n)
    intervals = np.bincount(what[again], minlength=n)
    share = (times - buyers + 1.0) / (times + 5.0)
    fresh = first & (when >= training.as_of_ts - FRESH_DAYS * DAY)
    newly = np.bincount(what[fresh], minlength=n)
    rest = max(len(training.baskets.customer_ids), 1) - buyers + newly
    return {
        "log_buyers": np.log1p(buyers),
        "repeat_share": share,
        "fresh_buyers": np.log((newly + 0.05) / np.maximum(rest, 1.0)),
        "log_interval": np.where(intervals > 0, gaps / np.maximum(intervals, 1), UNKNOWN),
    }


def _level(log_price: Floats, category: IxArray) -> Floats:
    """Rank of each price within its category, in [0, 1]; ``UNKNOWN`` without a price."""
    out = np.full(len(log_price), UNKNOWN)
    priced = np.flatnonzero(log_price > 0)
    at = priced[np.lexsort((log_price[priced], category[priced]))]
    group = category[at]
    begin = np.searchsorted(group, group)
    size = np.searchsorted(group, group, side="right") - begin
    new = np.ones(len(at), bool)  # equal prices share the mean of their ranks
    new[1:] = (group[1:] != group[:-1]) | (log_price[at[1:]] != log_price[at[:-1]])
    starts = np.flatnonzero(new[: len(at)])
    many = np.diff(starts, append=len(at))
    middle = np.repeat(starts + many / 2, many)
    out[at] = (middle - begin) / size
    return out


def _season(items: IxArray, ts: npt.NDArray[np.int64], as_of_ts: int, n: int) -> Floats:
    """Log of the share of sales in the coming weeks, a year ago, over that of all weeks."""
    start = as_of_ts - YEAR_DAYS * DAY
    if not len(ts) or ts.min() > start:
        return np.zeros(n)
    then = (ts >= start) & (ts < start + SEASON_DAYS * DAY)
    year = ts >= start
    total = np.bincount(items[year], minlength=n)
    if not then.any():  # nothing was sold then, as before a reopening
        return np.zeros(n)
    usual = then.sum() / max(year.sum(), 1)
    in_season = np.bincount(items[then], minlength=n)
    seasonal: Floats = np.log((in_season + SHRINKAGE * usual) / ((total + SHRINKAGE) * usual))
    return seasonal


def _lift(items: IxArray, group: npt.NDArray[np.int64], n: int, n_groups: int) -> Scores:
    """Log of each product's share of its sales in a group over everyone's share there."""
    counts = np.bincount(items * np.int64(n_groups) + group, minlength=n * n_groups)
    counts = counts.reshape(n, n_groups).astype(np.float64)
    usual = counts.sum(axis=0) / max(counts.sum(), 1.0)
    total = counts.sum(axis=1, keepdims=True)
    lift = (counts + SHRINKAGE * usual) / ((total + SHRINKAGE) * np.maximum(usual, 1e-9))
    return np.where(usual > 0, np.log(np.maximum(lift, 1e-3)), 0.0).astype(np.float32)
