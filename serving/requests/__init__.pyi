from .bundle_terms import decide_terms
from .context import Who
from .parsing import decode, read_body, read_filter, read_query
from .placeholder_ids import refuse_no_ids

__all__ = [
    "Who",
    "decide_terms",
    "decode",
    "read_body",
    "read_filter",
    "read_query",
    "refuse_no_ids",
]
