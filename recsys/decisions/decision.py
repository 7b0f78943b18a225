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

#: Products that a decision names; of more, the number.
MAX_WITHHELD: Final = 100

_RULES: Final = {
    "inactive": "are not sold",
    "excluded": "were excluded by the request, or being looked at",
    "in_cart": "were in the cart, or in the order that the list goes with",
    "age_restricted": "have a minimum age",
    "filtered": "did not pass a filter",
    "not_new": "had been bought before",
    "just_bought": "had just been bought",
    "recently_bought": "had just been bought or returned",  # of older decisions
    "not_interested": "were not wanted",
    "capped": "had been shown often enough",
    "out_of_stock": "were not on hand at the location",
    "scarce": "had too few pieces left",
    "unknown_item": "of the request were not in the catalogue",
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
            ``held_out``, ``slot`` and ``asked``.
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
    decision: Decision | None, caps: Mapping[str, CapSettings], zone: str
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

    Returns
    -------
    dict
        ``fallback``, ``left_out``, ``withheld``, ``more_withheld``, ``held``, ``rules``,
        ``random`` and ``text``.
    """
    decision = decision or Decision("")
    withheld = []
    for one in decision.withheld:
        entry: dict[str, Any] = {
            "item_id": one.item_id,
            "code": one.code,
            "text": why_withheld(one, caps, zone),
        }
        if one.refused_ts is not None:
            entry |= {"extent": one.extent, "refused_at": _utc(one.refused_ts)}
        else:
            shown = [{"channel": channel, "at": _utc(ts)} for channel, ts in one.shown]
            entry |= {"cap": one.cap, "shown": shown}
        withheld.append(entry)
    sentences = [why_left_out(rule, n) for rule, n in decision.left_out.items()]
    if decision.held is not None:
        sentences.insert(0, why_held(decision.held, caps, zone))
    if decision.held_out is not None:
        sentences.insert(0, f"Nothing was shown: the holdout `{decision.held_out}`.")
    return {
        "fallback": decision.fallback,
        "held": None if decision.held is None else held_document(decision.held, caps, zone),
        "held_out": decision.held_out,
        "left_out": decision.left_out,
        "withheld": withheld,
        "more_withheld": decision.more_withheld,
        "rules": [describe_rule(rule) for rule in decision.rules],
        "random": msgspec.to_builtins(decision.random),
        "text": sentences,
    }


def held_document(
    held: HeldMessage, caps: Mapping[str, CapSettings], zone: str
) -> dict[str, str | None]:
    """Return why a message does not go out, as plain values.

    Parameters
    ----------
    held : HeldMessage
    caps : mapping of str to CapSettings
        Of the settings now.
    zone : str
        IANA time zone of the times that sentences name.

    Returns
    -------
    dict
        ``code``, ``text`` and ``send_after``.
    """
    after_ts = held.send_after_ts
    return {
        "code": held.code,
        "text": why_held(held, caps, zone),
        "send_after": None if after_ts is None else _utc(after_ts),
    }


def why_held(held: HeldMessage, caps: Mapping[str, CapSettings], zone: str) -> str:
    """Say in sentences why a message does not go out; parameters as of ``held_document``."""
    if held.displaced:
        said = "It gave way to a message of a higher priority before it was sent."
    elif held.cap is not None:
        cap = caps.get(held.cap)
        allowed = "" if cap is None else f", which allows {_allowed(cap)}"
        said = f"The customer gets as many messages as the cap `{held.cap}`{allowed}."
    elif held.holdout is not None:
        said = f"The customer is in the holdout `{held.holdout}`, which is shown nothing."
    elif held.code == "nothing_left" and held.send_after_ts is not None:
        said = "The customer may still be using the cart."
    else:
        said = HELD_TEXTS[held.code]
    if held.send_after_ts is None:
        return said
    return f"{said} It may go out after {_at(held.send_after_ts, zone)}."


def _utc(ts: int) -> str:
    return f"{datetime.fromtimestamp(ts, UTC):%Y-%m-%dT%H:%M:%SZ}"


def why_withheld(one: Withheld, caps: Mapping[str, CapSettings], zone: str) -> str:
    """Say in a sentence why a product was not shown.

    Parameters
    ----------
    one : Withheld
    caps : mapping of str to CapSettings
        Of the settings now, for what the cap allows.
    zone : str
        IANA time zone of the times that are named.

    Returns
    -------
    str
    """
    if one.refused_ts is not None:
        what = "everything of its category" if one.extent == "category" else "it"
        return f"The customer did not want to see {what}: said on {_at(one.refused_ts, zone)}."
    if one.cap is None:
        return "A cap was reached while the answer was made."
    shown = ", ".join(f"{channel} {_at(ts, zone)}" for channel, ts in one.shown)
    cap = caps.get(one.cap)
    allowed = "" if cap is None else f", which allows {_allowed(cap)}"
    back = " It may be shown nevertheless: nothing else was left." if one.came_back else ""
    return f"The cap `{one.cap}`{allowed}: it was shown on {shown}.{back}"


def why_left_out(rule: str, n: int) -> str:
    """Say in a sentence how many candidates a rule kept out.

    Parameters
    ----------
    rule : str
        A key of ``left_out``.
    n : int
        Its count.

    Returns
    -------
    str
    """
    return f"Products that {_RULES.get(rule, f'the rule `{rule}` left out')}: {n:,}."


def _allowed(cap: CapSettings) -> str:
    days = "day" if cap.days == 1 else f"{cap.days} days"
    return f"{cap.times} in {days}" + (" of the calendar" if cap.calendar else "")


def _at(ts: int, zone: str) -> str:
    return f"{datetime.fromtimestamp(ts, ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def encode(decision: Decision) -> bytes:
    """Encode a decision for the ledger."""
    return msgspec.json.encode(decision)


_decoder = msgspec.json.Decoder(Decision)


def decode(body: bytes) -> Decision:
    """Decode a stored decision."""
    return _decoder.decode(body)
