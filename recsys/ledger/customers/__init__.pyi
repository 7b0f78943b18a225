from .consent_changes import ConsentChange
from .contacts import Contacts
from .identity_lookup import session_own_id
from .looks import Look, Looks
from .showings import CapRules, KeptAnswer, Showing, Shown, StoredContact, slot_key

__all__ = [
    "CapRules",
    "ConsentChange",
    "Contacts",
    "KeptAnswer",
    "Look",
    "Looks",
    "Showing",
    "Shown",
    "StoredContact",
    "session_own_id",
    "slot_key",
]
