"""A grocer whose customers are easily understood: fitted models, blends, and a shelf."""

import random
from dataclasses import replace
from functools import cache

import numpy as np

from recsys.config.model_settings import AlsSettings, ModelSettings, PopularSettings
from recsys.datasets.customer_history import EMPTY, LINES, CustomerHistory, Histories, add_lines
from recsys.datasets.item_index import item_key, location_key
from recsys.datasets.products import Products
from recsys.datasets.ragged import Lists, rows_contain, rows_of
from recsys.models import from_settings
from recsys.models.base import Batch, Context
from recsys.ranking.availability import Availability
from recsys.ranking.candidates import EVIDENCE_COLUMNS, MODEL_COLUMNS, collect_candidates
from recsys.ranking.rank_request import RankRequest, factors_of
from recsys.ranking.ranker import Ranker
from recsys.ranking.rules import Limits
from recsys.ranking.segment_blends import SegmentBlends
from recsys.schema import CHANNELS
from tests.recsys.models.worlds import AS_OF, DAY, Order, train

PAIRS = [("pasta", "sauce"), ("bread", "butter"), ("beer", "crisps"), ("tea", "milk")]
#: More than the models name at first, in the order of their popularity.
OTHERS = [f"item{n:03}" for n in range(300)]
STORE, WAREHOUSE = "S1", "online"
#: One thing in several sizes.
SIZES = OTHERS[1:9]
SOLD_OUT = "sauce"
DISCONTINUED = "item000"


def line(item, days=1.0, quantity=1.0, channel="pos", order=1):
    row = np.zeros(1, LINES)
    row["item_key"], row["ts"] = item_key(item), AS_OF - int(days * DAY)
    row["quantity"], row["order"] = quantity, order
    row["channel"] = CHANNELS.index(channel)
    return row


def bought(*lines) -> CustomerHistory:
    """A history of (item, days ago) or of item names."""
    rows = [
        line(*(given if isinstance(given, tuple) else (given,)), order=number + 1)
        for number, given in enumerate(lines)
    ]
    return add_lines(EMPTY, np.concatenate(rows)) if rows else EMPTY


@cache
def training():
    """Sixty customers, sixty days, each with a pair they like and something else."""
    chosen = random.Random(5)
    orders = []
    for day in range(60):
        for customer in range(60):
            if chosen.random() > 0.3:
                continue
            first, second = PAIRS[customer % len(PAIRS)]
            other = OTHERS[min(int(chosen.expovariate(1 / 80)), len(OTHERS) - 1)]
            items = {first, other} | ({second} if chosen.random() < 0.7 else set())
            online = customer % 3 == 0
            at = AS_OF - (59 - day) * DAY - customer * 60 - 60
            place = location_key(WAREHOUSE if online else STORE)
            channel = CHANNELS.index("web" if online else "pos")
            orders.append(Order(f"c{customer:02}", sorted(items), at, channel, place))
    names = sorted({*OTHERS, *(item for pair in PAIRS for item in pair)})
    nothing, empty = np.full(len(names), -1, np.int32), [""] * len(names)
    family = np.where(np.isin(names, SIZES), 0, nothing).astype(np.int32)
    told = Products(empty, empty, nothing, nothing, family)
    return train(orders, more=OTHERS, seed=1, products=told)


@cache
def fitted():
    settings = ModelSettings(
        als=AlsSettings(factors=8, iterations=4),
        popular=PopularSettings(min_lines=20, half_life_days=20.0),
    )
    return {name: model.fit(training()) for name, model in from_settings(settings).items()}


@cache
def blends():
    """Learned from customers who buy again what they bought, and the other half of a pair."""
    index = training().index
    people = [bought(*PAIRS[n % 4], OTHERS[n]) for n in range(120)]
    context = Context.of(
        len(people), AS_OF, cart=[index.ix_of([PAIRS[(n + 1) % 4][0]]) for n in range(120)]
    )
    histories = Histories.from_rows(people, index, AS_OF)
    again = Lists.of_rows([index.ix_of(PAIRS[n % 4]) for n in range(120)])
    partner = Lists.of_rows([index.ix_of([PAIRS[(n + 1) % 4][1]]) for n in range(120)])
    made = []
    for columns, given, wanted in (
        (MODEL_COLUMNS, Context.of(len(people), AS_OF), again),
        (EVIDENCE_COLUMNS, context, partner),
    ):
        found = collect_candidates(fitted(), Batch(histories, given), 50)
        rows = rows_of(found)
        happened = rows_contain(wanted, rows, found.item_ix)
        scores = found.scores[:, : len(columns)]
        made.append(SegmentBlends(columns).fit(scores, happened, rows, found.kind))
    return made


@cache
def availability():
    """The store carries everything but one sold-out product; the warehouse says nothing."""
    index = training().index
    on_hand = np.where(np.arange(len(index)) == index.ix_of([SOLD_OUT])[0], 0.0, 9.0)
    active = np.arange(len(index)) != index.ix_of([DISCONTINUED])[0]
    where = np.full(len(index), location_key(STORE))
    return Availability.build(active, where, np.arange(len(index), dtype=np.int32), on_hand)


def ranker(on_shelf=None) -> Ranker:
    plain, cart = blends()
    return Ranker(training().index, fitted(), plain, cart, on_shelf or availability())


def rank(
    people,
    *,
    counts=5,
    cart=None,
    exclude=None,
    new_only=False,
    location=None,
    in_stock=True,
    weights=None,
    availability=None,
    diversity=0.0,
    models=None,
    wanted=None,
    new_share=0.0,
    merchandising=None,
    choices=None,
):
    """Rank for people who all ask the same way."""
    n, index = len(people), training().index
    key = location_key(location)
    carts = [index.ix_of(items) for items in cart or [()] * n]
    limits = Limits(
        exclude=Lists.of_rows([index.ix_of(items) for items in exclude or [()] * n]),
        cart=Lists.of_rows(carts),
        new_only=np.full(n, new_only),
        hidden_since_ts=np.full(n, AS_OF),
        location_keys=np.full(n, key),
        in_stock=np.full(n, in_stock),
    )
    asked = RankRequest(
        np.full(n, counts),
        np.tile(factors_of(weights or {}), (n, 1)),
        limits,
        np.full(n, diversity),
        requested=Lists.of_rows(wanted) if wanted else None,
        new_share=np.full(n, new_share),
        merchandising=merchandising and tuple(merchandising),
    )
    context = Context.of(n, AS_OF, location=key, cart=carts)
    histories = Histories.from_rows(people, index, AS_OF)
    return replace(ranker(availability), models=models or fitted(), choices=choices).rank(
        Batch(histories, context), asked
    )


def names(ranked, r=0):
    index = training().index
    part = ranked.item_ix[ranked.indptr[r] : ranked.indptr[r + 1]]
    return [index.item_ids[ix] for ix in part]
