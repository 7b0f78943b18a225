"""Who the customers are, and what they do by themselves: visits, purchases, carts, consents.

In: the history of the weeks that are played. Out: customers, and a ``Plan`` of what each of them
does whatever they are shown. Called by ``benchmarks.conversation``.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import ibis
import numpy as np

from recsys.history import History
from recsys.identity import customer_id_of
from recsys.units import DAY, HOUR

#: What is told or asked within so many seconds happens at one moment. Seconds.
TICK: Final = 1_800
WEEK: Final = 7 * DAY

#: Of customers: who uses the app, lives in another time zone, consents to messages at first.
_APP, _ELSEWHERE, _CONSENTS = 0.3, 0.1, 0.7
ELSEWHERE: Final = "America/Los_Angeles"
#: A week: who changes their mind about messages, and how often somebody looks at the shop.
_CHANGES, _BROWSES, _BROWSES_RARELY = 0.05, 1.0, 0.3
#: Of visits: who is served with the tablet before they pay, and who leaves a cart behind.
_SERVED, _LEAVES_A_CART = 0.5, 0.3
#: Of tickets: told within minutes, and within six hours; the rest within a day.
_SOON, _SAME_DAY = 0.7, 0.95
#: Of reports: sent twice.
_TWICE: Final = 0.05
#: Pieces: fewer than these are none, as weights do not add up exactly.
_NOTHING: Final = 1e-6
#: Local hours in which people look at the shop.
_AWAKE: Final = (8, 22)

#: Product, quantity, and the price of one in minor units.
Line = tuple[str, float, int | None]


class Basket(NamedTuple):
    """One order of the history."""

    order_id: str
    ts: int
    channel: str
    location_id: str | None
    lines: tuple[Line, ...]
    returned: tuple[tuple[int, tuple[Line, ...]], ...] = ()
    """When something was taken back, and what."""


class Person(NamedTuple):
    """A customer, who does what one of the history did."""

    ix: int
    customer_id: str
    email: str
    card: str
    like: str
    """Of the history: whose baskets they buy."""
    zone: str
    app: bool
    """Whether they also use the app."""


class Report(NamedTuple):
    """An event on its way to the service."""

    origin: str
    """The channel on which it happened."""
    event_id: str
    event: str
    ts: int
    identifier: tuple[str, str] | None
    items: tuple[Line, ...] = ()
    more: tuple[tuple[str, str], ...] = ()
    """Further fields."""


class Visit(NamedTuple):
    """Somebody looks at the shop, in the app, or is served in a store."""

    person: Person
    channel: str
    location_id: str | None = None
    cart: tuple[Line, ...] = ()
    """What they put into the cart."""


class Word(NamedTuple):
    """What somebody says about messages."""

    person: Person
    given: bool
    where: str
    """``email``: by the link in a mail; ``account``: in the shop."""


class Bought(NamedTuple):
    """A product that somebody bought, and when a channel told of it."""

    person: int
    item_id: str
    ts: int
    told_ts: int
    all_back_ts: int | None = None
    """When it was told that every piece had been returned; None where some were kept."""


@dataclass
class Plan:
    """What people do by themselves, by the moment at which it happens or is told."""

    start_ts: int
    end_ts: int
    people: Sequence[Person]
    consents: Sequence[bool]
    """Whether each consents to messages at the start."""
    reports: dict[int, list[Report]] = field(default_factory=lambda: defaultdict(list))
    visits: dict[int, list[Visit]] = field(default_factory=lambda: defaultdict(list))
    words: dict[int, list[Word]] = field(default_factory=lambda: defaultdict(list))
    bought: list[Bought] = field(default_factory=list)


def tell(
    reports: dict[int, list[Report]], report: Report, at_ts: int, rng: np.random.Generator
) -> int:
    """Note that a report is sent, now and then twice; return the moment of the first time."""
    tick = _later(at_ts)
    reports[tick].append(report)
    if rng.random() < _TWICE:
        reports[_later(tick + int(rng.uniform(0, DAY)))].append(report)
    return tick


def baskets_of(
    history: History, start_ts: int, end_ts: int, customers: Sequence[str]
) -> dict[str, list[Basket]]:
    """Read the orders of some customers in a time, with what they returned of them.

    Parameters
    ----------
    history : History
    start_ts, end_ts : int
        Half-open, UTC epoch seconds.
    customers : sequence of str

    Returns
    -------
    dict of str to list of Basket
        By customer, in time order.
    """
    rows = sorted(_lines(history, start_ts, end_ts), key=lambda row: row["ts"])
    sold: dict[str, list[dict[str, Any]]] = defaultdict(list)
    back: dict[str, dict[int, list[Line]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row["kind"] == "sale" and row["quantity"] > 0:
            sold[row["order_id"]].append(row)
        elif row["kind"] == "return" and row["return_of"]:
            back[row["return_of"]][row["ts"]].append((row["item_id"], -row["quantity"], None))
    wanted, found = set(customers), defaultdict(list)
    for order_id, lines in sold.items():
        first = lines[0]
        if first["customer_id"] not in wanted:
            continue
        returned = tuple((ts, tuple(each)) for ts, each in sorted(back.get(order_id, {}).items()))
        found[first["customer_id"]].append(
            Basket(
                order_id,
                first["ts"],
                first["channel"],
                first["location_id"],
                tuple((one["item_id"], one["quantity"], _price(one)) for one in lines),
                returned,
            )
        )
    return dict(found)


def _lines(history: History, start_ts: int, end_ts: int) -> list[dict[str, Any]]:
    con = history.connect()
    try:
        table = con.table("lines")
        table = table.mutate(ts=table.occurred_at.epoch_seconds())
        table = table.filter(
            table.customer_id.notnull(), table.ts >= start_ts, table.ts < end_ts
        ).order_by(ibis._.order_id, ibis._.line_no)
        names = "order_id ts customer_id channel location_id item_id quantity amount_minor"
        wanted = table.select(*names.split(), "kind", "return_of")
        rows: list[dict[str, Any]] = con.to_pyarrow(wanted).to_pylist()
        return rows
    finally:
        con.disconnect()


def _price(row: Mapping[str, Any]) -> int:
    return max(0, round(row["amount_minor"] / row["quantity"]))


def people_like(
    customers: Sequence[str], n: int, zone: str, seed: int, sealed: Any
) -> list[Person]:
    """Return ``n`` people who do what customers of the history did; some do the same.

    Parameters
    ----------
    customers : sequence of str
        Of the history.
    n : int
    zone : str
        IANA time zone of most of them.
    seed : int
    sealed : callable
        Hashes a type and a value, as the service does.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(customers))
    people = []
    for ix in range(n):
        email, card = f"p{ix}@people.example.org", f"21-{ix:07d}"
        people.append(
            Person(
                ix,
                customer_id_of("loyalty_card", sealed("loyalty_card", card)),
                email,
                card,
                customers[order[ix % len(order)]],
                ELSEWHERE if rng.random() < _ELSEWHERE else zone,
                bool(rng.random() < _APP),
            )
        )
    return people


def plan(
    people: Sequence[Person],
    baskets: Mapping[str, Sequence[Basket]],
    start_ts: int,
    end_ts: int,
    seed: int,
) -> Plan:
    """Decide what people do by themselves.

    Parameters
    ----------
    people : sequence of Person
    baskets : mapping of str to sequence of Basket
        By customer of the history.
    start_ts, end_ts : int
        Midnights where most people live, UTC epoch seconds.
    seed : int
    """
    first = np.random.default_rng([seed, 1 << 40]).random(len(people)) < _CONSENTS
    made = Plan(start_ts, end_ts, people, first.tolist())
    for person in people:
        rng = np.random.default_rng([seed, person.ix])
        theirs = baskets.get(person.like, ())
        for basket in theirs:
            _buy(made, person, basket, rng)
        _browse(made, person, theirs, rng)
        _change_mind(made, person, made.consents[person.ix], rng)
    return made


def _buy(made: Plan, person: Person, basket: Basket, rng: np.random.Generator) -> None:
    """Visit, buy, and have it told; a ticket of a store may come late."""
    in_store = basket.channel == "pos"
    channel = _channel(person, rng) if not in_store else "pos"
    if not in_store or rng.random() < _SERVED:
        shown_on = "associate" if in_store else channel
        visit = Visit(person, shown_on, basket.location_id if in_store else None)
        if not in_store:
            visit = visit._replace(cart=basket.lines[:3])
        made.visits[_earlier(basket.ts)].append(visit)
    number = f"{basket.order_id}/{person.ix}"
    place = (("location_id", basket.location_id),) if basket.location_id else ()
    more = (("transaction_id", number), *place)
    who = ("loyalty_card", person.card) if in_store else ("email", person.email)
    report = Report(channel, f"buy/{number}", "purchase", basket.ts, who, basket.lines, more)
    told_ts = tell(made.reports, report, basket.ts + _delay(in_store, rng), rng)
    kept: dict[str, float] = defaultdict(float)
    for item_id, quantity, _ in basket.lines:
        kept[item_id] += quantity
    bought = {item_id: Bought(person.ix, item_id, basket.ts, told_ts) for item_id in kept}
    told_back = []
    for n, (ts, lines) in enumerate(basket.returned):
        back = Report(channel, f"back/{number}/{n}", "refund", ts, who, lines, more)
        back_ts = tell(made.reports, back, max(ts, told_ts) + _delay(in_store, rng), rng)
        told_back.append((back_ts, lines))
    for back_ts, lines in sorted(told_back):
        for item_id, quantity, _ in lines:
            before, kept[item_id] = kept[item_id], kept[item_id] - quantity
            if before > _NOTHING >= kept[item_id]:
                bought[item_id] = bought[item_id]._replace(all_back_ts=back_ts)
    made.bought += bought.values()


def _browse(
    made: Plan, person: Person, baskets: Sequence[Basket], rng: np.random.Generator
) -> None:
    """Look at the shop; now and then leave something in the cart that is bought later."""
    online = any(basket.channel != "pos" for basket in baskets)
    weeks = (made.end_ts - made.start_ts) / WEEK
    for _ in range(rng.poisson(weeks * (_BROWSES if online else _BROWSES_RARELY))):
        day = int(rng.integers(0, (made.end_ts - made.start_ts) // DAY))
        ts = made.start_ts + day * DAY + int(rng.uniform(*_AWAKE) * HOUR)
        later = [basket for basket in baskets if ts < basket.ts < ts + WEEK]
        cart: tuple[Line, ...] = ()
        if later and rng.random() < _LEAVES_A_CART:
            lines = later[0].lines
            chosen = rng.choice(len(lines), min(len(lines), 3), replace=False)
            cart = tuple((lines[ix][0], 1.0, None) for ix in chosen.tolist())
        made.visits[_earlier(ts)].append(Visit(person, _channel(person, rng), None, cart))


def _change_mind(made: Plan, person: Person, given: bool, rng: np.random.Generator) -> None:
    for week in range((made.end_ts - made.start_ts) // WEEK):
        if rng.random() < _CHANGES:
            ts = made.start_ts + week * WEEK + int(rng.uniform(0, WEEK))
            given = not given
            where = "email" if not given and rng.random() < 0.5 else "account"
            made.words[_later(ts)].append(Word(person, given, where))


def _channel(person: Person, rng: np.random.Generator) -> str:
    return "app" if person.app and rng.random() < 0.5 else "web"


def _delay(in_store: bool, rng: np.random.Generator) -> int:
    """Return how long after a purchase it is told, seconds."""
    if not in_store:
        return 0
    drawn = rng.random()
    longest = 600 if drawn < _SOON else 6 * HOUR if drawn < _SAME_DAY else DAY
    return int(rng.uniform(0, longest))


def _earlier(ts: int) -> int:
    return ts // TICK * TICK


def _later(ts: int) -> int:
    return -(-ts // TICK) * TICK


def bodies(reports: Sequence[Report], currency: str) -> Iterator[dict[str, Any]]:
    """Yield reports as ``POST /v1/events`` takes them."""
    for one in reports:
        body: dict[str, Any] = {
            "event_id": one.event_id,
            "event": one.event,
            "occurred_at": f"{np.datetime64(one.ts, 's')}Z",
            "channel": one.origin,
            **dict(one.more),
        }
        if one.identifier is not None:
            body["identifier"] = {"type": one.identifier[0], "value": one.identifier[1]}
        if one.items:
            body["items"] = [_item(line, currency) for line in one.items]
        yield body


def _item(line: Line, currency: str) -> dict[str, Any]:
    item_id, quantity, price = line
    item: dict[str, Any] = {"item_id": item_id, "quantity": quantity}
    if price is not None:
        item["price"] = {"amount_minor": price, "currency": currency}
    return item
