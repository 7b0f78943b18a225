from .contact_state import ContactState, Refusal, united
from .decision import Decision, described
from .suppression import NOTHING, ChoicesOf, Suppression, Withheld, over_cap, suppress

__all__ = [
    "NOTHING",
    "ChoicesOf",
    "ContactState",
    "Decision",
    "Refusal",
    "Suppression",
    "Withheld",
    "described",
    "over_cap",
    "suppress",
    "united",
]
