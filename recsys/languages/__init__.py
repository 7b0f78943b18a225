"""The languages that people are spoken to in: which are offered, and every text in each of them.

In: a language tag (BCP 47) and an English text. Out: the text in that language, with its numbers
and names. The catalogues are gettext files in ``catalogues``, read as they are: nothing is built.
Called by ``config``, ``decisions``, ``recommender`` and the pages of ``serving``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
