"""Bundles as marketers see them: suggested, listed, explained, checked before approval.

In: bundles of an artefact and what was decided about them. Out: documents, lists and spreadsheets.
Called by the service and ``omnibasket bundles``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
