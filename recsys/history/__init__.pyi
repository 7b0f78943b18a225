from .versions import REJECTS, History, current_version, publish_version

__all__ = [
    "REJECTS",
    "History",
    "current_version",
    "publish_version",
]
