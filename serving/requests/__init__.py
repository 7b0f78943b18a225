"""A request becomes a question that the library understands.

In: bodies and queries. Out: checked structs, questions and warnings. Called by ``api``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
