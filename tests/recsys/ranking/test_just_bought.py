"""What was bought is hidden until it is due again, and no longer; what came back is not."""

import itertools
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.datasets.customer_history import EMPTY, LINES, Histories, add_lines
from recsys.datasets.item_index import ItemIndex, item_keys
from recsys.models.repeat import OWN_GAPS, Repeat
from recsys.ranking.just_bought import UntilDue, just_bought
from recsys.units import DAY

NOW = 400 * DAY
INDEX = ItemIndex(["milk", "cream", "fridge", "tea"])
MILK, CREAM, FRIDGE, TEA = range(4)
ALONE = np.arange(4, dtype=np.int32)


def model() -> Repeat:
    """Milk is bought again every week, cream every ten days, tea monthly; a fridge never."""
    made = Repeat()
    made.rate_ = np.array([0.1, 0.1, 0.0, 0.03], np.float32)
    made.log_interval_ = np.log(np.array([7.0, 10.0, 30.0, 30.0])).astype(np.float32)
    made.spread_ = np.array([0.5, 0.4, 1.0, 0.8], np.float32)
    made.now_ = np.ones(4, np.float32)
    made.due_ = np.ones(13, np.float32)
    return made


def history(*lines):
    """Lines of (item, days ago, quantity, order); the last two may be left out."""
    rows = []
    for number, (item, days, *more) in enumerate(lines):
        quantity, order = (*more, *(1.0, number + 1)[len(more) :])
        ts = NOW - round(days * DAY)
        rows.append((item_keys([INDEX.item_ids[item]])[0], ts, quantity, order, 0, 0, 100))
    return add_lines(EMPTY, np.array(sorted(rows, key=lambda row: row[1]), LINES))


def hidden(*lines, of=ALONE, share=0.1, most_days=180.0, as_of_ts=NOW, hide_days=0.0):
    past = Histories.from_rows([history(*lines)], INDEX, as_of_ts)
    until = UntilDue(np.array([as_of_ts]), np.array([share]), np.array([most_days]))
    since = np.array([as_of_ts - round(hide_days * DAY)])
    found = just_bought(past, since, until if share else None, model(), of)
    return {int(of[ix]) for ix in found.item_ix}


def due_after(item, share, own=()):
    """Days until ``share`` of the intervals are over; ``own`` are the customer's, in days."""
    learned = model()
    logs = [np.log(days) for days in own]
    middle = (sum(logs) + OWN_GAPS * learned.log_interval_[item]) / (len(logs) + OWN_GAPS)
    mean = sum(logs) / max(1, len(logs))
    squares = sum((log - mean) ** 2 for log in logs) + OWN_GAPS * learned.spread_[item] ** 2
    spread = np.sqrt(squares / (max(0, len(logs) - 1) + OWN_GAPS))
    odds = share / (1 - share)
    return float(np.exp(middle + np.log(odds) * spread * np.sqrt(3) / np.pi))


def test_bought_returned_and_due_again_as_time_passes():
    bought, returned = ("milk", 30.0, 1.0, 1), ("milk", 29.0, -1.0, 1)
    walk = {}
    days = due_after(MILK, 0.1)
    assert 1.2 < days < 6
    for name, lines in {"kept": [bought], "returned": [bought, returned]}.items():
        for after in (0.01, 0.9, 1.1, days - 0.01, days + 0.01):
            given_lines = [(MILK, *line[1:]) for line in lines]
            as_of_ts = NOW - 30 * DAY + round(after * DAY)
            walk[name, after] = hidden(*given_lines, as_of_ts=as_of_ts) == {MILK}
    assert list(walk.values()) == [
        *(True, True, True, True, False),  # kept: until due
        *(True, True, False, False, False),  # returned after a day
    ]


def test_a_part_that_came_back_leaves_it_bought():
    assert hidden((MILK, 1.0, 2.0, 1), (MILK, 0.5, -1.0, 1)) == {MILK}
    assert hidden((MILK, 1.0, 2.0, 1), (MILK, 0.5, -2.0, 1)) == set()


def test_what_is_bought_once_in_a_lifetime_comes_back_at_last():
    assert hidden((FRIDGE, 179.9)) == {FRIDGE}
    assert hidden((FRIDGE, 180.1)) == set()
    assert hidden((FRIDGE, 20.0), most_days=14.0) == set()
    # unless this customer does buy it again, every thirty days
    assert hidden((FRIDGE, 90.0), (FRIDGE, 60.0), (FRIDGE, 30.0)) == set()


def test_variants_are_hidden_with_what_was_bought_and_share_its_intervals():
    of = np.array([MILK, MILK, FRIDGE, TEA], np.int32)
    assert hidden((CREAM, 1.0), of=of) == {MILK}
    assert hidden((MILK, 1.0), (CREAM, 0.5), (CREAM, 0.2, -1.0, 2), of=of) == {MILK}
    assert hidden((CREAM, 0.5, 1.0, 2), (CREAM, 0.2, -1.0, 2), of=of) == set()
    # By turns, every four days: each of the two is bought every eight days, the choice every four.
    turns = [((MILK, CREAM)[n % 2], 33.0 - 4 * n) for n in range(9)]
    wait = due_after(MILK, 0.5, own=[4.0] * 8)
    assert wait < due_after(MILK, 0.5, own=[8.0] * 4)
    assert hidden(*turns, of=of, share=0.5, as_of_ts=NOW - DAY + round((wait - 0.01) * DAY))
    assert not hidden(*turns, of=of, share=0.5, as_of_ts=NOW - DAY + round((wait + 0.01) * DAY))


def test_without_a_share_only_the_days_count():
    assert hidden((MILK, 1.0), share=0.0) == set()
    assert hidden((MILK, 1.0), share=0.0, hide_days=1.0) == {MILK}
    assert hidden((MILK, 1.0), (FRIDGE, 5.0), hide_days=2.0) == {MILK, FRIDGE}


def test_a_question_about_what_is_due_needs_a_model():
    past = Histories.nobody(1, 4)
    until = UntilDue(np.array([NOW]), np.array([0.1]), np.array([9.0]))
    with pytest.raises(ValueError, match="model of repeats"):
        just_bought(past, np.array([NOW]), until, None, ALONE)


lines_of = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.integers(1, 2400).map(lambda hours: hours / 24 + 0.003),
        st.sampled_from([1.0, 1.0, 1.0, 2.0, -1.0, -2.0]),
        st.integers(1, 6),
    ),
    max_size=14,
)


def by_plain_loops(lines, of, share, most_days, hide_days):
    """Choices that are hidden, worked out purchase by purchase."""
    net, per_order = defaultdict(float), defaultdict(float)
    ordered = sorted(lines, key=lambda line: NOW - round(line[1] * DAY))
    for item, _, quantity, order in ordered:
        net[item] += quantity
        per_order[item, order] += quantity
    kept, seen = defaultdict(list), set()
    for item, days, quantity, order in ordered:
        sale = quantity > 0 and net[item] > 0 and per_order[item, order] > 0
        if sale and (item, order) not in seen:
            seen.add((item, order))
            kept[int(of[item])].append((round(days * DAY) / DAY, item))
    out = set()
    for choice, purchases in kept.items():
        trips, before = [], None
        for age, _ in purchases:
            if before is None or before - age >= 0.5:
                trips.append(age)
            before = age
        own = [a - b for a, b in itertools.pairwise(trips)]
        last_days, last = purchases[-1]
        once = last == FRIDGE and not own
        wait = min(most_days, np.inf if once else due_after(last, share, own)) if share else 0.0
        if last_days < wait or last_days <= hide_days:
            out.add(choice)
    return out


@settings(max_examples=200, deadline=None)
@given(
    lines_of,
    st.sampled_from([0.0, 0.02, 0.1, 0.5, 0.9]),
    st.sampled_from([5.0, 40.0, 180.0]),
    st.sampled_from([0.0, 2.0]),
    st.sampled_from([(0, 1, 2, 3), (0, 0, 2, 3), (0, 0, 0, 3), (0, 1, 1, 0)]),
)
def test_hidden_is_what_plain_loops_hide(lines, share, most_days, hide_days, choices):
    of = np.array(choices, np.int32)
    found = hidden(*lines, of=of, share=share, most_days=most_days, hide_days=hide_days)
    assert found == by_plain_loops(lines, of, share, most_days, hide_days)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(lines_of, min_size=1, max_size=4), st.lists(st.sampled_from([0.0, 0.2]), min_size=4)
)
def test_many_are_asked_as_each_alone(rows, shares):
    n = len(rows)
    past = Histories.from_rows([history(*lines) for lines in rows], INDEX, NOW)
    until = UntilDue(np.full(n, NOW), np.array(shares[:n]), np.full(n, 60.0))
    since = np.full(n, NOW - DAY)
    together = just_bought(past, since, until, model(), ALONE)
    for r in range(n):
        alone = just_bought(past[r : r + 1], since[:1], until.row(r), model(), ALONE)
        assert together.row(r).item_ix.tolist() == alone.item_ix.tolist()
