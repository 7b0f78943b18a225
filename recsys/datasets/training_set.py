"""A history in numbers becomes what models fit on, as it was known at one time.

An ``EncodedHistory`` comes in, a ``TrainingSet`` comes out. Everything is a sum or a sort over
columns, without a loop over lines. Called by ``TrainingSet.read``.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from recsys.datasets.arrow import as_numpy
from recsys.datasets.baskets import Baskets, TrainingSet
from recsys.datasets.encoded_history import EncodedEvents, EncodedHistory, EncodedLines
from recsys.datasets.interactions import Interactions, lasting_interactions
from recsys.datasets.item_index import IntArray, ItemIndex, IxArray, location_key
from recsys.datasets.products import Products
from recsys.datasets.return_netting import kept_purchases, to_units
from recsys.errors import DataError
from recsys.schema import CHANNELS

Floats = npt.NDArray[np.float64]

#: Channels by name: of an order on several, the first in alphabetical order counts.
_BY_NAME: Final = np.argsort(np.array(CHANNELS)).astype(np.uint8)


def training_at(
    numbers: EncodedHistory, as_of_ts: int, *, since_ts: int | None, seed: int, threads: int
) -> TrainingSet:
    """Cut a history as it was known at one time; see ``TrainingSet.read``."""
    known = numbers.first_ts < as_of_ts
    lines = numbers.lines.between(since_ts, as_of_ts)
    events = numbers.events.between(since_ts, as_of_ts)
    index = numbers.index
    if not known.all():
        place = np.where(known, np.cumsum(known) - 1, -1).astype(np.int32)
        lines, events = lines.renumbered(place), events.renumbered(place)
        item_ids = [numbers.index.item_ids[at] for at in np.flatnonzero(known).tolist()]
        index = ItemIndex.from_arrays(item_ids, numbers.index.keys[known])
    baskets, buyers = _baskets(numbers, lines, len(index))
    category, products = _products(numbers, known, lines)
    done = _interactions(lines, events, baskets, buyers, len(numbers.customer_ids))
    return TrainingSet(index, baskets, as_of_ts, category, seed, threads, products, done)


def _baskets(numbers: EncodedHistory, lines: EncodedLines, n_items: int) -> tuple[Baskets, IxArray]:
    """Orders, and which number each of their customers has in ``lines``."""
    sold = np.flatnonzero(lines.quantity > 0)
    if not len(sold):
        raise DataError(
            "no order lies in the period to learn from: ingest older exports, or learn from a "
            "longer period."
        )
    n = len(numbers.order_ids)
    first = np.full(n, -1, np.int64)
    first[lines.order[sold[::-1]]] = sold[::-1]  # lines are in time order
    orders = np.flatnonzero(first >= 0)
    orders = orders[np.argsort(lines.ts[first[orders]], kind="stable")]
    place = np.arange(len(orders), len(orders) + n)  # of what is no order, behind those that are
    place[orders] = np.arange(len(orders))
    order = place[lines.order]
    customer = _least(order[sold], lines.customer[sold], len(orders))
    kept_order, kept_item, discounted = _kept(lines, order, customer, n_items)
    indptr = np.zeros(len(orders) + 1, np.int64)
    np.cumsum(np.bincount(kept_order, minlength=len(orders)), out=indptr[1:])
    small = len(kept_item) <= np.iinfo(np.int32).max
    items = sparse.csr_array(
        (np.ones(len(kept_item), np.float32), kept_item, indptr.astype("i4" if small else "i8")),
        shape=(len(orders), n_items),
    )
    buyers = np.unique(customer[customer >= 0])
    rank = np.full(len(numbers.customer_ids) + 1, -1, np.int32)
    rank[buyers] = np.arange(len(buyers), dtype=np.int32)
    by_name = np.argsort(_BY_NAME).astype(np.int32)
    channel = _least(order[sold], by_name[lines.channel[sold]], len(orders))
    location = _least(order[sold], lines.location[sold], len(orders))
    keys = [location_key(name) for name in numbers.location_ids.to_pylist()]
    baskets = Baskets(
        items=items,
        ts=lines.ts[first[orders]],
        customer=rank[customer],
        channel=_BY_NAME[channel],
        location=np.array([*keys, 0], np.int64)[location],
        customer_ids=numbers.customer_ids.take(pa.array(buyers)).to_pylist(),
        discounted=discounted if discounted.any() else None,
    )
    return baskets, buyers.astype(np.int32)


def _least(group: IntArray, number: IxArray, n: int) -> IxArray:
    """Smallest number of each group that is not below zero; -1 where there is none."""
    known = np.flatnonzero(number >= 0)
    least = np.full(n, np.iinfo(np.int32).max, np.int32)
    np.minimum.at(least, group[known], number[known])
    return np.where(least == np.iinfo(np.int32).max, np.int32(-1), least)


def _kept(
    lines: EncodedLines, order: IntArray, customer: IxArray, n_items: int
) -> tuple[IntArray, IxArray, npt.NDArray[np.bool_]]:
    """Order and product of what was kept, ascending: the rule of ``Histories.purchases``.

    Beside them stands whether something was taken off the price.
    """
    key = order * n_items + lines.item
    by_key = np.argsort(key, kind="stable")
    key = key[by_key]
    starts = np.flatnonzero(np.append(True, key[1:] != key[:-1]))
    units = np.add.reduceat(to_units(lines.quantity)[by_key], starts)
    place, item = np.divmod(key[starts], n_items)
    item = item.astype(np.int32)
    # Whose it is: of what an order kept its buyer's, of what came back besides the bringer's.
    group = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(key)))
    whose = _least(group, lines.customer[by_key], len(starts))
    sold = np.flatnonzero(units > 0)
    whose[sold] = customer[place[sold]]
    gave = np.zeros(int(whose.max(initial=-1)) + 2, bool)
    gave[whose[(units < 0) & (whose >= 0)]] = True
    some = np.flatnonzero(gave[whose] & (units != 0))
    some = some[np.argsort(whose[some], kind="stable")]
    ends = np.append(np.flatnonzero(np.diff(whose[some])) + 1, len(some))
    left = kept_purchases(np.append(0, ends), item[some], place[some], units[some]).line
    keep = units > 0
    keep[some] = False
    keep[some[left]] = True
    kept = np.flatnonzero(keep)
    off = (lines.discount_minor > 0) & (lines.quantity > 0)
    discounted = np.logical_or.reduceat(off[by_key], starts) if len(starts) else off
    return place[kept], item[kept], discounted[kept]


def _interactions(
    lines: EncodedLines, events: EncodedEvents, baskets: Baskets, buyers: IxArray, n_customers: int
) -> Interactions:
    """What customers did besides buying: the rule of ``Histories.interactions``."""
    n_items, back = baskets.items.shape[1], lines.quantity < 0
    named = lines.customer >= 0
    at = np.flatnonzero(events.item >= 0)
    said = np.zeros(n_customers + 1, bool)
    said[events.customer[at]] = True
    said[lines.customer[back & named]] = True
    others = np.setdiff1d(np.flatnonzero(said), buyers)
    everybody = np.concatenate([buyers, others])
    row = np.full(n_customers, -1)
    row[everybody] = np.arange(len(everybody))
    # The latest event of each product and kind: events are in time order.
    looked = row[events.customer[at]] * n_items + events.item[at]
    order = np.lexsort((events.kind[at], looked))
    at, looked = at[order], looked[order]
    last = np.ones(len(at), bool)
    last[:-1] = (looked[1:] != looked[:-1]) | (np.diff(events.kind[at].astype(np.int8)) != 0)
    at, looked = at[last], looked[last]
    seen = Interactions.of(
        looked // n_items, events.item[at], events.ts[at], events.kind[at], len(everybody)
    )
    # Of the lines, those that say something of what was looked at or given back.
    some = np.flatnonzero(said[lines.customer])
    mine = row[lines.customer[some]] * n_items + lines.item[some]
    gone = np.sort(mine[back[some]])
    follow = _held(looked, mine) | _held(gone, mine)
    some, mine = some[follow], mine[follow]
    facts = (mine, lines.ts[some], np.where(back[some], -1.0, 1.0))
    owner = np.repeat(baskets.customer, np.diff(baskets.items.indptr)).astype(np.int64)
    gave = np.zeros(len(everybody) + 1, bool)
    gave[gone // max(n_items, 1)] = True
    bought = np.flatnonzero(gave[owner])
    kept = owner[bought] * n_items + baskets.items.indices[bought]
    return lasting_interactions(seen, facts, kept[_held(gone, kept)], n_items)


def _held(ascending: IntArray, asked: IntArray) -> npt.NDArray[np.bool_]:
    """Whether each number is among the ascending ones."""
    if not len(ascending):
        return np.zeros(len(asked), bool)
    at = np.minimum(np.searchsorted(ascending, asked), len(ascending) - 1)
    return np.asarray(ascending[at] == asked)


def _products(
    numbers: EncodedHistory, known: npt.NDArray[np.bool_], lines: EncodedLines
) -> tuple[IxArray, Products]:
    """Category of each known product, and what else the products table says of it."""
    n_items = int(known.sum())
    table = numbers.products
    if n_items < len(known):
        table = table.filter(pa.array(known[as_numpy(table["item"])]))
    place = (np.cumsum(known) - 1)[as_numpy(table["item"])]
    row = np.full(n_items, -1, np.int64)
    row[place] = np.arange(len(table))
    rows = pa.array(row, mask=row < 0)
    titles, attributes = (
        pc.fill_null(table[name].take(rows), "").to_pylist() for name in ("title", "attributes")
    )
    parents = pc.unique(table["parent_id"]).drop_null()
    first = pc.if_else(pc.is_in(table["item_id"], value_set=parents), table["item_id"], None)
    category, department, brand, family = (
        _numbered(texts, place, n_items)
        for texts in (
            pc.coalesce(table["category"], table["department"]),
            table["department"],
            table["brand"],
            pc.coalesce(table["parent_id"], first),
        )
    )
    price_minor, off = _prices(lines, n_items)
    return category, Products(titles, attributes, department, brand, family, price_minor, off)


def _prices(lines: EncodedLines, n_items: int) -> tuple[Floats, Floats]:
    """What products cost on the shelf on average, and which share of that was taken off."""
    sold = np.flatnonzero((lines.quantity > 0) & (lines.unit_price_minor > 0))
    item, quantity = lines.item[sold], lines.quantity[sold]
    times = np.bincount(item, quantity, n_items)
    paid = np.bincount(item, lines.unit_price_minor[sold] * quantity, n_items)
    off = np.bincount(item, lines.discount_minor[sold], n_items)
    price, share = np.zeros(n_items), np.zeros(n_items)
    np.divide(paid, times, out=price, where=times > 0)
    np.divide(off, paid, out=share, where=paid > 0)
    return price, np.clip(share, 0.0, 1.0)


def _numbered(texts: pa.ChunkedArray, place: IntArray, n_items: int) -> IxArray:
    """Number of each product's text, in alphabetical order; -1 for none."""
    names = pc.unique(texts).drop_null().sort()
    numbers = np.full(n_items, -1, np.int32)
    numbers[place] = as_numpy(pc.fill_null(pc.index_in(texts, value_set=names), -1))
    return numbers
