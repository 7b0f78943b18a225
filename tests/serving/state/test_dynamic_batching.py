"""Questions that are asked at the same time are answered together, each as if it were alone."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from recsys.config import PLACEMENTS
from recsys.datasets import EMPTY, CustomerHistory
from recsys.recommender import Engine, Question
from recsys.recommender.offers import OfferableBundles
from serving.state.dynamic_batching import DynamicBatcher
from tests.serving.conftest import PAIRS, state

NOW = 1_780_000_000


class Held:
    """A real engine that answers only when it is let, and notes what it was asked together."""

    def __init__(self, engine: Engine, refused: str = "") -> None:
        self._engine, self._refused = engine, refused
        self.together: list[list[str]] = []
        self.began, self.may_go = threading.Event(), threading.Event()

    def recommend(
        self,
        questions: Sequence[Question],
        rows: Sequence[CustomerHistory],
        offering: OfferableBundles | None = None,
    ) -> list[dict[str, Any]]:
        self.together.append([one.recommendation_id for one in questions])
        self.began.set()
        assert self.may_go.wait(20)
        if self._refused in self.together[-1]:
            raise ValueError(self._refused)
        return self._engine.recommend(questions, rows, offering)


def questions(count: int) -> list[Question]:
    """Of pages and carts, in turn, each with another product."""
    placements = ["web_home", "web_cart"]
    return [
        Question(
            placement=placements[n % 2],
            settings=PLACEMENTS[placements[n % 2]],
            as_of_ts=NOW + n,
            recommendation_id=f"r{n}",
            cart=(PAIRS[n // 2 % len(PAIRS)][0],) if n % 2 else (),
            exclude=(PAIRS[n % len(PAIRS)][1],),
        )
        for n in range(count)
    ]


@pytest.fixture
def engine(app: Flask) -> Engine:
    return state(app).loaded()


@pytest.fixture
def row(app: Flask) -> CustomerHistory:
    ledger = state(app).ledger
    return ledger.customer(customer_id=ledger.records.customer_ids()[0], as_of_ts=NOW).history


def at_once(held: Held, asked: Sequence[Callable[[], Any]], batcher: DynamicBatcher) -> list[Any]:
    """Run all, the first one first and the rest while it is answered; return answers or errors."""

    def caught(one: Callable[[], Any]) -> Any:
        try:
            return one()
        except ValueError as error:
            return str(error)

    with ThreadPoolExecutor(len(asked)) as threads:
        first = threads.submit(caught, asked[0])
        assert held.began.wait(20)
        rest = []
        for n, one in enumerate(asked[1:], 1):
            rest.append(threads.submit(caught, one))
            while len(batcher._waiting) < n:
                assert not rest[-1].done()
        held.may_go.set()
        return [each.result(20) for each in (first, *rest)]


def test_what_waits_is_answered_together_and_each_as_if_alone(
    engine: Engine, row: CustomerHistory
) -> None:
    asked, rows = questions(12), [row, EMPTY, EMPTY] * 4
    alone = [engine.recommend([each], [of])[0] for each, of in zip(asked, rows, strict=True)]
    held, batcher = Held(engine), DynamicBatcher()
    calls = [
        lambda each=each, of=of: batcher.recommend(held, [each], [of])[0]  # type: ignore[misc]
        for each, of in zip(asked, rows, strict=True)
    ]
    assert at_once(held, calls, batcher) == alone
    assert held.together == [["r0"], [f"r{n}" for n in range(1, 12)]]
    # Nothing waits any more: the next question is answered at once.
    assert batcher.recommend(held, asked[:1], rows[:1]) == alone[:1]  # type: ignore[arg-type]


def test_answers_of_a_batch_share_nothing_that_can_change(
    engine: Engine, row: CustomerHistory
) -> None:
    """Each is completed for its own customer: a mark on one must not be seen in another."""
    answers = engine.recommend(questions(12), [row, EMPTY, row] * 4)

    def parts(answer: Any) -> list[Any]:
        if not isinstance(answer, dict | list):
            return []
        inner = answer.values() if isinstance(answer, dict) else answer
        return [answer, *(part for each in inner for part in parts(each))]

    every = [{id(part): part for part in parts(answer)} for answer in answers]
    assert sum(map(len, every)) > 100
    for n, one in enumerate(every):
        for other in every[:n]:
            assert [one[at] for at in one.keys() & other.keys()] == []


def test_a_question_that_fails_fails_alone(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    asked = questions(4)
    held, batcher = Held(engine, refused="r2"), DynamicBatcher()
    calls = [
        lambda each=each: batcher.recommend(held, [each], [EMPTY])[0]  # type: ignore[misc]
        for each in asked
    ]
    found = at_once(held, calls, batcher)
    assert found[2] == "r2"
    assert "3 questions could not be answered together" in caplog.text
    for n in (0, 1, 3):
        assert found[n] == engine.recommend([asked[n]], [EMPTY])[0]


def test_versions_are_not_mixed(engine: Engine) -> None:
    asked = questions(5)
    old, new, batcher = Held(engine), Held(engine), DynamicBatcher()
    new.may_go.set()
    calls = [
        lambda each=each, by=by: batcher.recommend(by, [each], [EMPTY])[0]  # type: ignore[misc]
        for each, by in zip(asked, (old, new, old, new, old), strict=True)
    ]
    at_once(old, calls, batcher)
    assert old.together == [["r0"], ["r2", "r4"]]
    assert new.together == [["r1", "r3"]]


def test_more_than_a_batch_holds_is_answered_in_several(engine: Engine) -> None:
    asked = questions(40)
    held, batcher = Held(engine), DynamicBatcher()
    calls = [
        lambda each=each: batcher.recommend(held, [each], [EMPTY])[0]  # type: ignore[misc]
        for each in asked
    ]
    answers = at_once(held, calls, batcher)
    assert [len(each) for each in held.together] == [1, 16, 16, 7]
    assert answers == [engine.recommend([each], [EMPTY])[0] for each in asked]


def test_a_batch_joins_no_other(engine: Engine) -> None:
    asked = questions(3)
    held = Held(engine)
    held.may_go.set()
    answers = DynamicBatcher().recommend(held, asked, [EMPTY] * 3)  # type: ignore[arg-type]
    assert held.together == [["r0", "r1", "r2"]]
    assert answers == engine.recommend(asked, [EMPTY] * 3)
