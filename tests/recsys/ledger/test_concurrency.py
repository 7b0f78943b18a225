"""Many processes that tell of the same things at the same time count them once."""

import multiprocessing
import random

from recsys.identity.hashing import customer_id_of
from recsys.ledger.events.event_types import Event, decode, encode
from recsys.ledger.ledger import Ledger

from .conftest import NOW, MakeEvent

PROCESSES = 3


def tell(
    url: str, bodies: list[bytes], seed: int, sent: "multiprocessing.Queue[list[str]]"
) -> None:
    """Send every event, in an order and in batches of this process's own."""
    shuffle = random.Random(seed)
    events = [decode(body) for body in bodies]
    shuffle.shuffle(events)
    ledger = Ledger.open(url)
    statuses = []
    while events:
        size = shuffle.randint(1, 40)
        batch, events = events[:size], events[size:]
        statuses += [outcome.status for outcome in ledger.add_events(batch, NOW)]
    ledger.close()
    sent.put(statuses)


def in_processes(url: str, events: list[Event]) -> list[str]:
    context = multiprocessing.get_context("spawn")
    sent: multiprocessing.Queue[list[str]] = context.Queue()
    bodies = [encode(event) for event in events]
    workers = [
        context.Process(target=tell, args=(url, bodies, seed, sent)) for seed in range(PROCESSES)
    ]
    for worker in workers:
        worker.start()
    statuses = [status for _ in workers for status in sent.get(timeout=120)]
    for worker in workers:
        worker.join(timeout=60)
        assert worker.exitcode == 0
    sent.close()
    sent.join_thread()
    return statuses


def test_the_same_events_from_many_processes_count_once(
    ledger_url: str, make_event: MakeEvent
) -> None:
    events = [
        make_event(
            "purchase",
            f"i{n % 7}",
            f"i{n % 5}x",
            at=NOW + n,
            identifier=f"u{n % 6}",
            session_id=f"s{n % 4}",
            transaction_id=f"T{n // 2}",  # two tellings of each order
        )
        for n in range(120)
    ]
    statuses = in_processes(ledger_url, events)
    assert len(statuses) == PROCESSES * len(events)
    assert statuses.count("accepted") == len(events) / 2
    assert set(statuses) == {"accepted", "duplicate"}
    ledger = Ledger.open(ledger_url)
    lines = sum(len(ledger.history(customer_id_of("email", f"u{n}")).lines) for n in range(6))
    assert lines == 2 * len(events) / 2
    assert len({event.event.event_id for event in ledger.live_events()}) == len(events)
    assert sum(event.counted for event in ledger.live_events()) == len(events) / 2
    ledger.close()
