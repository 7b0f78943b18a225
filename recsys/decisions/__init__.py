"""What must not be shown to a customer now, because of what any channel showed or heard before.

In: a customer's contact state, the caps, the channel and the time. Out: the products to leave out,
each with its reason, and the state after an answer. Called by ``ledger``, which stores the states,
and by the service.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
