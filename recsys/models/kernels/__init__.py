"""Compiled loops that several models share: top-k, pair counts, nearest items, vectors.

In: flat arrays of a whole batch. Out: flat arrays. Called by ``models`` alone, apart from types.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
