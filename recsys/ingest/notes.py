"""Notes of the summary: what an ingest accepted although it may be wrong.

Every note has a line here and its meaning in docs/ingest.md; a test compares the two.
"""

from typing import Final

#: Note → what it counts.
NOTES: Final = {
    "address_not_http": "addresses of products",
    "amount_of_a_return_without_sign": "rows",
    "bad_coordinates": "locations",
    "bad_delivery_days": "products and locations",
    "bad_time_zone": "locations",
    "consents_not_read": "words",
    "consents_without_a_time": "words",
    "corrections_of_an_order": "lines",
    "event_price_not_read": "items of events",
    "local_hour_came_twice_taken_as_first": "lines",
    "no_line_end_at_end_of_file": "files",
    "order_discount_beyond_its_lines": "orders",
    "order_discounts_that_differ": "orders",
    "order_total_differs_from_its_lines": "orders",
    "orders_changed_in_a_file": "orders",
    "orders_of_an_older_export_read_later": "orders",
    "orders_over_several_days": "orders",
    "orders_replaced_without_a_common_item": "orders",
    "orders_sharing_a_number": "orders",
    "refund_beyond_its_line": "lines",
    "refund_not_matched_to_a_line": "orders",
    "refund_of_money_alone": "lines",
    "repeated_header": "rows that are the header again",
    "return_of_unknown_order": "return lines",
    "tickets_with_others_between": "orders",
    "void_without_a_line": "lines",
}
