from .contacts import CapRules, Contacts, KeptAnswer, Showing, Shown, slot_key
from .identity_lookup import session_own_id

__all__ = [
    "CapRules",
    "Contacts",
    "KeptAnswer",
    "Showing",
    "Shown",
    "session_own_id",
    "slot_key",
]
