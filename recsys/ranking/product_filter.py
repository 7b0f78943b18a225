"""Asks a filter of products: which of them may be shown.

A checked filter, what is known of the products, and positions come in; one flag a position comes
out. Called by ``rules`` for the candidates of a request.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from recsys.config import Condition, Filter, filters
from recsys.datasets import IntArray, ItemIndex
from recsys.ranking.availability import Availability
from recsys.ranking.margins import Margins
from recsys.ranking.product_attributes import Attribute
from recsys.ranking.sales import Sales
from recsys.units import DAY
from recsys.values import AGE_ATTRIBUTES, is_restricted

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Items = npt.NDArray[np.int32]
#: What of a product depends on who asks, and where: asked only if the filter does.
Asker = Callable[[Items], npt.NDArray[np.generic]]
#: The same of a number, by the name of its field.
NumberAsker = Callable[[str, Items], npt.NDArray[np.float64]]
#: Numbers that depend on who asks, where and when.
_ASKED = (*filters.PIECES, *filters.INTERNAL)


class LabelColumn:
    """One label of each product out of few: its department, category or brand.

    Parameters
    ----------
    names : sequence of str
    code : ndarray of shape (n_items,), int32
        Position in ``names``; -1 where unknown.
    """

    def __init__(self, names: Sequence[str], code: Items) -> None:
        self.names = names
        self.code = code

    @cached_property
    def position(self) -> dict[str, int]:
        """Name → code."""
        return {name: ix for ix, name in enumerate(self.names)}

    def holds(self, found: Callable[[str], bool]) -> Bools:
        """Say which names pass a test.

        Parameters
        ----------
        found : callable
            Takes one name and returns whether it is wanted.

        Returns
        -------
        ndarray of shape (n_names + 1,), bool
            By code; the last one, False, is that of -1, where no name is known.
        """
        return np.array([*map(found, self.names), False], bool)


class FilterData:
    """What filters may ask of a catalogue's products.

    Parameters
    ----------
    index : ItemIndex
    titles : sequence of str, length n_items
        Empty where unknown.
    price_minor : ndarray of shape (n_items,), int64
        Minor units; below 0 where unknown.
    labels : mapping of str to LabelColumn
        ``department``, ``category``, ``brand``.
    active : ndarray of shape (n_items,), bool
    attributes : mapping of str to Attribute, optional
    margins : Margins, optional
        What sales earn; unknown by default.
    sales : Sales, optional
        How products sell; unknown by default.
    """

    def __init__(
        self,
        index: ItemIndex,
        titles: Sequence[str],
        price_minor: IntArray,
        labels: dict[str, LabelColumn],
        active: Bools,
        attributes: Mapping[str, Attribute] | None = None,
        margins: Margins | None = None,
        sales: Sales | None = None,
    ) -> None:
        self.index = index
        self.titles = titles
        self.price_minor = price_minor
        self.labels = labels
        self.active = active
        self.attributes = attributes or {}
        self.margins = margins
        self.sales = sales

    @cached_property
    def age_restricted(self) -> Bools:
        """Which products have a minimum age, shape (n_items,)."""
        out = np.zeros(len(self.index), bool)
        for name in AGE_ATTRIBUTES:
            if name in self.attributes:
                out |= self.attributes[name].saying(is_restricted)
        return out

    def number(
        self,
        name: str,
        availability: Availability,
        location_keys: IntArray,
        item_ix: Items,
        as_of_ts: IntArray | None,
    ) -> Floats:
        """Return a number of products that depends on where and when it is asked.

        Parameters
        ----------
        name : str
            One of ``filters.PIECES`` or of ``filters.INTERNAL``.
        availability : Availability
        location_keys, item_ix, as_of_ts : ndarray of the same shape (m,)
            Where, of what, and when; without a time no age is known.

        Returns
        -------
        ndarray of shape (m,), float64
            NaN where unknown.
        """
        if name == "margin_share":
            return self.margin_share(location_keys, item_ix)
        if name == "age_days":
            return self.age_days(item_ix, as_of_ts)
        found = availability.stock_at(location_keys, item_ix, as_of_ts)
        if name == "on_hand":
            return found.on_hand
        sellable = found.sellable
        return sellable if name == "sellable" else self.cover_days(sellable, location_keys, item_ix)

    def margin_share(self, location_keys: IntArray, item_ix: Items) -> Floats:
        """Return which share of its price a sale of each product earns.

        Parameters
        ----------
        location_keys, item_ix : ndarray of the same shape (m,)
            0: no location.

        Returns
        -------
        ndarray of shape (m,), float64
            NaN where price or cost is unknown.
        """
        price = self.price_minor[item_ix].astype(np.float64)
        if self.margins is None:
            return np.full(len(item_ix), np.nan)
        cost = self.margins.costs.at(location_keys, item_ix)
        known = (price > 0) & (cost >= 0)
        return np.where(known, 1.0 - cost / np.where(known, price, 1.0), np.nan)

    def cover_days(self, sellable: Floats, location_keys: IntArray, item_ix: Items) -> Floats:
        """Return for how many days the stock of each product lasts at the pace it sells at.

        Parameters
        ----------
        sellable : ndarray of shape (m,), float64
            Pieces that can be sold; NaN where unknown.
        location_keys, item_ix : ndarray of the same shape (m,)
            0: no location.

        Returns
        -------
        ndarray of shape (m,), float64
            0 without stock, infinity of what is not sold, NaN where either is unknown.
        """
        if self.sales is None:
            return np.full(len(item_ix), np.nan)
        a_day = self.sales.a_day(location_keys, item_ix)
        with np.errstate(divide="ignore", invalid="ignore"):
            cover: Floats = np.where(sellable <= 0, 0.0, sellable / a_day)
        cover[np.isnan(a_day)] = np.nan
        return cover

    def age_days(self, item_ix: Items, as_of_ts: IntArray | None) -> Floats:
        """Return how long ago each product was first sold.

        Parameters
        ----------
        item_ix : ndarray of shape (m,), int32
        as_of_ts : ndarray of shape (m,), int64, or None
            When it is asked, UTC epoch seconds.

        Returns
        -------
        ndarray of shape (m,), float64
            Days; NaN of what was never sold, and where no time is given.
        """
        if self.sales is None or as_of_ts is None:
            return np.full(len(item_ix), np.nan)
        first_ts = self.sales.first_ts[item_ix]
        known = first_ts != Sales.NEVER_TS
        return np.where(known, np.maximum(as_of_ts - first_ts, 0) / DAY, np.nan)

    def allows(self, given: Filter, item_ix: Items, numbers: NumberAsker, new: Asker) -> Bools:
        """Say which products a filter lets through.

        Parameters
        ----------
        given : Filter
        item_ix : ndarray of shape (m,), int32
            Products, whole or in part those of one request.
        numbers : callable
            Given one of ``filters.PIECES`` or ``filters.INTERNAL``, and positions in ``item_ix``,
            that number of each; NaN where unknown.
        new : callable
            Given positions in ``item_ix``, whether the customer never bought them.

        Returns
        -------
        ndarray of shape (m,), bool

        Notes
        -----
        What is not known of a product is equal to nothing: it passes ``ne`` and ``not_in``, and
        no other comparison. The parts of a group are asked of what the parts before left open.
        """
        return self._ask(given, np.arange(len(item_ix), dtype=np.int32), item_ix, numbers, new)

    def _ask(
        self, given: Filter, at: Items, items: Items, numbers: NumberAsker, new: Asker
    ) -> Bools:
        if isinstance(given, Condition):
            return self._test(given, at, items[at], numbers, new)
        if given.kind == "not":
            return ~self._ask(given.parts[0], at, items, numbers, new)
        every = given.kind == "and"
        out = np.full(len(at), every)
        open_ = np.arange(len(at))
        for part in sorted(given.parts, key=_cost):
            held = self._ask(part, at[open_], items, numbers, new)
            decided = ~held if every else held
            out[open_[decided]] = not every
            open_ = open_[~decided]
        return out

    def _test(
        self, one: Condition, at: Items, items: Items, numbers: NumberAsker, new: Asker
    ) -> Bools:
        if one.op in ("ne", "not_in"):
            positive = Condition(one.field, {"ne": "eq", "not_in": "in"}[one.op], one.value)
            return ~self._test(positive, at, items, numbers, new)
        if one.field == "active":
            return _same(self.active[items], one.value)
        if one.field == "new":
            return _same(new(at), one.value)
        if one.field == "price":
            price = self.price_minor[items].astype(np.float64)
            return _compare(one, np.where(price < 0, np.nan, price))
        if one.field in _ASKED:
            return _compare(one, numbers(one.field, at))
        if one.field.startswith(filters.ATTRIBUTE):
            attribute = self.attributes.get(one.field.removeprefix(filters.ATTRIBUTE))
            if attribute is None:  # said of no product
                return np.full(len(items), one.op == "exists" and not one.value)
            return attribute.allows(one, items)
        if one.field in self.labels:
            return self._labelled(one, self.labels[one.field], items)
        return self._named(one, items)

    def _labelled(self, one: Condition, labels: LabelColumn, items: Items) -> Bools:
        code = labels.code[items]
        if one.op == "exists":
            return _same(code >= 0, one.value)
        if one.op == "contains":
            wanted = one.value.casefold()
            held: Bools = labels.holds(lambda name: wanted in name.casefold())[code]
            return held
        values = one.value if one.op == "in" else (one.value,)
        codes = [labels.position[name] for name in values if name in labels.position]
        return np.isin(code, codes)

    def _named(self, one: Condition, items: Items) -> Bools:
        """Compare ids or titles."""
        if one.field == "item_id" and one.op != "contains":
            if one.op == "exists":
                return np.full(len(items), one.value)
            values = one.value if one.op == "in" else (one.value,)
            return np.isin(items, self.index.ix_of(values))
        texts = self.titles if one.field == "title" else self.index.item_ids
        found = (texts[ix] for ix in items.tolist())
        if one.op == "exists":
            held = [bool(text) is one.value for text in found]
        elif one.op == "contains":
            wanted = one.value.casefold()
            held = [wanted in text.casefold() for text in found]
        else:
            among = set(one.value if one.op == "in" else (one.value,))
            held = [text in among for text in found]
        return np.array(held, bool)


def _same(flags: npt.NDArray[np.generic], wanted: bool) -> Bools:
    held: Bools = np.equal(flags, wanted)
    return held


def _compare(one: Condition, values: npt.NDArray[np.float64]) -> Bools:
    """Compare numbers; NaN is unknown."""
    if one.op == "exists":
        return _same(~np.isnan(values), one.value)
    if one.op == "in":
        return np.isin(values, one.value)
    compare = {
        "eq": np.equal,
        "lt": np.less,
        "le": np.less_equal,
        "gt": np.greater,
        "ge": np.greater_equal,
    }
    held: Bools = compare[one.op](values, one.value)
    return held


def _cost(given: Filter) -> int:
    """Rank parts of a group: single texts are slow to read, so they come last."""
    if not isinstance(given, Condition):
        return max(map(_cost, given.parts))
    return 2 if given.field == "title" or given.op == "contains" else 1
