from .versions import REJECTS, SUMMARY, History, current_version, publish_version

__all__ = [
    "REJECTS",
    "SUMMARY",
    "History",
    "current_version",
    "publish_version",
]
