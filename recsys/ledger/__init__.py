"""The ledger: state that persists between requests and between ingests.

In: events, decisions, offers and updates from channels. Out: customers' rows, valid offers, and a
source for the next ingest. Called by the service and the command line.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
