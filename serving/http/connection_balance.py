"""The number of connections of each worker, so that no worker takes them all.

The counts are in a file that the supervisor creates and every worker maps. Kept connections stay
with the worker that accepted them: a proxy's eight connections to one worker would leave the other
idle for hours. A worker that was replaced gets new connections first, and some that are kept.
Called by ``server``.
"""

import mmap

#: The count of a worker that takes no connections: it has not begun yet, or it has ended.
ABSENT = (1 << 63) - 1


class ConnectionBalance:
    """The counts of all workers.

    Parameters
    ----------
    descriptor : int
        Of a file of one signed 64-bit number a worker, native order.
    place : int
        Which of them is ours, from 0.
    """

    def __init__(self, descriptor: int, slot: int) -> None:
        self._counts = memoryview(mmap.mmap(descriptor, 0)).cast("q")
        self._slot = slot

    def publish(self, connections: int) -> None:
        """Publish the number of our connections to the other workers."""
        self._counts[self._slot] = connections

    @property
    def is_ahead(self) -> bool:
        """Whether another worker has notably fewer connections, so that new ones are for it."""
        return self._lead > self._fewest // 8

    @property
    def is_far_ahead(self) -> bool:
        """Whether another worker has so few that it should have some of our connections."""
        return self._lead > 1 + self._counts[self._slot] // 4

    @property
    def _fewest(self) -> int:
        return min(self._counts.tolist())

    @property
    def _lead(self) -> int:
        return self._counts[self._slot] - self._fewest
