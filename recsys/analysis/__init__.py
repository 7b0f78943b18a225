"""What notebooks open: a workspace, a model, the ranker, the bundles.

In: a workspace's folder. Out: data frames and figures. Called by notebooks, and by nothing in the
library.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
