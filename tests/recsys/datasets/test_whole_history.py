import numpy as np
import pyarrow.parquet as pq
import pytest

from recsys.datasets import history_rows, whole_history
from recsys.datasets.customer_history import MAX_LINES
from recsys.datasets.whole_history import lines_of_all


def _lines(n: int, customers: int, seed: int = 0) -> list[dict[str, object]]:
    """Lines of several customers, with returns, corrections, strangers and missing prices."""
    rng = np.random.default_rng(seed)
    made = []
    for number, ts in enumerate(np.sort(rng.integers(0, n // 3 + 1, n)).tolist()):
        who = int(rng.integers(-1, customers))
        back = rng.random() < 0.1
        made.append(
            {
                "customer_id": None if who < 0 else f"c{who}",
                "ts": ts,
                "order_id": f"t:{number // 3}",
                "line_no": number % 3 + 1,
                "return_of": f"t:{int(rng.integers(0, number // 3 + 1))}" if back else None,
                "item_id": f"i{int(rng.integers(0, n // 2 + 1))}é",
                "quantity": -1.0 if back else 1.5,
                "amount_minor": None if rng.random() < 0.1 else int(rng.integers(-(2**40), 2**40)),
                "location_id": [None, "s1", "s2"][int(rng.integers(0, 3))],
                "channel": ["pos", "web"][int(rng.integers(0, 2))],
                "kind": "correction" if rng.random() < 0.05 else "return" if back else "sale",
            }
        )
    return sorted(made, key=lambda line: (line["ts"], line["order_id"], line["line_no"]))


@pytest.mark.parametrize(("n", "customers"), [(0, 1), (1, 1), (50, 3), (3 * MAX_LINES, 2)])
def test_rows_are_those_of_streamed_lines(write_history, monkeypatch, n, customers):
    history = write_history(_lines(n, customers))
    assert lines_of_all(history) is not None
    at_once = dict(history_rows.read_rows(history))
    monkeypatch.setattr(history_rows, "lines_of_all", lambda history: None)
    streamed = dict(history_rows.read_rows(history))
    assert [*at_once] == [*streamed]
    assert at_once == streamed


def test_a_history_beyond_the_memory_is_streamed(write_history, monkeypatch):
    history = write_history(_lines(20, 2))
    monkeypatch.setattr(whole_history, "_LINE_BYTES", history.memory_mb << 20)
    assert lines_of_all(history) is None
    assert dict(history_rows.read_rows(history))


def test_lines_in_no_order_are_streamed(write_history):
    lines = [{"customer_id": "c1", "ts": ts, "order_id": str(ts), "item_id": "a"} for ts in (5, 9)]
    history = write_history(lines)
    pq.write_table(history.table("lines").take([1, 0]), history.path("lines"))
    assert lines_of_all(history) is None
    assert dict(history_rows.read_rows(history))["c1"].lines["ts"].tolist() == [5, 9]


def test_many_customers_are_sorted_too():
    who = np.array([70_000, -1, 3, 70_000, 3], np.int32)
    assert whole_history._by_number(who).tolist() == [1, 2, 4, 0, 3]
    assert whole_history._by_number(who % 7).tolist() == np.argsort(who % 7, kind="stable").tolist()
