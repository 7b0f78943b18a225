"""New products get their share, wherever there are enough, and nothing else changes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.datasets.ragged import Lists
from recsys.ranking.choices import Choices
from recsys.ranking.discovery import count_missed, never_bought, new_items_needed, selection_pools
from recsys.ranking.diversity import diversify
from tests.recsys.models.worlds import Order, batch, history, train
from tests.recsys.ranking import grocer

N = 12
TRAINING = train([Order("c", [f"p{ix:02}" for ix in range(N)])])
NOBODY = batch(TRAINING, history())
N_RULES = 2

candidate = st.tuples(
    st.integers(0, 4),  # key
    st.booleans(),  # new
    st.integers(0, N_RULES),  # 0, or the rule that forbids it
    st.booleans(),  # whether trees did not look at it
)
rows = st.lists(st.lists(candidate, max_size=N), min_size=1, max_size=3)
shares = st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.5, 0.75, 1.0])


def shown(requests, counts, share, *, unseen=True):
    """Positions in each row of what is shown, in its order, as ``rank`` puts it together."""
    found = Lists.of_rows([np.arange(len(row), dtype=np.int32) for row in requests])
    key, new, code, behind = (
        np.array([each[at] for row in requests for each in row]) for at in range(4)
    )
    keys, new, code = key.astype(float), new.astype(bool), code.astype(np.uint8)
    last = behind.astype(bool) if unseen else None
    want = new_items_needed(counts, np.full(len(requests), share))
    ends, at = selection_pools(found, keys, code == 0, counts, np.empty(0), want, new, last)
    of = keys[at] if last is None else keys[at] - 1e7 * last[at]
    bought = batch(TRAINING, *[history() for _ in requests]).purchases
    bounds, chosen = diversify(
        ends, found.item_ix[at], of, counts, np.empty(0), bought, None, want, new[at]
    )
    out = count_missed(found, keys, code, code == 0, counts, N_RULES, want, new)
    return [
        (found.item_ix[at[chosen[bounds[r] : bounds[r + 1]]]].tolist(), out[r].tolist())
        for r in range(len(requests))
    ]


def plainly(row, count, share):
    """The same list, one place after the other."""
    least = math.ceil(round(share * count, 6))
    order = sorted(
        (at for at, each in enumerate(row) if each[2] == 0),
        key=lambda at: (row[at][3], -row[at][0], at),
    )
    chosen = []
    while order and len(chosen) < count:
        due = least * (len(chosen) + 1) // count
        fresh = [at for at in order if row[at][1]]
        short = sum(row[at][1] for at in chosen) < due
        best = fresh[0] if short and fresh else order[0]
        order.remove(best)
        chosen.append(best)
    return chosen


@settings(max_examples=200, deadline=None)
@given(rows, st.integers(1, N), shares)
def test_it_is_the_list_of_a_plain_loop(requests, count, share):
    counts = np.full(len(requests), count)
    for row, (found, _) in zip(requests, shown(requests, counts, share), strict=True):
        assert found == plainly(row, count, share)


@settings(max_examples=200, deadline=None)
@given(rows, st.integers(1, N), shares)
def test_every_part_from_the_top_has_about_its_share(requests, count, share):
    counts = np.full(len(requests), count)
    for row, (found, _) in zip(requests, shown(requests, counts, share), strict=True):
        fresh = sum(each[1] and each[2] == 0 for each in row)
        free = sum(each[2] == 0 for each in row)
        least = math.ceil(round(share * count, 6))
        assert len(found) == len(set(found)) == min(count, free)
        is_new = [row[at][1] for at in found]
        assert sum(is_new) >= min(least, fresh)
        for top in range(1, len(found) + 1):
            assert sum(is_new[:top]) >= min(least * top // count, fresh)
        for kind in (True, False):  # the order of each kind is that of the keys
            of_kind = [row[at] for at in found if row[at][1] == kind]
            assert of_kind == sorted(of_kind, key=lambda each: (each[3], -each[0]))
        ((alone, _),) = shown([row], counts[:1], share)
        assert found == alone


@settings(max_examples=200, deadline=None)
@given(rows, st.integers(1, N), shares)
def test_what_rules_left_out_is_what_would_stand_in_the_list_without_each(requests, count, share):
    """One forbidden product after the other is let in, and looked for."""
    requests = [[(*each[:3], False) for each in row] for row in requests]
    counts = np.full(len(requests), count)
    for row, (_, out) in zip(requests, shown(requests, counts, share), strict=True):
        expected = [0] * N_RULES
        for at, each in enumerate(row):
            if each[2]:
                allowed = [*row[:at], (each[0], each[1], 0, False), *row[at + 1 :]]
                expected[each[2] - 1] += at in plainly(allowed, count, share)
        assert out == expected


@pytest.mark.parametrize(
    ("count", "share", "least"),
    [
        (8, 0.25, 2),
        (10, 0.25, 3),
        (10, 0.3, 3),
        (10, 0.1, 1),
        (1, 0.01, 1),
        (7, 0.0, 0),
        (200, 0.07, 14),
        (6, 1.0, 6),
    ],
)
def test_a_share_is_rounded_up(count, share, least):
    assert new_items_needed(np.array([count]), np.array([share])).tolist() == [least]


def test_what_stands_for_something_bought_is_not_new():
    of = np.arange(N, dtype=np.int32)
    of[5] = 2  # p05 and p02 are one choice
    choices = Choices(of, np.zeros(N, np.int64))
    past = batch(TRAINING, history(("p05", 5)), history())
    every = Lists.of_rows([np.arange(N, dtype=np.int32)] * 2)
    new = never_bought(every, past, choices).reshape(2, N)
    assert np.flatnonzero(~new[0]).tolist() == [2, 5]
    assert new[1].all()


@pytest.mark.parametrize("diversity", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_a_customer_with_habits_sees_something_new(share, diversity):
    some = grocer.OTHERS[:12]
    people = [grocer.bought(*((item, days) for item in some for days in (2, 9, 16)))]
    asked = {"counts": 8, "diversity": diversity, "weights": {"repeat": 50.0}}
    usual = grocer.names(grocer.rank(people, **asked))
    mixed = grocer.names(grocer.rank(people, **asked, new_share=share))
    assert set(usual) <= set(some)
    assert sum(name not in some for name in mixed) == math.ceil(share * 8)
    assert len(set(mixed)) == 8


def test_new_products_are_looked_for_where_models_name_too_few():
    """All but a few that nobody would name are excluded."""
    some = grocer.OTHERS[:6]
    people = [grocer.bought(*((item, days) for item in some for days in (2, 9, 16)))]
    index = grocer.training().index
    left = {*some, *grocer.OTHERS[-2:]}
    exclude = [[name for name in index.item_ids if name not in left]]
    found = grocer.names(grocer.rank(people, counts=4, exclude=exclude, new_share=0.5))
    assert {*grocer.OTHERS[-2:]} <= set(found)
    assert len(found) == 4
