"""Customers in the ledger: looked up by identifier, kept up to date, replaced by an ingest.

In: identifiers, events, rows of an ingest. Out: rows of customers. Called by ``ledger``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
