"""The audit finds every fault that is planted, and the played weeks hold what they promise."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import conversation
from benchmarks._conversation import audit
from benchmarks._conversation.log import Compared, Log, PutIntoCart, Refused, Showing
from benchmarks._conversation.people import (
    ELSEWHERE,
    TICK,
    WEEK,
    Basket,
    Bought,
    Plan,
    Word,
    people_like,
    plan,
)
from benchmarks._report import Report
from recsys.config import load_config
from recsys.units import DAY, HOUR

#: 2017-11-06, midnight in New York.
START = 1_509_944_400
RULES = audit.Rules(
    product_times=3,
    message_times=2,
    quiet_hours=(21, 8),
    hide_bought_days={"web_home": 1.0, "email_weekly": 3.0, "email_cart": 1.0},
    messages=["email_weekly", "email_cart"],
)
NOON = START + 12 * HOUR


def somebody(n: int = 2) -> Plan:
    people = people_like(["a"], n, "America/New_York", 0, lambda kind, value: kind + value)
    people = [person._replace(zone="America/New_York") for person in people]
    return Plan(START, START + 2 * WEEK, people, [True] * n)


def page(ts: int, *item_ids: str, person: int = 0) -> Showing:
    return Showing(person, ts, "web_home", item_ids)


def mail(ts: int, *item_ids: str, person: int = 0) -> Showing:
    return Showing(person, ts, "email_weekly", item_ids)


def found(log: Log, made: Plan | None = None) -> dict[str, float]:
    figures = audit.audit(log, made or somebody(), RULES, list)
    return {name: value for name, value in figures.items() if name in audit.FAULTS and value}


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40)), max_size=40), st.integers(1, 15))
def test_what_is_within_a_time_is_counted_as_by_a_loop(pairs, seconds):
    pairs = sorted(pairs)
    group, ts = np.array(pairs, np.int64).reshape(-1, 2).T
    counted = audit.within(group, ts, seconds)
    for at, (one, now) in enumerate(pairs):
        expected = sum(other == one and now - seconds < t for other, t in pairs[: at + 1])
        assert counted[at] == expected


def test_weeks_without_a_fault_have_none():
    log = Log(showings=[page(NOON, "tea"), mail(NOON + DAY, "tea"), page(NOON, "tea", person=1)])
    assert found(log) == {}
    figures = audit.audit(log, somebody(), RULES, list)
    assert (figures["showings"], figures["repeats"]) == (3, 1 / 2 / 2)
    assert (figures["mails"], figures["repeats@1"], figures["repeats@2"]) == (1 / 4, 1 / 2, 0)


def test_a_fourth_showing_in_a_week_is_over_the_cap_on_whatever_channels():
    days = [0, 1, 2, 6.99]
    log = Log(showings=[page(NOON + int(day * DAY), "tea") for day in days])
    assert found(log) == {"over_product_cap": 1}
    log.showings[-1] = mail(NOON + 7 * DAY, "tea")
    assert found(log) == {}
    log.showings[-1] = page(NOON + 6 * DAY, "tea, large")
    alike = audit.audit(log, somebody(), RULES, lambda ids: [each[:3] for each in ids])
    assert alike["over_product_cap"] == 1


def test_a_third_mail_in_a_week_is_over_the_cap():
    log = Log(showings=[mail(NOON + day * DAY, f"tea{day}") for day in (0, 3, 6)])
    assert found(log) == {"over_message_cap": 1}


def test_what_was_bought_counts_from_when_it_is_reported():
    made = somebody()
    made.bought = [Bought(0, "tea", NOON, NOON + 2 * HOUR)]
    early, late = page(NOON + HOUR, "tea"), page(NOON + 2 * HOUR, "tea")
    assert audit.audit(Log([early]), made, RULES, list)["bought_unknown"] == 1
    assert found(Log([early]), made) == {}
    assert found(Log([early, late]), made) == {"just_bought": 1}
    assert found(Log([page(NOON + DAY, "tea"), page(NOON - 1, "tea")]), made) == {}
    assert found(Log([mail(NOON + 2 * DAY, "tea")]), made) == {"just_bought": 1}
    assert found(Log([page(NOON + 2 * HOUR, "tea", person=1)]), made) == {}


def test_what_is_known_to_have_come_back_may_be_shown_again():
    made = somebody()
    back = Bought(0, "tea", NOON, NOON, all_back_ts=NOON + 2 * HOUR)
    made.bought = [back]
    early, late = page(NOON + HOUR, "tea"), page(NOON + 2 * HOUR, "tea")
    assert found(Log([early, late]), made) == {"just_bought": 1}
    made.bought = [back, Bought(0, "tea", NOON + 1, NOON + 1)]
    assert found(Log([early, late]), made) == {"just_bought": 2}
    about = Showing(0, NOON + 3 * HOUR, "email_cart", (), ("tea",))
    log = Log([about], carts=[PutIntoCart(0, "tea", NOON - HOUR)])
    made.bought = [back]
    assert found(log, made) == {}


@pytest.mark.parametrize(
    ("returned", "last"), [((), None), ((1,), None), ((1, 1), 2), ((2,), 1), ((0.1,) * 20, 20)]
)
def test_a_purchase_is_back_with_its_last_piece(returned, last):
    returns = tuple((NOON + n * DAY, (("tea", n_, 100),)) for n, n_ in enumerate(returned, 1))
    basket = Basket("1", NOON, "pos", "7", (("tea", 2.0, 100), ("pan", 1.0, 900)), returns)
    end_ts = START + 10 * WEEK
    made = plan(somebody().people[:1], {"a": [basket]}, START, end_ts, seed=1)
    back = {each.item_id: each.all_back_ts for each in made.bought}
    if last is None:
        assert back == {"tea": None, "pan": None}
        return
    first: dict[str, int] = {}
    for tick, reports in sorted(made.reports.items()):
        for one in reports:
            first.setdefault(one.event_id, tick)
    told = sorted(tick for event_id, tick in first.items() if event_id.startswith("back/"))
    assert back == {"tea": told[last - 1], "pan": None}


def test_a_cart_that_was_bought_is_not_left():
    made = somebody()
    made.bought = [Bought(0, "tea", NOON, NOON + HOUR)]
    about = Showing(0, NOON + 3 * HOUR, "email_cart", (), ("tea",))
    log = Log([about], carts=[PutIntoCart(0, "tea", NOON - HOUR)])
    assert found(log, made) == {"bought_in_cart": 1}
    log.carts.append(PutIntoCart(0, "tea", NOON + HOUR))  # wanted again
    assert found(log, made) == {}


def test_what_is_not_wanted_counts_from_when_it_is_told():
    log = Log([page(NOON, "tea"), page(NOON + HOUR, "tea")], [Refused(0, "tea", NOON + HOUR)])
    assert found(log) == {"refused_shown": 1}


def test_the_last_word_about_messages_counts():
    made = somebody()
    made.words = {
        NOON: [Word(made.people[0], False, "account")],
        NOON + DAY: [Word(made.people[0], True, "account")],
    }
    assert found(Log([mail(NOON, "tea")]), made) == {"against_consent": 1}
    assert found(Log([mail(NOON + DAY, "tea"), mail(NOON, "tea", person=1)]), made) == {}


def test_quiet_hours_are_those_of_where_somebody_lives():
    made = somebody()
    assert found(Log([mail(START + 9 * HOUR, "tea")]), made) == {}
    assert found(Log([mail(START + 21 * HOUR, "tea")]), made) == {"in_quiet_hours": 1}
    made.people = [made.people[0]._replace(zone=ELSEWHERE), made.people[1]]
    assert found(Log([mail(START + 9 * HOUR, "tea")]), made) == {"in_quiet_hours": 1}


def test_a_product_is_expected_to_be_bought_once_a_week():
    repeated = {"tea": 0.5, "jam": 0.1}
    log = Log(
        compared=[
            Compared(0, NOON, {"tea": 0.5, "jam": 0.1}, repeated),
            Compared(0, NOON + HOUR, {"jam": 0.2, "rice": 0.1}, repeated),
        ]
    )
    figures = audit.audit(log, somebody(), RULES, list)
    assert figures["expected_kept"] == pytest.approx(0.9 / 1.2)
    assert figures["expected_once_kept"] == pytest.approx(0.8 / 0.6)


@given(st.integers(0, 20))
def test_nothing_is_told_before_it_happens_and_some_of_it_twice(seed):
    people = people_like(["a"], 20, "America/New_York", seed, lambda kind, value: kind + value)
    lines = (("tea", 1.0, 100), ("jam", 2.0, 250))
    baskets = [
        Basket("1", NOON, "pos", "7", lines, ((NOON + DAY, lines[:1]),)),
        Basket("2", NOON + 3 * DAY, "web", "online", lines),
    ]
    made = plan(people, {"a": baskets}, START, START + 2 * WEEK, seed)
    sent = [(tick, one) for tick, reports in made.reports.items() for one in reports]
    assert all(one.ts <= tick and tick % TICK == 0 for tick, one in sent)
    times = Counter(one.event_id for _, one in sent)
    assert len(times) == 20 * 3  # two purchases and a return of each
    assert set(times.values()) <= {1, 2}
    first: dict[str, int] = {}
    for tick, one in sorted(sent):
        first.setdefault(one.event_id, tick)
    for each in made.bought:
        number = "1" if each.ts == NOON else "2"
        assert each.told_ts == first[f"buy/{number}/{each.person}"]
    web = [
        (tick, visit)
        for tick, visits in made.visits.items()
        for visit in visits
        if visit.cart == lines and visit.channel != "associate"
    ]
    assert all(tick <= NOON + 3 * DAY for tick, _ in web if tick > NOON + 3 * DAY - TICK)


def test_two_replicas_break_no_rule_and_four_channels_do(trained_demo: Path, tmp_path: Path):
    report = Report("")
    conversation.measure(report, load_config(trained_demo), tmp_path, 60, 1, 0)
    of = {(row["method"], row["metric"]): row["value"] for row in report.rows}
    assert {name: of[conversation.ONE, name] for name in audit.FAULTS} == dict.fromkeys(
        audit.FAULTS, 0
    )
    assert of[conversation.FOUR, "over_product_cap"] > 0
    assert of[conversation.ONE, "lists"] > 60
    assert of[conversation.ONE, "mails"] > 0.2
    assert of[conversation.ONE, "repeats"] < of[conversation.FOUR, "repeats"]
