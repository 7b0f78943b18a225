from .contacts import Contacts
from .identity_lookup import session_own_id
from .showings import CapRules, KeptAnswer, Showing, Shown, StoredContact, slot_key

__all__ = [
    "CapRules",
    "Contacts",
    "KeptAnswer",
    "Showing",
    "Shown",
    "StoredContact",
    "session_own_id",
    "slot_key",
]
