"""What may not be shown to a customer, and the note of what was: the caps, over all channels.

Contact states and answers come in; suppressions of questions, and answers that hold to every cap
at this moment, come out. Used by the routes that answer for customers.
"""

import logging
import math
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from recsys.config import Config, PlacementSettings
from recsys.datasets import CustomerHistory
from recsys.decisions import (
    MESSAGES,
    NOTHING,
    ContactState,
    Rotation,
    Suppression,
    factors,
    lifted,
    suppress,
)
from recsys.errors import LedgerError
from recsys.ledger import Ledger
from recsys.ledger.customers import Showing
from recsys.recommender import Engine, Question
from recsys.recommender.offers import OfferableBundles
from recsys.units import DAY

_log = logging.getLogger("omnibasket.service")

#: Key of ``left_out`` for products of which a cap was reached meanwhile.
CAPPED: Final = "capped"
#: Showings that are written at once, and that wait at most; beyond, the oldest are forgotten.
_BATCH, _MAX_WAITING = 200, 20_000


class ContactPolicy:
    """The caps of a workspace.

    Parameters
    ----------
    ledger : Ledger
    config : Config
    """

    def __init__(self, ledger: Ledger, config: Config) -> None:
        self._ledger = ledger
        self._caps = config.caps
        self._zone = config.workspace.time_zone
        self._rotation = config.rotation
        # Rotation looks further back than most caps.
        reach_days = Rotation(1.0, config.rotation.half_life_days).reach_days
        self._keep_days = math.ceil(reach_days) if config.rotation.enabled else 0
        # Nothing depends on the very last showings, so that no answer waits until they are written.
        self._waiting: deque[Showing] = deque(maxlen=_MAX_WAITING)
        self.engine: Engine | None = None
        """Knows which products a shopper cannot tell apart; set by the worker."""

    def _choices_of(self, item_ids: Sequence[str]) -> Sequence[str]:
        return item_ids if self.engine is None else self.engine.choices_of(item_ids)

    def suppression(
        self, contact: ContactState, settings: PlacementSettings, as_of_ts: int
    ) -> Suppression:
        """Return what a placement must not show to a customer at a time."""
        if contact.is_empty or not settings.personal:
            return NOTHING
        caps = {} if settings.service else self._caps
        return suppress(contact, caps, settings.channel, as_of_ts, self._zone, self._choices_of)

    def factors(
        self,
        contact: ContactState,
        history: CustomerHistory,
        settings: PlacementSettings,
        as_of_ts: int,
    ) -> dict[str, float]:
        """Return the factors on the odds of what a customer was shown and ignored."""
        if not (self._rotation.enabled and contact.shown and settings.personal):
            return {}
        if settings.service or self.engine is None:
            return {}
        details = self.engine.manifest.details if self._rotation.learn else {}
        learned = details.get("rotation", {}).get("decay")
        decay = self._rotation.decay if learned is None else learned
        rotation = Rotation(decay, self._rotation.half_life_days)
        since_ts = as_of_ts - int(rotation.reach_days * DAY)
        bought_ts = _last_bought(self.engine, history, since_ts, as_of_ts)
        return factors(contact, rotation, as_of_ts, self._choices_of, bought_ts)

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
        found = list(zip(questions, engine.recommend(questions, rows, offering), strict=True))
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

    def note(self, answers: Sequence[tuple[dict[str, Any], Showing | None]]) -> list[list[str]]:
        """Write down what answers show, and take out what reached a cap since they were asked.

        Parameters
        ----------
        answers : sequence of (dict, Showing or None)
            Answers as of ``Engine.recommend``, which change, and what they show to whom; None where
            nothing counts.

        Returns
        -------
        list of list of str
            What was taken out of each answer.

        Raises
        ------
        LedgerError
            When it cannot be written.
        """
        taken_out: list[list[str]] = [[] for _ in answers]
        counted = []
        for at, (answer, each) in enumerate(answers):
            if each and self._counts(each):
                counted.append((at, answer, each))
            elif each and self._rotation.enabled:
                self._waiting.append(each)
        if not counted:
            return taken_out
        shown = self._ledger.contacts.show(
            [showing for _, _, showing in counted],
            self._caps,
            self._zone,
            self._choices_of,
            self._keep_days,
        )
        for (at, answer, showing), item_ids in zip(counted, shown, strict=True):
            kept = set(item_ids)
            taken_out[at] = [item_id for item_id in showing.item_ids if item_id not in kept]
            if taken_out[at]:
                answer["items"] = [item for item in answer["items"] if item["item_id"] in kept]
                for rank, item in enumerate(answer["items"], start=1):
                    item["rank"] = rank
                answer["left_out"][CAPPED] += len(taken_out[at])
                if not answer["items"]:
                    answer["heading"] = None
        return taken_out

    def _counts(self, showing: Showing) -> bool:
        """Whether any cap counts what is shown on the channel."""
        caps = self._caps.values()
        return any(not cap.channels or showing.channel in cap.channels for cap in caps)

    def flush(self) -> None:
        """Write down what was shown where only rotation counts it; keep it if the ledger fails."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
            try:
                self._ledger.contacts.show(batch, {}, self._zone, keep_days=self._keep_days)
            except LedgerError as error:
                self._waiting.extendleft(reversed(batch))
                _log.error("showings wait for the ledger", extra={"reason": str(error)})
                return

    def note_or_say_so(self, answer: dict[str, Any], showing: Showing | None) -> list[str]:
        """Do as ``note`` for one answer; if the ledger fails, the answer says so."""
        try:
            with self._ledger.hurrying("contacts"):
                return self.note([(answer, showing)])[0]
        except LedgerError as error:
            _log.error("what was shown does not count", extra={"reason": str(error)})
            answer["without_ledger"] = True
            return []


def _last_bought(
    engine: Engine, history: CustomerHistory, since_ts: int, as_of_ts: int
) -> dict[str, int]:
    """Return when each choice was last bought between two times, whether it came back or not."""
    lines = history.lines
    lines = lines[(lines["ts"] > since_ts) & (lines["ts"] < as_of_ts) & (lines["quantity"] > 0)]
    positions = engine.index.ix(lines["item_key"])
    of, names = engine.ranker.all_choices.of, engine.index.item_ids
    pairs = zip(positions.tolist(), lines["ts"].tolist(), strict=True)
    return {names[of[item_ix]]: ts for item_ix, ts in pairs if item_ix >= 0}  # by time
