"""How good answers would have been, without leaking the future.

In: a history cut in time, and rankers. Out: metrics with intervals beside tuned baselines. Called
by ``learning``, ``training`` and notebooks.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
