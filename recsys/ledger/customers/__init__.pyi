from .contacts import Contacts, Showing
from .identity_lookup import session_own_id

__all__ = [
    "Contacts",
    "Showing",
    "session_own_id",
]
