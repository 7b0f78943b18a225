"""What may reach a customer now, and the note of what does: the rules of contact, on all channels.

Contact states and answers come in; suppressions of questions, verdicts on messages, and answers
that hold to every cap at this moment come out. Used by the routes that answer for customers.
"""

import logging
import math
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np

from recsys.config import Config, PlacementSettings
from recsys.datasets import CustomerHistory, IntArray, choices_bought
from recsys.decisions import (
    MESSAGES,
    NOTHING,
    CartLine,
    ContactState,
    HeldMessage,
    Outgoing,
    Reservation,
    Rotation,
    Suppression,
    assign,
    factors,
    lifted,
    quiet_ends,
    room_for,
    suppress,
)
from recsys.errors import LedgerError
from recsys.ledger import Customer, Ledger
from recsys.ledger.customers import CapRules, Showing
from recsys.recommender import Engine, Question, left_in_cart
from recsys.recommender.offers import OfferableBundles
from recsys.units import DAY, HOUR
from serving.state.choice_names import ChoiceNames
from serving.state.contact_verdicts import Moment, Noted, Verdict, is_message
from serving.state.dynamic_batching import DynamicBatcher
from serving.state.kept_answers import keep_only, with_answer

_log = logging.getLogger("omnibasket.service")

#: Key of ``left_out`` for products of which a cap was reached meanwhile.
CAPPED: Final = "capped"
#: Showings that are written at once, and that wait at most; beyond, the oldest are forgotten.
_BATCH, _MAX_WAITING = 200, 20_000


_AS_IS: Final = Noted()


class ContactPolicy:
    """The rules of contact of a workspace.

    Parameters
    ----------
    ledger : Ledger
    config : Config
    """

    def __init__(self, ledger: Ledger, config: Config) -> None:
        self._ledger = ledger
        self._caps = config.caps
        self._holdouts = config.holdouts
        self._settings = config.contact
        self._zone = config.workspace.time_zone
        self._rotation = config.rotation
        self._batcher = DynamicBatcher()
        # Rotation looks further back than most caps.
        reach_days = Rotation(1.0, config.rotation.half_life_days).reach_days
        self._keep_days = math.ceil(reach_days) if config.rotation.enabled else 0
        # Nothing depends on the very last showings, so no answer waits for them.
        self._waiting: deque[Showing] = deque(maxlen=_MAX_WAITING)
        self._known: ChoiceNames | None = None
        self.engine: Engine | None = None  # set by the worker

    def _choices_of(self, item_ids: Sequence[str]) -> Sequence[str]:
        return item_ids if self.engine is None else self._names(self.engine).of(item_ids)

    def _names(self, engine: Engine) -> ChoiceNames:
        known = self._known
        if known is None or known.engine is not engine:
            known = self._known = ChoiceNames(engine)
        return known

    def suppression(
        self, contact: ContactState, settings: PlacementSettings, as_of_ts: int
    ) -> Suppression:
        """Return what a placement must not show to a customer at a time."""
        if contact.is_empty or not settings.personal:
            return NOTHING
        caps = {} if settings.service else self._caps
        return suppress(contact, caps, settings.channel, as_of_ts, self._zone, self._choices_of)

    def judge(
        self, moment: Moment, customer: Customer, contact: ContactState, engine: Engine
    ) -> Verdict:
        """Decide whether something may be shown to a customer at all.

        Parameters
        ----------
        moment : Moment
        customer : Customer
        contact : ContactState
            Of the customer, over all identifiers.
        engine : Engine

        Returns
        -------
        Verdict
            Where several reasons hold a message back, the first of ``HeldCode``.
        """
        settings = moment.settings
        left = self._left_cart(moment, customer, contact, engine)
        if settings.service or customer.customer_id is None:
            held = self._about(moment, contact, left) if is_message(settings) else None
            return Verdict(held, left_cart=left)
        assigned = assign(
            contact,
            self._holdouts,
            moment.placement,
            settings.channel,
            customer.customer_id,
            moment.as_of_ts,
        )
        if not is_message(settings):
            return Verdict(None, assigned.held_out, assigned.new, left)
        held = None
        if assigned.held_out is not None:
            held = HeldMessage("holdout", holdout=assigned.held_out)
        held = held or self._about(moment, contact, left)
        held = held or self._quiet(moment, contact) or self._full(moment, contact)
        return Verdict(held, arms=assigned.new, left_cart=left)

    def _left_cart(
        self, moment: Moment, customer: Customer, contact: ContactState, engine: Engine
    ) -> tuple[CartLine, ...]:
        settings = moment.settings
        if not settings.left_cart or not settings.personal:
            return ()
        seconds = int(self._settings.cart_days * DAY)
        cart = contact.cart
        if moment.cart is not None:  # nobody says when it was left
            left_ts = moment.as_of_ts - seconds
            cart = tuple(CartLine(item_id, pieces, left_ts) for item_id, pieces in moment.cart)
        return left_in_cart(engine, cart, customer.history, moment.as_of_ts, seconds)

    def _about(
        self, moment: Moment, contact: ContactState, left: tuple[CartLine, ...]
    ) -> HeldMessage | None:
        """Hold a message about a cart of which nothing is left, or which may be in use."""
        if not moment.settings.left_cart:
            return None
        if not left:
            recent = moment.as_of_ts - self._settings.cart_days * DAY
            lines = contact.cart if moment.cart is None else ()
            had = any(line.quantity and line.at_ts >= recent for line in lines) or moment.cart
            return HeldMessage("just_bought" if had else "nothing_left")
        calm_ts = int(max(line.at_ts for line in left) + self._settings.cart_hours * HOUR)
        if moment.send_ts >= calm_ts:
            return None
        return HeldMessage("nothing_left", send_after_ts=self._later(moment, calm_ts))

    def _quiet(self, moment: Moment, contact: ContactState) -> HeldMessage | None:
        zones = (contact.time_zone,) if contact.time_zone else moment.zones
        ends_ts = quiet_ends(moment.send_ts, zones, self._settings)
        if ends_ts is None:
            return None
        return HeldMessage("quiet_hours", send_after_ts=self._later(moment, ends_ts))

    def _full(self, moment: Moment, contact: ContactState) -> HeldMessage | None:
        own = (
            one
            for one in contact.reservations
            if one.recommendation_id == moment.recommendation_id and one.state == "displaced"
        )
        if next(own, None) is not None:
            return HeldMessage("capped", displaced=True)
        room = room_for(contact, self._outgoing(moment), self._caps, self._zone)
        return None if room.cap is None else HeldMessage("capped", cap=room.cap)

    def _outgoing(self, moment: Moment) -> Outgoing:
        return Outgoing(
            moment.recommendation_id,
            moment.placement,
            moment.settings.channel,
            moment.settings.priority,
            moment.send_ts,
            moment.as_of_ts,
        )

    @staticmethod
    def _later(moment: Moment, ts: int) -> int | None:
        return ts if moment.settings.when_held == "wait" else None

    def reservation(self, moment: Moment) -> Reservation | None:
        """Return what an answer reserves, without its products; None where all counts at once."""
        settings = moment.settings
        message = is_message(settings)
        if not message and settings.counts == "decided":
            return None
        return Reservation(
            moment.recommendation_id,
            moment.placement,
            settings.channel,
            moment.as_of_ts,
            moment.send_ts,
            max(moment.as_of_ts, moment.send_ts) + int(settings.reserve_hours * HOUR),
            message=message,
            counts=settings.counts,
            priority=settings.priority,
        )

    def factors(
        self,
        contact: ContactState,
        history: CustomerHistory,
        settings: PlacementSettings,
        as_of_ts: int,
    ) -> dict[str, float]:
        """Return the factors on the odds of what a customer was shown and ignored."""
        rotates = self._rotation.enabled and settings.personal and not settings.service
        if not (rotates and contact.shown) or self.engine is None:
            return {}
        details = self.engine.manifest.details if self._rotation.learn else {}
        decay = details.get("rotation", {}).get("decay") or self._rotation.decay
        rotation = Rotation(decay, self._rotation.half_life_days)
        since_ts = as_of_ts - rotation.reach_days * DAY
        engine, known = self.engine, self._names(self.engine)

        def bought_ts(names: Sequence[str]) -> IntArray:
            choices = np.array(known.positions(names), np.int64)
            choice_of = engine.ranker.all_choices.of
            return choices_bought(engine.index, choice_of, history, choices, as_of_ts, since_ts)

        return factors(contact, rotation, as_of_ts, known.of, bought_ts)

    def recommend(
        self,
        engine: Engine,
        questions: Sequence[Question],
        rows: Sequence[CustomerHistory],
        offering: OfferableBundles | None = None,
    ) -> list[tuple[Question, dict[str, Any]]]:
        """Answer questions as ``Engine.recommend``, and leave no page empty because of caps.

        Where a page would be empty, as many capped products as it has places come back, those
        shown longest ago; if none of them may be shown, all. A message may stay empty.

        Returns
        -------
        list of (Question, dict)
            Each answer with the question that it answers, whose suppression says what came back.
        """
        answers = self._batcher.recommend(engine, questions, rows, offering)
        found = list(zip(questions, answers, strict=True))
        for at, (question, answer) in enumerate(found):
            if answer["items"] or question.settings.channel in MESSAGES:
                continue
            places = question.count or question.settings.count
            for count in (places, len(question.suppression.withheld)):
                if (left := lifted(question.suppression, count)) is question.suppression:
                    break
                again = msgspec.structs.replace(question, suppression=left)
                (filled,) = engine.recommend([again], rows[at : at + 1], offering)
                if filled["items"]:
                    found[at] = again, filled
                    break
        return found

    def note(self, answers: Sequence[tuple[dict[str, Any], Showing | None]]) -> list[Noted]:
        """Write down what answers show, and take out what reached a cap since they were asked.

        Parameters
        ----------
        answers : sequence of (dict, Showing or None)
            Answers as of ``Engine.recommend``, which change, and what they show to whom; None where
            nothing counts.

        Returns
        -------
        list of Noted

        Raises
        ------
        LedgerError
            When it cannot be written.
        """
        noted, counted = [_AS_IS for _ in answers], []
        for at, (answer, each) in enumerate(answers):
            if each and self._counts(each):
                counted.append((at, answer, each))
            elif each and self._rotation.enabled:
                self._waiting.append(each)
        if not counted:
            return noted
        rules = CapRules(self._caps, self._zone, self._choices_of, self._keep_days)
        showings = [with_answer(showing, answer) for _, answer, showing in counted]
        shown = self._ledger.contacts.show(showings, rules)
        for (at, answer, showing), found in zip(counted, shown, strict=True):
            if found.kept is not None or found.cap is not None:
                noted[at] = Noted((), found.cap, found.kept)
                continue
            kept = set(found.item_ids)
            taken_out = [item_id for item_id in showing.item_ids if item_id not in kept]
            keep_only(answer, found.item_ids, found.offer_ids)
            if taken_out:
                answer["left_out"][CAPPED] += len(taken_out)
                noted[at] = Noted(taken_out)
        return noted

    def _counts(self, showing: Showing) -> bool:
        """Whether anything is to be written of what is shown."""
        if showing.slot or showing.reservation or showing.arms:
            return True
        caps = self._caps.values()
        return any(
            not cap.channels or showing.channel in cap.channels
            for cap in caps
            if cap.of != "message"
        )

    def flush(self) -> None:
        """Write down what was shown where only rotation counts it; keep it if the ledger fails."""
        rules = CapRules({}, self._zone, keep_days=self._keep_days)
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
            try:
                self._ledger.contacts.show(batch, rules)
            except LedgerError as error:
                self._waiting.extendleft(reversed(batch))
                _log.error("showings wait for the ledger", extra={"reason": str(error)})
                return

    def note_or_say_so(self, answer: dict[str, Any], showing: Showing | None) -> Noted:
        """Do as ``note`` for one answer; if the ledger fails, a page's answer says so.

        Raises
        ------
        LedgerError
            When a message cannot be written down: then it must not go out.
        """
        if showing is None or not self._counts(showing):
            return self.note([(answer, showing)])[0]  # nothing is written now
        try:
            with self._ledger.hurrying("contacts"):
                return self.note([(answer, showing)])[0]
        except LedgerError as error:
            if showing.reservation and showing.reservation.message:
                raise
            _log.error("what was shown does not count", extra={"reason": str(error)})
            answer["without_ledger"] = True
            return _AS_IS
