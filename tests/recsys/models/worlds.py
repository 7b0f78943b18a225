"""Small worlds for the models' tests, made without a file."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import sparse

from recsys.datasets.baskets import Baskets, TrainingSet
from recsys.datasets.customer_history import EMPTY, LINES, CustomerHistory, Histories, add_lines
from recsys.datasets.item_index import ItemIndex, item_keys
from recsys.units import DAY

AS_OF = 100 * DAY


class Order(NamedTuple):
    customer: str | None
    items: Sequence[str]
    ts: int = AS_OF - DAY
    channel: int = 0
    location: int = 0


def train(orders: Sequence[Order], *, more: Sequence[str] = (), category=None, **settings):
    """Training on orders; ``more`` products are in the catalogue and never sold."""
    index = ItemIndex([*(item for order in orders for item in order.items), *more])
    rows = np.repeat(np.arange(len(orders)), [len(order.items) for order in orders])
    columns = index.ix_of([item for order in orders for item in order.items])
    shape = (len(orders), len(index))
    items = sparse.csr_array((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)
    items.sort_indices()
    names = sorted({order.customer for order in orders} - {None})
    baskets = Baskets(
        items,
        np.array([order.ts for order in orders]),
        np.array([names.index(o.customer) if o.customer else -1 for o in orders], np.int32),
        np.array([order.channel for order in orders], np.uint8),
        np.array([order.location for order in orders]),
        names,
    )
    of_item = np.array([(category or {}).get(item, -1) for item in index.item_ids], np.int32)
    return TrainingSet(index, baskets, AS_OF, of_item, **settings)


def history(*purchases: tuple) -> CustomerHistory:
    """A row of (item, ts, quantity) purchases; ts and quantity may be left out."""
    rows = []
    for number, (item, *more) in enumerate(purchases):
        ts, quantity = (*more, *(AS_OF - DAY, 1.0)[len(more) :])
        rows.append((item_keys([item])[0], ts, quantity, number + 1, 0, 0, 100))
    return add_lines(EMPTY, np.array(rows, LINES)) if rows else EMPTY


def batch(training: TrainingSet, *rows: CustomerHistory) -> Histories:
    return Histories.from_rows(rows, training.index, AS_OF)


#: Locations of the checkerboard's two kinds of customers.
LOCATIONS = (11, 22)


def square(number: int) -> str:
    return f"p{number:02}"


def checkerboard(
    n: int, *, more: Sequence[str] = ("never1", "never2"), twins: int = 1, **settings
) -> TrainingSet:
    """Customer ``u`` buys every product of their own colour but number ``u``, at one place.

    Number ``u`` is what they should be shown: all the others of their colour have it. With
    ``twins`` there are several of each customer.
    """
    orders = [
        Order(
            f"c{u:02}-{twin}",
            [square(i) for i in range(u % 2, n, 2) if i != u],
            AS_OF - DAY,
            channel=u % 2,
            location=LOCATIONS[u % 2],
        )
        for u in range(n)
        for twin in range(twins)
    ]
    settings.setdefault("category", {square(i): i % 2 for i in range(n)})
    return train(orders, more=more, **settings)


def customers_of(training: TrainingSet) -> Histories:
    """The histories of everyone in a training."""
    baskets, rows = training.baskets, []
    for number in range(len(baskets.customer_ids)):
        mine = np.flatnonzero(baskets.customer == number)
        rows.append(
            history(
                *(
                    (training.index.item_ids[ix], int(baskets.ts[order]))
                    for order in mine
                    for ix in baskets.items[[order]].indices
                )
            )
        )
    return Histories.from_rows(rows, training.index, training.as_of_ts)
