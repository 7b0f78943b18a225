"""What a worker holds between requests: the model, the ledger, keys, decisions, exposures.

In: a workspace. Out: ``State``, renewed in the background. Called by every route.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
