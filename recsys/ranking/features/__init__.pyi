from .item_statistics import ItemStatistics

__all__ = [
    "ItemStatistics",
]
