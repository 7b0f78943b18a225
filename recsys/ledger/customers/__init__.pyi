from .identity_lookup import session_own_id

__all__ = [
    "session_own_id",
]
