"""The history as arrays: item index, baskets, customers' histories, batches.

In: a version of the history, or stored rows of customers. Out: arrays that models fit on and score
with. Called by ``models`` and everything after them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
