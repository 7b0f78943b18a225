import threading
import time

from benchmarks.latency import THREADS, TOGETHER, timed


def test_each_is_asked_alone_and_then_all_of_them_in_pieces():
    n, calls = 2 * TOGETHER + 3, []

    def answer(asked):
        calls.append(tuple(asked))

    found = timed(answer, n)
    alone = [call[0] for call in calls if len(call) == 1]
    assert alone[-n:] == list(range(n))
    pieces = [call for call in calls[len(alone) :] if len(call) > 1]
    last = sorted(pieces[-3:])
    assert [len(piece) for piece in last] == [TOGETHER, TOGETHER, 3]
    assert [one for piece in last for one in piece] == list(range(n))
    assert found["per_second"] > 0


def test_slow_answers_show_in_the_tail_and_waiting_is_no_work():
    n, main = 40, threading.get_ident()

    def answer(asked):
        if threading.get_ident() == main and asked[0] == n - 1:
            time.sleep(0.05)

    found = timed(answer, n)
    assert found["p50_ms"] < 5 < found["p99_ms"]
    assert found["p50_cpu_ms"] < 5


def test_threads_answer_side_by_side():
    together = threading.Barrier(THREADS, timeout=10)

    def answer(asked):
        if len(asked) > 1:
            together.wait()

    assert timed(answer, THREADS * TOGETHER)["per_second"] > 0
