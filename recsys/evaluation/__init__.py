"""Evaluates recommendations offline, without leaking the future.

In: a history split by time, and rankers. Out: metrics with intervals, compared with tuned
baselines. Called by ``learning``, ``training`` and notebooks.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
