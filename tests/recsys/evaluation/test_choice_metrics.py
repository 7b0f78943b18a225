"""Accuracy by choice is accuracy of lists in which every choice stands once."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.datasets.ragged import Lists
from recsys.evaluation.choice_metrics import choice_figures, lists_of_choices
from recsys.ranking.choices import Choices

N = 6
rows_of_items = st.lists(st.lists(st.integers(0, N - 1), unique=True), min_size=1, max_size=4)


def lists(rows):
    return Lists.of_rows([np.array(row, np.int32) for row in rows])


@given(st.data(), rows_of_items, st.lists(st.integers(0, 3), min_size=N, max_size=N))
def test_it_is_what_a_plain_loop_counts(data, shown, numbers):
    n, k = len(shown), 2
    relevant = [sorted(data.draw(st.sets(st.integers(0, N - 1)))) for _ in range(n)]
    first = {}
    of = [first.setdefault(c, at) for at, c in enumerate(numbers)]
    choices = Choices(np.array(of, np.int32), np.zeros(N, np.int64))
    found = choice_figures(lists(shown), lists(relevant), choices, k)
    for r in range(n):
        places = list(dict.fromkeys(of[ix] for ix in shown[r]))[:k]
        right = {of[ix] for ix in relevant[r]}
        assert lists_of_choices(lists(shown), choices).row(r).item_ix.tolist()[:k] == places
        hits = [1 / math.log2(at + 2) for at, choice in enumerate(places) if choice in right]
        if not right:
            assert all(np.isnan(each[r]) for each in found.values())
            continue
        ideal = sum(1 / math.log2(at + 2) for at in range(min(k, len(right))))
        assert found["choice_ndcg"][r] == pytest.approx(sum(hits) / ideal)
        assert found["choice_recall"][r] == pytest.approx(len(hits) / len(right))
        assert found["choice_hr"][r] == bool(hits)
