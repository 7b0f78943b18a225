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


def test_in_a_crowd_a_few_more_are_not_ahead(workers: list[ConnectionBalance]) -> None:
    one, two, _ = workers
    one.publish(440)
    two.publish(400)
    assert not one.is_ahead
    one.publish(460)
    assert one.is_ahead


@pytest.mark.parametrize(
    ("ours", "others", "far"),
    [(1, 0, False), (2, 0, True), (5, 4, False), (8, 0, True), (450, 400, False), (800, 200, True)],
)
def test_who_has_far_more_gives_some_away(
    workers: list[ConnectionBalance], ours: int, others: int, far: bool
) -> None:
    one, two, _ = workers
    one.publish(ours)
    assert not one.is_far_ahead  # nobody else is there
    two.publish(others)
    assert (one.is_far_ahead, two.is_far_ahead) == (far, False)
