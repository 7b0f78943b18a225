"""Exposures and clicks of a ledger become what rotation is learned from."""

import numpy as np
import pytest

from recsys.identity import customer_id_of
from recsys.ledger.events.exposures import Exposure
from recsys.ledger.ledger import Ledger
from recsys.units import DAY
from tests.recsys.ledger.conftest import NOW, MakeEvent


def show(
    ledger: Ledger,
    number: int,
    days: float,
    *items: str,
    placement: str = "home",
    customer_id: str | None = "ann",
    session_id: str | None = None,
) -> None:
    ledger.exposures.record(
        [
            Exposure(
                recommendation_id=f"r{number}",
                shown_ts=NOW + round(days * DAY),
                placement=placement,
                model_version="v1",
                items=list(items),
                customer_id=customer_id,
                session_id=session_id,
            )
        ]
    )


def test_each_visit_counts_once_and_a_click_answers_what_was_before(
    ledger: Ledger, make_event: MakeEvent
) -> None:
    show(ledger, 1, 0.0, "tea", "milk")
    show(ledger, 2, 0.01, "milk", "tea")  # the same visit
    show(ledger, 3, 10.0, "milk", "tea")
    show(ledger, 4, 15.0, "tea", placement="screen")  # nobody can click there, but sees it
    show(ledger, 5, 20.0, "tea")
    click = make_event(
        "select_item", "tea", at=NOW + 10 * DAY + 60, recommendation_id="r3", identifier="ann"
    )
    ledger.add_events([click], NOW + 21 * DAY)
    found = ledger.exposures.showings(10.0)
    by_series: dict[int, list[tuple[float, int, bool]]] = {}
    for series, *row in zip(*(column.tolist() for column in found), strict=True):
        by_series.setdefault(series, []).append(tuple(row))
    tea, milk = sorted(by_series.values(), key=len, reverse=True)
    assert [place for _, place, _ in tea] == [1, 2, 1]
    assert [clicked for *_, clicked in tea] == [False, True, False]
    assert [tired for tired, *_ in tea] == pytest.approx([0.0, 0.5, 0.5**0.5])
    assert [tired for tired, *_ in milk] == pytest.approx([0.0, 0.5])
    assert not any(clicked for *_, clicked in milk)


def test_nothing_is_learned_from_who_may_not_be_learned_from(
    ledger: Ledger, make_event: MakeEvent
) -> None:
    show(ledger, 1, 0.0, "tea")
    show(ledger, 2, 0.0, "tea", "milk", customer_id="bob")
    show(ledger, 3, 0.0, "tea", customer_id=None, session_id="v1")  # a visitor
    show(ledger, 4, 0.0, "tea", customer_id=None, session_id="v2")  # who logs in later
    events = [
        make_event("select_item", "tea", at=NOW + 9, recommendation_id="r1", identifier="ann"),
        make_event("view_item", "tea", at=NOW + 9, session_id="v2", identifier="bob"),
    ]
    ledger.add_events(events, NOW + 10)
    bob = customer_id_of("email", "bob")
    assert len(ledger.exposures.showings(10.0).clicked) == 5
    found = ledger.exposures.showings(10.0, lambda own_id: own_id not in ("bob", bob))
    assert sorted(found.clicked.tolist()) == [False, True]  # the visitor's, and Ann's
    found = ledger.exposures.showings(10.0, lambda own_id: own_id == "ann")
    assert found.clicked.tolist() == [True]


def test_nothing_shown_is_nothing_to_learn_from(ledger: Ledger) -> None:
    found = ledger.exposures.showings(10.0)
    assert all(len(column) == 0 for column in found)
    assert found.clicked.dtype == np.bool_
