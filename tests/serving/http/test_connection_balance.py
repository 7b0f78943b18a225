"""A worker knows whether another one has fewer connections."""

import struct
import tempfile
from collections.abc import Iterator

import pytest

from serving.http.connection_balance import ABSENT, ConnectionBalance


@pytest.fixture
def workers() -> Iterator[list[ConnectionBalance]]:
    with tempfile.TemporaryFile() as counts:
        counts.write(struct.pack("3q", ABSENT, ABSENT, ABSENT))
        counts.flush()
        yield [ConnectionBalance(counts.fileno(), slot) for slot in range(3)]


def test_whoever_has_the_fewest_is_not_ahead(workers: list[ConnectionBalance]) -> None:
    one, two, three = workers
    for worker, connections in ((one, 2), (two, 2), (three, 5)):
        worker.publish(connections)
    assert [worker.is_ahead for worker in workers] == [False, False, True]
    two.publish(1)
    assert [worker.is_ahead for worker in workers] == [True, False, True]


def test_nothing_is_left_to_a_worker_that_is_not_there(workers: list[ConnectionBalance]) -> None:
    one, two, _ = workers
    one.publish(7)
    assert not one.is_ahead
    two.publish(0)
    assert one.is_ahead
    two.publish(ABSENT)
    assert not one.is_ahead
