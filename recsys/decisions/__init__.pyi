from .consents import MESSAGES, Consent, consents_to
from .contact_state import MAX_DAYS, Click, ContactState, Refusal, united
from .decision import Decision, described
from .rotation import Rotation, factors, tiredness, visits
from .rotation_fit import FittedRotation, Showings, fit_rotation
from .suppression import NOTHING, ChoicesOf, Suppression, Withheld, lifted, over_cap, suppress

__all__ = [
    "MAX_DAYS",
    "MESSAGES",
    "NOTHING",
    "ChoicesOf",
    "Click",
    "Consent",
    "ContactState",
    "Decision",
    "FittedRotation",
    "Refusal",
    "Rotation",
    "Showings",
    "Suppression",
    "Withheld",
    "consents_to",
    "described",
    "factors",
    "fit_rotation",
    "lifted",
    "over_cap",
    "suppress",
    "tiredness",
    "united",
    "visits",
]
