"""What is known of a candidate and its customer, as named columns of numbers.

In: candidates and histories. Out: one row of features a candidate. Called by ``ranking`` to answer
and by ``learning`` to learn, so both see the same numbers.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
