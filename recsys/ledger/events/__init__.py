"""Reported events: checked, hashed, and written once.

In: events as channels send them. Out: rows of the ledger. Called by ``ledger.ledger`` and by the
service.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
