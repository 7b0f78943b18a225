import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.datasets import interactions
from recsys.datasets.customer_history import (
    EMPTY,
    LINES,
    MAX_LINES,
    Histories,
    add_events,
    add_lines,
)
from recsys.datasets.interactions import (
    CART,
    EVENTS,
    MAX_EVENTS,
    NO_EVENTS,
    RETURN,
    VIEW,
    Interactions,
    merge_events,
)
from recsys.datasets.item_index import ItemIndex, item_key

INDEX = ItemIndex(f"p{n}" for n in range(9))


def event(item=0, ts=0, kind=VIEW, channel=1):
    return (item_key(f"p{item}"), ts, kind, channel)


def events(*rows):
    return np.array(list(rows), EVENTS)


def line(item=0, ts=0, quantity=1.0, order=1):
    return (item_key(f"p{item}"), ts, quantity, order, 0, 0, 100)


def lines(*rows):
    return np.array(list(rows), LINES)


looked = st.builds(
    event,
    item=st.integers(0, 8),
    ts=st.integers(0, 30),
    kind=st.sampled_from([VIEW, CART]),
    channel=st.integers(0, 6),
)
sequences = st.lists(looked, max_size=40).map(lambda rows: events(*rows))


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(interactions, "MAX_EVENTS", 6)


def test_neither_order_nor_pieces_nor_repeats_matter(small):
    @given(sequences, st.lists(st.integers(0, 40), max_size=5), st.randoms(), st.data())
    def holds(sequence, cuts, random, data):
        whole = merge_events(NO_EVENTS, sequence)
        mixed = sequence[random.sample(range(len(sequence)), len(sequence))]
        held = NO_EVENTS
        for piece in np.split(mixed, sorted(cuts)):
            held = merge_events(held, piece)
        np.testing.assert_array_equal(held, whole)
        again = data.draw(st.lists(st.sampled_from(range(len(sequence))))) if len(sequence) else []
        np.testing.assert_array_equal(merge_events(whole, sequence[again]), whole)

    holds()


def test_the_latest_of_each_product_and_kind_is_kept(small):
    held = merge_events(
        NO_EVENTS,
        events(event(1, 5), event(1, 9), event(1, 7, CART), event(2, 9), event(1, 9, channel=2)),
    )
    assert sorted(held.tolist()) == sorted([event(1, 7, CART), event(2, 9), event(1, 9, channel=2)])
    assert held["ts"].tolist() == [7, 9, 9]
    many = merge_events(held, events(*(event(n, 20 + n) for n in range(9))))
    assert many["ts"].tolist() == [23, 24, 25, 26, 27, 28]


def test_views_never_push_purchases_out():
    bought = add_lines(EMPTY, lines(*(line(n, n) for n in range(MAX_LINES))))
    busy = add_events(bought, events(*((n, 10**6 + n, VIEW, 1) for n in range(1, 3 * MAX_EVENTS))))
    np.testing.assert_array_equal(busy.lines, bought.lines)
    assert len(busy.events) == MAX_EVENTS
    assert add_lines(busy, lines(line(1, 10**7))).events is busy.events


def test_an_event_that_is_known_leaves_the_row_as_it_is():
    row = add_events(EMPTY, events(event(1, 5)))
    assert add_events(row, events(event(1, 5))) is row
    assert add_events(row, events(event(1, 4))) is row
    assert add_events(row, NO_EVENTS) is row
    with pytest.raises(TypeError, match="EVENTS"):
        add_events(row, np.zeros(2))


def told(row, as_of_ts=100):
    """What a row still says, as (product, time, kind)."""
    found = Histories.from_rows([EMPTY, row, EMPTY], INDEX, as_of_ts).interactions
    assert found.indptr.tolist() == [0, 0, len(found.ts), len(found.ts)]
    names = [INDEX.item_ids[ix] for ix in found.item_ix]
    return list(zip(names, found.ts.tolist(), found.kind.tolist(), strict=True))


@pytest.mark.parametrize(
    ("bought", "seen", "said"),
    [
        ([], [event(1, 5), event(1, 6, CART)], [("p1", 5, VIEW), ("p1", 6, CART)]),
        # bought since: the purchase speaks
        ([line(1, 6)], [event(1, 5), event(1, 6, CART), event(2, 3)], [("p2", 3, VIEW)]),
        # looked at again after it was bought
        ([line(1, 6)], [event(1, 7)], [("p1", 7, VIEW)]),
        # given back: what led to it no longer speaks, the return does
        ([line(1, 6), line(1, 9, -1.0)], [event(1, 5)], [("p1", 9, RETURN)]),
        ([line(1, 6, 2.0), line(1, 9, -1.0)], [], []),
        ([line(1, 6), line(1, 9, -1.0), line(1, 12, order=2)], [], []),
        # a return of what the row does not hold
        ([line(1, 9, -1.0)], [], [("p1", 9, RETURN)]),
    ],
)
def test_what_was_bought_since_says_more_than_a_look(bought, seen, said):
    row = add_events(add_lines(EMPTY, lines(*bought)), events(*seen))
    assert told(row) == said


def test_what_is_later_or_unknown_is_left_out():
    row = add_events(EMPTY, events(event(1, 5), event(2, 10), event(77, 5)))
    assert told(row, 10) == [("p1", 5, VIEW)]


def test_a_batch_is_its_rows(small):
    bought = st.builds(
        line,
        item=st.integers(0, 8),
        ts=st.integers(0, 30),
        quantity=st.sampled_from([1.0, 1.0, -1.0]),
        order=st.integers(1, 4),
    )
    person = st.tuples(st.lists(bought, max_size=6), sequences)

    @given(st.lists(person, max_size=4), st.data())
    def holds(people, data):
        rows = [add_events(add_lines(EMPTY, lines(*done)), seen) for done, seen in people]
        batch = Histories.from_rows(rows, INDEX, 25)
        start, stop = sorted(data.draw(st.tuples(*[st.integers(0, len(rows))] * 2)))
        alone = Histories.from_rows(rows[start:stop], INDEX, 25).interactions
        for cut in (batch[start:stop].interactions, batch.interactions[start:stop]):
            for name in ("indptr", "item_ix", "ts", "kind"):
                np.testing.assert_array_equal(getattr(cut, name), getattr(alone, name))
        np.testing.assert_array_equal(
            alone.row, np.repeat(np.arange(stop - start), np.diff(alone.indptr))
        )

    holds()


def test_nobody_did_anything():
    assert Interactions.none(3).indptr.tolist() == [0, 0, 0, 0]
    assert len(Histories.from_rows([], INDEX, 5).interactions) == 0
