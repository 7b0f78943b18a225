"""Models: purchases in, item-side arrays out, and from these scored products for customers.

In: ``TrainingSet`` to fit, a batch of histories to score. Out: candidates and scores. Called by
``ranking``, ``learning`` and ``artefacts``. One model a file; see ``base.Model`` for the contract.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
