from .times import number_kind

__all__ = [
    "number_kind",
]
