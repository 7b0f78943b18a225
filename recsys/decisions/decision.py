"""What was decided for one answer: what was shown, what was not, and why; in words, too.

In: a suppression and the counts of an answer. Out: ``Decision``, which the ledger keeps with the
exposure, and sentences about it. Called by the service and by ``omnibasket why``.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from recsys.config import CapSettings
from recsys.decisions.messages import HELD_TEXTS, HeldMessage
from recsys.decisions.placement_effects import (
    NO_EFFECTS,
    AppliedRule,
    DrawnItem,
    PlacementEffects,
    describe_rule,
)
from recsys.decisions.suppression import Suppression, Withheld
from recsys.languages import ENGLISH, Language, deferred

#: Products that a decision names; of more, the number.
MAX_WITHHELD: Final = 100

_RULES: Final = {
    "inactive": deferred("Products that are not sold: %(n)s."),
    "excluded": deferred("Products that were excluded by the request, or being looked at: %(n)s."),
    "in_cart": deferred(
        "Products that were in the cart, or in the order that the list goes with: %(n)s."
    ),
    "age_restricted": deferred("Products that have a minimum age: %(n)s."),
    "filtered": deferred("Products that did not pass a filter: %(n)s."),
    "not_new": deferred("Products that had been bought before: %(n)s."),
    "just_bought": deferred("Products that had just been bought: %(n)s."),
    "recently_bought": deferred(
        "Products that had just been bought or returned: %(n)s."
    ),  # of older decisions
    "not_interested": deferred("Products that were not wanted: %(n)s."),
    "capped": deferred("Products that had been shown often enough: %(n)s."),
    "out_of_stock": deferred("Products that were not on hand at the location: %(n)s."),
    "scarce": deferred("Products that had too few pieces left: %(n)s."),
    "unknown_item": deferred("Products of the request that were not in the catalogue: %(n)s."),
}


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one answer showed and left out."""

    channel: str
    left_out: dict[str, int] = {}
    """Candidates that each rule kept out; rules without any are missing."""
    withheld: tuple[Withheld, ...] = ()
    """What the customer refused or was shown often enough, whether it fitted or not."""
    more_withheld: int = 0
    """How many such products are not named."""
    fallback: str | None = None
    held: HeldMessage | None = None
    """Of a message that did not go out: why not."""
    held_out: str | None = None
    """Of a page that showed nothing: the holdout."""
    slot: str = ""
    """The mailing and slot that it was decided for."""
    asked: dict[str, Any] = {}
    """What the request asked besides placement, customer and location."""
    rules: tuple[AppliedRule, ...] = ()
    """Rules of the placement that held."""
    random: tuple[DrawnItem, ...] = ()
    """What was drawn of what was shown."""
    reasons: tuple[str, ...] = ()
    """Why each item was shown, in the words of the answer."""

    @classmethod
    def of(
        cls,
        channel: str,
        suppression: Suppression,
        left_out: Mapping[str, int],
        fallback: str | None,
        gone: Sequence[str],
        effects: PlacementEffects = NO_EFFECTS,
        **more: Any,
    ) -> "Decision":
        """Make the decision of an answer.

        Parameters
        ----------
        channel : str
        suppression : Suppression
            What must not be shown.
        left_out : mapping of str to int
            As in the answer.
        fallback : str or None
            As in the answer.
        gone : sequence of str
            Products of which a cap was reached while the answer was made.
        effects : PlacementEffects
            What the placement's rules did; nothing by default.
        more
            ``held_out``, ``slot``, ``asked`` and ``reasons``.
        """
        reached = (Withheld(item_id, "capped") for item_id in gone)
        withheld = (*reached, *suppression.withheld)
        return cls(
            channel,
            {rule: n for rule, n in left_out.items() if n},
            withheld[:MAX_WITHHELD],
            max(0, len(withheld) - MAX_WITHHELD),
            fallback,
            rules=effects.rules,
            random=effects.random,
            **more,
        )


def described(
    decision: Decision | None,
    caps: Mapping[str, CapSettings],
    zone: str,
    language: Language = ENGLISH,
) -> dict[str, Any]:
    """Return a decision as plain values, with sentences.

    Parameters
    ----------
    decision : Decision or None
        None: of an older version, of which nothing was kept.
    caps : mapping of str to CapSettings
        Of the settings now.
    zone : str
        IANA time zone of the times that sentences name.
    language : Language
        Of the sentences.

    Returns
    -------
    dict
        ``fallback``, ``left_out``, ``withheld``, ``more_withheld``, ``held``, ``rules``,
        ``random``, ``reasons`` and ``text``.
    """
    decision = decision or Decision("")
    withheld = []
    for one in decision.withheld:
        entry: dict[str, Any] = {
            "item_id": one.item_id,
            "code": one.code,
            "text": why_withheld(one, caps, zone, language),
        }
        if one.refused_ts is not None:
            entry |= {"extent": one.extent, "refused_at": _utc(one.refused_ts)}
        else:
            shown = [{"channel": channel, "at": _utc(ts)} for channel, ts in one.shown]
            entry |= {"cap": one.cap, "shown": shown}
        withheld.append(entry)
    sentences = [why_left_out(rule, n, language) for rule, n in decision.left_out.items()]
    if decision.held is not None:
        sentences.insert(0, why_held(decision.held, caps, zone, language))
    if decision.held_out is not None:
        text = language.gettext("Nothing was shown: the holdout `%(holdout)s`.")
        sentences.insert(0, text % {"holdout": language.isolated(decision.held_out)})
    return {
        "fallback": decision.fallback,
        "held": None
        if decision.held is None
        else held_document(decision.held, caps, zone, language),
        "held_out": decision.held_out,
        "left_out": decision.left_out,
        "withheld": withheld,
        "more_withheld": decision.more_withheld,
        "rules": [describe_rule(rule, language) for rule in decision.rules],
        "random": msgspec.to_builtins(decision.random),
        "reasons": [*decision.reasons],
        "text": sentences,
    }


def held_document(
    held: HeldMessage, caps: Mapping[str, CapSettings], zone: str, language: Language = ENGLISH
) -> dict[str, str | None]:
    """Return why a message does not go out, as plain values.

    Parameters
    ----------
    held : HeldMessage
    caps : mapping of str to CapSettings
        Of the settings now.
    zone : str
        IANA time zone of the times that sentences name.
    language : Language
        Of ``text``.

    Returns
    -------
    dict
        ``code``, ``text`` and ``send_after``.
    """
    after_ts = held.send_after_ts
    return {
        "code": held.code,
        "text": why_held(held, caps, zone, language),
        "send_after": None if after_ts is None else _utc(after_ts),
    }


def why_held(
    held: HeldMessage, caps: Mapping[str, CapSettings], zone: str, language: Language = ENGLISH
) -> str:
    """Say in sentences why a message does not go out; parameters as of ``held_document``."""
    say = language.gettext
    if held.displaced:
        said = say("It gave way to a message of a higher priority before it was sent.")
    elif held.cap is not None:
        said = _with_limit(
            say("The customer gets as many messages as the cap `%(cap)s`."),
            say("The customer gets as many messages as the cap `%(cap)s`, which allows %(limit)s."),
            held.cap,
            caps,
            language,
        )
    elif held.holdout is not None:
        text = say("The customer is in the holdout `%(holdout)s`, which is shown nothing.")
        said = text % {"holdout": language.isolated(held.holdout)}
    elif held.code == "nothing_left" and held.send_after_ts is not None:
        said = say("The customer may still be using the cart.")
    else:
        said = say(HELD_TEXTS[held.code])
    if held.send_after_ts is None:
        return said
    after = say("It may go out after %(time)s.") % {"time": _at(held.send_after_ts, zone, language)}
    return f"{said} {after}"


def _utc(ts: int) -> str:
    return f"{datetime.fromtimestamp(ts, UTC):%Y-%m-%dT%H:%M:%SZ}"


def why_withheld(
    one: Withheld, caps: Mapping[str, CapSettings], zone: str, language: Language = ENGLISH
) -> str:
    """Say in a sentence why a product was not shown.

    Parameters
    ----------
    one : Withheld
    caps : mapping of str to CapSettings
        Of the settings now, for what the cap allows.
    zone : str
        IANA time zone of the times that are named.
    language : Language

    Returns
    -------
    str
    """
    say = language.gettext
    if one.refused_ts is not None:
        if one.extent == "category":
            text = say(
                "The customer did not want to see everything of its category: said on %(time)s."
            )
        else:
            text = say("The customer did not want to see it: said on %(time)s.")
        return text % {"time": _at(one.refused_ts, zone, language)}
    if one.cap is None:
        return say("A cap was reached while the answer was made.")
    shown = ", ".join(f"{channel} {_at(ts, zone, language)}" for channel, ts in one.shown)
    said = _with_limit(
        say("The cap `%(cap)s`: it was shown on %(shown)s."),
        say("The cap `%(cap)s`, which allows %(limit)s: it was shown on %(shown)s."),
        one.cap,
        caps,
        language,
        shown=shown,
    )
    if not one.came_back:
        return said
    return f"{said} {say('It may be shown nevertheless: nothing else was left.')}"


def why_left_out(rule: str, n: int, language: Language = ENGLISH) -> str:
    """Say in a sentence how many candidates a rule kept out.

    Parameters
    ----------
    rule : str
        A key of ``left_out``.
    n : int
        Its count.
    language : Language

    Returns
    -------
    str
    """
    text = _RULES.get(rule) or deferred("Products that the rule `%(rule)s` left out: %(n)s.")
    return language.gettext(text) % {"rule": rule, "n": language.number(n)}


def _with_limit(
    plain: str,
    limited: str,
    name: str,
    caps: Mapping[str, CapSettings],
    language: Language,
    **values: str,
) -> str:
    """Fill in a cap's name and, as far as the settings still have it, what it allows."""
    cap = caps.get(name)
    known = {"cap": language.isolated(name), **values}
    if cap is None:
        return plain % known
    return limited % {"limit": _allowed(cap, language), **known}


def _allowed(cap: CapSettings, language: Language) -> str:
    if cap.calendar:
        text = language.ngettext(
            "%(times)s in day of the calendar",
            "%(times)s in %(days)s days of the calendar",
            cap.days,
        )
    else:
        text = language.ngettext("%(times)s in day", "%(times)s in %(days)s days", cap.days)
    return text % {"times": language.number(cap.times), "days": language.number(cap.days)}


def _at(ts: int, zone: str, language: Language) -> str:
    return language.isolated(f"{datetime.fromtimestamp(ts, ZoneInfo(zone)):%Y-%m-%d %H:%M}")


def encode(decision: Decision) -> bytes:
    """Encode a decision for the ledger."""
    return msgspec.json.encode(decision)


_decoder = msgspec.json.Decoder(Decision)


def decode(body: bytes) -> Decision:
    """Decode a stored decision."""
    return _decoder.decode(body)
