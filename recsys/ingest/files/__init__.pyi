from .cleaning import clean
from .encodings import detected_encoding
from .product_feeds import feed_records
from .records import flat_record, json_records
from .survey import open_bytes

__all__ = [
    "clean",
    "detected_encoding",
    "feed_records",
    "flat_record",
    "json_records",
    "open_bytes",
]
