from .aisle_addresses import aisle_path, is_base_url
from .currencies import (
    currencies_of_sign,
    currency_codes,
    currency_digits,
    unusual_units,
    write_amount,
)
from .delivery_days import DAYS_PATTERN, DELIVERY_DAYS, MOST_DAYS, read_days
from .minimum_ages import AGE_ATTRIBUTES, is_restricted
from .phone_numbers import COUNTER_DIGITS, country_of, normalise_phone, with_code
from .placeholders import (
    IdKind,
    is_no_id,
    no_id_expression,
    part_is_no_id_expression,
    placeholder_pattern,
)
from .product_statuses import read_statuses
from .search_words import query_words, text_words
from .time_zones import is_time_zone, time_zones
from .vocabulary import WordMeaning, meaning_of_word, words_by_meaning
from .web_addresses import ADDRESSES, address_expression, is_address

__all__ = [
    "ADDRESSES",
    "AGE_ATTRIBUTES",
    "COUNTER_DIGITS",
    "DAYS_PATTERN",
    "DELIVERY_DAYS",
    "MOST_DAYS",
    "IdKind",
    "WordMeaning",
    "address_expression",
    "aisle_path",
    "country_of",
    "currencies_of_sign",
    "currency_codes",
    "currency_digits",
    "is_address",
    "is_base_url",
    "is_no_id",
    "is_restricted",
    "is_time_zone",
    "meaning_of_word",
    "no_id_expression",
    "normalise_phone",
    "part_is_no_id_expression",
    "placeholder_pattern",
    "query_words",
    "read_days",
    "read_statuses",
    "text_words",
    "time_zones",
    "unusual_units",
    "with_code",
    "words_by_meaning",
    "write_amount",
]
