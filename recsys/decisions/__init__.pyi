from .consents import MESSAGES, Consent, consents_to
from .contact_state import MAX_DAYS, Click, ContactState, Refusal, united
from .decision import Decision, described
from .placement_effects import AppliedRule, DrawnItem, PlacementEffects, describe_rule
from .suppression import NOTHING, ChoicesOf, Suppression, Withheld, over_cap, suppress

__all__ = [
    "MAX_DAYS",
    "MESSAGES",
    "NOTHING",
    "AppliedRule",
    "ChoicesOf",
    "Click",
    "Consent",
    "ContactState",
    "Decision",
    "DrawnItem",
    "PlacementEffects",
    "Refusal",
    "Suppression",
    "Withheld",
    "consents_to",
    "describe_rule",
    "described",
    "over_cap",
    "suppress",
    "united",
]
