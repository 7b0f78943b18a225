"""Who bought on one channel is asked about the other, in the window only."""

import numpy as np

from benchmarks.tasks.other_channel import crossing
from recsys.evaluation.splits import Window
from recsys.units import DAY


def test_customers_are_asked_about_the_channel_they_cross_to():
    # Customer 0 goes from store (1) to web (2), 1 stays in the store, 2 goes both ways.
    rows = [
        (0, 0, 0, 1),
        (0, 1, 5, 2),
        (1, 0, 0, 1),
        (1, 1, 5, 1),
        (2, 0, 0, 1),
        (2, 1, 0, 2),
        (2, 0, 5, 2),
        (2, 2, 5, 1),
    ]
    customer, item, day, channel = np.array(rows, np.int64).T
    problem, asked_on = crossing(customer, item, day * DAY, channel, Window(5 * DAY, 6 * DAY))
    questions = [
        (who, on, problem.wanted.row(row).item_ix.tolist())
        for row, (who, on) in enumerate(zip(problem.asked.tolist(), asked_on.tolist(), strict=True))
    ]
    assert questions == [(2, 1, [2]), (0, 2, [1]), (2, 2, [0])]
    assert problem.purchases.n_items == 2
    assert len(problem.purchases.item) == 4
