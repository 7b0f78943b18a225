"""What single values of retail data mean: currencies, phone numbers, words, placeholders.

In: one text. Out: what it stands for, or that it stands for nothing. Called by ``ingest``,
``identity``, ``ranking`` and ``recommender``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
