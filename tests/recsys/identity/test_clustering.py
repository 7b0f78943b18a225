"""Joining with limits: whole components at once equal taking every link in its turn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.identity.clustering import cluster


def one_at_a_time(ends, counts, limits) -> tuple[list[frozenset[int]], list[int]]:
    """The plain definition, over sets."""
    groups = [{node} for node in range(len(counts))]
    broken = []
    for a, b in zip(*ends, strict=True):
        left = next(group for group in groups if a in group)
        right = next(group for group in groups if b in group)
        total = counts[sorted(left | right)].sum(axis=0)
        over = np.flatnonzero(total > limits)
        if left is right or not len(over):
            groups = [group for group in groups if group not in (left, right)] + [left | right]
            broken.append(-1)
        else:
            broken.append(int(over[0]))
    return sorted(map(frozenset, groups), key=sorted), broken


@given(
    n_nodes=st.integers(1, 12),
    n_links=st.integers(0, 20),
    n_limits=st.integers(0, 3),
    seed=st.integers(0, 10_000),
)
def test_equals_taking_links_one_at_a_time(n_nodes, n_links, n_limits, seed) -> None:
    random = np.random.default_rng(seed)
    a, b = random.integers(0, n_nodes, (2, n_links))
    counts = random.integers(0, 2, (n_nodes, n_limits))
    limits = random.integers(1, 4, n_limits)
    order = random.permutation(n_links)
    place = np.argsort(order)
    groups, broken = cluster((a, b), counts, limits, lambda some: some[np.argsort(place[some])])
    expected, in_order = one_at_a_time((a[order], b[order]), counts, limits)
    found = [frozenset(np.flatnonzero(groups == g).tolist()) for g in range(groups.max() + 1)]
    assert sorted(found, key=sorted) == expected
    assert broken[order].tolist() == in_order


def test_only_a_component_over_its_limit_is_put_in_order() -> None:
    asked = []

    def strongest_first(some: np.ndarray) -> np.ndarray:
        asked.extend(some.tolist())
        return some

    ends = (np.array([0, 1, 3]), np.array([1, 2, 4]))
    counts = np.array([[1], [0], [1], [1], [0]])
    groups, broken = cluster(ends, counts, np.array([1]), strongest_first)
    assert asked == [0, 1]
    assert broken.tolist() == [-1, 0, -1]
    assert groups[0] == groups[1] != groups[2]
    assert groups[3] == groups[4]


@pytest.mark.parametrize("links", [257, 512])
def test_a_link_given_very_often_still_joins(links: int) -> None:
    ends = (np.zeros(links, np.int64), np.ones(links, np.int64))
    groups, _ = cluster(ends, np.zeros((2, 1), np.int64), np.array([1]), lambda some: some)
    assert groups.tolist() == [0, 0]
