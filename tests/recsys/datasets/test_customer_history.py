import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.datasets import customer_history as histories_module
from recsys.datasets import history_summary
from recsys.datasets.customer_history import (
    EMPTY,
    EVENTS,
    LINES,
    MAX_LINES,
    MAX_OLDER,
    NO_CHANNEL,
    Histories,
    add_events,
    add_lines,
    pack_history,
    unpack_history,
)
from recsys.datasets.item_index import ItemIndex, item_key
from recsys.errors import DataError

INDEX = ItemIndex(f"p{n}" for n in range(40))


def line(item=0, ts=0, quantity=1.0, order=1, channel=0, location=0, amount=100):
    return (item_key(f"p{item}"), ts, quantity, order, channel, location, amount)


def lines(*rows):
    return np.array(list(rows), LINES)


purchases = st.builds(
    line,
    item=st.integers(0, 12),
    ts=st.integers(-5, 40),
    quantity=st.sampled_from([1.0, 2.0, 0.3, 0.7, -1.0, -0.3]),
    order=st.integers(1, 6),
    channel=st.integers(0, 6),
)
sequences = st.lists(purchases, max_size=40).map(lambda rows: lines(*rows))


@pytest.fixture
def small(monkeypatch):
    """Bounds so small that a short sequence reaches them."""
    monkeypatch.setattr(histories_module, "MAX_LINES", 6)
    monkeypatch.setattr(history_summary, "MAX_OLDER", 4)


def in_pieces(sequence, cuts):
    history = EMPTY
    for piece in np.split(sequence, sorted(cuts)):
        history = add_lines(history, piece)
    return history


@pytest.mark.parametrize("in_time", [True, False])
def test_any_split_gives_what_all_at_once_gives(small, in_time):
    @given(sequences, st.lists(st.integers(0, 40), max_size=6))
    def holds(sequence, cuts):
        if in_time:
            sequence = sequence[np.argsort(sequence["ts"], kind="stable")]
        whole = add_lines(EMPTY, sequence)
        assert in_pieces(sequence, cuts) == whole
        assert in_pieces(sequence, range(len(sequence))) == whole

    holds()


def test_bounds_and_order_always_hold(small):
    @given(sequences)
    def holds(sequence):
        history = add_lines(EMPTY, sequence)
        assert len(history.lines) == min(6, len(sequence))
        assert len(history.older) <= 4
        newest = sequence[np.argsort(sequence["ts"], kind="stable")][-6:]
        np.testing.assert_array_equal(history.lines, newest)
        assert list(history.older["last_ts"]) == sorted(history.older["last_ts"])
        assert len(set(history.older["item_key"])) == len(history.older)

    holds()


def test_the_summary_counts_what_fell_out(small):
    old = [line(1, 10, 2), line(2, 20, 0.3), line(1, 30, -1), line(1, 40, 1)]
    new = [line(3, 100 + n) for n in range(6)]
    history = add_lines(add_lines(EMPTY, lines(*new)), lines(*old))
    assert [(row["item_key"], row["count"], row["last_ts"]) for row in history.older] == [
        (item_key("p2"), 1, 20),
        (item_key("p1"), 1, 40),
    ]
    assert history.older["quantity"].tolist() == [307 / 1024, 2.0]


def test_the_summary_forgets_what_was_bought_longest_ago(small):
    history = add_lines(EMPTY, lines(*(line(n, n) for n in range(13))))
    assert history.older["last_ts"].tolist() == [3, 4, 5, 6]
    # Bought again after it was forgotten: its count begins anew.
    again = add_lines(history, lines(line(0, 20), *(line(9, 30 + n) for n in range(6))))
    of_first = again.older[again.older["item_key"] == item_key("p0")]
    assert of_first["count"].tolist() == [1]


def test_real_bounds():
    history = add_lines(EMPTY, lines(*(line(n, n) for n in range(MAX_LINES + MAX_OLDER + 100))))
    assert (len(history.lines), len(history.older)) == (MAX_LINES, MAX_OLDER)
    assert len(pack_history(history)) < 36_000


looks = st.lists(
    st.tuples(st.integers(1, 9), st.integers(0, 40), st.integers(0, 1), st.integers(0, 6)),
    max_size=9,
).map(lambda rows: np.array(rows, EVENTS))


def test_a_row_from_before_there_were_events_is_read():
    history = add_lines(EMPTY, lines(line(1, 5), line(2, 6)))
    arrays = history.lines.tobytes() + history.older.tobytes()
    old = unpack_history(struct.pack("<4sBxHH", b"OBCH", 1, 2, 0) + arrays)
    assert old == history
    with pytest.raises(DataError, match="instead of"):
        unpack_history(struct.pack("<4sBxHH", b"OBCH", 1, 2, 1) + arrays)


@given(sequences, looks)
def test_rows_survive_packing(sequence, seen):
    history = add_events(add_lines(EMPTY, sequence), seen)
    blob = pack_history(history)
    assert unpack_history(blob) == history
    assert add_lines(unpack_history(blob), sequence) == add_lines(history, sequence)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda blob: blob[:5], "header is cut short"),
        (lambda blob: blob[:-1], "instead of"),
        (lambda blob: blob + b"x", "instead of"),
        (lambda blob: b"PK\3\4" + blob[4:], "omnibasket ingest"),
        (lambda blob: blob[:4] + b"\x09" + blob[5:], "omnibasket ingest"),
    ],
)
def test_a_damaged_row_is_refused(damage, message):
    blob = pack_history(add_lines(EMPTY, lines(line())))
    with pytest.raises(DataError, match=message):
        unpack_history(damage(blob))


def test_lines_of_another_dtype_are_refused():
    with pytest.raises(TypeError, match="LINES"):
        add_lines(EMPTY, np.zeros(3))


def test_a_batch_holds_what_was_before_and_is_known():
    rows = [
        add_lines(
            EMPTY, lines(line(3, 5), line(99, 6), line(4, 7, order=2, channel=1, location=9))
        ),
        EMPTY,
        add_lines(EMPTY, lines(line(5, 9), line(6, 10))),
    ]
    batch = Histories.from_rows(rows, INDEX, 10)
    assert batch.n == len(batch) == 3
    assert batch.indptr.tolist() == [0, 2, 2, 3]
    assert batch.item_ix.tolist() == INDEX.ix_of(["p3", "p4", "p5"]).tolist()
    assert batch.ts.tolist() == [5, 7, 9]
    assert (batch.channel[1], batch.location[1], batch.order[1]) == (1, 9, 2)
    assert Histories.from_rows(rows, INDEX, [6, 0, 11]).indptr.tolist() == [0, 1, 1, 3]


def test_no_rows_make_an_empty_batch():
    batch = Histories.from_rows([], INDEX, 10)
    assert (batch.n, len(batch.item_ix), len(batch.purchases.item_ix)) == (0, 0, 0)


def test_a_summary_comes_before_the_lines_of_its_row(small):
    row = add_lines(EMPTY, lines(*(line(n % 3, n) for n in range(12))))
    batch = Histories.from_rows([add_lines(EMPTY, lines(line(7, 3))), row, EMPTY], INDEX, 100)
    assert batch.indptr.tolist() == [0, 1, 10, 10]
    assert batch.count.tolist() == [1, 2, 2, 2, 1, 1, 1, 1, 1, 1]
    assert batch.ts.tolist() == [3, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    assert batch.channel[1:5].tolist() == [NO_CHANNEL] * 3 + [0]
    assert Histories.from_rows([row], INDEX, 5).ts.tolist() == [3, 4]


def same(one, other):
    for name in ("item_ix", "ts", "quantity", "count", "order", "channel", "location"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_a_batch_is_its_rows(small):
    @given(st.lists(sequences, max_size=5), st.integers(0, 45), st.data())
    def holds(many, as_of_ts, data):
        rows = [add_lines(EMPTY, sequence) for sequence in many]
        batch = Histories.from_rows(rows, INDEX, as_of_ts)
        for number, row in enumerate(rows):
            alone = Histories.from_rows([row], INDEX, as_of_ts)
            same(batch[number : number + 1], alone)
            same(batch.purchases[number : number + 1], alone.purchases)
        start, stop = sorted(data.draw(st.tuples(*[st.integers(0, len(rows))] * 2)))
        same(batch[start:stop], Histories.from_rows(rows[start:stop], INDEX, as_of_ts))

    holds()


def test_rows_are_cut_in_ranges_only():
    with pytest.raises(ValueError, match="step 1"):
        Histories.from_rows([EMPTY] * 4, INDEX, 1)[::2]


def bought(*rows):
    batch = Histories.from_rows([add_lines(EMPTY, lines(*rows))], INDEX, 1000).purchases
    ids = [INDEX.item_ids[ix] for ix in batch.item_ix]
    return list(zip(ids, batch.ts.tolist(), batch.quantity.tolist(), strict=True))


@pytest.mark.parametrize(
    ("rows", "kept"),
    [
        ([line(1, 5), line(2, 6)], [("p1", 5, 1.0), ("p2", 6, 1.0)]),
        # two lines of one product in one order are one purchase
        ([line(1, 5), line(2, 5), line(1, 5, 2)], [("p1", 5, 3.0), ("p2", 5, 1.0)]),
        # returned in full, in part, in weights that floats cannot add up
        ([line(1, 5), line(1, 9, -1)], []),
        ([line(1, 5, 3), line(1, 9, -1)], [("p1", 5, 2.0)]),
        ([line(1, 5, 0.3), line(1, 6, 0.4), line(1, 9, -0.7)], []),
        # the return names its order: the other one stays
        ([line(1, 5, order=1), line(1, 6, order=2), line(1, 9, -1, order=1)], [("p1", 6, 1.0)]),
        # a return that names no order takes away what is left
        ([line(1, 5, order=1), line(1, 9, -1, order=8)], []),
        ([line(1, 5, 3, order=1), line(1, 9, -1, order=8)], [("p1", 5, 3.0)]),
        # a return without a purchase
        ([line(1, 5, -1), line(2, 6)], [("p2", 6, 1.0)]),
    ],
)
def test_purchases_are_what_was_kept(rows, kept):
    assert bought(*rows) == kept


def test_a_return_reaches_into_the_summary(small):
    row = add_lines(EMPTY, lines(line(1, 1), *(line(2, 10 + n, order=n) for n in range(6))))
    row = add_lines(row, lines(line(1, 20, -1)))
    batch = Histories.from_rows([row], INDEX, 1000).purchases
    assert set(batch.item_ix) == set(INDEX.ix_of(["p2"]))


def test_histories_are_equal_by_content():
    one, other = (add_lines(EMPTY, lines(line(1))) for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)
    assert one != EMPTY
