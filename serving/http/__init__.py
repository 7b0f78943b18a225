"""HTTP: reads requests with deadlines, queues them, and sends answers or problems.

In: a socket. Out: WSGI calls and responses. Called by ``serving.worker``; its problems and
responses are used by every route.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
