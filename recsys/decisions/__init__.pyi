from .consents import MESSAGES, Consent, consents_to
from .contact_state import MAX_DAYS, Click, ContactState, Refusal, united
from .decision import Decision, described
from .suppression import NOTHING, ChoicesOf, Suppression, Withheld, over_cap, suppress

__all__ = [
    "MAX_DAYS",
    "MESSAGES",
    "NOTHING",
    "ChoicesOf",
    "Click",
    "Consent",
    "ContactState",
    "Decision",
    "Refusal",
    "Suppression",
    "Withheld",
    "consents_to",
    "described",
    "over_cap",
    "suppress",
    "united",
]
