"""Which approved bundle to offer to whom, and offers as channels get them.

In: questions and approved bundles. Out: proposals, and documents of offers. Called by
``recommender.engine`` and by the service.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
