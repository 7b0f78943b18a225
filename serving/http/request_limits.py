"""Limits of a request by its method and path: its queue, the size of its body, its waiting time.

``request_handler`` calls ``limits_of`` with the first line of a request and enforces the result.
"""

import re
from typing import Final, NamedTuple

from serving.http.queues import QueueName

#: A thousand events with all their fields; more is a mistake or an attack.
MAX_BODY_BYTES: Final = 4 * 1024 * 1024
#: A request for recommendations with every list at its longest and ids of usual length.
_MAX_QUESTION_BYTES: Final = 512 * 1024
_MAX_SIGN_IN_BYTES: Final = 16 * 1024
#: Requests that need no body may still bring a small one.
_MAX_OTHER_BYTES: Final = 16 * 1024

#: All headers of a request together.
MAX_HEADER_BYTES: Final = 32 * 1024
#: A new connection must have sent its headers by then. Seconds.
HEADER_SECONDS: Final = 10.0
#: A connection without a request is closed then; proxies keep theirs for a minute.
IDLE_SECONDS: Final = 75.0
#: A body must have arrived by then, however slowly it comes.
BODY_SECONDS: Final = 15.0
#: A client that takes nothing of an answer for this long gets no more of it.
WRITE_SECONDS: Final = 20.0
#: Connections of a worker; beyond, idle ones are closed, the longest idle first.
MAX_CONNECTIONS: Final = 2_000
#: Total size of the bodies that a worker holds at a time.
MAX_BODIES_BYTES: Final = 64 * 1024 * 1024

#: A body that is too large is read up to here, so that its sender gets the answer.
MAX_DROPPED_BYTES: Final = 4 * MAX_BODY_BYTES


class Limits(NamedTuple):
    """Where a request runs, how large its body may be, and how long it may wait."""

    queue: QueueName
    body_bytes: int
    wait_seconds: float


_ANSWER: Final = Limits("answers", _MAX_QUESTION_BYTES, 2.0)
_BATCH: Final = Limits("batch", MAX_BODY_BYTES, 30.0)
_DURABLE: Final = Limits("durable", MAX_BODY_BYTES, 2.0)
_SIGN_IN: Final = Limits("desk", _MAX_SIGN_IN_BYTES, 5.0)
_DESK: Final = Limits("desk", _MAX_OTHER_BYTES, 5.0)
_HEALTH: Final = Limits("health", _MAX_OTHER_BYTES, 5.0)
_ANSWERED: Final = re.compile(r"/v1/(recommendations/?$|items/.)")


def limits_of(method: str, path: str) -> Limits:
    """Return the limits of a request.

    Parameters
    ----------
    method : str
    path : str
        Without the query.
    """
    if path == "/readyz":
        return _HEALTH
    if path.rstrip("/") == "/v1/recommendations/batch":
        return _BATCH
    if _ANSWERED.match(path):
        return _ANSWER
    if path.startswith("/dashboard/session"):
        return _SIGN_IN
    return _DESK if method in ("GET", "HEAD", "OPTIONS") else _DURABLE
