"""The history: one folder of Parquet tables a version, and a pointer to the current one.

In: tables that ``ingest`` has written. Out: ``History``, opened and held while it is read. Called
by everything that reads orders, events or products.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
