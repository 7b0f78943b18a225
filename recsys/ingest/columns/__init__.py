"""Columns of text become typed columns, and rows that do not fit get a reason.

In: columns of a ``RawTable``. Out: numbers, times and ids, each in the format that its own values
show. Called by ``ingest.sources`` and by ``omnibasket init``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
