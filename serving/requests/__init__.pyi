from .bundle_terms import decide_terms
from .context import Recipient
from .language import find_language
from .parsing import decode, read_body, read_filter, read_query
from .placeholder_ids import refuse_placeholder_ids

__all__ = [
    "Recipient",
    "decide_terms",
    "decode",
    "find_language",
    "read_body",
    "read_filter",
    "read_query",
    "refuse_placeholder_ids",
]
