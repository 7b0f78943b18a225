"""Shops whose customers are easily understood, for the tests of what is found in them."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from scipy import sparse

from recsys.bundles.bundle_table import BUNDLE_KINDS, Bundles
from recsys.bundles.mining import mine
from recsys.config.settings import BundleSettings as Settings
from recsys.datasets.baskets import TrainingSet
from recsys.datasets.products import Products
from tests.recsys.models import worlds
from tests.recsys.models.worlds import AS_OF, DAY, Order

#: Days of the shops' history.
DAYS = 100


def train(orders: Sequence[Order]) -> TrainingSet:
    """Learn from baskets in any order."""
    return worlds.train(sorted(orders, key=lambda order: order.ts))


def item(number: int) -> str:
    return f"i{number:03}"


def trips(
    seed: int,
    n: int = 3000,
    *,
    items: int = 60,
    customers: int = 300,
    sizes: Sequence[int] = (1, 2, 3, 4, 6, 9),
) -> list[Order]:
    """Baskets without any rhyme: popular products more often, known customers, all days."""
    chosen = np.random.default_rng(seed)
    popularity = 1.0 / (np.arange(items) + 5.0)
    popularity /= popularity.sum()
    orders = []
    for number in range(n):
        size = int(chosen.choice(sizes))
        bought = chosen.choice(items, size, replace=False, p=popularity)
        at = AS_OF - int(chosen.integers(1, DAYS * DAY))
        customer = f"c{chosen.integers(customers):04}"
        place = int(chosen.integers(1, 4))
        orders.append(
            Order(customer, [item(at) for at in bought], at, channel=number % 2, location=place)
        )
    return orders


def with_items(
    orders: Iterable[Order], seed: int, share: float, *names: str, only: Sequence[str] = ()
) -> list[Order]:
    """Put products into a share of the baskets; where ``only`` says so, of some channels."""
    chosen = np.random.default_rng(seed)
    found = []
    for order in orders:
        into = chosen.random() < share and (not only or str(order.channel) in only)
        found.append(order._replace(items=sorted({*order.items, *names})) if into else order)
    return found


def alone(orders: Sequence[Order], seed: int, name: str, n: int) -> list[Order]:
    """Put a product into ``n`` baskets, each as likely as any other."""
    chosen = np.random.default_rng(seed)
    into = set(chosen.choice(len(orders), n, replace=False).tolist())
    return [
        order._replace(items=sorted({*order.items, name})) if at in into else order
        for at, order in enumerate(orders)
    ]


def shuffled(training: TrainingSet, seed: int) -> TrainingSet:
    """The same baskets' sizes and products' counts, with everything else left to chance.

    Two lines swap their products again and again, where no basket would hold one twice.
    """
    chosen = np.random.default_rng(seed)
    items = training.baskets.items
    rows = np.repeat(np.arange(items.shape[0]), np.diff(items.indptr)).tolist()
    held = [set(items.indices[a:b].tolist()) for a, b in pairwise(items.indptr)]
    lines = items.indices.tolist()
    for one, other in chosen.integers(len(lines), size=(6 * len(lines), 2)).tolist():
        a, b, x, y = rows[one], rows[other], lines[one], lines[other]
        if a != b and x not in held[b] and y not in held[a]:
            held[a] ^= {x, y}
            held[b] ^= {x, y}
            lines[one], lines[other] = y, x
    mixed = sparse.csr_array((items.data, np.array(lines, np.int32), items.indptr), items.shape)
    mixed.sort_indices()
    return dataclasses.replace(training, baskets=dataclasses.replace(training.baskets, items=mixed))


def products(
    training: TrainingSet, titles: Mapping[str, str], family: Iterable[str] = ()
) -> TrainingSet:
    """The same with titles; those of ``family`` are variants of one product."""
    names = training.index.item_ids
    nothing = np.full(len(names), -1, np.int32)
    kin = np.where(np.isin(names, list(family)), 0, nothing).astype(np.int32)
    told = Products(
        [titles.get(name, name) for name in names], [""] * len(names), nothing, nothing, kin
    )
    return dataclasses.replace(training, products=told)


def settings(**given: object) -> Settings:
    return Settings(**given)  # type: ignore[arg-type]  # as the tests name them


def mined(
    orders: Sequence[Order] | TrainingSet, *, regions=None, similarity=None, **given
) -> Bundles:
    training = orders if isinstance(orders, TrainingSet) else train(orders)
    return mine(training, settings(**given), regions=regions, similarity=similarity)


def names(training: TrainingSet, found: Bundles) -> list[tuple[str, ...]]:
    """Kind and products of each bundle."""
    return [
        (BUNDLE_KINDS[found.kind[at]], *(training.index.item_ids[ix] for ix in found.members(at)))
        for at in range(len(found))
    ]


def together(orders: Sequence[Order] | TrainingSet, **given) -> set[tuple[str, ...]]:
    """Products of each bundle that is bought at once."""
    training = orders if isinstance(orders, TrainingSet) else train(orders)
    found = names(training, mined(training, **given))
    return {tuple(sorted(bundle)) for kind, *bundle in found if kind == "together"}


def afterwards(orders: Sequence[Order], **given) -> set[tuple[str, ...]]:
    """Products of each bundle that is bought one after the other."""
    training = train(orders)
    found = names(training, mined(training, **given))
    return {tuple(bundle) for kind, *bundle in found if kind == "after"}
