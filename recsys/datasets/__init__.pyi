from .arrow import as_numpy, map_distinct, register_table, timestamp_of
from .baskets import Baskets, TrainingSet
from .batches import Batch, Context, Floats
from .buffers import zeroed
from .compilation import all_fixed, compiled, fixed, inlined, summing
from .customer_history import (
    EMPTY,
    NO_CHANNEL,
    CustomerHistory,
    Histories,
    add_events,
    add_lines,
    pack_history,
    unpack_history,
)
from .customer_order import shuffled_customers
from .encoded_history import EncodedHistory
from .history_rows import read_rows, rows_until
from .interactions import Structured, decay
from .item_index import IntArray, ItemIndex, IxArray, item_key, item_keys, location_key, order_key
from .purchase_times import NEVER, choices_bought
from .ragged import Lists, Ragged, pointers, positions_of, rows_contain, rows_of, without_items
from .return_netting import KeptPurchases
from .text_arrays import TextArray

__all__ = [
    "EMPTY",
    "NEVER",
    "NO_CHANNEL",
    "Baskets",
    "Batch",
    "Context",
    "CustomerHistory",
    "EncodedHistory",
    "Floats",
    "Histories",
    "IntArray",
    "ItemIndex",
    "IxArray",
    "KeptPurchases",
    "Lists",
    "Ragged",
    "Structured",
    "TextArray",
    "TrainingSet",
    "add_events",
    "add_lines",
    "all_fixed",
    "as_numpy",
    "choices_bought",
    "compiled",
    "decay",
    "fixed",
    "inlined",
    "item_key",
    "item_keys",
    "location_key",
    "map_distinct",
    "order_key",
    "pack_history",
    "pointers",
    "positions_of",
    "read_rows",
    "register_table",
    "rows_contain",
    "rows_of",
    "rows_until",
    "shuffled_customers",
    "summing",
    "timestamp_of",
    "unpack_history",
    "without_items",
    "zeroed",
]
