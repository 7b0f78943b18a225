from .bundles import BundleStudy
from .model import FittedModel
from .ranker import RankerStudy
from .workspace import Workspace

__all__ = [
    "BundleStudy",
    "FittedModel",
    "RankerStudy",
    "Workspace",
]
