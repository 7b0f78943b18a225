"""The bodies of requests and answers, as types, and the OpenAPI document made from them.

In: JSON. Out: checked structs. Called by ``requests`` and ``api``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
