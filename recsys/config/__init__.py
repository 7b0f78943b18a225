"""Settings: one TOML file in, frozen and typed settings out.

In: ``omnibasket.toml`` and the environment. Out: ``Config``. Every other room reads it; nothing
else in the library reads settings.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
