from .listing import ListRequest, Show, Sort, matching_bundles
from .suggestions import KnownBundle, Suggestions
from .terms_check import offering_channels

__all__ = [
    "KnownBundle",
    "ListRequest",
    "Show",
    "Sort",
    "Suggestions",
    "matching_bundles",
    "offering_channels",
]
