from .consents import MESSAGES, Consent, consents_to
from .contact_state import MAX_DAYS, Arm, Click, ContactState, Refusal, Report, united
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
from .placement_effects import AppliedRule, DrawnItem, PlacementEffects, describe_rule
from .reservations import Reservation
from .suppression import (
    NOTHING,
    ChoicesOf,
    Suppression,
    Withheld,
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
    "HeldCode",
    "HeldMessage",
    "Outgoing",
    "PlacementEffects",
    "Refusal",
    "Report",
    "Reservation",
    "Room",
    "Suppression",
    "Withheld",
    "assign",
    "consents_to",
    "describe_rule",
    "described",
    "held_document",
    "left_of",
    "offers_over_cap",
    "over_cap",
    "quiet_ends",
    "room_for",
    "suppress",
    "united",
]
