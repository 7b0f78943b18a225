"""Access control: keys, scopes, sessions, rate limits.

In: headers and addresses of a request. Out: the caller's key, or a problem. Called before every
route.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
