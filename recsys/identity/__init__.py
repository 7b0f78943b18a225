"""Identifiers that were seen together become the customer behind them.

In: hashed identifiers and how often they met. Out: a customer for each, the links that made it,
and what was refused. Called by ``ingest``, by ``ledger`` for hashing, and by the command line.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
