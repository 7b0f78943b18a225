"""A worker knows whether another one has fewer connections."""

import struct
import tempfile
from collections.abc import Iterator

import pytest

from serving.http.connection_balance import ABSENT, Balance


@pytest.fixture
def workers() -> Iterator[list[Balance]]:
    with tempfile.TemporaryFile() as counts:
        counts.write(struct.pack("3q", ABSENT, ABSENT, ABSENT))
        counts.flush()
        yield [Balance(counts.fileno(), place) for place in range(3)]


def test_whoever_has_the_fewest_is_not_ahead(workers: list[Balance]) -> None:
    one, two, three = workers
    for worker, connections in ((one, 2), (two, 2), (three, 5)):
        worker.tell(connections)
    assert [worker.ahead for worker in workers] == [False, False, True]
    two.tell(1)
    assert [worker.ahead for worker in workers] == [True, False, True]


def test_nothing_is_left_to_a_worker_that_is_not_there(workers: list[Balance]) -> None:
    one, two, _ = workers
    one.tell(7)
    assert not one.ahead
    two.tell(0)
    assert one.ahead
    two.tell(ABSENT)
    assert not one.ahead
