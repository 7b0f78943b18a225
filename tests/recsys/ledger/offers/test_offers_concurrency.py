"""A hundred tills, web shops and marketers at the same moment: every promise is kept once.

Real processes wait for each other at a barrier, ask, and what they were told is counted.
"""

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from recsys.bundles.terms import Decision, Offer
from recsys.errors import OfferError, StaleError, TransitionError
from recsys.ledger.customers.identity_lookup import session_own_id
from recsys.ledger.events.event_types import Event, Identifier
from recsys.ledger.ledger import Ledger
from recsys.ledger.offers.orders import held_of, pieces_of
from recsys.ledger.offers.pieces import OfferBounds, OrderItem
from recsys.ledger.schema import REDEMPTIONS
from tests.recsys.ledger.conftest import NOW

from .deals import CODES, DISCOUNT, TERMS, check_books, counted, decide, issue, promise, redeem

AT = datetime.fromtimestamp(NOW, UTC)
PROCESSES = 4
#: Of each process; each holds connections, and a PostgreSQL server has a hundred.
THREADS = 8
TILLS = 100

#: What one asker does: (ledger, name of the job, what it is about, number of the asker) → what it
#: was told.
Told = tuple[str, str]


def ask(ledger: Ledger, job: str, about: str, number: int) -> Told:
    """Do one job, and say what came of it and whom it concerned."""
    if job == "issue":
        made = issue(ledger, f"{about}{number}")
        return ("issued", made.offer_id) if isinstance(made, Offer) else (made.reason, "")
    if job == "issue to one":
        made = issue(ledger, about, owners=["c0", "c1"])
        return ("issued", made.offer_id) if isinstance(made, Offer) else (made.reason, "")
    if job == "withdraw":
        try:
            return decide(ledger, status="withdrawn").terms.status, ""
        except StaleError:
            return "stale", ""
    if job == "approve first":
        try:
            return decide_first(ledger, about, number).changed_by, about
        except StaleError:
            return "stale", about
    if job == "bustle":
        return bustle(ledger, number), ""
    if job == "redeem of few pieces":
        code, order = about.split()
        try:
            redeem(ledger, code, order, items=basket_of(order), bounds=OfferBounds(per_order=4))
        except OfferError as error:
            return error.kind, about
        return "first", about
    order = "T" if job == "redeem for one order" else f"T{number}"
    place: dict[str, Any] = {} if number % 2 else {"channel": "web", "location_id": None}
    if job == "redeem for one order":
        place = {}
    try:
        done = redeem(ledger, about, order, **place)
    except OfferError as error:
        return error.kind, about
    used = done.offer.redemption
    return ("first" if done.first else "again"), f"{about} {used and used.transaction_id}"


def basket_of(order: str) -> list[OrderItem]:
    """What an order holds, whoever asks; its tea may be reduced, and in parts."""
    chance = Random(order)
    tea = [
        OrderItem("tea", chance.choice([0.5, 1.0, 1.5]), chance.choice([None, 120, 300]))
        for _ in range(chance.randrange(1, 4))
    ]
    return [*tea, OrderItem("milk", float(chance.randrange(1, 5)), 200)]


def decide_first(ledger: Ledger, bundle_id: str, number: int) -> Decision:
    return ledger.decisions.change(
        bundle_id,
        "together",
        ["tea", "milk"],
        TERMS,
        expected_revision=0,
        by=f"marketer {number}",
        now_ts=NOW,
    )


def bustle(ledger: Ledger, number: int) -> str:
    """Do what happens all day, in an order of one's own: nobody waits in a circle for anybody."""
    chance = Random(number)
    for step in range(12):
        owner, bundle_id = f"o{chance.randrange(6)}", f"b{chance.randrange(3)}"
        made = issue(ledger, owner, bundle_id, owners=[f"o{chance.randrange(6)}"])
        if isinstance(made, Offer):
            with suppress(OfferError):  # others are as quick
                redeem(ledger, CODES.of(made), f"T{chance.randrange(20)}")
        orders = [f"T{chance.randrange(20)}" for _ in range(3)]
        events = [
            Event(
                event_id=f"{number}-{step}-{n}",
                event="refund",
                occurred_at=AT,
                channel="pos",
                location_id="S1",
                transaction_id=order,
            )
            for n, order in enumerate(orders)
        ]
        visit = f"s{chance.randrange(4)}"
        issue(ledger, session_own_id(visit), bundle_id)
        somebody = Identifier(type="email", value=owner)
        events.append(
            Event(
                event_id=f"{number}-{step}",
                event="login",
                occurred_at=AT,
                identifier=somebody,
                session_id=visit,
            )
        )
        ledger.add_events(events, NOW)
        with suppress(StaleError, TransitionError):
            status = chance.choice(["approved", "approved", "paused", "withdrawn"])
            decide(ledger, bundle_id, status=status, ends_ts=NOW + chance.randrange(1, 3))
        ledger.offers.standing([owner, f"o{number}"], NOW)
    return "done"


def told_of(ledger: Ledger, job: str, about: str, number: int) -> Told:
    try:
        return ask(ledger, job, about, number)
    except Exception as error:  # the test that counts it says so
        return repr(error), about


def work(inbox: Any, told: Any, ready: Any) -> None:
    """Ask for everything that comes in, many threads at once, when every process is ready."""
    while (given := inbox.get()) is not None:
        url, jobs = given
        ledger = Ledger.open(url)
        with ThreadPoolExecutor(THREADS) as threads:
            ready.wait(timeout=60)
            asked = [threads.submit(told_of, ledger, *job) for job in jobs]
        told.put([job.result() for job in asked])
        ledger.close()


AtOnce = Callable[[Sequence[tuple[str, str]]], list[Told]]


@pytest.fixture(scope="module")
def processes() -> Iterator[Callable[[str, Sequence[tuple[str, str]]], list[Told]]]:
    """Processes that wait for jobs; started once, because that is what takes long."""
    context = multiprocessing.get_context("spawn")
    told, ready = context.Queue(), context.Barrier(PROCESSES)
    inboxes = [context.Queue() for _ in range(PROCESSES)]
    workers = [context.Process(target=work, args=(inbox, told, ready)) for inbox in inboxes]
    for worker in workers:
        worker.start()

    def run(url: str, jobs: Sequence[tuple[str, str]]) -> list[Told]:
        numbered = [(job, about, number) for number, (job, about) in enumerate(jobs)]
        for n, inbox in enumerate(inboxes):
            inbox.put((url, numbered[n::PROCESSES]))
        answers = [answer for _ in workers for answer in told.get(timeout=60)]
        assert len(answers) == len(jobs)
        return answers

    yield run
    for inbox in inboxes:
        inbox.put(None)
    for worker in workers:
        worker.join(timeout=60)
        assert worker.exitcode == 0
    for queue in (told, *inboxes):
        queue.close()
        queue.join_thread()


@pytest.fixture
def at_once(
    ledger_url: str, processes: Callable[[str, Sequence[tuple[str, str]]], list[Told]]
) -> AtOnce:
    """Ask from several processes, each with its share of the jobs, and collect the answers."""
    return partial(processes, ledger_url)


def test_a_hundred_tills_and_one_offer(ledger: Ledger, at_once: AtOnce) -> None:
    """One redeems, the others are refused; one order asking often is told the same each time."""
    decide(ledger)
    decide(ledger, "b2")
    offer, same = promise(ledger), promise(ledger, bundle_id="b2")
    answers = at_once(
        [("redeem", CODES.of(offer))] * TILLS + [("redeem for one order", CODES.of(same))] * 40
    )
    many = Counter(what for what, about in answers if about.startswith(CODES.of(offer)))
    one = Counter(what for what, about in answers if about.startswith(CODES.of(same)))
    assert many == {"first": 1, "offer-redeemed": TILLS - 1}, many
    assert one == {"first": 1, "again": 39}, one
    assert len({about for _, about in answers if about.startswith(CODES.of(same))}) == 1
    for name in ("b1", "b2"):
        assert (counted(ledger, name).redeemed, counted(ledger, name).standing) == (1, 0)
    check_books(ledger)


def test_a_budget_for_thirty_and_one_customer_everywhere(ledger: Ledger, at_once: AtOnce) -> None:
    decide(ledger, budget_minor=30 * DISCOUNT + DISCOUNT - 1)
    answers = at_once([("issue", "o")] * 70 + [("issue to one", "c0"), ("issue to one", "c1")] * 15)
    told = Counter(what for what, _ in answers)
    issued = {about for what, about in answers if what == "issued"}
    assert len(issued) == 30, told
    assert told.keys() == {"issued", "budget_spent"}, told
    assert len(ledger.offers.standing(["c0", "c1"], NOW)) <= 1
    found = counted(ledger)
    assert (found.issued, found.standing, found.reserved_minor) == (30, 30, 30 * DISCOUNT), found
    check_books(ledger)


def test_one_customer_at_a_hundred_places(ledger: Ledger, at_once: AtOnce) -> None:
    decide(ledger)
    answers = at_once([("issue to one", "c0"), ("issue to one", "c1")] * 50)
    assert len(set(answers)) == 1, Counter(answers)
    assert counted(ledger).issued == 1
    check_books(ledger)


def test_what_is_withdrawn_is_not_redeemed(ledger: Ledger, at_once: AtOnce) -> None:
    """Either an order used an offer, or the marketer withdrew it: never both."""
    decide(ledger)
    codes = [CODES.of(promise(ledger, f"o{n}")) for n in range(48)]
    jobs = [("redeem", code) for code in codes]
    jobs[20:20] = [("withdraw", "")] * 4
    jobs[48:] += [("issue", "late")] * 8
    answers = at_once(jobs)
    told = Counter(what for what, _ in answers)
    assert told["first"] + told["offer-withdrawn"] == 48, told
    assert told["withdrawn"] + told["stale"] == 4, told
    assert told["withdrawn"] >= 1, told
    found = counted(ledger)
    assert (found.redeemed, found.standing, found.reserved_minor) == (told["first"], 0, 0), found
    assert found.issued == 48 + told["issued"], found
    check_books(ledger)


def test_the_first_marketer_decides(ledger: Ledger, at_once: AtOnce) -> None:
    """The others are told that they have not seen it, and every change has moved the mark."""
    names = [f"b{n}" for n in range(12)]
    answers = at_once([("approve first", name) for _ in range(5) for name in names])
    first = {about: what for what, about in answers if what != "stale"}
    told = Counter("stale" if what == "stale" else "decided" for what, _ in answers)
    assert told == {"decided": 12, "stale": 48}, told
    assert {one.bundle_id: one.changed_by for one in ledger.decisions.all()} == first
    assert ledger.decisions.mark() == 12
    assert [len(ledger.decisions.changes(name)) for name in names] == [1] * 12


def test_no_piece_carries_two_offers_whoever_asks_at_once(ledger: Ledger, at_once: AtOnce) -> None:
    """Counted by hand afterwards: pieces, what they cost, discounts and budgets."""
    names = ("b1", "b2", "after1")
    for name in names:
        decide(ledger, name, price_minor=150 if name == "after1" else 400)
    orders = [f"W{n}" for n in range(5)]
    jobs = []
    for order in orders:
        for n in range(9):
            code = CODES.of(promise(ledger, f"{order}-{n}", names[n % 3]))
            jobs += [("redeem of few pieces", f"{code} {order}")] * (1 + n % 2)
    told = Counter(what for what, _ in at_once(jobs))
    assert told.keys() <= {
        "first",
        "offer-overlaps",
        "offer-incomplete",
        "offer-not-cheaper",
        "order-limit",
    }, told
    with ledger._database.reading() as connection:
        rows = connection.execute(sa.select(REDEMPTIONS)).all()
    assert {row.transaction_id for row in rows} == set(orders)
    for order in orders:
        mine = [row for row in rows if row.transaction_id == order]
        assert 1 <= len(mine) <= 4
        pieces = [piece for row in mine for piece in pieces_of(row.pieces)]
        held = held_of(basket_of(order))
        for name in ("tea", "milk"):
            n = sum(piece.item_id == name for piece in pieces)
            assert n <= held[name], (order, name)
        listed = {"tea": 300, "milk": 200}
        paid = [listed[p.item_id] if p.price_minor is None else p.price_minor for p in pieces]
        assert sum(row.discount_minor for row in mine) < sum(paid)
    check_books(ledger)


def test_everything_at_once_adds_up(ledger: Ledger, at_once: AtOnce) -> None:
    for n in range(3):
        decide(ledger, f"b{n}", per_customer=3, budget_minor=20 * DISCOUNT)
    assert at_once([("bustle", "")] * 12) == [("done", "")] * 12
    check_books(ledger)
    found = [counted(ledger, f"b{n}") for n in range(3)]
    assert all(one.reserved_minor + one.spent_minor <= 20 * DISCOUNT for one in found), found
    assert all(one.issued and one.returned for one in found), found
