from .lookups import customers_of_order, has_link, links_of
from .versions import REJECTS, SUMMARY, History, current_version, publish_version

__all__ = [
    "REJECTS",
    "SUMMARY",
    "History",
    "current_version",
    "customers_of_order",
    "has_link",
    "links_of",
    "publish_version",
]
