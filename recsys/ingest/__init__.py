"""Exports and reported events become one history.

In: a workspace's exports and the live events of its ledger. Out: a new version of the history, with
rejects and a summary. Called by ``omnibasket ingest``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
