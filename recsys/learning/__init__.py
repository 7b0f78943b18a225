"""Learns how to rank: training examples, weights of the blend, boosted trees.

In: a history and its windows. Out: fitted models and a fitted ranker. Called by ``training`` and
notebooks.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
