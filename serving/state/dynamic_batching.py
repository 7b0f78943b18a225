"""Answers requests that arrive at the same time together, because that takes less time.

Questions of several threads come in; answers come out, each as if it had been asked alone. Called
by ``contact_policy``.
"""

import logging
import threading
from collections.abc import Sequence
from typing import Any, Final

from recsys.datasets import CustomerHistory
from recsys.recommender import Engine, Question
from recsys.recommender.offers import OfferableBundles

_log = logging.getLogger("omnibasket.service")

#: Questions that are answered together, at most: beyond, an answer gets hardly cheaper.
_MOST: Final = 16


class _Waiting:
    """A question of a thread, and what became of it."""

    def __init__(
        self,
        engine: Engine,
        question: Question,
        row: CustomerHistory,
        offering: OfferableBundles | None,
    ) -> None:
        self.engine, self.offering = engine, offering
        self.question, self.row = question, row
        self.answer: dict[str, Any] | None = None
        """None until it is this thread's turn, or where it must be asked alone."""
        self.leads = False
        """Whether its thread answers what waits, its own question first."""
        self.turn = threading.Lock()
        """Held until there is an answer, or it is this thread's turn."""
        self.turn.acquire()


class DynamicBatcher:
    """Answers what waits while an answer is computed as one batch.

    A question that nothing else waits beside is answered at once. Others wait until the answers
    before them are ready; then one of their threads answers all of them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._busy = False

    def recommend(
        self,
        engine: Engine,
        questions: Sequence[Question],
        rows: Sequence[CustomerHistory],
        offering: OfferableBundles | None = None,
    ) -> list[dict[str, Any]]:
        """Answer questions as ``Engine.recommend``.

        Parameters
        ----------
        engine : Engine
        questions, rows, offering
            As of ``Engine.recommend``. Several questions are a batch already, and join no other.

        Raises
        ------
        Exception
            What ``Engine.recommend`` raises for this question; others that are answered together
            with it do not fail.
        """
        if len(questions) != 1:
            return engine.recommend(questions, rows, offering)
        own = _Waiting(engine, questions[0], rows[0], offering)
        with self._lock:
            if self._busy:
                self._waiting.append(own)
            else:
                self._busy = own.leads = True
        if not own.leads:
            own.turn.acquire()
        if own.leads:
            self._lead(own)
        if own.answer is None:  # something in the batch failed
            return engine.recommend(questions, rows, offering)
        return [own.answer]

    def _lead(self, own: _Waiting) -> None:
        """Answer a question and what waits beside it, and let the next thread lead."""
        batch = self._take(own)
        try:
            answers = own.engine.recommend(
                [one.question for one in batch], [one.row for one in batch], own.offering
            )
            for one, answer in zip(batch, answers, strict=True):
                one.answer = answer
        except Exception:  # each is asked alone, and only the thread with the bad question fails
            _log.warning("%d questions could not be answered together", len(batch), exc_info=True)
        finally:
            with self._lock:
                following = self._waiting.pop(0) if self._waiting else None
                self._busy = following is not None
            for one in batch[1:]:
                one.turn.release()
            if following is not None:
                following.leads = True
                following.turn.release()

    def _take(self, own: _Waiting) -> list[_Waiting]:
        """Return a question with what waits for the same engine and the same bundles."""
        batch, others = [own], list[_Waiting]()
        with self._lock:
            for one in self._waiting:
                fits = one.engine is own.engine and one.offering is own.offering
                (batch if fits and len(batch) < _MOST else others).append(one)
            self._waiting = others
        return batch
