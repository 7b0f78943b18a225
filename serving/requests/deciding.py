"""Decides whether a request is answered, and what is written of its answer.

In: a request's recipient and how the answer reaches them. Out: a question, or a decision that
nothing goes out; later what is shown, for the ledger. Shared by the routes that answer for
customers, one at a time or many.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import orjson

from recsys.config import PlacementSettings
from recsys.decisions import Click, Decision, HeldMessage, PlacementEffects, held_document
from recsys.ledger import Exposure
from recsys.ledger.customers import KeptAnswer, Showing, slot_key
from recsys.recommender import (
    Engine,
    Question,
    cart_document,
    clicks_that_matter,
    forbidden_now,
    possible_zones,
)
from recsys.units import DAY, HOUR
from serving.access import admission
from serving.http import PROBLEM_KINDS, FieldError, Refusal
from serving.requests import context
from serving.requests.language import find_language
from serving.schemas import CartLine as RequestedLine
from serving.state import (
    NO_OBJECTION,
    ContactPolicy,
    Moment,
    State,
    Verdict,
    is_message,
    keep_only,
)

#: Messages are decided no longer ahead.
_MAX_AHEAD_DAYS: Final = 90


class Delivery(NamedTuple):
    """How an answer reaches the customer."""

    placement: str
    settings: PlacementSettings
    mailing_id: str | None = None
    slot: str | None = None
    send_at: datetime | None = None
    is_shown: bool = True
    """False: nothing is promised, and nothing counts."""
    is_replay: bool = False
    """Whether it is asked for a time in the past; then nothing counts, either."""


@dataclass(frozen=True)
class Asked:
    """A question that may be answered, and what is to be written of its answer."""

    question: Question
    recipient: context.Recipient
    moment: Moment
    verdict: Verdict = NO_OBJECTION
    slot: str = ""
    """As ``slot_key`` gives it; empty where the answer is not kept."""
    kept: KeptAnswer | None = None
    """The answer that was given in the slot before."""
    clicks: tuple[Click, ...] = ()
    """Clicks of the customer on other channels that matter here, latest first."""
    warnings: tuple[FieldError, ...] = ()
    """What is probably wrong with what was asked."""


def ask(
    state: State,
    engine: Engine,
    delivery: Delivery,
    recipient: context.Recipient,
    as_of_ts: int,
    *,
    lang: str | None = None,
    cart: Sequence[RequestedLine] | None,
    **given: Any,
) -> Asked:
    """Decide whether a request may be answered, and make its question.

    Parameters
    ----------
    state : State
    engine : Engine
    delivery : Delivery
    recipient : context.Recipient
    as_of_ts : int
        UTC epoch seconds.
    lang : str, optional
        Language tag, as the request has it.
    cart : sequence of RequestedLine or None
        As the request has it.
    given
        What the request asks besides, as ``to_question`` takes it.

    Raises
    ------
    Refusal
        When it is a message that must not go out now. That is a decision, too, and is written.
    LedgerError
        When the answer that was given in its slot cannot be read.
    """
    settings = delivery.settings
    _check_delivery(delivery, as_of_ts)
    slot, kept = "", None
    names = recipient.customer.customer_id or "", recipient.visit_id
    if delivery.is_shown and not delivery.is_replay and any(names) and not settings.service:
        slot = slot_key(delivery.mailing_id, delivery.placement, delivery.slot)
        if slot:
            with state.ledger.hurrying("kept answers"):
                kept = state.ledger.contacts.kept(slot, *names)
    moment = Moment(
        placement=delivery.placement,
        settings=settings,
        recommendation_id=secrets.token_hex(12) if kept is None else kept.recommendation_id,
        as_of_ts=as_of_ts,
        send_ts=as_of_ts if delivery.send_at is None else int(delivery.send_at.timestamp()),
        zones=_zones(state, engine, settings, recipient, given["location_id"]),
        cart=None if cart is None else tuple((line.item_id, line.quantity) for line in cart),
    )
    recipient, held = context.hold_to_consents(state, settings, recipient)
    verdict = NO_OBJECTION
    if held is None and not delivery.is_replay:
        verdict = state.contact_policy.judge(moment, recipient.customer, recipient.contact, engine)
        held = verdict.held
    if held is not None:
        raise hold_back(state, engine, delivery, recipient, as_of_ts, held)
    clicks = _clicks(state, engine, settings, recipient, as_of_ts)
    language = find_language(state, lang, settings)
    question = context.to_question(
        state,
        delivery.placement,
        settings,
        recipient,
        as_of_ts,
        lang=language.lang,
        cart=cart,
        left_cart=verdict.left_cart,
        recommendation_id=moment.recommendation_id,
        lead=tuple(click.item_id for click in clicks),
        **given,
    )
    return Asked(question, recipient, moment, verdict, slot, kept, clicks, language.warnings)


def _zones(
    state: State,
    engine: Engine,
    settings: PlacementSettings,
    recipient: context.Recipient,
    location_id: str | None,
) -> tuple[str, ...]:
    """Return where a customer of unknown time zone may be; none where nothing depends on it.

    Quiet hours protect everybody, whatever their history may otherwise be used for.
    """
    quiet = state.config.contact.quiet_from is not None and is_message(settings)
    if not quiet or recipient.contact.time_zone:
        return ()
    found = possible_zones(engine, recipient.customer.history, location_id)
    return found or (state.config.workspace.time_zone,)


def _check_delivery(delivery: Delivery, as_of_ts: int) -> None:
    """Refuse to keep answers for pages, and times to send that no mailing has."""
    admission.check_no_customer({"/mailing_id": delivery.mailing_id, "/slot": delivery.slot})
    if delivery.send_at is None:
        return
    ahead = delivery.send_at.timestamp() - as_of_ts
    if not -DAY <= ahead <= _MAX_AHEAD_DAYS * DAY:
        detail = f"is more than a day ago, or more than {_MAX_AHEAD_DAYS} days ahead."
        raise Refusal("invalid-request", "No such time.", [FieldError("/send_at", detail)])


def _clicks(
    state: State,
    engine: Engine,
    settings: PlacementSettings,
    recipient: context.Recipient,
    as_of_ts: int,
) -> tuple[Click, ...]:
    """Return clicks of the customer on other channels that matter on a page."""
    clicks, history = recipient.contact.clicks, recipient.customer.history
    if not clicks or not settings.personal or is_message(settings) or recipient.no_consent:
        return ()
    seconds, channel = state.config.contact.lead_hours * HOUR, settings.channel
    return clicks_that_matter(engine, clicks, history, channel, as_of_ts, seconds)


def hold_back(
    state: State,
    engine: Engine,
    delivery: Delivery,
    recipient: context.Recipient,
    as_of_ts: int,
    held: HeldMessage,
) -> Refusal:
    """Write down that a message does not go out, and return the problem that says so."""
    recommendation_id = secrets.token_hex(12)
    document = held_document(held, state.config.caps, state.config.workspace.time_zone)
    more: dict[str, str | None] = {"code": held.code, "send_after": document["send_after"]}
    if delivery.is_shown:
        more["recommendation_id"] = recommendation_id
        state.expose(
            Exposure(
                recommendation_id=recommendation_id,
                shown_ts=as_of_ts,
                placement=delivery.placement,
                model_version=engine.version,
                items=[],
                customer_id=recipient.customer.customer_id,
                session_id=recipient.session_id,
                decision=Decision(
                    delivery.settings.channel,
                    held=held,
                    slot=slot_key(delivery.mailing_id, delivery.placement, delivery.slot),
                ),
            )
        )
    if held.code == "no_consent":
        return Refusal("no-consent", PROBLEM_KINDS["no-consent"].advice, more=more)
    return Refusal("message-held", document["text"] or held.code, more=more)


def refuse_withdrawn(
    state: State, engine: Engine, delivery: Delivery, asked: Asked, answer: dict[str, Any]
) -> None:
    """Hold a message about a basket of which everything came back.

    Raises
    ------
    Refusal
        When it is one. That is a decision, too, and is written.
    """
    if "withdrawn" in answer and is_message(delivery.settings):
        held, as_of_ts = HeldMessage("returned"), asked.question.as_of_ts
        raise hold_back(state, engine, delivery, asked.recipient, as_of_ts, held)


def answer_again(state: State, engine: Engine, asked: Asked, kept: KeptAnswer) -> dict[str, Any]:
    """Return the answer that was given in a slot, without what may not be shown any more.

    Raises
    ------
    Refusal
        When it is a message of which nothing is left.
    """
    answer: dict[str, Any] = orjson.loads(kept.answer)
    answer.setdefault("lang", "en")  # kept before there were others
    item_ids = [item["item_id"] for item in answer["items"]]
    history = asked.recipient.customer.history
    gone = forbidden_now(engine, asked.question, history, item_ids, kept.decided_ts)
    left = [item_id for item_id in item_ids if item_id not in gone]
    if gone and not left and is_message(asked.question.settings):
        bought = "just_bought" in gone.values()
        held = HeldMessage("just_bought" if bought else "nothing_left")
        delivery = Delivery(asked.question.placement, asked.question.settings)
        raise hold_back(state, engine, delivery, asked.recipient, asked.question.as_of_ts, held)
    keep_only(answer, left, [offer["bundle_id"] for offer in answer["offers"]])
    answer["rechecked"] = {
        "decided_at": _utc(kept.decided_ts),
        "removed": [{"item_id": item_id, "code": code} for item_id, code in gone.items()],
    }
    return answer


def complete(engine: Engine, asked: Asked, answer: dict[str, Any]) -> None:
    """Add to an answer what is known of the customer's cart, clicks, consents and holdout."""
    recipient, verdict = asked.recipient, asked.verdict
    if recipient.no_consent:
        answer["no_consent"] = recipient.no_consent
    if verdict.left_cart:
        answer["left_cart"] = cart_document(engine, verdict.left_cart)
    if not asked.clicks:
        return
    by_item = {click.item_id: click for click in asked.clicks}
    for item in answer["items"]:
        click = by_item.get(item["item_id"])
        if click is not None:
            item["clicked"] = {"channel": click.channel, "at": _utc(click.at_ts)}


def show_nothing(answer: dict[str, Any], holdout: str) -> None:
    """Empty the answer for a customer who is held out."""
    answer.update(items=[], offers=[], heading=None, held_out=holdout)


def _utc(ts: int) -> str:
    return f"{datetime.fromtimestamp(ts, UTC):%Y-%m-%dT%H:%M:%SZ}"


def to_showing(asked: Asked, answer: dict[str, Any], policy: ContactPolicy) -> Showing | None:
    """Return what an answer shows to whom; None where nobody is known, or nothing counts."""
    question, recipient = asked.question, asked.recipient
    if question.settings.service or not question.settings.personal:
        return None
    showing = Showing(
        customer_id=recipient.customer.customer_id or "",
        session_id=recipient.session_id,
        recommendation_id=question.recommendation_id,
        channel=question.settings.channel,
        at_ts=question.as_of_ts,
        item_ids=tuple(item["item_id"] for item in answer["items"]),
        offer_ids=tuple(offer["bundle_id"] for offer in answer["offers"]),
        arms=asked.verdict.arms,
        reservation=policy.reservation(asked.moment) if answer["items"] else None,
        slot=asked.slot,
        seen=recipient.stored,
        within_caps=True,
        uncapped=tuple(question.suppression.came_back),
    )
    named = showing.customer_id or showing.session_id
    return showing if named and (showing.item_ids or showing.arms or showing.slot) else None


def to_exposure(asked: Asked, answer: dict[str, Any], taken_out: Sequence[str]) -> Exposure:
    """Return what an answer showed to whom and what it left out, for the ledger."""
    question, recipient = asked.question, asked.recipient
    decision = Decision.of(
        question.settings.channel,
        question.suppression,
        answer["left_out"],
        answer["fallback"],
        taken_out,
        PlacementEffects.of(answer),
        held_out=asked.verdict.held_out,
        slot=asked.slot,
        asked=_asked_for(question),
        reasons=tuple(item["reason"]["text"] for item in answer["items"]),
    )
    return Exposure(
        recommendation_id=question.recommendation_id,
        shown_ts=question.as_of_ts,
        placement=question.placement,
        model_version=answer["model_version"],
        items=[item["item_id"] for item in answer["items"]],
        customer_id=recipient.customer.customer_id,
        session_id=recipient.session_id,
        location_id=question.location_id,
        decision=decision,
    )


def _asked_for(question: Question) -> dict[str, Any]:
    """Return what a question asks besides placement, customer and location, for a replay."""
    asked = {
        "count": question.count,
        "item_ids": question.item_ids,
        "cart": question.cart,
        "exclude": question.exclude,
    }
    return {name: value for name, value in asked.items() if value}
