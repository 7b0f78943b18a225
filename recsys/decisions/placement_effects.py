"""What the rules of a placement did to one answer, and which of its places were drawn.

In: an answer. Out: what its decision keeps of that, and sentences about it. Called by ``decision``
and by the service.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from recsys.config import Action
from recsys.languages import ENGLISH, Language, deferred

_DID: Final[dict[Action, str]] = {
    "pin": deferred("The rule `%(rule)s` pinned %(items)s."),
    "boost": deferred("The rule `%(rule)s` boosted %(items)s."),
    "bury": deferred("The rule `%(rule)s` buried %(items)s."),
}
_DID_NOTHING: Final[dict[Action, str]] = {
    "pin": deferred("The rule `%(rule)s` pinned nothing."),
    "boost": deferred("The rule `%(rule)s` boosted nothing that was shown."),
    "bury": deferred("The rule `%(rule)s` buried nothing that was shown."),
}


class AppliedRule(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rule of the placement that held for an answer."""

    name: str
    action: Literal["pin", "boost", "bury", "exclude"]
    item_ids: tuple[str, ...] = ()
    """What it pinned, boosted or buried of what was shown."""
    left_out: int = 0
    """How many candidates would have been shown but for an exclusion."""
    kept_out: str | None = None
    """Of a pin that nothing stood for: the hard rule that forbade it."""


class DrawnItem(msgspec.Struct, frozen=True):
    """A shown product whose place was drawn."""

    item_id: str
    propensity: float
    """Chance that this product came to this place."""


class PlacementEffects(msgspec.Struct, frozen=True):
    """What rules and random places did to one answer."""

    rules: tuple[AppliedRule, ...] = ()
    random: tuple[DrawnItem, ...] = ()

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> "PlacementEffects":
        """Take them from an answer.

        Parameters
        ----------
        answer : mapping
            As the engine writes it; what was taken out of it since was not shown.
        """
        if "rules" not in answer and "random" not in answer:
            return NO_EFFECTS
        shown = {item["item_id"] for item in answer["items"]}
        drawn = [one for one in answer.get("random", ()) if one["item_id"] in shown]
        return cls(
            msgspec.convert(answer.get("rules", ()), tuple[AppliedRule, ...]),
            msgspec.convert(drawn, tuple[DrawnItem, ...]),
        )


NO_EFFECTS = PlacementEffects()


def describe_rule(rule: AppliedRule, language: Language = ENGLISH) -> dict[str, Any]:
    """Return a rule as plain values, with a sentence.

    Parameters
    ----------
    rule : AppliedRule
    language : Language

    Returns
    -------
    dict
        Its fields that say something, and ``text``.
    """
    return {**msgspec.to_builtins(rule), "text": _sentence(rule, language)}


def _sentence(rule: AppliedRule, language: Language) -> str:
    say = language.gettext
    values = {
        "rule": language.isolated(rule.name),
        "n": language.number(rule.left_out),
        "items": ", ".join(map(language.isolated, rule.item_ids)),
        "code": rule.kept_out or "",
    }
    if rule.action == "exclude":
        text = say("The rule `%(rule)s` left out products that would have been shown: %(n)s.")
    elif rule.item_ids:
        text = say(_DID[rule.action])
    elif rule.action == "pin" and rule.kept_out:
        text = say("The rule `%(rule)s` pinned nothing: `%(code)s` forbade its product.")
    else:
        text = say(_DID_NOTHING[rule.action])
    return text % values
