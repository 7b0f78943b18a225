from .consents import MESSAGES, Consent, consents_to, refused_uses
from .contact_state import ContactState, Report, united
from .customer_words import Arm, Click, Refusal
from .decision import Decision, described, held_document
from .left_cart import CartChange, CartLine, left_of
from .messages import (
    HELD_TEXTS,
    Assignment,
    HeldCode,
    HeldMessage,
    Outgoing,
    Room,
    assign,
    quiet_ends,
    room_for,
)
from .past_showings import PastShowings
from .placement_effects import AppliedRule, DrawnItem, PlacementEffects, describe_rule
from .reservations import Reservation
from .rotation import Rotation, factors, shown_since, tiredness, visits
from .rotation_fit import FittedRotation, fit_rotation
from .showing_times import MAX_DAYS
from .suppression import (
    NOTHING,
    ChoicesOf,
    Suppression,
    Withheld,
    lifted,
    offers_over_cap,
    over_cap,
    suppress,
)

__all__ = [
    "HELD_TEXTS",
    "MAX_DAYS",
    "MESSAGES",
    "NOTHING",
    "AppliedRule",
    "Arm",
    "Assignment",
    "CartChange",
    "CartLine",
    "ChoicesOf",
    "Click",
    "Consent",
    "ContactState",
    "Decision",
    "DrawnItem",
    "FittedRotation",
    "HeldCode",
    "HeldMessage",
    "Outgoing",
    "PastShowings",
    "PlacementEffects",
    "Refusal",
    "Report",
    "Reservation",
    "Room",
    "Rotation",
    "Suppression",
    "Withheld",
    "assign",
    "consents_to",
    "describe_rule",
    "described",
    "factors",
    "fit_rotation",
    "held_document",
    "left_of",
    "lifted",
    "offers_over_cap",
    "over_cap",
    "quiet_ends",
    "refused_uses",
    "room_for",
    "shown_since",
    "suppress",
    "tiredness",
    "united",
    "visits",
]
