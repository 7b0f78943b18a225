"""Artefacts: the results of a training as arrays on disk, with a manifest of their checksums.

In: fitted models and tables. Out: a version, published through the gate, loaded without unpickling.
Called by ``training`` to write and by ``recommender`` to read.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
