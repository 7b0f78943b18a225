"""Types the text columns of an export, and gives rows that do not fit a reason.

In: columns of a ``RawTable``. Out: numbers, times and ids, each read in the format detected from
its column's values. Called by ``ingest.sources`` and by ``omnibasket init``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
