from .contact_state import ContactState, Refusal, united
from .suppression import NOTHING, ChoicesOf, Suppression, over_cap, suppress

__all__ = [
    "NOTHING",
    "ChoicesOf",
    "ContactState",
    "Refusal",
    "Suppression",
    "over_cap",
    "suppress",
    "united",
]
