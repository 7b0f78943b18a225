"""Exchanges data between the ledger and the history at an ingest.

In: a ledger and a history. Out: live orders as a source of the ingest, and customers' rows for the
ledger. Called by ``omnibasket ingest``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
