"""Baselines: common alternative recommenders, with the same tuning budget each.

In: a training set, and an evaluation set to tune on. Out: lists of products for customers. Called
by ``evaluation``, ``training`` and the benchmarks.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
