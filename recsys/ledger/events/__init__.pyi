from .event_types import (
    IN_STORE,
    OF_MESSAGES,
    Channel,
    Event,
    EventItem,
    Id,
    Identifier,
    Money,
    Wire,
    faults,
    order_ids,
    scope_of,
    seal,
    seal_identifier,
    seal_session,
)
from .limits import limit_faults
from .placeholders import item_fault, location_fault, number_fault
from .visit_state import SHARED_CHANNELS, SHARED_SECONDS

__all__ = [
    "IN_STORE",
    "OF_MESSAGES",
    "SHARED_CHANNELS",
    "SHARED_SECONDS",
    "Channel",
    "Event",
    "EventItem",
    "Id",
    "Identifier",
    "Money",
    "Wire",
    "faults",
    "item_fault",
    "limit_faults",
    "location_fault",
    "number_fault",
    "order_ids",
    "scope_of",
    "seal",
    "seal_identifier",
    "seal_session",
]
