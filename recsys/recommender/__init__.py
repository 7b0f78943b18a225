"""Questions become answers: ordered items with reasons, from one artefact.

In: ``Question`` and a customer's history. Out: an answer as ``/v1/recommendations`` gives it.
Called by the service, the command line and notebooks.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
